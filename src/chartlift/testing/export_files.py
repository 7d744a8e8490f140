"""Writes a clinic's export, as AeronaClinic gives it, from rows: what tests and benchmarks read the files of."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyzipper

Rows = Sequence[Mapping[str, Any]]
FILES = {
    "practice": "practices", "user": "users", "appointmentType": "appointment_types",
    "appointmentStatus": "appointment_statuses", "referralSource": "referral_sources", "household": "households",
    "patient": "patients", "appointment": "appointments", "course": "courses", "treatment": "treatments",
    "clinicalNote": "clinical_notes", "document": "documents", "invoice": "invoices", "invoiceLine": "invoice_lines",
    "paymentPlan": "payment_plans", "carePlanMembership": "care_plans", "recall": "recalls",
    "paymentLink": "payment_links", "deletions": "deletions", "medicalItem": "medical_items",
    "instalment": "payment_plan_instalments",
}  # fmt: skip
_MEDICAL = {"allergies": "ALLERGY", "medicalConditions": "CONDITION", "medications": "MEDICATION"}
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


@dataclass(frozen=True)
class Way:
    """How the export is written."""

    encoding: str = "utf-8"
    mark: bytes = b""
    delimiter: str = ","
    line_end: str = "\n"
    cell: Callable[[str, str], str] = lambda _column, text: text
    head: Callable[[str], str] = lambda name: name
    password: str = ""
    as_json: bool = False
    exported: str = "2026-02-20T20:00:00Z"
    more: Mapping[str, bytes] = field(default_factory=dict)  # further members, documents for instance


def rows_of(sql: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows that an extraction through the API left in staging, in the shape of the files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entity in (name for name in FILES if name not in ("deletions", "medicalItem", "instalment")):
        rows = sql.execute(f'SELECT _raw FROM "src_{entity}" ORDER BY _seq').fetchall()
        found[entity] = [json.loads(raw, parse_float=str) for (raw,) in rows]
    found["medicalItem"] = [
        {**item, "patientId": row["patientId"], "type": kind}
        for row in found["patient"] for member, kind in _MEDICAL.items() for item in row.pop(member, None) or ()
    ]  # fmt: skip
    found["instalment"] = [
        {**item, "paymentPlanId": row["paymentPlanId"]}
        for row in found["paymentPlan"] for item in row.pop("instalments", None) or ()
    ]  # fmt: skip
    for row in found["invoiceLine"]:
        row.pop("patientId", None)
        row.pop("isDeleted", None)
    gone = sql.execute("SELECT entity, id, survivor FROM src_deleted ORDER BY ALL").fetchall()
    found["deletions"] = [{"entity": e, "entityId": i, "mergedIntoId": s} for e, i, s in gone]
    return found


def write(path: Path, rows: Mapping[str, Rows], way: Way | None = None) -> Path:
    """Write a ZIP; returns its path."""
    said = way or Way()
    members: dict[str, bytes] = {}
    listed = []
    for entity, body in rows.items():
        ending = "json" if said.as_json else "csv"
        name = f"{FILES[entity]}.{ending}"
        members[name] = json.dumps(body).encode() if said.as_json else b"".join(_csv(body, said))
        listed.append({"name": name, "rows": len(body), "sha256": hashlib.sha256(members[name]).hexdigest()})
    manifest = {"exportedAt": said.exported, "tenant": "t", "practices": [], "schemaVersion": 1, "files": listed}
    kind = {"encryption": pyzipper.WZ_AES} if said.password else {}
    with pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED, **kind) as archive:
        if said.password:
            archive.setpassword(said.password.encode())
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in {**members, **said.more}.items():
            archive.writestr(name, content)
    return path


def _csv(rows: Rows, way: Way) -> Iterator[bytes]:
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["nothing"]
    yield way.mark
    yield _line([way.head(name) for name in names], way)
    for row in rows:
        yield _line([_text(name, row.get(name), way) for name in names], way)


def _line(cells: Iterable[str | None], way: Way) -> bytes:
    return (way.delimiter.join(_quoted(cell, way.delimiter) for cell in cells) + way.line_end).encode(
        way.encoding, "surrogatepass" if way.encoding.startswith("utf") else "replace"
    )


def _quoted(cell: str | None, delimiter: str) -> str:
    if cell is None:
        return ""
    plain = cell and not any(mark in cell for mark in (delimiter, '"', "\n", "\r"))
    return cell if plain else '"' + cell.replace('"', '""') + '"'


def _text(name: str, value: Any, way: Way) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return way.cell(name, "true" if value else "false")
    if isinstance(value, list):
        return way.cell(name, ";".join(str(item) for item in value))
    return way.cell(name, str(value))


def day_first(text: str) -> str:
    """A date or a time as people write it; seconds stay."""
    found = _DAY.match(text)
    if found is None:
        return text
    rest = text[found.end() :].replace("T", " ").rstrip("Z")
    return f"{found[3]}/{found[2]}/{found[1]}{rest}"


def pounds(text: str) -> str:
    """An amount as people write it."""
    try:
        amount = float(text)
    except ValueError:
        return text
    digits = f"{abs(amount):,.2f}"
    return f"(£{digits})" if amount < 0 else f"£{digits}"
