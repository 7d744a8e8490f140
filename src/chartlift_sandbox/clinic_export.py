"""The clinic as one ZIP of files, the way a practice hands its data over when the API is not to be had.

Every data file holds what the API serves at that moment, in order of id; the clinic stands still while it is written.
Rows go straight into the archive, so a clinic of any size takes the memory of one row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import pyzipper

from chartlift_sandbox.aeronaclinic.answers import encoded
from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.export_cells import Sheet, Wishes
from chartlift_sandbox.generator.entities import BY_NAME
from chartlift_sandbox.generator.world import Record

SCHEMA_VERSION = 1
_BLOCK = 65_536
_NAME_CHARS = 150
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]')


@dataclass(frozen=True, slots=True)
class _File:
    """One data file: the entity it holds, or the array ``lines`` of that entity with the key of its owner."""

    name: str
    entity: str
    lines: str | None = None


FILES: tuple[_File, ...] = (
    _File("practices", "practice"),
    _File("users", "user"),
    _File("appointment_types", "appointmentType"),
    _File("appointment_statuses", "appointmentStatus"),
    _File("referral_sources", "referralSource"),
    _File("patients", "patient"),
    _File("medical_items", "medicalItem"),
    _File("appointments", "appointment"),
    _File("courses", "coursesOfTreatment"),
    _File("treatments", "treatment"),
    _File("clinical_notes", "clinicalNote"),
    _File("inline_notes", "inlineNote"),
    _File("documents", "document"),
    _File("invoices", "invoice"),
    _File("invoice_lines", "invoice", "lineItems"),
    _File("payments", "payment"),
    _File("payment_allocations", "payment", "allocations"),
    _File("payment_plans", "paymentPlan"),
    _File("payment_plan_instalments", "paymentPlan", "instalments"),
    _File("care_plans", "carePlanMembership"),
    _File("recalls", "recall"),
    _File("communications", "communication"),
    _File("households", "household"),
    _File("payment_links", "paymentLink"),
)
_APART = {one.entity: one.lines for one in FILES if one.lines is not None}
"""Arrays with a file of their own, by entity; every other array is a JSON cell."""


def export(clinic: Clinic, path: Path, wishes: Wishes) -> dict[str, Any]:
    """Writes the archive; answers ``{"path", "files", "rows", "documents", "replaced"}``.

    Raises:
        CellError: a value cannot be written in the wanted encoding; no file is left behind.
        OSError: the file cannot be written.
    """
    unfinished = path.with_name(path.name + ".part")
    try:
        with clinic.lock, _archive(unfinished, wishes) as archive:
            report = _write(clinic, archive, wishes)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return {"path": str(path)} | report


def _archive(path: Path, wishes: Wishes) -> pyzipper.AESZipFile:
    secret = {"encryption": pyzipper.WZ_AES} if wishes.password is not None else {}
    archive = pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED, compresslevel=1, **secret)
    if wishes.password is not None:
        archive.setpassword(wishes.password.encode())
    return archive


def _write(clinic: Clinic, archive: pyzipper.AESZipFile, wishes: Wishes) -> dict[str, Any]:
    listed: list[dict[str, Any]] = []
    replaced = 0
    for one in FILES:
        if one.lines is not None and wishes.format == "json":
            continue  # JSON keeps the lines inside their owner
        sheet = Sheet(one.name, wishes)
        sheet.columns = _columns(_rows(clinic, one, wishes)) if wishes.format == "csv" else []
        listed.append(_written(archive, sheet, _rows(clinic, one, wishes), wishes))
        replaced += sheet.replaced
    sheet = Sheet("deletions", wishes)
    sheet.columns = ["entity", "entityId", "deletedAt", "reason", "mergedIntoId"]
    listed.append(_written(archive, sheet, clinic.deletions(), wishes))
    number = _documents(clinic, archive) if wishes.documents else 0
    archive.writestr("manifest.json", orjson.dumps(_manifest(clinic, listed), option=orjson.OPT_INDENT_2))
    rows = sum(one["rows"] for one in listed)
    return {"files": len(listed), "rows": rows, "documents": number, "replaced": replaced}


def _manifest(clinic: Clinic, listed: list[dict[str, Any]]) -> dict[str, Any]:
    practices = list(clinic.records("practice", clinic.ids("practice")))
    return {
        "exportedAt": clinic.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tenant": practices[0]["groupName"],
        "practices": [row["practiceId"] for row in practices],
        "schemaVersion": SCHEMA_VERSION,
        "files": listed,
    }


def _rows(clinic: Clinic, one: _File, wishes: Wishes) -> Iterator[Record]:
    rows = clinic.records(one.entity, clinic.ids(one.entity))
    if wishes.format == "json":
        yield from rows
        return
    key, apart = BY_NAME[one.entity].key, _APART.get(one.entity)
    for row in rows:
        if one.lines is None:
            yield {name: value for name, value in row.items() if name != apart} if apart in row else row
        else:
            yield from ({key: row[key]} | line for line in row.get(one.lines) or ())


def _columns(rows: Iterable[Record]) -> list[str]:
    """Every key of the rows in the order of its first appearance; read beforehand, as records may differ."""
    found: dict[str, None] = {}
    for row in rows:
        if row.keys() - found.keys():
            found |= dict.fromkeys(row)
    return list(found)


def _written(archive: pyzipper.AESZipFile, sheet: Sheet, rows: Iterable[Record], wishes: Wishes) -> dict[str, Any]:
    """Writes one data file; answers its line of the manifest."""
    digest, number, name = hashlib.sha256(), 0, f"{sheet.name}.{wishes.format}"
    with archive.open(name, "w", force_zip64=True) as target:

        def put(data: bytes) -> None:
            digest.update(data)
            target.write(data)

        put(b"[" if wishes.format == "json" else sheet.head())
        for row in rows:
            mark = b",\n" if number else b"\n"
            put(mark + encoded(row) if wishes.format == "json" else sheet.line(row))
            number += 1
        if wishes.format == "json":
            put(b"\n]\n")
    return {"name": name, "rows": number, "sha256": digest.hexdigest()}


def _documents(clinic: Clinic, archive: pyzipper.AESZipFile) -> int:
    """The contents that the API would give; answers their number."""
    number = 0
    for row in clinic.records("document", clinic.ids("document")):
        found = clinic.content(row["documentId"])
        if found is None or found.missing:
            continue
        with archive.open(document_path(row), "w", force_zip64=True) as target:
            _pour(found.body, target)
        number += 1
    return number


def _pour(body: bytes, target: IO[bytes]) -> None:
    for at in range(0, len(body), _BLOCK):
        target.write(body[at : at + _BLOCK])


def document_path(row: Record) -> str:
    """Where the content of a document lies: its name, fit for every file system, behind its id."""
    name = _UNFIT.sub("_", str(row.get("fileName") or ""))[:_NAME_CHARS].rstrip(" .")
    return f"documents/{row['patientId']}/{row['documentId']}_{name or 'unnamed'}"
