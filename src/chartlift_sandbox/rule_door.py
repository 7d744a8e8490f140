"""The control door's part about rules: automation, duplicate rules, custom permissions, locked records, the mail trap."""

import dataclasses
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.org_switches import (
    SwitchError,
    checked,
    known_object,
    mapping,
    mappings,
    set_validation_rules,
    word,
)
from chartlift_sandbox.salesforce import ids, sharing
from chartlift_sandbox.salesforce.automation import check_automation
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.rulebook import Automation, DuplicateRule, MatchField, duplicate_rules

_ACTIONS = frozenset({"block", "alert", "report", "off"})
_ON = frozenset({"insert", "update", "both"})
_AUTOMATION_WORDS = frozenset({"object", "name", "moment", "action", "on", "condition", "bypass", "active"})


class RuleDoor:
    """The routes over one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    async def rules(self, request: Request) -> Response:
        """GET: every rule. POST `{kind: list, …}`: replaces the kinds that are named.

        Kinds: `validation_rules`, `automations`, `duplicate_rules`, `custom_permissions`, `sharing` (default by object)
        and `locked` (ids of records under approval).
        """
        if request.method == "POST":
            body = mapping(_read(await request.body()))
            await run_in_threadpool(self._change, body)
        return _json(await run_in_threadpool(self._shown))

    def _change(self, body: dict[str, Any]) -> None:
        changes = {
            "validation_rules": set_validation_rules, "automations": set_automations, "locked": set_locked,
            "duplicate_rules": set_duplicate_rules, "custom_permissions": set_custom_permissions,
            "sharing": set_sharing,
        }  # fmt: skip
        if unknown := sorted(set(body) - set(changes)):
            raise SwitchError(f"no rules of kind {unknown[0]}")
        with self._org.lock:
            for kind, value in body.items():
                changes[kind](self._org, value)

    def _shown(self) -> dict[str, Any]:
        with self._org.lock:
            book = self._org.rules
            return {
                "validation_rules": [dataclasses.asdict(one) for one in book.validation],
                "automations": [dataclasses.asdict(one) for one in book.automations],
                "duplicate_rules": [dataclasses.asdict(one) for one in self._duplicate_rules()],
                "custom_permissions": {"all": book.custom_permissions, "granted": book.grants},
                "locked": book.locked,
                "sharing": {one.name: one.sharing_model for one in self._org.schema.objects.values() if not one.setup},
            }

    def _duplicate_rules(self) -> list[DuplicateRule]:
        return duplicate_rules(self._org.rules, standard=self._org.settings.duplicate_rule_contact)

    async def mail(self, request: Request) -> Response:
        """GET: e-mails that automation sent, oldest first. DELETE: empties the trap."""
        if request.method == "DELETE":
            self._org.rules.mail.clear()
        with self._org.lock:
            return _json([dataclasses.asdict(one) for one in self._org.rules.mail])


def set_automations(org: Org, given: Any) -> None:
    """Replaces the flows and triggers; what is no word of `Automation` is a word of its action.

    Raises:
        SwitchError: a word is missing or wrong, or a formula does not compile.
    """
    made = []
    for entry in mappings(given):
        owner = known_object(org, entry)
        words = tuple((str(name), str(value)) for name, value in entry.items() if name not in _AUTOMATION_WORDS)
        on = str(entry.get("on") or "both")
        if on not in _ON:
            raise SwitchError(f"on is one of {', '.join(sorted(_ON))}")
        one = Automation(
            owner, word(entry, "name"), word(entry, "moment"), word(entry, "action"), words, on,
            str(entry.get("condition") or ""), str(entry.get("bypass") or ""), entry.get("active") is not False,
        )  # fmt: skip
        checked(lambda o=owner, a=one: check_automation(org, org.schema.objects[o], a))
        made.append(one)
    org.rules.automations[:] = made


def set_duplicate_rules(org: Org, given: Any) -> None:
    """Replaces the duplicate rules: `{"object", "name", "fields": [name or {"name", "fuzzy", "blank_matches"}], …}`.

    Raises:
        SwitchError: a word is missing or wrong, or a field does not exist.
    """
    made = []
    for entry in mappings(given):
        owner, name = known_object(org, entry), word(entry, "name")
        actions = [str(entry.get(key) or "alert") for key in ("on_insert", "on_update")]
        if set(actions) - _ACTIONS:
            raise SwitchError(f"on_insert and on_update are one of {', '.join(sorted(_ACTIONS))}")
        fields = tuple(_match_field(org, owner, one) for one in entry.get("fields") or ())
        if not fields:
            raise SwitchError("fields is missing")
        made.append(
            DuplicateRule(
                owner, name, str(entry.get("label") or name), fields, *actions,
                message=str(entry.get("message") or "Use one of these records?"),
                active=entry.get("active") is not False, bypass=str(entry.get("bypass") or ""),
            )
        )  # fmt: skip
    org.rules.duplicates[:] = made


def _match_field(org: Org, owner: str, given: Any) -> MatchField:
    entry = {"name": given} if isinstance(given, str) else mapping(given)
    found = org.schema.field(owner, word(entry, "name"))
    if found is None or not found.stored:
        raise SwitchError(f"no field {owner}.{entry['name']}")
    return MatchField(found.name, entry.get("fuzzy") is True, entry.get("blank_matches") is True)


def set_custom_permissions(org: Org, given: Any) -> None:
    """Replaces the custom permissions: `{name: [names of permission sets or profiles' own sets that grant it]}`."""
    book = org.rules
    book.custom_permissions[:], grants = [], {}
    for name, sets in mapping(given).items():
        book.custom_permissions.append(str(name))
        for one in sets if isinstance(sets, list) else [sets]:
            grants.setdefault(str(one).lower(), []).append(str(name))
    book.grants.clear()
    book.grants.update(grants)


def set_sharing(org: Org, given: Any) -> None:
    """Sets sharing defaults: `{object: model}`, with the models of metadata.

    Raises:
        SwitchError: no such object or model.
    """
    for name, model in mapping(given).items():
        found = org.schema.object(str(name))
        if found is None or model not in sharing.MODELS:
            raise SwitchError(f"no object {name} or no sharing model {model}")
        found.sharing_model = str(model)


def set_locked(org: Org, given: Any) -> None:
    """Replaces the list of records that an approval process has locked.

    Raises:
        SwitchError: something in the list is no id.
    """
    if not isinstance(given, list):
        raise SwitchError("a list was expected")
    found = [ids.normalise(str(one)) for one in given]
    if None in found:
        raise SwitchError("locked takes ids of records")
    org.rules.locked[:] = [one for one in found if one is not None]


def _read(raw: bytes) -> Any:
    try:
        return orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise SwitchError(f"no JSON: {error}") from error


def _json(data: Any) -> Response:
    return Response(orjson.dumps(data), media_type="application/json")


def rule_routes(org: Org) -> list[BaseRoute]:
    """The routes about rules."""
    door = RuleDoor(org)
    return [
        Route("/org/rules", door.rules, methods=["GET", "POST"]),
        Route("/org/mail", door.mail, methods=["GET", "DELETE"]),
    ]
