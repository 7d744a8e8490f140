"""SOAP Metadata API: deploy, retrieve, list, read. Source: WSDL v63 and the envelopes of known clients."""

import base64
import binascii
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import metadata_render as render
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.login import Sessions
from chartlift_sandbox.salesforce.metadata import DEPLOYERS, user_name
from chartlift_sandbox.salesforce.metadata_crud import MetadataCrud
from chartlift_sandbox.salesforce.metadata_deploy import CHILD_TYPES, FILE_TYPES, INERT_TYPES
from chartlift_sandbox.salesforce.metadata_jobs import OPTIONS, MetadataJobs
from chartlift_sandbox.salesforce.metadata_retrieve import Retrieval
from chartlift_sandbox.salesforce.metadata_types import value_type
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.soap import (
    Call,
    Raw,
    SoapFaultError,
    answer,
    chosen,
    every,
    fault,
    first,
    local,
    read_call,
)

NAMESPACE = render.NAMESPACE
_READ_LIMIT = 10
_LIST_LIMIT = 3


class MetadataSoap:
    """The operations over the metadata jobs."""

    def __init__(self, org: Org, jobs: MetadataJobs, sessions: Sessions) -> None:
        self._org, self._jobs, self._sessions = org, jobs, sessions
        self._retrieval, crud = Retrieval(org, jobs), MetadataCrud(org, jobs)
        self._operations: dict[str, Callable[[Call], list[Any]]] = {
            "deploy": self._deploy,
            "checkDeployStatus": self._deploy_status,
            "checkStatus": self._check_status,
            "cancelDeploy": self._cancel,
            "deployRecentValidation": self._quick,
            "retrieve": self._retrieve,
            "checkRetrieveStatus": self._retrieve_status,
            "listMetadata": self._list,
            "readMetadata": self._read,
            "describeMetadata": self._describe,
            "describeValueType": self._value_type,
            "createMetadata": crud.save,
            "updateMetadata": crud.save,
            "upsertMetadata": crud.save,
            "deleteMetadata": crud.delete,
            "renameMetadata": crud.rename,
        }

    async def post(self, request: Request) -> Response:
        """One call; the operation is the first element of the body, whatever SOAPAction and path say."""
        try:
            call = await read_call(request, self._sessions, self._org.settings.newest_api_version)
            results = await run_in_threadpool(self._run, call)
        except SoapFaultError as error:
            return fault(error, NAMESPACE)
        except OrgError as error:
            code = "INVALID_ID_FIELD" if error.code == "NOT_FOUND" else error.code
            return fault(SoapFaultError(code, error.message), NAMESPACE)
        return answer(call.operation, NAMESPACE, results)

    def _run(self, call: Call) -> list[Any]:
        if not DEPLOYERS & call.actor.permissions:
            raise SoapFaultError("INSUFFICIENT_ACCESS", "Modify Metadata Through Metadata API Functions is needed")
        return chosen(self._operations, call)(call)

    def _deploy(self, call: Call) -> list[Any]:
        try:
            data = base64.b64decode("".join((call.text("ZipFile") or "").split()), validate=True)
        except binascii.Error as error:
            raise SoapFaultError("INVALID_BASE64", "ZipFile is not base64") from error
        options: dict[str, Any] = {}
        found = first(call.body, "DeployOptions")
        for one in found if found is not None else ():
            text = (one.text or "").strip()
            default = OPTIONS.get(local(one))
            if local(one) == "runTests":
                options.setdefault("runTests", []).extend([text] if text else [])
            else:
                options[local(one)] = text.lower() == "true" if isinstance(default, bool) else text or None
        job = self._jobs.deploy(data, options, call.actor)
        return [{"done": False, "id": job.id, "state": "Queued"}]

    def _quick(self, call: Call) -> list[Any]:
        return [self._jobs.deploy_validated(call.text("validationId") or "", call.actor).id]

    def _deploy_status(self, call: Call) -> list[Any]:
        job = self._jobs.get(call.text("asyncProcessId") or "")
        details = (call.text("includeDetails") or "").lower() == "true"
        return [job.result(details=details, user_name=user_name(self._org, call.actor.user_id))]

    def _check_status(self, call: Call) -> list[Any]:
        asked = call.text("asyncProcessId") or ""
        if self._jobs.is_retrieve(asked):
            return [{"done": True, "id": self._jobs.get_retrieve(asked).id, "state": "Completed"}]
        job = self._jobs.get(asked)
        state = {"Pending": "Queued", "InProgress": "InProgress"}.get(job.status, "Completed")
        return [{"done": job.done, "id": job.id, "state": state}]

    def _cancel(self, call: Call) -> list[Any]:
        job = self._jobs.get(call.text("String") or call.text("asyncProcessId") or call.text("id") or "")
        self._jobs.cancel(job, (call.actor.user_id, user_name(self._org, call.actor.user_id)))
        return [{"done": job.done, "id": job.id}]

    def _retrieve(self, call: Call) -> list[Any]:
        wanted: dict[str, list[str]] = {}
        package = first(call.body, "unpackaged")
        for types in every(package, "types") if package is not None else []:
            kind = next(((one.text or "").strip() for one in every(types, "name")), "")
            wanted.setdefault(kind, []).extend((one.text or "").strip() for one in every(types, "members"))
        single = (call.text("singlePackage") or "").lower() == "true"
        job = self._jobs.keep_retrieve(
            {"types": wanted, "single": single, "version": call.text("apiVersion") or "67.0"}
        )
        return [{"done": False, "id": job.id, "state": "Queued"}]

    def _retrieve_status(self, call: Call) -> list[Any]:
        job = self._jobs.get_retrieve(call.text("asyncProcessId") or "")
        if job.zip is None:
            self._retrieval.fill(job)
        shown: dict[str, Any] = {
            "done": True,
            "fileProperties": job.properties,
            "id": job.id,
            "messages": [{"fileName": file, "problem": text} for file, text in job.problems],
            "status": "Succeeded",
            "success": True,
        }
        if (call.text("includeZip") or "true").lower() == "true":
            shown["zipFile"] = base64.b64encode(job.zip or b"").decode()
        return [shown]

    def _list(self, call: Call) -> list[Any]:
        kinds = [(one.text or "").strip() for query in every(call.body, "queries") for one in every(query, "type")]
        if len(kinds) > _LIST_LIMIT:
            text = f"record limit reached. cannot submit more than {_LIST_LIMIT} records into this call"
            raise SoapFaultError("EXCEEDED_ID_LIMIT", text)
        return [one for kind in kinds for one in self._retrieval.listed(kind)]

    def _read(self, call: Call) -> list[Any]:
        kind, names = call.text("type") or "", _texts(call.body, "fullNames")
        if len(names) > _READ_LIMIT:
            raise SoapFaultError(
                "EXCEEDED_ID_LIMIT",
                f"record limit reached. cannot submit more than {_READ_LIMIT} records into this call",
            )
        if kind not in render.FOLDERS:
            raise SoapFaultError("INVALID_TYPE", f"Unknown type:{kind}")
        records: list[Raw] = []
        for name in names:
            nodes = render.component_nodes(self._org, self._jobs.sources, kind, name)
            if nodes is None:
                records.append(Raw(""))
                continue
            own = [("fullName", name), *(one for one in nodes if one[0] != "fullName")]
            inner = render.to_xml("records", own, namespace=None)
            records.append(Raw(inner.removeprefix("<records>").removesuffix("</records>"), kind))
        return [{"records": records}]

    def _value_type(self, call: Call) -> list[Any]:
        asked = call.text("type") or ""
        found = value_type(asked.removeprefix(f"{{{NAMESPACE}}}")) if asked.startswith("{") else None
        if found is None:
            raise SoapFaultError("INVALID_TYPE", f"Unknown type:{asked}")
        return [found]

    def _describe(self, call: Call) -> list[Any]:  # noqa: ARG002 - every operation has this signature
        objects = [
            {
                "childXmlNames": CHILD_TYPES if kind == "CustomObject" else [],
                "directoryName": folder, "inFolder": False, "metaFile": False, "suffix": ending or None,
                "xmlName": kind,
            }
            for kind, (folder, ending) in sorted((FILE_TYPES | INERT_TYPES | render.FOLDERS).items())
            if kind not in CHILD_TYPES
        ]  # fmt: skip
        return [
            {"metadataObjects": objects, "organizationNamespace": "", "partialSaveAllowed": True, "testRequired": False}
        ]


def _texts(element: Element, name: str) -> list[str]:
    return [(one.text or "").strip() for one in every(element, name)]


def routes(org: Org, jobs: MetadataJobs, sessions: Sessions) -> list[BaseRoute]:
    """Every path under which clients post metadata envelopes."""
    door = MetadataSoap(org, jobs, sessions)
    return [
        Route("/services/Soap/m/{version}", door.post, methods=["POST"]),
        Route("/services/Soap/m/{version}/{rest:path}", door.post, methods=["POST"]),
    ]
