"""Records as JSON, both ways: rows of a table out, bodies of requests in."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from starlette.requests import Request

from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.dml import DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError, not_found, unknown_column
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import alive_sql, quote
from chartlift_sandbox.salesforce.values import SET_NULL

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

ADDRESS_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")
DELETED = ("ENTITY_IS_DELETED", "entity is deleted")
DUPLICATE_HEADER = "sforce-duplicate-rule-header"
_NOT_FOUND_CODES = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED"})
_FORBIDDEN_CODES = frozenset({"INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"})


def json_value(value: Any) -> Any:
    """A stored value as the REST API writes it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.000Z"
    return value.isoformat() if isinstance(value, date) else value


def cell(value: Any) -> str:
    """A JSON value as the text of a DML cell; null and the empty text set the field to null."""
    if value is None or value == "":
        return SET_NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return value
    raise OrgError("JSON_PARSER_ERROR", "Cannot deserialize instance of a field from an object or array value")


def flatten(record: dict[str, Any]) -> dict[str, str]:
    """A record of a request body as header to cell; nested parents become `Relationship.Key` columns."""
    flat: dict[str, str] = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        if not isinstance(value, dict):
            flat[name] = cell(value)
            continue
        kind = (value.get("attributes") or {}).get("type")
        keys = [(key, inner) for key, inner in value.items() if key != "attributes"]
        if len(keys) != 1:
            raise OrgError("INVALID_FIELD", f"{name} needs exactly one key of the parent record", (name,))
        header = f"{kind}:{name}" if kind and _polymorphic(name) else name
        flat[f"{header}.{keys[0][0]}"] = cell(keys[0][1])
    return flat


def _polymorphic(relationship: str) -> bool:
    return relationship.lower() in {"who", "what", "owner"}


def to_table(records: list[dict[str, Any]]) -> pa.Table:
    """Flattened records as one table of strings; names that differ only in case share a column."""
    names: dict[str, str] = {}
    for record in records:
        for name in record:
            names.setdefault(name.lower(), name)
    columns: dict[str, list[str | None]] = {name: [None] * len(records) for name in names.values()}
    for place, record in enumerate(records):
        for name, value in record.items():
            columns[names[name.lower()]][place] = value
    if not columns:
        # Rows without any column still count: they carry a column that nobody gave.
        return pa.table({"Id": pa.nulls(len(records), pa.string())})
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def require_json(request: Request) -> None:
    """Raises OrgError 415 for a body that calls itself something else than JSON; one without a type passes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind and "json" not in kind.lower():
        message = f"Content-Type header specified in HTTP request is not supported: {kind}"
        raise OrgError("UNSUPPORTED_MEDIA_TYPE", message, status=415)


async def read_json(request: Request) -> Any:
    """The body of a request. Raises OrgError when it is no JSON, or says that it is something else."""
    require_json(request)
    body = await request.body()
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise OrgError("JSON_PARSER_ERROR", f"The request body is not well-formed JSON: {error}") from error


async def read_record(request: Request) -> dict[str, Any]:
    """The body of a request as one record."""
    data = await read_json(request)
    if not isinstance(data, dict):
        raise OrgError("JSON_PARSER_ERROR", "The request body must be one JSON object")
    return data


def options_of(request: Request) -> DmlOptions:
    """What the headers say about DML."""
    return duplicate_options(request.headers.get(DUPLICATE_HEADER, ""))


def duplicate_options(header: str) -> DmlOptions:
    """What the header of duplicate rules says: `allowSave=true; includeRecordDetails=false`."""
    settings = dict(part.strip().partition("=")[::2] for part in header.split(";") if part.strip())
    return DmlOptions(allow_duplicates=settings.get("allowSave", "").strip().lower() == "true")


def readable_object(org: Org, actor: Actor, name: str) -> SObject:
    """The object of a URL. Raises OrgError NOT_FOUND when there is none that the caller may read."""
    sobject = org.schema.object(name)
    if sobject is None or not org.readable(actor, sobject.name):
        raise not_found()
    return sobject


def picked_fields(org: Org, actor: Actor, sobject: SObject, names: list[str] | None) -> list[Field]:
    """The fields to show: those named, or every one that the caller can see. Raises OrgError INVALID_FIELD."""
    visible = org.visible_fields(actor, sobject.name)
    if names is None:
        return [f for f in sobject.fields.values() if f.name in visible]
    picked = []
    for name in names:
        found = sobject.field(name.strip())
        if found is None or found.name not in visible:
            raise unknown_column(name.strip(), sobject.name)
        picked.append(found)
    return picked


def fetch(
    org: Org, sobject: SObject, record_ids: list[str], fields: list[Field], version: str, *, deleted: bool = False
) -> dict[str, dict[str, Any]]:
    """Records by 18-character Id as JSON; ids that name no live record are absent (or, with `deleted`, included)."""
    needed = dict.fromkeys(["Id", *(name for f in fields for name in _columns_of(sobject, f))])
    columns = ", ".join(f"t.{quote(name)}" for name in needed)
    alive = "" if deleted or "IsDeleted" not in sobject.fields else ' AND NOT t."IsDeleted"'
    if len(record_ids) == 1:  # the index serves where the id is the only condition in the scan
        wanted, alive = 't."Id" = ?', alive and f" AND {alive_sql(flagged=True)}"
    else:
        wanted = 't."Id" IN (SELECT unnest(?))'
    sql = f"SELECT {columns} FROM {quote(sobject.name)} t WHERE {wanted}{alive}"
    rows = org.rows(sql, record_ids if len(record_ids) == 1 else [record_ids])
    return {row["Id"]: _record(sobject, fields, row, version) for row in rows}


def _columns_of(sobject: SObject, found: Field) -> list[str]:
    if found.stored:
        return [found.name]
    return [f.name for f in sobject.fields.values() if f.compound == found.name]


def _record(sobject: SObject, fields: list[Field], row: dict[str, Any], version: str) -> dict[str, Any]:
    url = f"/services/data/v{version}/sobjects/{sobject.name}/{row['Id']}"
    record: dict[str, Any] = {"attributes": {"type": sobject.name, "url": url}}
    for found in fields:
        record[found.name] = _shown(found, row, url)
    return record


def _shown(found: Field, row: dict[str, Any], url: str) -> Any:
    if found.type == "base64":
        return f"{url}/{found.name}" if row[found.name] is not None else None
    return json_value(row[found.name]) if found.stored else address(found.name, row)


def address(name: str, row: dict[str, Any]) -> dict[str, Any] | None:
    """The compound address put together from its parts; None when all of them are."""
    prefix = name.removesuffix("Address")
    parts = {part: row.get(prefix + part) for part in ADDRESS_PARTS}
    if all(value is None for value in parts.values()):
        return None
    return {part[0].lower() + part[1:]: value for part, value in parts.items()}


def existing_id(org: Org, sobject: SObject, text: str) -> str:
    """The 18-character Id of a live record. Raises OrgError 404 for an unknown or deleted one."""
    record_id = ids.normalise(text)
    if record_id is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
    gone = '"IsDeleted"' if "IsDeleted" in sobject.fields else '"_deleted_at" IS NOT NULL'
    rows = org.rows(f'SELECT {gone} AS gone FROM {quote(sobject.name)} WHERE "Id" = ?', [record_id])
    if not rows:
        raise not_found()
    if rows[0]["gone"]:
        raise OrgError(*DELETED, status=404, row=True)
    return record_id


def row_error(org: Org, row: dict[str, Any], version: str) -> OrgError:
    """The failed row of a DML call as the error of a single-record request."""
    code = row["code"]
    status = 404 if code in _NOT_FOUND_CODES else 403 if code in _FORBIDDEN_CODES else 400
    fields = tuple(name for name in (row["fields"] or "").split(",") if name)
    detail = {org.settings.duplicate_result_key: _duplicates(row["detail"], version)} if row["detail"] else {}
    return OrgError(code, row["message"], fields, status, detail, row=True)


def _duplicates(detail: str, version: str) -> dict[str, Any]:
    """What a duplicate rule found, with the addresses of the records."""
    result = orjson.loads(detail)
    for match in result["matchResults"]:
        for found in match["matchRecords"]:
            record = found["record"]
            kind = record["attributes"]["type"]
            record["attributes"]["url"] = f"/services/data/v{version}/sobjects/{kind}/{record['Id']}"
    return result


def save_result(row: dict[str, Any], *, with_created: bool = False) -> dict[str, Any]:
    """A result row as an element of a collection answer."""
    result: dict[str, Any] = {}
    if row["id"]:
        result["id"] = row["id"]
    result["success"] = row["success"]
    result["errors"] = []
    if not row["success"]:
        fields = [name for name in (row["fields"] or "").split(",") if name]
        result["errors"] = [{"statusCode": row["code"], "message": row["message"], "fields": fields}]
    if with_created:
        result["created"] = row["created"]
    return result
