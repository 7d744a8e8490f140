"""Single components by SOAP: create, update, upsert, delete and rename, each checked as a deployment of its own."""

from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from chartlift_sandbox.salesforce import metadata_render as render
from chartlift_sandbox.salesforce.metadata_apply import apply, rename_field
from chartlift_sandbox.salesforce.metadata_deploy import CHILD_TAGS, Deployment
from chartlift_sandbox.salesforce.metadata_draft import Draft
from chartlift_sandbox.salesforce.metadata_fields import is_field_name
from chartlift_sandbox.salesforce.metadata_jobs import MetadataJobs
from chartlift_sandbox.salesforce.metadata_outcome import Outcome
from chartlift_sandbox.salesforce.metadata_zip import NAMESPACE, Package, Trees
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.soap import Call, SoapFaultError, every, first, local

LIMIT = 10
_NO_FILE = "destructiveChanges.xml"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_PARTS = {"CustomField": "fields", "ValidationRule": "validationRules", **CHILD_TAGS}
_CODES = (
    ("Required field is missing", "REQUIRED_FIELD_MISSING"),
    ("There is already", "DUPLICATE_DEVELOPER_NAME"),
    ("found", "INVALID_CROSS_REFERENCE_KEY"),
    ("not a valid value for the enum", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ("name is not valid", "INVALID_FULL_NAME"),
    ("is standard and cannot be deleted", "CANNOT_DELETE_MANAGED_OBJECT"),
)


@dataclass(slots=True)
class _Part:
    """One component of a call; `problem` if it is refused before anything is looked at."""

    kind: str
    name: str
    element: Element | None = None
    problem: str = ""


class MetadataCrud:
    """The calls over the org's schema; up to ten components each."""

    def __init__(self, org: Org, jobs: MetadataJobs) -> None:
        self._org, self._jobs = org, jobs

    def save(self, call: Call) -> list[Any]:
        """createMetadata, updateMetadata, upsertMetadata: one result per component, in order."""
        given = every(call.body, "metadata")
        _check_count(given)
        results = self._grouped([self._part(one, call.operation) for one in given], call)
        if call.operation != "upsertMetadata":
            for one in results:
                one.pop("created", None)
        return results

    def delete(self, call: Call) -> list[Any]:
        """deleteMetadata: a type and names."""
        kind, given = call.text("type") or "", every(call.body, "fullNames")
        _check_count(given)
        _check_kind(kind)
        results = self._grouped([_Part(kind, (one.text or "").strip()) for one in given], call)
        for one in results:
            one.pop("created", None)
        return results

    def rename(self, call: Call) -> list[Any]:
        """RenameMetadata of a custom field that nothing refers to by its name."""
        kind, old, new = (call.text(word) or "" for word in ("type", "oldFullName", "newFullName"))
        _check_kind(kind)
        owner, _, name = new.partition(".")
        with self._org.lock:
            found = self._org.schema.field(*old.partition(".")[::2])
            if kind != "CustomField":
                return [_refused(old, f"Components of type {kind} cannot be renamed")]
            if found is None or not found.custom or owner != old.partition(".")[0]:
                return [_refused(old, f"In field: fullName - no CustomField named {old} found")]
            if not is_field_name(name):
                return [_refused(old, f"The Custom Field name is not valid: {name}")]
            if self._org.schema.field(owner, name) is not None:
                return [_refused(old, f"There is already a field named {name} on {owner}.")]
            check = self._deployment([_Part(kind, old)], call.actor)
            check.check()
            if check.failures:
                return [_refused(old, check.failures[0].problem or "")]
            rename_field(self._org, owner, found, name)
            self._jobs.sources.rename(kind, old, new)
        return [{"fullName": new, "success": True}]

    def _part(self, element: Element, operation: str) -> _Part:
        kind = element.get(_TYPE, "").rpartition(":")[2]
        _check_kind(kind)
        found = next((one for one in element if local(one) == "fullName"), None)
        name = (found.text or "").strip() if found is not None else ""
        part = _Part(kind, name, element)
        if not name:
            part.problem = "Required field is missing: fullName"
            return part
        with self._org.lock:
            there = render.component_nodes(self._org, self._jobs.sources, kind, name) is not None
        if operation == "createMetadata" and there:
            owner, _, short = name.rpartition(".")
            what = "field" if kind == "CustomField" else kind
            part.problem = f"There is already a {what} named {short}{' on ' + owner if owner else ''}."
        if operation == "updateMetadata" and not there:
            part.problem = f"In field: fullName - no {kind} named {name} found"
        return part

    def _grouped(self, parts: list[_Part], call: Call) -> list[dict[str, Any]]:
        header = first(call.header, "allOrNone") if call.header is not None else None
        together = header is not None and (header.text or "").strip() == "true"
        groups = [parts] if together else [[one] for one in parts]
        return [result for group in groups for result in self._group(group, call.actor)]

    def _group(self, parts: list[_Part], actor: Actor) -> list[dict[str, Any]]:
        """Results of components of which all are saved or none."""
        with self._org.lock:
            deployment = self._deployment([one for one in parts if not one.problem], actor)
            deployment.check()
            results = [_result(one, deployment.outcomes) for one in parts]
            if all(one["success"] for one in results):
                apply(deployment, self._jobs.sources)
                return results
        return [_rolled_back(one["fullName"]) if one["success"] else one for one in results]

    def _deployment(self, parts: list[_Part], actor: Actor) -> Deployment:
        """The components as a package; those without an element are to be deleted."""
        files: dict[str, Element] = {}
        members: dict[str, list[str]] = {}
        gone: dict[str, list[str]] = {}
        for one in parts:
            if one.element is None:
                gone.setdefault(one.kind, []).append(one.name)
                continue
            members.setdefault(one.kind, []).append(one.name)
            _put(files, one)
        removed = {_NO_FILE: gone} if gone else {}
        package = Package("67.0", members, Trees(files), frozenset(files), removed)
        draft = Draft(self._org.schema, deactivate=self._org.settings.value_set_deploy_deactivates)
        return Deployment(self._org, actor, package, draft)


def _put(files: dict[str, Element], part: _Part) -> None:
    """Adds a component to the files of a package."""
    assert part.element is not None
    folder, ending = render.FOLDERS[part.kind]
    tag, short = _PARTS.get(part.kind), part.name
    if tag is not None:
        owner, _, short = part.name.partition(".")
        root = files.setdefault(f"{folder}/{owner}.{ending}", Element(f"{NAMESPACE}CustomObject"))
        target = SubElement(root, NAMESPACE + tag)
        SubElement(target, NAMESPACE + "fullName").text = short
    else:
        path = f"{folder}/{short}.{ending}"
        old, target = files.get(path), Element(NAMESPACE + part.kind)
        target.extend(old if old is not None else ())
        files[path] = target
    target.extend(_named(one) for one in part.element if local(one) != "fullName")


def _named(element: Element) -> Element:
    """An element whose names are all in the metadata namespace, whatever the caller's are in."""
    made = Element(NAMESPACE + local(element))
    made.text = element.text
    made.extend(_named(one) for one in element)
    return made


def _result(part: _Part, outcomes: list[Outcome]) -> dict[str, Any]:
    """The result of a component, with the problems of what stands in it."""
    if part.problem:
        return _refused(part.name, part.problem)
    mine = [one for one in outcomes if one.name == part.name or one.name.startswith(f"{part.name}.")]
    missing = [
        one for one in outcomes if one.name == _NO_FILE and one.problem and f"named: {part.name} " in one.problem
    ]
    problems = [one.problem for one in (*mine, *missing) if one.problem is not None]
    if problems:
        text = f"In field: fullName - no {part.kind} named {part.name} found" if missing else problems[0]
        return _refused(part.name, text)
    created = any(one.created for one in mine if one.kind == part.kind)
    return {"created": created, "fullName": part.name, "success": True}


def _refused(name: str, problem: str) -> dict[str, Any]:
    code = next((code for words, code in _CODES if words in problem), "FIELD_INTEGRITY_EXCEPTION")
    return _failure(name, problem, code)


def _rolled_back(name: str) -> dict[str, Any]:
    text = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return _failure(name, text, "ALL_OR_NONE_OPERATION_ROLLED_BACK")


def _failure(name: str, problem: str, code: str) -> dict[str, Any]:
    error = {"message": problem, "statusCode": code}
    return {"created": False, "errors": error, "fullName": name, "success": False}


def _check_count(given: list[Element]) -> None:
    if len(given) > LIMIT:
        text = f"record limit reached. cannot submit more than {LIMIT} records into this call"
        raise SoapFaultError("EXCEEDED_ID_LIMIT", text)


def _check_kind(kind: str) -> None:
    if kind not in render.FOLDERS:
        raise SoapFaultError("INVALID_TYPE", f"Unknown type:{kind}")
