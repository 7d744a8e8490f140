"""Composite, batch, graph and tree: several REST requests in one, with references between them."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from chartlift_sandbox.salesforce import composite_targets
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.records import DUPLICATE_HEADER, duplicate_options, flatten, to_table
from chartlift_sandbox.salesforce.singles import Answer, Asked
from chartlift_sandbox.salesforce.store import UndoneError, undo

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

MAX_SUBREQUESTS = 25
MAX_NODES = 500
MAX_GRAPHS = 75
MAX_FAILED_GRAPHS = 14
"""After so many the rest of a payload is not tried."""
MAX_TREE = 200
REFUSED = 400
"""Lowest HTTP status of a refusal."""
HALTED = {
    "errorCode": "PROCESSING_HALTED",
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
}
_REFERENCE = re.compile(r"@\{([^{}]+)\}")
_VERSION = re.compile(r"^/?(?:services/data/)?v(\d+\.\d)/(.*)$")


def _list(body: dict[str, Any], name: str, limit: int) -> list[dict[str, Any]]:
    entries = body.get(name)
    if not isinstance(entries, list) or not entries:
        raise OrgError("INVALID_INPUT", f"{name} is required")
    if not all(isinstance(entry, dict) for entry in entries):
        raise OrgError("JSON_PARSER_ERROR", f"{name} must be a list of objects")
    if len(entries) > limit:
        raise OrgError("LIMIT_EXCEEDED", f"The number of subrequests exceeds the limit of {limit}")
    return entries


def composite(org: Org, asked: Asked) -> Answer:
    """POST /composite: at most 25 subrequests in order; with allOrNone one failure undoes all."""
    entries = _list(asked.body, "compositeRequest", MAX_SUBREQUESTS)
    answers, _ = _series(org, asked, entries, all_or_none=bool(asked.body.get("allOrNone", False)))
    return Answer(200, {"compositeResponse": answers})


def graph(org: Org, asked: Asked) -> Answer:
    """POST /composite/graph: every graph is all-or-nothing by itself; too many failed ones halt the rest."""
    graphs = _list(asked.body, "graphs", MAX_GRAPHS)
    every = [_list(entry, "compositeRequest", MAX_NODES) for entry in graphs]
    if sum(map(len, every)) > MAX_NODES:
        raise OrgError("LIMIT_EXCEEDED", f"The number of nodes exceeds the limit of {MAX_NODES}")
    results: list[dict[str, Any]] = []
    for entry, nodes in zip(graphs, every, strict=True):
        if sum(not one["isSuccessful"] for one in results) >= MAX_FAILED_GRAPHS:
            answers, good = [_rendered(node, Answer(REFUSED, [HALTED])) for node in nodes], False
        else:
            answers, good = _series(org, asked, nodes, all_or_none=True)
        response = {"compositeResponse": answers}
        results.append({"graphId": entry.get("graphId"), "graphResponse": response, "isSuccessful": good})
    return Answer(200, {"graphs": results})


def _series(
    org: Org, asked: Asked, entries: list[dict[str, Any]], *, all_or_none: bool
) -> tuple[list[dict[str, Any]], bool]:
    """Run subrequests in order; the flag tells whether all succeeded."""
    bodies: dict[str, Any] = {}
    answers: list[Answer] = []
    mark = org.writes.mark()
    try:
        with org.transaction() if all_or_none else nullcontext():
            for entry in entries:
                answer = _one(org, asked, entry, bodies)
                answers.append(answer)
                bodies[str(entry.get("referenceId"))] = answer.body
                if all_or_none and _failed(answer):
                    undo()
    except UndoneError:
        org.writes.roll_back(mark, HALTED["errorCode"])
        failed = len(answers) - 1
        halted = Answer(400, [HALTED])
        answers = [answers[failed] if place == failed else halted for place in range(len(entries))]
    rendered = [_rendered(entry, answer) for entry, answer in zip(entries, answers, strict=True)]
    return rendered, not any(_failed(answer) for answer in answers)


def _failed(answer: Answer) -> bool:
    """Whether a subrequest was refused, or a collection in it had a failed record."""
    rows = answer.body if isinstance(answer.body, list) else []
    return answer.status >= REFUSED or any(isinstance(row, dict) and row.get("success") is False for row in rows)


def _rendered(entry: dict[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": entry.get("referenceId"),
    }


def _one(org: Org, asked: Asked, entry: dict[str, Any], bodies: dict[str, Any]) -> Answer:
    """One subrequest; every refusal becomes an answer."""
    try:
        filled = _fill(entry, bodies)
        given = filled.get("httpHeaders") or {}
        if not isinstance(given, dict):
            raise OrgError("JSON_PARSER_ERROR", "httpHeaders must be an object")  # noqa: TRY301 - one of many refusals
        headers = {name.lower(): value for name, value in given.items()}
        return _call(org, asked, filled.get("method", ""), filled.get("url", ""), filled.get("body") or {}, headers)
    except OrgError as error:
        return Answer(error.status, error.body())


def _fill(value: Any, bodies: dict[str, Any]) -> Any:
    """Replace every @{reference.path} by the value from an earlier answer."""
    if isinstance(value, dict):
        return {name: _fill(inner, bodies) for name, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, bodies) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _follow(whole[1], bodies)
    return _REFERENCE.sub(lambda match: str(_follow(match[1], bodies)), value)


def _follow(path: str, bodies: dict[str, Any]) -> Any:
    steps = re.findall(r"[^.\[\]]+", path)
    value: Any = bodies.get(steps[0])
    for step in steps[1:]:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            raise OrgError("PROCESSING_HALTED", f"Invalid reference specified. No value for {path} found")
    return value


def _call(org: Org, asked: Asked, method: str, url: str, body: Any, headers: dict[str, str]) -> Answer:
    parts = urlsplit(url)
    match = _VERSION.match(parts.path)
    if match is None:
        raise OrgError("INVALID_INPUT", f"The url of a subrequest must name an API version: {url}")
    path = [unquote(step) for step in match[2].split("/") if step]
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    own = headers.get(DUPLICATE_HEADER)
    options = asked.options if own is None else duplicate_options(str(own))
    inner = Asked(asked.actor, match[1], {}, query, body if isinstance(body, dict) else {}, options)
    return composite_targets.dispatch(org, inner, method.upper(), path, headers)


def batch(org: Org, asked: Asked) -> Answer:
    """POST /composite/batch: at most 25 independent requests."""
    entries = _list(asked.body, "batchRequests", MAX_SUBREQUESTS)
    halt = bool(asked.body.get("haltOnError", False))
    results: list[dict[str, Any]] = []
    failed = False
    for entry in entries:
        if failed and halt:
            results.append({"statusCode": 412, "result": [{"errorCode": "BATCH_PROCESSING_HALTED", "message": ""}]})
            continue
        plain = {"method": entry.get("method"), "url": entry.get("url"), "body": entry.get("richInput")}
        answer = _one(org, asked, plain, {})
        failed = failed or answer.status >= REFUSED
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(200, {"hasErrors": failed, "results": results})


def tree(org: Org, asked: Asked) -> Answer:
    """POST /composite/tree/{object}: records with nested children, all or nothing, at most 200 in all."""
    records = _list(asked.body, "records", MAX_TREE)
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    mark = org.writes.mark()
    try:
        with org.transaction():
            _plant(org, asked, records, {}, results, errors)
            if errors:
                undo()
    except UndoneError:
        org.writes.roll_back(mark, HALTED["errorCode"])
        return Answer(400, {"hasErrors": True, "results": errors})
    return Answer(201, {"hasErrors": False, "results": results})


def _plant(
    org: Org,
    asked: Asked,
    records: list[dict[str, Any]],
    parent: dict[str, str],
    results: list[dict[str, Any]],
    errors: list[dict[str, Any]],
) -> None:
    for record in records:
        attributes = record.get("attributes") or {}
        children = {k: v["records"] for k, v in record.items() if isinstance(v, dict) and "records" in v}
        own = {k: v for k, v in record.items() if k not in children}
        if len(results) + len(errors) >= MAX_TREE:
            raise OrgError("INVALID_INPUT", f"at most {MAX_TREE} records in one request")
        kind = str(attributes.get("type") or "")
        row = org.dml("insert", kind, to_table([{**flatten(own), **parent}]), asked.actor, options=asked.options)
        outcome = row.to_pylist()[0]
        reference = {"referenceId": attributes.get("referenceId")}
        if not outcome["success"]:
            fields = [name for name in (outcome["fields"] or "").split(",") if name]
            error = {"statusCode": outcome["code"], "message": outcome["message"], "fields": fields}
            errors.append({**reference, "errors": [error]})
            continue
        results.append({**reference, "id": outcome["id"]})
        for relationship, inner in children.items():
            link = composite_targets.child_link(org, kind, relationship)
            _plant(org, asked, inner, {link: outcome["id"]}, results, errors)
