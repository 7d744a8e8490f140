"""The clinic's export holds exactly what its API serves, in every shape on offer."""

import codecs
import csv
import hashlib
import io
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import pyzipper
from clinic_caller import everything, signed_in
from door_harness import Sandbox

from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.clinic_export import FILES, export
from chartlift_sandbox.clock import Clock
from chartlift_sandbox.export_cells import Wishes
from chartlift_sandbox.generator.entities import BY_NAME

NAMED = [
    "practices", "users", "appointment_types", "appointment_statuses", "patients",
    "medical_items", "appointments", "courses", "treatments", "clinical_notes",
    "inline_notes", "documents", "invoices", "invoice_lines", "payments",
    "payment_allocations", "payment_plans", "payment_plan_instalments", "care_plans", "recalls",
    "communications", "households", "payment_links", "deletions",
]  # fmt: skip


def exported(sandbox: Sandbox, path: Path, **words: Any) -> dict[str, Any]:
    answer = sandbox.control.post("/clinic/export", json={"path": str(path), "unencodable": "pass", **words})
    assert answer.status_code == 200, answer.text
    return answer.json()


def entries(path: Path, password: str | None = None) -> dict[str, bytes]:
    with pyzipper.AESZipFile(path) as archive:
        if password is not None:
            archive.setpassword(password.encode())
        return {name: archive.read(name) for name in archive.namelist()}


def cells(text: str, delimiter: str = ",") -> list[list[str | None]]:
    """Lines of CSV with None for an empty cell that is not quoted; a reader of its own, as `csv` tells no difference."""
    mark = re.escape(delimiter)
    lines: list[list[str | None]] = [[]]
    for quoted, bare, end in re.findall(rf'(?:"((?:[^"]|"")*)"|([^"{mark}\r\n]*))({mark}|\r\n)', text):
        start = '"' if quoted else ""
        lines[-1].append(quoted.replace('""', '"') if start else (bare or None))
        if end == "\r\n":
            lines.append([])
    return lines[:-1]


def test_json_files_hold_what_the_api_serves(sandbox: Sandbox, tmp_path: Path) -> None:
    report = exported(sandbox, tmp_path / "clinic.zip", format="json")
    found = entries(tmp_path / "clinic.zip")
    with signed_in(sandbox) as client:
        for one in FILES:
            if one.lines is None:
                rows = json.loads(found[f"{one.name}.json"])
                served = everything(client, BY_NAME[one.entity].path)
                extra = (
                    {"appointments", "treatments", "clinicalNotes", "billingLines"} if one.name == "patients" else set()
                )
                bare = [{k: v for k, v in row.items() if k not in extra and k.removesuffix("Total") not in extra}
                        for row in served]  # fmt: skip
                assert rows == bare, one.name
        assert json.loads(found["deletions.json"]) == everything(client, "/deletions")
    assert report["rows"] == sum(len(json.loads(data)) for name, data in found.items()
                                 if name.count("/") == 0 and name != "manifest.json")  # fmt: skip


def test_csv_files_are_all_there_with_rows_and_hashes(sandbox: Sandbox, tmp_path: Path) -> None:
    exported(sandbox, tmp_path / "clinic.zip")
    found = entries(tmp_path / "clinic.zip")
    manifest = json.loads(found["manifest.json"])
    assert {f"{name}.csv" for name in NAMED} <= {one["name"] for one in manifest["files"]}
    for one in manifest["files"]:
        data = found[one["name"]]
        assert hashlib.sha256(data).hexdigest() == one["sha256"], one
        text = data.decode("utf-8", "surrogatepass")
        assert len(list(csv.reader(io.StringIO(text, newline="")))) == one["rows"] + 1, one
    assert set(manifest) == {"exportedAt", "tenant", "practices", "schemaVersion", "files"}
    clinic = sandbox.estate.clinic
    lines = sum(len(row["lineItems"]) for row in clinic.records("invoice", clinic.ids("invoice")))
    assert next(one["rows"] for one in manifest["files"] if one["name"] == "invoice_lines.csv") == lines > 0


@pytest.mark.parametrize(
    ("encoding", "codec", "mark", "delimiter"),
    [("utf-8", "utf-8", b"", ","), ("utf-8-sig", "utf-8", codecs.BOM_UTF8, ";"),
     ("utf-16le", "utf-16-le", codecs.BOM_UTF16_LE, "\t")],
)  # fmt: skip
def test_every_cell_is_the_value_that_the_api_serves(
    sandbox: Sandbox, tmp_path: Path, encoding: str, codec: str, mark: bytes, delimiter: str
) -> None:
    key = sandbox.estate.clinic.ids("patient")[0]
    sandbox.estate.clinic.mutate(
        "update", "patient", key, {"addressLine2": "", "middleName": 'A "B"; C,\t\r\nD \U0001f9b7'}
    )
    exported(sandbox, tmp_path / "c.zip", encoding=encoding, delimiter=delimiter, documents=False)
    data = entries(tmp_path / "c.zip")["patients.csv"]
    assert data.startswith(mark)
    reader = csv.reader(io.StringIO(data[len(mark) :].decode(codec, "surrogatepass"), newline=""), delimiter=delimiter)
    head, *lines = reader
    assert len(lines) == len(sandbox.estate.clinic.ids("patient"))
    for line in lines:
        cell = dict(zip(head, line, strict=True))
        row = sandbox.estate.clinic.record("patient", int(cell["patientId"])) or {}
        for name, value in row.items():
            if isinstance(value, list):
                assert json.loads(cell[name]) == value
            elif isinstance(value, bool):
                assert cell[name] == ("true" if value else "false")
            else:
                assert cell[name] == ("" if value is None else str(value)), name


def test_null_and_empty_text_differ(sandbox: Sandbox, tmp_path: Path) -> None:
    clinic = sandbox.estate.clinic
    key = clinic.mutate("create", "practice", None, {"name": "Annexe", "town": "", "county": None, "active": False})
    exported(sandbox, tmp_path / "c.zip", documents=False)
    line = next(one for one in entries(tmp_path / "c.zip")["practices.csv"].decode().splitlines() if "Annexe" in one)
    head = entries(tmp_path / "c.zip")["practices.csv"].decode().splitlines()[0].split(",")
    cell = dict(zip(head, line.split(","), strict=True))
    assert (cell["town"], cell["county"], cell["practiceId"]) == ('""', "", str(key))


def test_a_password_locks_every_entry(sandbox: Sandbox, tmp_path: Path) -> None:
    exported(sandbox, tmp_path / "locked.zip", password="Towpath 9")
    with pyzipper.AESZipFile(tmp_path / "locked.zip") as archive:
        assert all(one.flag_bits & 1 for one in archive.infolist())
        archive.setpassword(b"wrong")
        with pytest.raises(RuntimeError):
            archive.read("manifest.json")
    assert "patients.csv" in entries(tmp_path / "locked.zip", "Towpath 9")


def test_documents_are_the_downloads(sandbox: Sandbox, tmp_path: Path) -> None:
    report = exported(sandbox, tmp_path / "c.zip")
    found = {name: data for name, data in entries(tmp_path / "c.zip").items() if name.startswith("documents/")}
    assert report["documents"] == len(found) > 0
    clinic, served = sandbox.estate.clinic, {}
    with signed_in(sandbox) as client:
        for row in clinic.records("document", clinic.ids("document")):
            answer = client.get(f"/documents/{row['documentId']}/content")
            if answer.status_code == 200:
                served[(str(row["patientId"]), str(row["documentId"]))] = answer.content
    assert {(name.split("/")[1], name.split("/")[2].split("_")[0]): data for name, data in found.items()} == served
    assert all(name.count("/") == 2 and ".." not in name.split("/")[:2] for name in found)


def test_uk_dates_are_local(sandbox: Sandbox, tmp_path: Path) -> None:
    clinic = sandbox.estate.clinic
    key = clinic.ids("patient")[1]
    clinic.mutate("update", "patient", key, {"dateOfBirth": "1984-03-29", "marketingConsentAt": "2024-07-01T10:11:12Z",
                                             "archivedAt": "2024-02-31"})  # fmt: skip
    exported(sandbox, tmp_path / "c.zip", documents=False, dates="uk")
    text = entries(tmp_path / "c.zip")["patients.csv"].decode("utf-8", "surrogatepass")
    row = next(row for row in csv.DictReader(io.StringIO(text, newline="")) if row["patientId"] == str(key))
    assert (row["dateOfBirth"], row["marketingConsentAt"], row["archivedAt"]) == (
        "29/03/1984", "01/07/2024 11:11", "2024-02-31",
    )  # fmt: skip


def test_what_an_encoding_cannot_hold_is_refused_by_name(sandbox: Sandbox, tmp_path: Path) -> None:
    clinic, target = sandbox.estate.clinic, tmp_path / "c.zip"
    key = clinic.ids("patient")[0]
    clinic.mutate("update", "patient", key, {"firstName": "\U0001f9b7 secret"})
    answer = sandbox.control.post("/clinic/export", json={"path": str(target), "encoding": "cp1252"})
    assert answer.status_code == 422
    assert re.fullmatch(r"\w+: \w+ \d+, field \w+ holds a character that cp1252 cannot hold", answer.json()["error"])
    assert "secret" not in answer.text
    assert list(tmp_path.iterdir()) == []
    report = exported(sandbox, target, encoding="cp1252", unencodable="replace", documents=False)
    assert report["replaced"] > 0
    assert b"? secret" in entries(target)["patients.csv"]


@pytest.mark.parametrize(
    "words",
    [{"encoding": "latin-9"}, {"delimiter": "|"}, {"dates": "us"}, {"format": "xlsx"}, {"documents": "yes"}, {"password": ""},
     {"colour": 1}, {"path": ""}, {"path": "/no/such/folder/c.zip"}],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(sandbox: Sandbox, tmp_path: Path, words: dict[str, Any]) -> None:
    answer = sandbox.control.post("/clinic/export", json={"path": str(tmp_path / "c.zip"), **words})
    assert answer.status_code == 400, answer.text
    assert list(tmp_path.iterdir()) == []


def test_memory_stays_flat(tmp_path: Path) -> None:
    """The second export finds the generator's caches filled, so what it takes is its own."""
    clinic, wishes = Clinic(60, 5, Clock()), Wishes(unencodable="pass")
    export(clinic, tmp_path / "warm.zip", wishes)
    tracemalloc.start()
    export(clinic, tmp_path / "c.zip", wishes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    written = sum(map(len, entries(tmp_path / "c.zip").values()))
    assert peak < written / 4, (peak, written)
