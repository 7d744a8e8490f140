"""Messages of Bulk API 1.0: XML or JSON control messages, CSV or JSON data. Source: recorded traffic of CumulusCI."""

import csv
import io
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import orjson
import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response

from chartlift_sandbox.salesforce import bulk_csv
from chartlift_sandbox.salesforce.metadata_zip import FileError, parse_xml

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_XML, _JSON = "application/xml", "application/json"


class ClassicError(Exception):
    """A refused call: `exceptionCode` and `exceptionMessage`; HTTP 400 unless said otherwise."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


def wants_json(request: Request) -> bool:
    """Whether the caller speaks JSON; XML is the default."""
    return "json" in (request.headers.get("content-type", "") + request.headers.get("accept", "")).lower()


def read_control(request: Request, body: bytes) -> dict[str, str]:
    """The words of a control message.

    Raises:
        ClassicError: neither XML nor JSON.
    """
    if wants_json(request):
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ClassicError("InvalidRequest", "Invalid JSON") from error
        return {key: str(value) for key, value in data.items() if value is not None} if isinstance(data, dict) else {}
    try:
        root = parse_xml(body, "jobInfo")
    except FileError as error:
        raise ClassicError("InvalidXML", str(error)) from error
    return {_local(one): (one.text or "").strip() for one in root}


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def message(request: Request, name: str, content: Any, status: int = 200) -> Response:
    """A control answer: a dictionary, or a list of them under the item name that XML uses."""
    if wants_json(request):
        shown = {name: content} if isinstance(content, list) else content
        if isinstance(content, list) and name == "result-list":
            shown = [one["result"] for one in content]
        return Response(orjson.dumps(shown), status, media_type=_JSON)
    if isinstance(content, list):
        inner = "".join(_element(key, value) for one in content for key, value in one.items())
    else:
        inner = "".join(_element(key, value) for key, value in content.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{NAMESPACE}">{inner}</{name}>'
    return Response(text, status, media_type=_XML)


def _element(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return f"<{name}>{''.join(_element(key, one) for key, one in value.items())}</{name}>"
    return f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>"


def refused(request: Request, error: ClassicError) -> Response:
    """An error answer."""
    content = {"exceptionCode": error.code, "exceptionMessage": error.message}
    return message(request, "error", content, error.status)


def read_rows(body: bytes, kind: str) -> pa.Table:
    """Uploaded rows as the engine takes them.

    Raises:
        bulk_csv.BulkDataError: data that fails the batch.
    """
    if kind == "JSON":
        return _json_rows(body)
    head = body.split(b"\n", 1)[0]
    return bulk_csv.to_engine(bulk_csv.parse(body, ",", "CRLF" if head.endswith(b"\r") else "LF"))


def _json_rows(body: bytes) -> pa.Table:
    try:
        records = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bulk_csv.BulkDataError("InvalidBatch : Failed to parse JSON") from error
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise bulk_csv.BulkDataError("InvalidBatch : An array of records was expected")
    rows = [_flat(one) for one in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def _flat(record: dict[str, Any]) -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            kind = value.get("attributes", {}).get("type")
            prefix = f"{kind}:{key}" if kind else key
            out |= {f"{prefix}.{k}": _cell(v) for k, v in value.items() if k != "attributes"}
        elif key != "attributes":
            out[key] = _cell(value)
    return out


def _cell(value: Any) -> str:
    if value is None:
        return bulk_csv.SET_NULL
    return str(value).lower() if isinstance(value, bool) else str(value)


def error_cell(row: dict[str, Any]) -> str:
    """A row's error as the CSV result shows it."""
    if row["success"]:
        return ""
    return f"{row['code']}:{row['message']}:{row['fields'] + ' --' if row['fields'] else '--'}"


def result_response(rows: list[dict[str, Any]], kind: str) -> Response:
    """Results of a batch, one line per uploaded row in the order of the upload."""
    if kind == "JSON":
        shown = [
            {
                "success": row["success"], "created": bool(row["success"] and row["created"]), "id": row["id"],
                "errors": [] if row["success"] else [
                    {"statusCode": row["code"], "message": row["message"], "extendedErrorDetails": None,
                     "fields": [one for one in (row["fields"] or "").split(",") if one]}
                ],
            }
            for row in rows
        ]  # fmt: skip
        return Response(orjson.dumps(shown), media_type=_JSON)
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["Id", "Success", "Created", "Error"])
    for row in rows:
        flags = [str(bool(one)).lower() for one in (row["success"], row["success"] and row["created"])]
        writer.writerow([row["id"] or "", *flags, error_cell(row)])
    return Response(sink.getvalue().encode(), media_type="text/csv; charset=UTF-8")
