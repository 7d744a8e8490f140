"""Reads the served JSON with rules written here anew, and compares with the truth file: all of it, and nothing else."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

import pytest

Open = Callable[..., Any]
Row = dict[str, Any]
LONDON, UTC = ZoneInfo("Europe/London"), ZoneInfo("UTC")
TODAY = "2026-11-01"
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
UK = re.compile(
    r"(GIR ?0AA|[A-PR-UWYZ](\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY]) ?\d[ABD-HJLNP-UW-Z]{2})"
)
EIRCODE = re.compile(r"([AC-FHKNPRTV-Y]\d{2}|D6W) ?[0-9AC-FHKNPRTV-Y]{4}")
LISTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
FOLDED_STATUS = {
    "pending", "confirmed", "arrived", "insurgery", "complete", "cancelled", "dna", "rescheduled", "latecancellation",
    "unabletoattend", "fta", "didnotattend", "cxl", "completed", "inchair",
}  # fmt: skip


@pytest.fixture(scope="module", params=[(260, 7), (225, 1)])
def served(request: pytest.FixtureRequest, lasting_desk: Open) -> dict[str, Any]:
    patients, seed = request.param
    one = lasting_desk(patients=patients, seed=seed)
    return {
        "patient": one.everything("/patients?includeArchived=true&includeDeceased=true"),
        "appointment": one.everything("/appointments"),
        "user": one.everything("/users?includeInactive=true"),
        "sources": {row["name"] for row in one.get("/referralSources").json},
        "truth": json.loads(json.dumps(one.clinic.truth())),
        "deleted": {(row["entity"], row["entityId"]) for row in one.everything("/deletions")},
        "org": one.clinic.org_users(),
    }


def planted(served: dict[str, Any], entity: str, field: str, *rules: str, **match: str) -> set[int]:
    return {
        t["id"]
        for t in served["truth"]
        if t["entity"] == entity
        and t["field"] == field
        and t["rule"] in rules
        and all(t[k] == v for k, v in match.items())
    }


def found(served: dict[str, Any], entity: str, test: Callable[[Row], bool]) -> set[int]:
    key = f"{entity}Id"
    return {row[key] for row in served[entity] if test(row)}


def good_check(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"\d{10}", digits) or len(set(digits)) == 1:
        return False
    left = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return {11: 0}.get(left, left) == int(digits[9])


def day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def good_phone(text: str) -> bool:
    digits = re.sub(r"(ext|x)\s*\d+$|\D", "", text)
    return re.fullmatch(r"[\d\s()+x.ext-]+", text) is not None and 9 <= len(digits) <= 14


def test_addresses_phones_and_post_codes(served: dict[str, Any]) -> None:
    bad = found(
        served,
        "patient",
        lambda r: bool(r["email"]) and not (ADDRESS.fullmatch(r["email"].strip()) and len(r["email"]) < 81),
    )
    assert bad == planted(served, "patient", "email", "R-EMAIL", fate="withheld")
    for field in ("homePhone", "mobilePhone", "workPhone"):
        bad = found(served, "patient", lambda r, f=field: bool(r[f]) and not good_phone(r[f]))
        assert bad == planted(served, "patient", field, "R-PHONE", fate="withheld"), field
    code = {"GB": UK, "IE": EIRCODE}
    bad = found(served, "patient", lambda r: bool(r["postcode"]) and not code[r["country"]].fullmatch(r["postcode"]))
    assert bad == planted(served, "patient", "postcode", "R-POSTCODE", fate="sent")


def test_health_numbers(served: dict[str, Any]) -> None:
    bad = found(served, "patient", lambda r: bool(r["nhsNumber"]) and not good_check(r["nhsNumber"]))
    padded = found(served, "patient", lambda r: bool(r["nhsNumber"]) and good_check(f"0{r['nhsNumber']}"))
    assert bad - padded == planted(served, "patient", "nhsNumber", "R-NHS", fate="withheld")
    assert padded == planted(served, "patient", "nhsNumber", "R-NHS", fate="sent")
    numbers = Counter(
        re.sub(r"\D", "", r["nhsNumber"]) for r in served["patient"] if r["nhsNumber"] and good_check(r["nhsNumber"])
    )
    twice = found(served, "patient", lambda r: bool(r["nhsNumber"]) and numbers[re.sub(r"\D", "", r["nhsNumber"])] > 1)
    assert twice == planted(served, "patient", "nhsNumber", "R-NHS-DUP", fate="withheld")
    assert len(twice) >= 2


def test_birth_dates_and_other_dates(served: dict[str, Any]) -> None:
    def birth(row: Row) -> bool:
        born = day(row["dateOfBirth"])
        return row["dateOfBirth"] is not None and (born is None or not date(1900, 1, 1) <= born <= date(2026, 11, 1))

    assert found(served, "patient", birth) == planted(served, "patient", "dateOfBirth", "R-DOB", fate="withheld")
    assert found(served, "patient", lambda r: r["dateOfBirth"] == "1970-01-01") == planted(
        served, "patient", "dateOfBirth", "R-DOB", fate="sent"
    )
    for entity, fields in {
        "patient": (
            "medicalHistoryReviewedAt",
            "privacyNoticeAcceptedAt",
            "marketingConsentAt",
            "archivedAt",
            "createdAt",
        ),
        "appointment": ("arrivedAt", "completedAt", "createdAt"),
    }.items():
        for field in fields:
            bad = found(
                served,
                entity,
                lambda r, f=field: bool(r[f]) and not (LISTED.fullmatch(r[f]) and "1950" < r[f] < "2036-11-02"),
            )
            assert bad == planted(served, entity, field, "R-DT", fate="withheld"), field


def test_names_that_are_missing_too_long_or_odd(served: dict[str, Any]) -> None:
    blank = found(served, "patient", lambda r: not r["lastName"].strip())
    assert blank == planted(served, "patient", "lastName", "R-REQ", row="hold")
    for field, limit in (("lastName", 80), ("firstName", 40), ("town", 40), ("medicalAlertText", 255)):
        long = found(served, "patient", lambda r, f=field, n=limit: len((r[f] or "").strip()) > n)
        assert long == {
            t["id"] for t in served["truth"] if (t["field"], t["rule"]) == (field, "R-LEN") and t["note"] != "just fits"
        }, field
    text = ("firstName", "lastName", "preferredName", "previousLastName", "town")
    for mark, rule in (("#N/A", "R-NA"), ("=", "R-FORMULA")):
        for field in text:
            seen = found(served, "patient", lambda r, f=field, m=mark: (r[f] or "").startswith(m))
            assert seen <= planted(served, "patient", field, rule)
    odd = found(served, "patient", lambda r: any(normalize("NFC", r[f] or "") != (r[f] or "") for f in text))
    assert odd
    assert odd == {
        t["id"] for t in served["truth"] if t["entity"] == "patient" and t["note"] == "NFC gives the same letters"
    }


def test_medical_items(served: dict[str, Any]) -> None:
    clash = found(served, "patient", lambda r: r["noKnownAllergies"] and any(a["active"] for a in r["allergies"]))
    assert clash == planted(served, "patient", "noKnownAllergies", "R-ALLERGY", row="hold")
    for array, name in (("allergies", "substance"), ("medicalConditions", "name"), ("medications", "name")):
        nameless = found(served, "patient", lambda r, a=array, n=name: any(not item[n] for item in r[a]))
        assert nameless == planted(served, "patient", array, "R-REQ", row="hold"), array
        long = found(served, "patient", lambda r, a=array: len(json.dumps(r[a])) > 32_768)
        assert long == planted(served, "patient", array, "R-LONG", row="hold")


def test_consents_and_guardians(served: dict[str, Any]) -> None:
    undated = found(served, "patient", lambda r: r["marketingConsent"] is True and not r["marketingConsentAt"])
    assert undated == planted(served, "patient", "marketingConsent", "R-CONSENT", fate="withheld")
    unknown = found(
        served, "patient", lambda r: None in {r["allowEmail"], r["allowSms"], r["allowPost"], r["allowPhone"]}
    )
    assert unknown == planted(served, "patient", "allowEmail", "R-CONSENT") | planted(
        served, "patient", "allowSms", "R-CONSENT"
    )
    moved = {t["id"] for t in served["truth"] if t["entity"] == "patient" and t["row"] in {"skip", "hold"}}
    alone = found(
        served, "patient", lambda r: "2010-11-01" < str(r["dateOfBirth"]) < TODAY and r["guardianPatientId"] is None
    )
    assert alone - moved == planted(served, "patient", "guardianPatientId", "R-GUARDIAN")


def test_references_between_patients(served: dict[str, Any]) -> None:
    known = {r["patientId"] for r in served["patient"]}
    fixed = {t["id"] for t in served["truth"] if t["entity"] == "patient" and t["row"] in {"skip", "hold"}}
    for field in ("referredByPatientId", "guardianPatientId"):
        bad = found(served, "patient", lambda r, f=field: r[f] is not None and (r[f] not in known or r[f] in fixed))
        assert bad == planted(served, "patient", field, "R-REF", fate="withheld"), field
    by_id = {r["patientId"]: r for r in served["patient"]}
    for row in served["patient"]:
        seen, at = set(), row
        while at is not None and at["mergedIntoPatientId"] is not None and at["patientId"] not in seen:
            seen.add(at["patientId"])
            at = by_id.get(at["mergedIntoPatientId"])
        lost = at is None or at["patientId"] in seen
        fates = {
            t["row"] for t in served["truth"] if (t["id"], t["field"]) == (row["patientId"], "mergedIntoPatientId")
        }
        assert fates == ({"hold" if lost else "skip"} if seen else set()), row["patientId"]
    assert found(served, "patient", lambda r: r["practiceId"] not in {101, 102, 103, 104}) == planted(
        served, "patient", "practiceId", "R-REF", row="hold"
    )


def test_list_values(served: dict[str, Any]) -> None:
    def folded(text: str | None) -> str:
        return re.sub(r"[^a-z0-9]", "", (text or "").lower())

    sources = {folded(name) for name in served["sources"]}
    unknown = found(
        served, "patient", lambda r: bool(r["referralSource"]) and folded(r["referralSource"]) not in sources
    )
    assert unknown == planted(served, "patient", "referralSource", "R-PICK", fate="withheld") | planted(
        served, "patient", "referralSourceId", "R-PICK"
    )
    titles = {"mr", "mrs", "ms", "miss", "master", "dr", "prof", "rev", ""}
    assert found(served, "patient", lambda r: folded(r["title"]) not in titles) == planted(
        served, "patient", "title", "R-PICK", fate="withheld"
    )
    assert found(served, "patient", lambda r: r["gender"] not in {"MALE", "FEMALE", "OTHER", "UNKNOWN"}) == planted(
        served, "patient", "gender", "R-PICK"
    )

    def held(row: Row) -> bool:
        number = row["appointmentStatusId"]
        return (
            number not in range(1, 11) if number is not None else folded(row["appointmentStatus"]) not in FOLDED_STATUS
        )

    assert found(served, "appointment", held) == planted(
        served, "appointment", "appointmentStatus", "R-PICK", row="hold"
    ) | planted(served, "appointment", "appointmentStatusId", "R-PICK", row="hold")


def test_appointment_times(served: dict[str, Any]) -> None:
    def unreadable(row: Row) -> bool:
        text = row["appointmentTime"]
        if not text or not LISTED.fullmatch(text):
            return True
        try:
            return not 1950 <= datetime.fromisoformat(text).year <= 2036
        except ValueError:
            return True

    lost = found(served, "appointment", unreadable)
    assert lost == planted(served, "appointment", "appointmentTime", "R-DT", row="hold")

    def twisted(row: Row) -> bool:
        if row["appointmentId"] in lost:
            return False
        local = datetime.fromisoformat(row["appointmentTime"]).replace(tzinfo=LONDON)
        back = local.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None)
        return back != local.replace(tzinfo=None) or local.utcoffset() != local.replace(fold=1).utcoffset()

    assert found(served, "appointment", twisted) == planted(
        served, "appointment", "appointmentTime", "R-DT", row="send"
    )
    assert len(planted(served, "appointment", "appointmentTime", "R-DT", row="send")) >= 20


def test_appointments_and_their_patients(served: dict[str, Any]) -> None:
    fates = {t["id"]: t["row"] for t in served["truth"] if t["entity"] == "patient" and t["row"] in {"skip", "hold"}}
    merged = planted(served, "patient", "mergedIntoPatientId", "R-REF", row="skip")
    known = {r["patientId"] for r in served["patient"]}
    orphans = found(served, "appointment", lambda r: r["patientId"] not in known)
    assert orphans == {
        key for rule in ("R-REF", "R-REQ") for key in planted(served, "appointment", "patientId", rule, row="hold")
    }  # fmt: skip
    redirected = found(served, "appointment", lambda r: r["patientId"] in merged)
    assert redirected == planted(served, "appointment", "patientId", "R-REF", row="send")
    for fate in ("skip", "hold"):
        led = found(
            served, "appointment", lambda r, f=fate: fates.get(r["patientId"]) == f and r["patientId"] not in merged
        )
        assert led == planted(served, "appointment", "patientId", "PARENT", row=fate)
    flagged = found(served, "appointment", lambda r: r["isDeleted"])
    assert flagged == planted(served, "appointment", "isDeleted", "R-DELETED", row="skip")
    assert {("appointment", key) for key in flagged} <= served["deleted"]


def test_appointment_references(served: dict[str, Any]) -> None:
    users = {r["userId"] for r in served["user"]}
    assert found(served, "appointment", lambda r: r["userId"] not in users) == planted(
        served, "appointment", "userId", "R-USER-EMAIL"
    )
    gone = {t["id"] for t in served["truth"] if t["entity"] == "appointment" and t["row"] != "send"}
    known = {r["appointmentId"] for r in served["appointment"]}
    clean = {t["id"] for t in served["truth"] if t["rule"] == "PARENT"}
    bad = found(
        served, "appointment",
        lambda r: r["rescheduledToAppointmentId"] is not None
        and (r["rescheduledToAppointmentId"] not in known or r["rescheduledToAppointmentId"] in gone)
        and r["appointmentId"] not in clean,
    )  # fmt: skip
    assert bad == planted(served, "appointment", "rescheduledToAppointmentId", "R-REF", fate="withheld")


def test_appointment_texts_and_money(served: dict[str, Any]) -> None:
    def length(text: str) -> int:
        return len(text.replace("\r\n", "\n").strip().replace("\n", "\r\n").encode("utf-16-le", "surrogatepass")) // 2

    long = found(served, "appointment", lambda r: length(r["appointmentNotes"] or "") > 32_768)
    assert long == planted(served, "appointment", "appointmentNotes", "R-LONG", row="hold")
    broken = found(
        served, "appointment", lambda r: re.search("[\ud800-\udfff]", r["appointmentNotes"] or "") is not None
    )
    assert broken == planted(served, "appointment", "appointmentNotes", "R-TEXT", row="hold")
    controls = found(
        served,
        "appointment",
        lambda r: re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", r["appointmentNotes"] or "") is not None,
    )
    assert controls == {
        t["id"] for t in served["truth"] if t["entity"] == "appointment" and t["note"] == "controls removed"
    }
    odd = found(
        served, "appointment", lambda r: r["cost"] is not None and not re.fullmatch(r"\d+\.\d\d", str(r["cost"]))
    )
    derived = planted(served, "appointment", "cost", "R-MONEY", note="a completed treatment without a sound cost")
    assert odd == planted(served, "appointment", "cost", "R-MONEY") - derived
    late = found(served, "appointment", lambda r: len(r["cancellationReason"] or "") > 255)
    assert late == planted(served, "appointment", "cancellationReason", "R-LEN", fate="withheld")


def test_clinicians_and_their_users(served: dict[str, Any]) -> None:
    active = Counter(u["email"].lower() for u in served["org"] if u["is_active"])
    here = Counter((u["email"] or "").lower() for u in served["user"])
    for row in served["user"]:
        mail = (row["email"] or "").lower()
        matches = bool(mail) and active[mail] == 1 and here[mail] == 1
        fates = {t["row"] for t in served["truth"] if (t["entity"], t["id"]) == ("user", row["userId"])}
        assert fates <= ({"matched"} if matches else {"unmatched"})
        assert matches or fates
    assert any(u["email"] != u["email"].lower() for u in served["user"] if u["email"])
    assert len({u["username"] for u in served["org"]}) == len(served["org"])
    assert all(len(u["alias"]) <= 8 for u in served["org"])
    assert any(not u["is_active"] for u in served["org"])


def test_every_planted_record_is_served_or_in_the_feed(served: dict[str, Any]) -> None:
    keys = {(e, r[f"{e}Id"]): r for e in ("patient", "appointment", "user") for r in served[e]}
    for one in served["truth"]:
        if one["entity"] not in served:
            continue  # the rows of treatment have a test of their own
        where = (one["entity"], one["id"])
        assert where in keys or where in served["deleted"], one
        if where in keys and one["field"] is not None:
            assert one["field"] in keys[where], one
    fates = {"send", "hold", "skip", "unmatched", "matched"}
    assert {t["row"] for t in served["truth"]} == fates
    assert {t["fate"] for t in served["truth"]} == {"sent", "withheld", "none"}
