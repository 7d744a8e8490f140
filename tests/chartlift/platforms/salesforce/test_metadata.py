from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from chartlift.errors import PlanError, StopError
from chartlift.model.schema import DesiredField, DesiredSchema

Connect = Callable[..., Any]
WANTED = DesiredSchema(
    fields=(
        DesiredField("Contact", "Nick__c", "Nick", "Text(40)"),
        DesiredField("Contact", "Title__c", "Title", "Picklist", values=("Mr", "Ms")),
    ),
    value_sets={"LeadSource": ("Web", "Google Ads")},
    standard_fields=("Contact.Birthdate",),
)


class Setup:
    """What the fake org has of schema, and what is deployed to it."""

    def __init__(self, org: Any, faults: Any) -> None:
        self.fields: dict[str, dict[str, Any]] = {
            "LeadSource": {"type": "picklist", "picklistValues": [{"value": "Web", "active": True}]}
        }
        self.shared = ["Web"]
        self.zips: list[zipfile.ZipFile] = []
        self.assigned: set[str] = set()
        self.failures: list[dict[str, str]] = []
        self.audit = True
        self.faults = faults
        org.answers |= {
            "/sobjects/PermissionSetAssignment$": self.assign,
            "/sobjects/Contact/describe$": self.describe,
            "/sobjects/(Account|Lead|Opportunity)/describe$": lambda _: faults.error(404, "NOT_FOUND"),
            "/Soap/m/": self.value_set,
            "/query$": self.query,
            "POST .*deployRequest$": self.deploy,
            "GET .*deployRequest/": self.status,
        }

    def describe(self, _: httpx2.Request) -> httpx2.Response:
        fields = [{"name": name, "updateable": True, **item} for name, item in self.fields.items()]
        return self.faults.json_answer(200, {"name": "Contact", "fields": fields})

    def value_set(self, _: httpx2.Request) -> httpx2.Response:
        values = "".join(
            f"<standardValue><fullName>{v}</fullName><label>{v}</label></standardValue>" for v in self.shared
        )
        return httpx2.Response(200, headers={"Content-Type": "text/xml"}, content=f"<a>{values}</a>".encode())

    def query(self, request: httpx2.Request) -> httpx2.Response:
        text = request.url.params["q"]
        name = re.search(r"Name = '(\w+)'", text)
        assert name
        held = "PermissionSetAssignment" not in text or name[1] in self.assigned
        records = [{"Id": name[1]}] if held else []
        return self.faults.json_answer(200, {"totalSize": len(records), "done": True, "records": records})

    def assign(self, request: httpx2.Request) -> httpx2.Response:
        self.assigned.add(request.content.decode().split('"PermissionSetId":"')[1].split('"')[0])
        return self.faults.json_answer(201, {"id": "0Pa", "success": True, "errors": []})

    def deploy(self, request: httpx2.Request) -> httpx2.Response:
        body = request.content
        archive = zipfile.ZipFile(io.BytesIO(body[body.index(b"PK") :]))
        self.zips.append(archive)
        if not self.failures:
            self.fields |= {
                "Nick__c": {"type": "string", "length": 40},
                "Title__c": {
                    "type": "picklist",
                    "picklistValues": [{"value": v, "active": True} for v in ("Mr", "Ms")],
                },
                "Birthdate": {"type": "date", "createable": True},
                "LeadSource": {"type": "picklist", "picklistValues": [{"value": v} for v in ("Web", "Google Ads")]},
            }
        return self.faults.json_answer(201, {"id": "0Af5g0000000001AAA"})

    def status(self, _: httpx2.Request) -> httpx2.Response:
        last = self.zips[-1].namelist()
        audit_off = not self.audit and "permissionsets/Chartlift_Audit_Fields.permissionset" in last
        failures = (
            [{"fullName": "Chartlift_Audit_Fields", "problem": "Unknown user permission"}]
            if audit_off
            else self.failures
        )
        result = {"done": True, "success": not failures, "status": "Failed" if failures else "Succeeded"}
        return self.faults.json_answer(200, {"deployResult": {**result, "details": {"componentFailures": failures}}})


@pytest.fixture
def setup(org: Any, faults: Any) -> Setup:
    return Setup(org, faults)


def test_all_that_is_missing_is_found(connect: Connect, setup: Setup) -> None:
    found = connect().missing(WANTED)
    assert found.fields == WANTED.fields
    assert found.value_sets == {"LeadSource": ("Google Ads",)}
    assert found.standard_fields == ("Contact.Birthdate",)


def test_a_deployment_adds_grants_and_assigns_and_a_second_one_does_nothing(
    connect: Connect, setup: Setup, steps: Any
) -> None:
    destination = connect()
    done = destination.deploy(WANTED, steps)
    assert {"field Contact.Nick__c", "values of LeadSource: Google Ads"} <= set(done)
    assert setup.assigned == {"Chartlift_Integration", "Chartlift_Audit_Fields"}
    assert len(setup.zips) == 2
    merged = setup.zips[0].read("standardValueSets/LeadSource.standardValueSet").decode()
    assert "<fullName>Web</fullName>" in merged
    assert "<fullName>Google Ads</fullName>" in merged
    assert destination.deploy(WANTED, steps) == []
    assert len(setup.zips) == 2
    assert steps.kinds[:2] == ["creating", "created"]


def test_only_what_is_missing_is_deployed(connect: Connect, setup: Setup, steps: Any) -> None:
    setup.fields["Nick__c"] = {"type": "string", "length": 80}
    connect().deploy(WANTED, steps)
    text = setup.zips[0].read("objects/Contact.object").decode()
    assert "Nick__c" not in text
    assert "Title__c" in text
    assert "Contact.Nick__c" in setup.zips[0].read("permissionsets/Chartlift_Integration.permissionset").decode()


def test_picklist_values_of_the_org_survive(connect: Connect, setup: Setup, steps: Any) -> None:
    setup.fields["Title__c"] = {"type": "picklist", "picklistValues": [{"value": "Prof", "active": True}]}
    connect().deploy(WANTED, steps)
    text = setup.zips[0].read("objects/Contact.object").decode()
    assert re.findall(r"<value>\s*<fullName>(\w+)<", text) == ["Mr", "Ms", "Prof"]


def test_a_shared_value_that_would_disappear_stops(connect: Connect, setup: Setup, steps: Any) -> None:
    setup.fields["LeadSource"]["picklistValues"] = [{"value": v, "active": True} for v in ("Web", "Added by hand")]
    with pytest.raises(StopError, match="Added by hand"):
        connect().deploy(WANTED, steps)
    setup.shared = []
    with pytest.raises(StopError, match="cannot be read"):
        connect().deploy(WANTED, steps)
    assert not setup.zips


def test_failed_components_are_listed(connect: Connect, setup: Setup, steps: Any) -> None:
    setup.failures = [{"fullName": "Contact.Nick__c", "problem": "Cannot change the field type"}]
    with pytest.raises(PlanError, match=r"Contact\.Nick__c: Cannot change the field type"):
        connect().deploy(WANTED, steps)
    assert not setup.assigned


def test_an_org_without_audit_fields_gets_a_warning(connect: Connect, setup: Setup, steps: Any) -> None:
    setup.audit = False
    done = connect().deploy(WANTED, steps)
    assert setup.assigned == {"Chartlift_Integration"}
    assert done[-1].startswith("warning: Chartlift_Audit_Fields")


def test_fields_that_stay_hidden_stop(connect: Connect, setup: Setup, steps: Any) -> None:
    describe = setup.describe

    def hidden(request: httpx2.Request) -> httpx2.Response:
        setup.fields.pop("Nick__c", None)
        return describe(request)

    connected = connect()
    connected._session._client._transport.handler.answers["/sobjects/Contact/describe$"] = hidden
    with pytest.raises(StopError, match=r"Contact\.Nick__c"):
        connected.deploy(WANTED, steps)


def test_a_lost_answer_to_a_deployment_is_no_harm(
    connect: Connect, setup: Setup, org: Any, steps: Any, faults: Any
) -> None:
    org.fault("POST .*deployRequest", after=faults.lost)
    assert "field Contact.Nick__c" in connect().deploy(WANTED, steps)
