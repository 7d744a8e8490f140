"""What has to be built anew: counts and flags from the clinic's records, and a file that is safe to open."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from chartlift.errors import NotConfirmed, UsageError
from chartlift.model.rebuild import WARNING, RebuildReport
from chartlift.stages import rebuild

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TABLES = {
    "practice": ("practiceId", "name"),
    "patient": ("patientId", "practiceId", "practiceName", "status", "isDeleted"),
    "appointment": ("appointmentId", "practiceId", "origin"),
    "recall": ("recallId", "recallType", "intervalMonths", "method"),
    "paymentLink": (
        *("providerLinkId", "patientId", "provider", "customerId", "mandateId", "mandateReference", "scheme"),
        *("mandateStatus", "cancelledInAeronaOnly", "stripeCustomerId", "createdAt"),
    ),
    "paymentPlan": (
        *("paymentPlanId", "patientId", "name", "provider", "mandateId", "totalAmount", "currency", "depositAmount"),
        *("startDate", "months", "status", "signedOffBy", "signedOffAt", "instalments"),
    ),
    "carePlanMembership": (
        *("membershipId", "patientId", "planName", "billing", "monthlyAmount", "currency", "months", "startDate"),
        *("endDate", "status", "mandateId"),
    ),
}


class Desk:
    """Staging with some tables, and the tools of the stage around it."""

    def __init__(self, home: Path) -> None:
        self.sql = duckdb.connect(config={"threads": 1})
        self.acts: list[tuple[str, dict[str, Any]]] = []
        self.sql.execute("CREATE TABLE extraction (number INTEGER, finished TIMESTAMP)")
        self.sql.execute("INSERT INTO extraction VALUES (4, TIMESTAMP '2026-03-01')")
        self.sql.execute("CREATE TABLE src_deleted (entity VARCHAR, id VARCHAR)")
        self.sql.execute("CREATE TABLE src_merged (entity VARCHAR, id VARCHAR, survivor VARCHAR, problem VARCHAR)")
        for name, columns in TABLES.items():
            self.sql.execute(f'CREATE TABLE "src_{name}" ({", ".join(f"{c} VARCHAR" for c in columns)}, _id VARCHAR)')
        journal = SimpleNamespace(report=lambda _step: {"step": "extract"})
        audit = SimpleNamespace(act=lambda act, **more: self.acts.append((act, more["detail"])))
        self.tools: Any = SimpleNamespace(
            home=home, tenant="lagan", who="tester", journal=journal, audit=audit, clock=SimpleNamespace(now=lambda: NOW),
            staging=SimpleNamespace(sql=self.sql),
        )  # fmt: skip

    def put(self, entity: str, **cells: str | None) -> None:
        cells["_id"] = cells[TABLES[entity][0]]
        marks = ", ".join("?" for _ in cells)
        self.sql.execute(f'INSERT INTO "src_{entity}" ({", ".join(cells)}) VALUES ({marks})', list(cells.values()))

    def link(self, number: str, patient: str = "1", **cells: str | None) -> None:
        usual = {"provider": "GOCARDLESS", "mandateId": f"MD{number}", "mandateStatus": "ACTIVE", "scheme": "BACS"}
        self.put("paymentLink", **(usual | {"providerLinkId": number, "patientId": patient} | cells))

    def plan(
        self, number: str, patient: str = "1", *, due: tuple[str, ...] = ("2026-02-01", "2026-04-01"), **cells: Any
    ) -> None:
        parts = [
            {
                "sequence": n + 1,
                "dueDate": day,
                "amount": "100.00",
                "status": "PAID" if day < "2026-03-01" else "PENDING",
            }
            for n, day in enumerate(due)
        ]
        usual = {
            "provider": "GOCARDLESS", "totalAmount": "200.00", "depositAmount": "0.00", "startDate": "2026-02-01", "months": "2",
            "signedOffBy": "3999", "signedOffAt": "2026-02-01T09:00:00Z", "instalments": json.dumps(parts), "status": "ACTIVE",
        }  # fmt: skip
        self.put("paymentPlan", **(usual | {"paymentPlanId": number, "patientId": patient} | cells))

    def care(self, number: str, patient: str = "1", **cells: str | None) -> None:
        usual = {
            "billing": "MONTHLY_GC",
            "monthlyAmount": "18.50",
            "months": "12",
            "startDate": "2025-06-15",
            "status": "ACTIVE",
        }
        self.put(
            "carePlanMembership", **(usual | {"membershipId": number, "patientId": patient, "mandateId": "MD1"} | cells)
        )

    def run(self, export: Path | None = None) -> RebuildReport:
        return rebuild.run(self.tools, export=export)

    def row(self, kind: str, number: str) -> dict[str, Any]:
        found = self.sql.execute("SELECT * FROM rebuild_list WHERE kind = ? AND id = ?", [kind, number])
        names = [column[0] for column in found.description]
        return dict(zip(names, found.fetchone(), strict=True))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "home").mkdir()
    desk = Desk(tmp_path / "home")
    desk.put("practice", practiceId="101", name="Lagan Dental Care")
    desk.put("practice", practiceId="102", name="Foyle Dental")
    for number, practice in (("1", "101"), ("2", "102"), ("3", "101")):
        desk.put("patient", patientId=number, practiceId=practice, status="ACTIVE", isDeleted="false")
    yield desk
    desk.sql.close()


def test_counts_by_practice_and_provider(desk: Desk) -> None:
    desk.link("10")
    desk.link("11", mandateStatus="CANCELLED")
    desk.link("12", "2", mandateStatus="CANCELLED", cancelledInAeronaOnly="true")
    desk.link("13", provider="STRIPE", mandateStatus=None, stripeCustomerId="cus_1")
    desk.plan("20")
    desk.plan("21", provider="IN_HOUSE", totalAmount="250.00")
    desk.care("30")
    desk.care("31", "2", status="LAPSED")
    desk.care("32", "2", status="LAPSED", mandateId=None)
    report = desk.run()
    assert {
        (c.practice, c.provider): (c.links, c.collecting, c.cancelled_only, c.plans, c.plans_unsound)
        for c in report.counts
    } == {
        ("Foyle Dental", "GOCARDLESS"): (1, 1, 1, 0, 0),
        ("Lagan Dental Care", "GOCARDLESS"): (2, 1, 0, 1, 0),
        ("Lagan Dental Care", "IN_HOUSE"): (0, 0, 0, 1, 1),
        ("Lagan Dental Care", "STRIPE"): (1, 0, 0, 0, 0),
    }
    assert {(c.practice, c.provider): (c.care_plans, c.care_plans_due) for c in report.counts if c.care_plans} == {
        ("Foyle Dental", "GOCARDLESS"): (1, 0),
        ("Lagan Dental Care", "GOCARDLESS"): (1, 1),
    }
    assert (report.collecting, report.cancelled_only, report.rows, report.extraction) == (2, 1, 8, 4)
    assert report.as_json()["warning"] == WARNING
    assert {item.code: dict(item.use) for item in report.items if item.use} == {
        "gocardless": {"Foyle Dental": 2, "Lagan Dental Care": 4},
        "stripe": {"Lagan Dental Care": 1},
    }


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        ({}, []),
        ({"signedOffBy": None}, ["unsigned"]),
        ({"signedOffAt": " "}, ["unsigned"]),
        ({"totalAmount": "210.00"}, ["sum"]),
        ({"totalAmount": "210.00", "depositAmount": "10.00"}, []),
        ({"totalAmount": "much"}, ["sum"]),
        ({"months": "3"}, ["dates"]),
        ({"startDate": "2026-02-02"}, ["dates"]),
        ({"due": ("2026-04-01", "2026-02-01")}, ["dates"]),
        ({"due": ("2026-02-01", "soon")}, ["dates"]),
        ({"instalments": None}, ["sum", "dates"]),
        ({"instalments": "{"}, ["sum", "dates"]),
    ],
)
def test_a_plan_says_what_is_wrong_with_it(desk: Desk, cells: dict[str, Any], problems: list[str]) -> None:
    desk.plan("20", **cells)
    desk.run()
    assert desk.row("plan", "20")["problems"] == problems


def test_what_a_plan_still_brings_and_when(desk: Desk) -> None:
    desk.plan("20", due=("2026-02-01", "2026-03-11", "2026-04-11"), totalAmount="300.00", months="3")
    desk.run()
    row = desk.row("plan", "20")
    assert (row["next_due"], row["outstanding"], row["amount"]) == ("2026-03-11", "200.00", "300.00")


@pytest.mark.parametrize(
    ("cells", "due", "problems"),
    [
        ({}, "2026-03-15", []),
        ({"startDate": "2025-06-10"}, "2026-03-10", []),
        ({"startDate": "2025-06-09"}, "2026-04-09", []),
        ({"startDate": "2026-05-01"}, "2026-05-01", []),
        ({"startDate": "2025-10-31"}, "2026-03-31", []),
        ({"startDate": "2024-06-15"}, None, ["term_over"]),
        ({"startDate": "2024-06-15", "months": None}, "2026-03-15", []),
        ({"endDate": "2026-03-12"}, None, ["term_over"]),
        ({"status": "LAPSED"}, None, []),
        ({"startDate": "no day"}, None, []),
    ],
)
def test_the_next_payment_of_a_care_plan(
    desk: Desk, cells: dict[str, Any], due: str | None, problems: list[str]
) -> None:
    desk.care("30", **cells)
    desk.run()
    row = desk.row("care plan", "30")
    assert (row["next_due"], row["problems"]) == (due, problems)


def test_two_active_care_plans_of_one_patient_are_shown(desk: Desk) -> None:
    desk.care("30")
    desk.care("31")
    desk.care("32", "2")
    report = desk.run()
    assert report.samples["twice"] == ("care plan 30", "care plan 31")
    assert report.problems == {"twice": 2}


def test_mandates_of_patients_who_are_gone_are_not_forgotten(desk: Desk) -> None:
    desk.put("patient", patientId="4", practiceId="101", status="DECEASED", isDeleted="false")
    desk.sql.execute("INSERT INTO src_deleted VALUES ('patient', '3'), ('paymentLink', '14')")
    desk.sql.execute("INSERT INTO src_merged VALUES ('patient', '9', '2', NULL)")
    for number, patient in (("10", "3"), ("11", "9"), ("12", "77"), ("13", "4"), ("14", "1")):
        desk.link(number, patient)
    report = desk.run()
    assert report.problems == {"patient_gone": 2, "deleted": 1}
    assert report.samples["patient_gone"] == ("link 10", "link 12")
    merged = desk.row("link", "11")
    assert (merged["patient"], merged["patient_key"], merged["practice"]) == ("2", "lagan-PAT-2", "Foyle Dental")
    assert [desk.row("link", n)["patient_state"] for n in ("10", "12", "13")] == ["deleted", "unknown", "deceased"]


def test_a_source_without_these_entities_has_an_empty_list(desk: Desk) -> None:
    for name in ("paymentLink", "paymentPlan", "carePlanMembership", "recall"):
        desk.sql.execute(f'DROP TABLE "src_{name}"')
    report = desk.run()
    assert (report.rows, report.counts, report.collecting) == (0, (), 0)
    assert len(report.items) == 7


def test_the_check_list_shows_use_where_the_data_can_tell(desk: Desk) -> None:
    desk.put("appointment", appointmentId="1", practiceId="101", origin="ONLINE")
    desk.put("appointment", appointmentId="2", practiceId="101", origin="DIARY")
    desk.put("recall", recallId="1", recallType="DENTAL_EXAM", intervalMonths="6", method="SMS")
    use = {item.code: dict(item.use) for item in desk.run().items}
    assert use["booking"] == {"Lagan Dental Care": 1}
    assert use["recalls"] == {"DENTAL_EXAM, every 6 months, by SMS": 1}
    assert use["webhooks"] == {}


def test_the_file_has_every_line_and_no_formula(desk: Desk, tmp_path: Path) -> None:
    desk.link("10", customerId="=HYPERLINK(1)", mandateReference="+44")
    desk.link("11", cancelledInAeronaOnly="true", mandateReference="ordinary")
    report = desk.run(tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == ["10", "11"]
    assert (rows[0]["customer"], rows[0]["reference"]) == ("'=HYPERLINK(1)", "'+44")
    assert (rows[1]["cancelled_only"], rows[1]["problems"], rows[1]["reference"]) == (
        "yes",
        "cancelled_only",
        "ordinary",
    )
    assert stat.S_IMODE((tmp_path / "list.csv").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["list.csv"]
    assert desk.acts == [("export", {"step": "rebuild", "file": "list.csv", "rows": 2})]
    assert report.exported == "list.csv"


def test_the_same_as_json(desk: Desk, tmp_path: Path) -> None:
    for number in range(rebuild.PAGE + 1):
        desk.link(str(number))
    desk.run(tmp_path / "list.json")
    document = json.loads((tmp_path / "list.json").read_text(encoding="utf-8"))
    assert document["made"] == "2026-03-10"
    assert [row["id"] for row in document["rows"]] == [str(number) for number in range(rebuild.PAGE + 1)]
    assert document["rows"][0]["mandate"] == "MD0"
    assert "stripe_customer" not in document["rows"][0]


def test_where_the_file_may_not_lie(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "away").symlink_to(desk.tools.home)
    for bad in (
        desk.tools.home / "list.csv",
        tmp_path / "away" / "list.csv",
        tmp_path / "list.txt",
        tmp_path / "no" / "x.csv",
        tmp_path,
    ):
        with pytest.raises(UsageError):
            desk.run(bad)
    assert desk.acts == []
    assert list(desk.tools.home.iterdir()) == []


def test_nothing_extracted_yet(desk: Desk) -> None:
    desk.tools.journal = SimpleNamespace(report=lambda _step: None)
    with pytest.raises(NotConfirmed):
        desk.run()


def test_the_report_has_keys_and_no_values(desk: Desk) -> None:
    desk.link("10", customerId="CU-secret", cancelledInAeronaOnly="true")
    desk.plan("20", totalAmount="987.65", name="Implant for Jane")
    desk.care("30", monthlyAmount="43.21")
    text = json.dumps(desk.run().as_json())
    assert not [word for word in ("CU-secret", "MD10", "987.65", "Jane", "43.21") if word in text]
    assert "link 10" in text
