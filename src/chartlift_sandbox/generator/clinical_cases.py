"""Spoilt health numbers, medical items, consents and references of patients, and whole records that must not move."""

from chartlift_sandbox.generator.cases import Case, Spot, nothing, setting
from chartlift_sandbox.generator.numbers import chi_number, nhs_number, wrong_check
from chartlift_sandbox.generator.pairs import DUPLICATES
from chartlift_sandbox.generator.patients import allergy, condition, medicine
from chartlift_sandbox.generator.truth import Finding, RowFate
from chartlift_sandbox.generator.world import NOBODY_BASE, Record


def _number(record: Record, value: str, kind: str | None = "NHS") -> None:
    record |= {"nhsNumber": value, "healthNumberType": kind}


def _wrong_check(record: Record, spot: Spot) -> None:
    _number(record, wrong_check(nhs_number(spot.world.seed, spot.place)))


def _nine_digits(record: Record, spot: Spot) -> None:
    _number(record, chi_number(spot.world.seed, spot.place)[1:], "CHI")


def _nine_digits_wrong(record: Record, spot: Spot) -> None:
    _number(record, wrong_check(chi_number(spot.world.seed, spot.place))[1:], "CHI")


def _wrong_scheme(record: Record, spot: Spot) -> None:
    _number(record, nhs_number(spot.world.seed, spot.place), "CHI")


def _number_of_neighbour(record: Record, spot: Spot) -> None:
    _number(record, nhs_number(spot.world.seed, spot.place - 1))


def _own_number(record: Record, spot: Spot) -> None:
    _number(record, nhs_number(spot.world.seed, spot.place))


_SAME = (Finding("nhsNumber", "R-NHS-DUP", "withheld", "one number on two live patients"),)
NUMBERS: tuple[Case, ...] = (
    Case(
        "number of a live neighbour",
        4,
        _number_of_neighbour,
        _SAME,
        host=_own_number,
        host_findings=_SAME,
        country="GB",
    ),
    Case("check digit fails", 24, _wrong_check, (Finding("nhsNumber", "R-NHS", "withheld"),), country="GB"),
    Case(
        "leading zero lost",
        5,
        _nine_digits,
        (Finding("nhsNumber", "R-NHS", "sent", "padded, then passes"),),
        country="GB",
    ),
    Case("nine digits that fail", 3, _nine_digits_wrong, (Finding("nhsNumber", "R-NHS", "withheld"),), country="GB"),
    Case(
        "scheme and range differ",
        4,
        _wrong_scheme,
        (Finding("nhsNumber", "R-NHS-RANGE", "sent", "declared as CHI"),),
        country="GB",
    ),
    setting(
        "one digit ten times",
        2,
        {"nhsNumber": "9999999999", "healthNumberType": "NHS"},
        "R-NHS",
        "withheld",
        country="GB",
    ),
    setting(
        "PPS in the NHS field",
        5,
        {"nhsNumber": "6433435F", "healthNumberType": None},
        "R-NHS",
        "withheld",
        country="IE",
    ),
    setting(
        "PPS check letter fails", 3, {"ppsNumber": "6433435E"}, "R-PPS", "withheld", "off by default", country="IE"
    ),
    setting(
        "policy without insurer",
        4,
        {"insurancePolicyNumber": "XX-1", "insuranceProvider": None},
        "R-POLICY",
        note="sent, flagged",
    ),
)


def _allergic_yet_none(record: Record, spot: Spot) -> None:
    record |= {"noKnownAllergies": True, "allergies": [allergy(spot.place, 0, "Penicillin")]}


def _no_substance(record: Record, spot: Spot) -> None:
    record |= {"noKnownAllergies": False, "allergies": [allergy(spot.place, 0, None), allergy(spot.place, 1, "Latex")]}


def _nameless_condition(record: Record, spot: Spot) -> None:
    record["medicalConditions"] = [condition(spot.place, 4, "", notes="see letter")]


def _nameless_medicine(record: Record, spot: Spot) -> None:
    record["medications"] = [medicine(spot.place, 8, None, "10 mg")]


def _endless_reaction(record: Record, spot: Spot) -> None:
    record |= {
        "noKnownAllergies": False,
        "allergies": [allergy(spot.place, 0, "Latex", reaction="Rash on hand; " * 2400)],
    }


def _endless_condition(record: Record, spot: Spot) -> None:
    record["medicalConditions"] = [condition(spot.place, 4, "Asthma", notes="peak flow 410\r\n" * 2300)]


def _half_a_pair(record: Record, spot: Spot) -> None:
    record["medicalConditions"] = [condition(spot.place, 4, "Angina", notes="stable \ud83d since 2019")]


def _controls_in_notes(record: Record, spot: Spot) -> None:
    record["medicalConditions"] = [
        condition(spot.place, 4, "Gout", notes="left\u0000 foot\u000b,\u001f acute\r\nflare\ttwice")
    ]


def _only_inactive(record: Record, spot: Spot) -> None:
    record |= {"noKnownAllergies": True, "allergies": [allergy(spot.place, 0, "Egg", active=False)]}


def _alert(signs: int) -> str:
    return ("WARFARIN! CHECK INR < 4 BEFORE ANY EXTRACTION. " * 8)[: signs - 1] + "!"


MEDICAL: tuple[Case, ...] = (
    Case(
        "allergic, yet none known", 4, _allergic_yet_none, (Finding("noKnownAllergies", "R-ALLERGY", "none"),), "hold"
    ),
    Case("allergy without substance", 3, _no_substance, (Finding("allergies", "R-REQ", "none"),), "hold"),
    Case("condition without name", 2, _nameless_condition, (Finding("medicalConditions", "R-REQ", "none"),), "hold"),
    Case("medication without name", 2, _nameless_medicine, (Finding("medications", "R-REQ", "none"),), "hold"),
    Case("allergies beyond the limit", 0, _endless_reaction, (Finding("allergies", "R-LONG", "none"),), "hold"),
    Case(
        "conditions beyond the limit", 0, _endless_condition, (Finding("medicalConditions", "R-LONG", "none"),), "hold"
    ),
    Case("half a surrogate pair", 0, _half_a_pair, (Finding("medicalConditions", "R-TEXT", "none"),), "hold"),
    Case(
        "controls in a condition",
        2,
        _controls_in_notes,
        (Finding("medicalConditions", "R-TEXT", "sent", "controls removed, LF and tab kept"),),
    ),
    Case(
        "only a former allergy",
        3,
        _only_inactive,
        (Finding("allergies", "R-ALLERGY", "sent", "none known, former item listed as inactive"),),
    ),
    setting(
        "alert over 255", 3, {"medicalAlertText": _alert(256)}, "R-LEN", "withheld", "heads the conditions instead"
    ),
    setting("alert of exactly 255", 1, {"medicalAlertText": _alert(255)}, "R-LEN", note="just fits"),
)


def _undated_consent(record: Record, _: Spot) -> None:
    record |= {"marketingConsent": True, "marketingConsentAt": None}


CONSENTS: tuple[Case, ...] = (
    setting("consent to e-mail unknown", 12, {"allowEmail": None}, "R-CONSENT", note="opted out"),
    setting("consent to text unknown", 8, {"allowSms": None, "allowPost": None}, "R-CONSENT", note="opted out"),
    Case(
        "marketing consent without date",
        8,
        _undated_consent,
        (Finding("marketingConsent", "R-CONSENT", "withheld"),),
        traits=frozenset({"alive"}),  # who has died consents to nothing, dated or not
    ),
)

REFERENCES: tuple[Case, ...] = (
    setting("referred by nobody", 4, {"referredByPatientId": NOBODY_BASE + 1}, "R-REF", "withheld"),
    setting("guardian does not exist", 3, {"guardianPatientId": NOBODY_BASE + 2}, "R-REF", "withheld"),
    setting("clinician not on the list", 3, {"preferredUserId": 7777}, "R-USER-EMAIL", note="unmatched: fallback"),
    setting("hygienist not on the list", 2, {"preferredHygienistUserId": 7778}, "R-USER-EMAIL", "withheld"),
    setting("practice does not exist", 2, {"practiceId": 999, "practiceName": None}, "R-REF", "none", row="hold"),
    setting(
        "source id not on the list",
        2,
        {"referralSourceId": 99, "referralSource": "Taxi advert"},
        "R-PICK",
        "withheld",
        "until the value is confirmed",
    ),
)


def _merge(
    name: str, weight: int, steps: int, row: RowFate = "skip", note: str = "children follow the survivor"
) -> Case:
    def spoil(record: Record, spot: Spot) -> None:
        record["mergedIntoPatientId"] = spot.world.patient_id(spot.place + steps)

    traits = frozenset({"merged"} if row == "skip" else ())
    return Case(name, weight, spoil, (Finding("mergedIntoPatientId", "R-REF", "none", note),), row, traits=traits)


_DELETED = (Finding("isDeleted", "R-DELETED", "none", "source deleted"),)
RECORDS: tuple[Case, ...] = (
    _merge("merged", 16, -1),
    _merge("merged into a merged one", 0, -2),
    setting("merged into nobody", 0, {"mergedIntoPatientId": NOBODY_BASE + 3}, "R-REF", "none", row="hold"),
    _merge("merged in a circle, one way", 0, 2, "hold", "circle"),
    _merge("merged in a circle, and back", 0, -2, "hold", "circle"),
    setting("deleted, still listed", 4, {"isDeleted": True}, "R-DELETED", "none", "source deleted", row="skip"),
    Case("deleted, only in the feed", 3, nothing, _DELETED, "skip", traits=frozenset({"gone"})),
    *DUPLICATES[:3],
    Case(
        "more visits than an embedded array holds",
        0,
        nothing,
        (Finding("appointmentsTotal", "R-EMBED", "none"),),
        traits=frozenset({"crowded"}),
    ),
    Case(
        "balance does not follow from invoices",
        0,
        nothing,
        (Finding("balance", "R-BAL", "sent", "not the sum of what is due"),),
        traits=frozenset({"odd balance"}),
    ),
    Case("deceased, visit ahead", 2, nothing, (), traits=frozenset({"deceased", "future"})),
)
