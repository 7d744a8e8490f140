"""What real exports look like, and what an export must not do."""

from __future__ import annotations

import base64
import io
import json
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from chartlift.cli import called
from chartlift.errors import CredentialsError, StopError, UsageError
from chartlift.platforms.aeronaclinic import files
from chartlift.stages import extract
from chartlift.testing import FakeClock, workbench
from chartlift.testing.export_files import Way, write

PATIENT = {"patientId": 1, "practiceId": 101, "lastName": "Doe", "dateOfBirth": "1984-03-29", "updatedAt": None}
NOBODY: Any = None


def clinic(**more: Any) -> dict[str, list[dict[str, Any]]]:
    return {"practice": [{"practiceId": 101, "name": "Lagan"}], "patient": [PATIENT], **more}


@contextmanager
def source(path: Path, password: str = "") -> Iterator[Any]:
    one = files.connect(str(path), secrets={"CHARTLIFT_AERONA_PASSWORD": password}, clock=FakeClock())
    try:
        yield one
    finally:
        one.close()


def read(path: Path, listing: str, password: str = "") -> tuple[pa.Table, dict[tuple[str, str], int]]:
    with source(path, password) as one:
        pages = list(one.pages(listing, since=None, cursor=None))
    problems = {(code, where): many for page in pages for code, where, many in page.problems}
    return pa.concat_tables([pa.table(page.tables[listing]) for page in pages]), problems


def cells(path: Path, listing: str, column: str) -> list[str | None]:
    return read(path, listing)[0].column(column).to_pylist()


def csv_only(path: Path, **members: str | bytes) -> Path:
    """An export of single files, without a manifest."""
    with zipfile.ZipFile(path, "w") as archive:
        if "patients" not in members:
            archive.writestr("patients.csv", "patientId\n1\n")
        for name, body in members.items():
            archive.writestr(f"{name}.csv", body)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export.zip"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("cp1252", b""), ("utf-16-le", b"\xff\xfe"), ("utf-16-le", b"")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(path: Path, encoding: str, mark: bytes, delimiter: str) -> None:
    note = 'Pt said: "Siân\u2019s crown, loose; €45"\r\nsecond line\ttab'
    rows = [{"noteId": 5, "patientId": 1, "text": note}, {"noteId": 6, "patientId": 1, "text": ""}]
    write(path, clinic(clinicalNote=rows), Way(encoding=encoding, mark=mark, delimiter=delimiter, line_end="\r\n"))
    assert cells(path, "clinicalNote", "text") == [note, ""]


def test_a_few_bad_bytes_do_not_change_the_letters_of_a_whole_file(path: Path) -> None:
    body = "patientId,lastName\n1,Ní Bhriain\n2,Kazlauskienė\n".encode() + b"3,O\x92Neill\n"
    csv_only(path, patients=body)
    assert cells(path, "patient", "lastName") == ["Ní Bhriain", "Kazlauskienė", "O�Neill"]


def test_half_a_character_is_marked(path: Path) -> None:
    csv_only(path, patients="patientId,lastName\n1,Siân\n".encode() + b"2,a\xed\xa0\xbdb\n")
    table, problems = read(path, "patient")
    assert table.column("lastName").to_pylist() == ["Siân", "a\ufdd0d83db"]
    assert problems["R-TEXT", "patient.lastName"] == 1


def test_heads_by_their_letters_and_by_other_names(path: Path) -> None:
    csv_only(path, patients='"Patient ID",Surname,D.O.B.,"Post Code",Shoe size\n1,Doe,1984-03-29,BT7 1SH,38\n')
    table, problems = read(path, "patient")
    row = table.to_pylist()[0]
    assert (row["patientId"], row["lastName"], row["dateOfBirth"], row["postcode"]) == (
        "1", "Doe", "1984-03-29", "BT7 1SH",
    )  # fmt: skip
    assert json.loads(row["_raw"])["Shoe size"] == "38"
    assert problems == {("S-UNMAPPED", "patient.(odd name)"): 1}


def test_a_head_twice(path: Path) -> None:
    csv_only(
        path, patients="patientId,email,Email\n1,a@example.org,a@example.org\n2,,b@example.org\n3,c@x.org,d@x.org\n"
    )
    table, problems = read(path, "patient")
    assert table.column("email").to_pylist() == ["a@example.org", "b@example.org", "c@x.org"]
    assert problems == {("S-HEADS", "patient.email"): 1}


def test_a_ragged_row_is_left_out_and_named(path: Path) -> None:
    csv_only(path, patients="patientId,lastName\n1,Doe\n2\n3,Roe,x\n4,Poe\n")
    table, problems = read(path, "patient")
    assert table.column("patientId").to_pylist() == ["1", "4"]
    named = {(code, where.split(" (")[0]) for code, where in problems}
    assert named == {("R-RAGGED", "patient")}
    assert sum(problems.values()) == 2


def test_local_dates_times_and_amounts(path: Path) -> None:
    rows = [
        {"appointmentId": 1, "patientId": 1, "appointmentTime": "29/03/2020 01:30", "cost": "£1,234.50",
         "createdAt": "01/07/2020 09:30", "isDeleted": "No"},
        {"appointmentId": 2, "patientId": 1, "appointmentTime": "3/4/2020 9:05", "cost": "(45.00)",
         "createdAt": "25/10/2020 01:30:15", "isDeleted": "YES"},
        {"appointmentId": 3, "patientId": 1, "appointmentTime": "31/02/2020 10:00", "cost": "free",
         "createdAt": "29/03/2020 01:30", "isDeleted": None},
    ]  # fmt: skip
    table, _ = read(write(path, clinic(appointment=rows)), "appointment")
    assert table.column("appointmentTime").to_pylist() == [
        "2020-03-29T01:30:00", "2020-04-03T09:05:00", "31/02/2020 10:00",
    ]  # fmt: skip
    assert table.column("cost").to_pylist() == ["1234.50", "-45.00", "free"]
    assert table.column("createdAt").to_pylist() == [
        "2020-07-01T08:30:00Z", "2020-10-25T00:30:15Z", "2020-03-29T01:30:00Z",
    ]  # fmt: skip
    assert table.column("isDeleted").to_pylist() == ["false", "true", None]


def test_in_a_column_that_speaks_the_apis_language_typing_errors_stay(path: Path) -> None:
    rows = [
        {"invoiceId": 1, "patientId": 1, "invoiceDate": "2020-04-03", "totalAmount": "10.00"},
        {"invoiceId": 2, "patientId": 1, "invoiceDate": "03/04/2020", "totalAmount": "£10.00"},
    ]
    table, _ = read(write(path, clinic(invoice=rows)), "invoice")
    assert table.column("invoiceDate").to_pylist() == ["2020-04-03", "03/04/2020"]
    assert table.column("totalAmount").to_pylist() == ["10.00", "£10.00"]


def test_numbers_that_a_spreadsheet_has_spoilt_are_told_and_not_guessed(path: Path) -> None:
    csv_only(
        path,
        patients="patientId,mobilePhone,practiceId\n5.50012E+06,7700900123,101\n2,07700 900124,1.0E+02\n",
    )
    table, problems = read(path, "patient")
    assert table.column("patientId").to_pylist() == ["5.50012E+06", "2"]
    assert table.column("mobilePhone").to_pylist() == ["7700900123", "07700 900124"]
    assert problems == {
        ("R-EXPONENT", "patient.patientId"): 1,
        ("R-EXPONENT", "patient.practiceId"): 1,
        ("R-ZERO", "patient.mobilePhone"): 1,
    }


def test_formulas_stay_text(path: Path) -> None:
    csv_only(path, patients='patientId,lastName\n1,"=HYPERLINK(""http://x"")"\n2,+44\n3,@SUM(A1)\n4,-1\n')
    assert cells(path, "patient", "lastName") == ['=HYPERLINK("http://x")', "+44", "@SUM(A1)", "-1"]


def test_where_every_cell_is_quoted_an_empty_one_is_nothing(path: Path) -> None:
    csv_only(path, patients='"patientId","lastName","email"\n"1","Doe",""\n')
    assert cells(path, "patient", "email") == [None]


def test_a_cell_larger_than_a_block(path: Path) -> None:
    note = "x" * 5_000_000
    body = "noteId,patientId,text\n" + "".join(f"{n},1,short\n" for n in range(1, 5)) + f'5,1,"{note}\n"\n6,1,end\n'
    table, _ = read(csv_only(path, clinical_notes=body), "clinicalNote")
    assert table.column("noteId").to_pylist() == ["1", "2", "3", "4", "5", "6"]
    assert table.column("text").to_pylist()[4] == note + "\n"


def test_parts_and_totals_come_from_their_own_files(path: Path) -> None:
    way = clinic(
        medicalItem=[
            {"medicalItemId": 7, "patientId": 1, "type": "Allergy", "substance": "Nickel", "active": True},
            {"medicalItemId": 8, "patientId": 2, "type": "ALLERGY", "substance": "Latex", "active": True},
        ],
        invoice=[{"invoiceId": 3, "patientId": 1, "isDeleted": False}],
        invoiceLine=[{"invoiceId": 3, "invoiceLineId": 1, "lineNumber": 1, "description": "Crown"}],
    )
    patient = read(write(path, way), "patient")[0].to_pylist()[0]
    assert json.loads(patient["allergies"]) == [
        {"medicalItemId": 7, "substance": "Nickel", "reaction": None, "severity": None, "recordedAt": None, "active": True}
    ]  # fmt: skip
    assert (patient["medications"], patient["billingLinesTotal"], patient["appointmentsTotal"]) == ("[]", "1", "0")
    line = read(path, "invoiceLine")[0].to_pylist()[0]
    assert (line["lineKey"], line["patientId"], line["isDeleted"]) == ("3-1", "1", "false")


# ---------------------------------------------------------------- what is refused


def test_the_password(path: Path) -> None:
    write(path, clinic(), Way(password="right"))
    assert cells_with(path, "right") == ["Doe"]
    with pytest.raises(CredentialsError, match="password of the export is wrong"):
        cells_with(path, "wrong")
    with pytest.raises(CredentialsError, match="needs a password"):
        cells_with(path, "")


def cells_with(path: Path, password: str) -> list[str | None]:
    return read(path, "patient", password)[0].column("lastName").to_pylist()


def test_what_the_manifest_says_is_checked(path: Path) -> None:
    write(path, clinic())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["patients.csv"] = members["patients.csv"].replace(b"Doe", b"Roe")
    repacked(path, members)
    with pytest.raises(StopError, match=r"patients\.csv is not the file its manifest tells of"):
        read(path, "patient")
    del members["patients.csv"]
    repacked(path, members)
    with pytest.raises(StopError, match="lacks 1 of the files"):
        read(path, "practice")


def test_rows_that_the_manifest_promises_are_missed(path: Path) -> None:
    csv = b"patientId\n1\n2\n"
    manifest = {"files": [{"name": "patients.csv", "rows": 3}]}
    repacked(path, {"patients.csv": csv, "manifest.json": json.dumps(manifest).encode()})
    with source(path) as one:
        probe = next(probe for probe in one.check() if probe.name == "patient")
        page = list(one.pages("patient", since=None, cursor=None))[-1]
    assert (probe.ok, probe.rows) == (False, 3)
    assert page.total == 3
    assert ("S-MANIFEST", "patient", 1) in page.problems


def repacked(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)


@pytest.mark.parametrize("name", ["../patients.csv", "/etc/patients.csv", "C:\\x.csv", "a\\..\\..\\b.csv", "data.zip"])
def test_members_that_lead_out_or_are_archives(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("patients.csv", "patientId\n1\n")
        archive.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(StopError, match="cannot be trusted"):
        read(path, "patient")


def test_links(path: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("users.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("patients.csv", "patientId\n1\n")
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(StopError, match="link"):
        read(path, "patient")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "patients.csv").write_text("patientId\n1\n")
    assert cells(folder, "patient", "patientId") == ["1"]
    (folder / "users.csv").symlink_to("/etc/passwd")
    with pytest.raises(StopError, match="symbolic link"):
        read(folder, "patient")


def test_bombs(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patients.csv", b"patientId\n" + b"1\n" * 20_000_000)
    with pytest.raises(StopError, match="unpacks to far more"):
        read(path, "patient")


def test_a_member_that_lies_about_its_size(path: Path) -> None:
    csv_only(path, patients="patientId\n" + "".join(f"{n}\n" for n in range(100, 200)))
    body = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = body.rindex(signature) + place
        body[at : at + 4] = (50).to_bytes(4, "little")
    path.write_bytes(body)
    with pytest.raises(StopError):
        read(path, "patient")


def test_no_export(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no export"):
        read(path, "patient")
    path.write_bytes(b"PK no zip")
    with pytest.raises(UsageError, match="no ZIP"):
        read(path, "patient")
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    path.write_bytes(empty.getvalue())
    with pytest.raises(StopError, match="no file patients"):
        read(path, "patient")
    with pytest.raises(UsageError, match="not an address"):
        files.connect("https://clinic.example", secrets={}, clock=FakeClock())
    assert not list(tmp_path.glob("*.csv"))


# ---------------------------------------------------------------- reading on, and a second export


def test_reading_on_is_refused_in_another_export(path: Path) -> None:
    csv_only(path, patients="patientId,lastName\n" + "".join(f'{n},"{"x" * 1000}"\n' for n in range(1, 9000)))
    with source(path) as one:
        pages = one.pages("patient", since=None, cursor=None)
        first = next(pages)
        rest = list(one.pages("patient", since=None, cursor=first.cursor))
        assert [page.cursor for page in rest] == [page.cursor for page in pages]
        assert sum(pa.table(page.tables["patient"]).num_rows for page in (first, *rest)) == 8999
        csv_only(path, patients="patientId\n1\n")
        one.close()
        with pytest.raises(StopError, match="another one"):
            list(one.pages("patient", since=None, cursor=first.cursor))


def test_a_second_export_is_compared_and_absent_rows_wait_for_a_word(path: Path, tmp_path: Path) -> None:
    two = [PATIENT, {**PATIENT, "patientId": 2}, {**PATIENT, "patientId": 3}]
    write(path, clinic(patient=two))
    one = files.connect(str(path), secrets={}, clock=FakeClock())
    with workbench(tmp_path / "w", one, NOBODY, NOBODY, FakeClock()) as tools:
        extract.run(tools)
        write(path, clinic(patient=[two[0], {**two[1], "lastName": "Roe"}]))
        report = extract.run(tools, since="last")
        patients = next(count for count in report.entities if count.entity == "patient")
        assert (patients.rows, patients.new, patients.changed, patients.deleted) == (3, 0, 1, 0)
        assert [(f.code, f.entity, f.count) for f in report.findings if f.code == "S-ABSENT"] == [
            ("S-ABSENT", "patient", 1)
        ]
        tools.options.update(absent_deleted=True)  # type: ignore[attr-defined]  # the workbench gives a dict
        report = extract.run(tools, since="last")
        patients = next(count for count in report.entities if count.entity == "patient")
        assert (patients.changed, patients.deleted) == (0, 1)
        assert [f for f in report.findings if f.code == "S-ABSENT"] == []
        assert tools.staging.sql.execute("SELECT entity, id FROM src_deleted").fetchall() == [("patient", "3")]
    one.close()


def test_a_workspace_over_an_export(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, clinic(), Way(password="right"))
    monkeypatch.setenv("CHARTLIFT_KEY", base64.b64encode(bytes(range(32))).decode())
    monkeypatch.setenv("CHARTLIFT_AERONA_PASSWORD", "right")
    home = tmp_path / "lagan"
    monkeypatch.chdir(tmp_path)
    assert called(["init", str(home), "--source", "aeronaclinic-files", "--source-url", path.name]) == 0
    monkeypatch.chdir(home)
    assert called(["extract"]) == 0
    kept = [one for one in home.rglob("*") if one.is_file() and b"Lagan" in one.read_bytes()]
    assert kept == []
