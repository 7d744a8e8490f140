"""Writing by REST collections, up to 200 rows a call: for small batches and for cells that Bulk CSV cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from chartlift.errors import TransientError
from chartlift.model.ports import NULL_CELL, OnStep, Step, WriteResult
from chartlift.model.schema import FieldDescribe
from chartlift.platforms.salesforce.answers import code_of
from chartlift.platforms.salesforce.errors import NoAnswer, Refused, safe_fields, twin_field
from chartlift.platforms.salesforce.plain import NUMBERS
from chartlift.platforms.salesforce.rest import COLLECTION, Rest
from chartlift.platforms.salesforce.results import SCHEMA
from chartlift.platforms.salesforce.session import Repeat
from chartlift.platforms.salesforce.soap import Soap

LARGEST_CALL = 4_000_000  # characters of field values in one call
VERBS = {"insert": "POST", "update": "PATCH"}

Row = dict[str, str | None]
Fate = tuple[str | None, str, bool, str, str]  # id, outcome, created, code, fields


class Collections:
    """The rows wire of one org. `allow_save` lets a row pass duplicate rules that only warn."""

    def __init__(self, rest: Rest, soap: Soap, *, allow_save: bool = True) -> None:
        """Take the two APIs rows go by (SOAP knows how to undelete)."""
        self._rest = rest
        self._soap = soap
        flag = "true" if allow_save else "false"
        self._headers = {
            "Sforce-Duplicate-Rule-Header": f"allowSave={flag}; includeRecordDetails=false; runAsCurrentUser=true",
            "Sforce-Auto-Assign": "FALSE",
        }

    def write(
        self,
        object_name: str,
        operation: str,
        table: pa.Table,
        *,
        key_column: str,
        fields: Mapping[str, FieldDescribe],
        on_step: OnStep,
    ) -> WriteResult:
        """Write a batch call by call.

        If an insert's answer is lost, the rows of that call are `unknown`, the rest `unprocessed`: the org has to be
        asked before anything is sent again.
        """
        key, record_id = _column(table, key_column), _column(table, "Id")
        if operation != "insert" and record_id is None:
            raise ValueError(f"an {operation} needs the column Id")
        rows: list[Row] = table.to_pylist()
        keys = [row[key or record_id or ""] for row in rows]
        fates: list[Fate] = []
        for chunk in _chunks(rows):
            on_step(Step("creating", detail={"from": len(fates), "rows": len(chunk)}))
            try:
                fates += self._call(object_name, operation, chunk, fields)
            except Refused as error:
                fates += [(None, "failed", False, error.code, error.fields)] * len(chunk)
            except TransientError as error:
                lost = isinstance(error, NoAnswer) and not error.unsent
                if not fates and not lost:
                    raise
                fates += [(None, "unknown" if lost else "unprocessed", False, "", "")] * len(chunk)
                break
            on_step(Step("uploaded", detail={"from": len(fates) - len(chunk), "rows": len(chunk)}))
        fates += [(None, "unprocessed", False, "", "")] * (len(rows) - len(fates))
        on_step(Step("done", detail={"rows": len(rows)}))
        columns = list(zip(*fates, strict=True)) or [(), (), (), (), ()]
        arrays = [pa.array(values, field.type) for values, field in zip([keys, *columns], SCHEMA, strict=True)]
        complete = not any(fate[1] in ("unknown", "unprocessed") for fate in fates)
        return WriteResult(pa.Table.from_arrays(arrays, schema=SCHEMA), len(rows), "", complete)

    def _call(
        self, object_name: str, operation: str, chunk: list[Row], fields: Mapping[str, FieldDescribe]
    ) -> list[Fate]:
        if operation in VERBS:
            records = [_record(object_name, row, fields) for row in chunk]
            # an update that is said twice has the effect of one; an insert has not
            repeat = Repeat.UNSENT if operation == "insert" else Repeat.ALWAYS
            answers = self._rest.collection(VERBS[operation], records, repeat=repeat, headers=self._headers)
            return [_fate(answer, created=operation == "insert") for answer in answers]
        ids = [_id(row) for row in chunk]
        if operation == "delete":
            return [_fate(answer) for answer in self._rest.delete_collection(ids, headers=self._headers)]
        if operation == "undelete":
            return [_fate(answer) for answer in self._soap.undelete(ids)]
        raise ValueError(f"no operation {operation}")


def _column(table: pa.Table, name: str) -> str | None:
    return next((column for column in table.column_names if column.lower() == name.lower()), None)


def _id(row: Row) -> str:
    return next(value or "" for name, value in row.items() if name.lower() == "id")


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    taken: list[Row] = []
    size = 0
    for row in rows:
        weight = sum(len(value) for value in row.values() if value)
        if taken and (len(taken) == COLLECTION or size + weight > LARGEST_CALL):
            yield taken
            taken, size = [], 0
        taken.append(row)
        size += weight
    if taken:
        yield taken


def _record(object_name: str, row: Row, fields: Mapping[str, FieldDescribe]) -> dict[str, Any]:
    record: dict[str, Any] = {"attributes": {"type": object_name}}
    for name, text in row.items():
        if text is None:
            continue
        if name.lower() == "id":
            record["id"] = text
        elif "." in name:
            relation, _, external = name.partition(".")
            kind, _, polymorphic = relation.rpartition(":")
            parent: dict[str, Any] = {"attributes": {"type": kind}} if kind else {}
            record[polymorphic] = {**parent, external: text}
        else:
            found = fields.get(name)
            record[name] = None if text == NULL_CELL else _typed(text, found.type if found else "string")
    return record


def _typed(text: str, kind: str) -> Any:
    if kind == "boolean":
        return text.lower() in ("true", "1")
    if kind not in NUMBERS:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text  # the org refuses it, naming the field
    return value if isinstance(value, int | float) and not isinstance(value, bool) else text


def _fate(answer: Mapping[str, Any], *, created: bool = False) -> Fate:
    found = answer.get("id")
    record_id = found if isinstance(found, str) and found else None
    if answer.get("success") is True:
        return record_id, "ok", created, "", ""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return (
        record_id,
        "failed",
        False,
        code_of(first),
        safe_fields(first.get("fields")) or twin_field(first.get("message")),
    )
