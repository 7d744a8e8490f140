"""Practices and users of the group, and the Salesforce Users that exist for some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import combining, normalize

from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.names import CULTURES, FAMILY, GIVEN_FEMALE, GIVEN_MALE
from chartlift_sandbox.generator.truth import Planted, RowFate

Record = dict[str, Any]
CLINICIAN_BASE = 3001
STAFF_BASE = 90_001
_LISTED_AT = "2026-01-05T09:00:00Z"
_PATIENTS_PER_CLINICIAN = 150
_PATIENTS_PER_STAFF = 400
_CLOSED = 3  # the fourth location has shut; its history remains
_THERAPISTS = 3  # every fourth clinician is no dentist

_PRACTICES: tuple[tuple[str, str, str, str, str, str, str, str, str], ...] = (
    ("Lagan Dental Care", "12 Ormeau Road", "Belfast", "Antrim", "BT7 1SH", "GB", "028 9649 6000", "lagan", "LDC"),
    ("Liffey Quay Dental", "3 Usher's Quay", "Dublin", "Dublin", "D08 X2A4", "IE", "020 910 1000", "liffey", "LQD"),
    (
        "Taff Street Dental",
        "77 Taff Street",
        "Cardiff",
        "South Glamorgan",
        "CF10 1EP",
        "GB",
        "029 2018 0100",
        "taff",
        "TSD",
    ),
    ("Corrib Family Dentists", "1 Quay Street", "Galway", "Galway", "H91 E4RF", "IE", "020 910 2000", "corrib", "CFD"),
)

#: What makes a clinician easy or hard to match; the first ones appear in every clinic.
CAST: tuple[str, ...] = (
    "ordinary", "mixed_case", "ordinary", "no_email", "shared_email", "shared_email", "leaver_matched", "leaver_absent",
    "absent", "org_inactive", "org_twice", "ordinary",
)  # fmt: skip
_CULTURES = Odds(*CULTURES)
_LATER: Odds[str] = Odds(
    ("ordinary", 66), ("mixed_case", 6), ("no_email", 4), ("leaver_matched", 6), ("leaver_absent", 9), ("absent", 7),
    ("org_inactive", 2),
)  # fmt: skip
_UNMATCHED = {
    "no_email": "no e-mail at the source",
    "shared_email": "two clinicians carry one e-mail",
    "leaver_absent": "left, and has no User",
    "absent": "no User carries this e-mail",
    "org_inactive": "the User is inactive",
    "org_twice": "two active Users carry this e-mail",
}
_MATCHED = {"mixed_case": "same address in other letter case", "leaver_matched": "left, but the User is active"}


@dataclass(frozen=True, slots=True)
class Member:
    """A user of the clinic together with what the target org knows of them."""

    record: Record
    kind: str

    @property
    def matches(self) -> bool:
        """Whether exactly one active Salesforce User can be found by e-mail."""
        return self.kind not in _UNMATCHED

    def planted(self) -> Planted | None:
        """The matching problem, if this member is one."""
        row: RowFate = "matched" if self.matches else "unmatched"
        note = _UNMATCHED.get(self.kind) or _MATCHED.get(self.kind)
        return Planted("user", self.record["userId"], "email", "R-USER-EMAIL", row, "none", note) if note else None


def practices(seed: int) -> list[Record]:
    """Two to four locations; the first is in the UK, the second in Ireland, so both currencies always occur."""
    count = 2 + Dice(seed, "practices").below(3)
    return [
        {
            "practiceId": 101 + at, "name": name, "groupName": "Lagan Group", "addressLine1": street,
            "addressLine2": None, "town": town, "county": county, "postcode": postcode, "country": country,
            "phone": phone, "email": f"reception@{host}.example", "currency": "GBP" if country == "GB" else "EUR",
            "timezone": "Europe/London" if country == "GB" else "Europe/Dublin", "active": at != _CLOSED,
            "updatedAt": _LISTED_AT,
        }
        for at, (name, street, town, county, postcode, country, phone, host, _) in enumerate(_PRACTICES[:count])
    ]  # fmt: skip


def practice_prefix(practice_id: int) -> str:
    """Letters in front of the patient numbers of a practice."""
    return _PRACTICES[practice_id - 101][8]


def clinicians_for(patients: int) -> int:
    """How many clinicians a clinic of that size has ever employed."""
    return len(CAST) + patients // _PATIENTS_PER_CLINICIAN


def plain_letters(text: str) -> str:
    """Lower-case ASCII letters of a name, as mailboxes spell it."""
    decomposed = normalize("NFKD", text.replace("Ł", "L").replace("ł", "l"))
    return "".join(sign for sign in decomposed.lower() if sign.isascii() and sign.isalpha() and not combining(sign))


def members(seed: int, patients: int, practice_list: Sequence[Record]) -> list[Member]:
    """Clinicians, then staff; a larger clinic only appends to each."""
    clinicians = [_clinician(seed, at, practice_list) for at in range(clinicians_for(patients))]
    staff = [_staff(seed, at, practice_list) for at in range(4 + patients // _PATIENTS_PER_STAFF)]
    return clinicians + staff


def _person(dice: Dice) -> tuple[str, str, bool]:
    culture = dice.weighted(_CULTURES)
    female = dice.chance(600)
    return dice.pick((GIVEN_FEMALE if female else GIVEN_MALE)[culture]), dice.pick(FAMILY[culture]), female


def _host(practice: Record) -> str:
    return str(practice["email"]).partition("@")[2]


def _clinician(seed: int, at: int, practice_list: Sequence[Record]) -> Member:
    dice = Dice(seed, "clinician", at)
    kind = CAST[at] if at < len(CAST) else dice.weighted(_LATER)
    given, family, _ = _person(dice)
    home = practice_list[at % len(practice_list)]
    box = f"{plain_letters(given)}.{plain_letters(family)}{at if at >= len(CAST) or at % 2 else ''}"
    email: str | None = f"{box}@{_host(home)}"
    if kind == "mixed_case":
        email = f"{given.split(maxsplit=1)[0]}.{plain_letters(family).capitalize()}{at}@{_host(home).title()}"
        email = normalize("NFKD", email).encode("ascii", "ignore").decode()
    elif kind == "no_email":
        email = None if at % 2 else ""
    elif kind == "shared_email":
        email = f"locum.desk@{_host(practice_list[0])}"
    left = kind.startswith("leaver")
    irish = home["country"] == "IE"
    return Member(
        {
            "userId": CLINICIAN_BASE + at, "title": "Dr" if at % 4 != _THERAPISTS else dice.pick(("Mr", "Ms", "Miss")),
            "firstName": given, "lastName": family, "email": email,
            "role": dice.pick(("HYGIENIST", "THERAPIST")) if at % 4 == _THERAPISTS else "DENTIST",
            "gdcNumber": None if irish else f"{dice.between(100000, 299999)}",
            "dentalCouncilNumber": f"{dice.between(1000, 9999)}/{dice.between(10, 99)}" if irish else None,
            "nhsPerformerNumber": None if irish else f"{dice.between(100000, 999999)}",
            "practiceIds": sorted({home["practiceId"], dice.pick(practice_list)["practiceId"]}),
            "active": not left, "leftOn": f"20{dice.between(15, 25)}-0{dice.between(1, 9)}-15" if left else None,
            "updatedAt": _LISTED_AT,
        },
        kind,
    )  # fmt: skip


def _staff(seed: int, at: int, practice_list: Sequence[Record]) -> Member:
    dice = Dice(seed, "staff", at)
    kind = ("ordinary", "absent", "no_email", "leaver_absent")[at % 4]
    given, family, _ = _person(dice)
    home = practice_list[at % len(practice_list)]
    email = None if kind == "no_email" else f"{plain_letters(given)}.{plain_letters(family)}.desk{at}@{_host(home)}"
    left = kind.startswith("leaver")
    return Member(
        {
            "userId": STAFF_BASE + at, "title": dice.pick(("Ms", "Mr", None)), "firstName": given, "lastName": family,
            "email": email, "role": dice.pick(("RECEPTION", "NURSE", "MANAGER")), "gdcNumber": None,
            "dentalCouncilNumber": None, "nhsPerformerNumber": None, "practiceIds": [home["practiceId"]],
            "active": not left, "leftOn": "2024-03-31" if left else None, "updatedAt": _LISTED_AT,
        },
        kind,
    )  # fmt: skip


def org_users(everyone: Sequence[Member]) -> list[Record]:
    """The Salesforce Users to seed: most members, some inactive, one e-mail on two Users, some members absent."""
    users: list[Record] = []
    taken: set[str] = set()
    for member in everyone:
        address = member.record["email"]
        if not address or member.kind in {"absent", "leaver_absent"} or address.lower() in taken:
            continue
        taken.add(address.lower())
        users.append(_org_user(member, address.lower(), ""))
        if member.kind == "org_twice":
            users.append(_org_user(member, address.lower(), ".2"))
    return users


def _org_user(member: Member, address: str, mark: str) -> Record:
    record = member.record
    return {
        "first_name": record["firstName"],
        "last_name": record["lastName"],
        "email": address,
        "username": f"{address}{mark}.lagan-sf",
        "is_active": member.kind != "org_inactive",
        "profile": "Standard User",
        "user_type": "Standard",
        "alias": (plain_letters(record["firstName"])[:1] + plain_letters(record["lastName"]))[:7] + mark[1:],
    }
