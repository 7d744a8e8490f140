"""The patient record: an ordinary one, with every field of the source; cases of the catalogue spoil it afterwards."""

from chartlift_sandbox.generator.days import EPOCH_DAY, day, instant
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.households import Household, household_of
from chartlift_sandbox.generator.identity import Identity, Standing, home, identity
from chartlift_sandbox.generator.lists import SOURCE_NAME, SOURCES
from chartlift_sandbox.generator.names import (
    ALLERGENS,
    CONDITIONS,
    EXEMPTIONS,
    GIVEN_FEMALE,
    INSURERS,
    MEDICINES,
    REACTIONS,
)
from chartlift_sandbox.generator.numbers import landline, mobile, nhs_number, pps_number
from chartlift_sandbox.generator.people import plain_letters, practice_prefix
from chartlift_sandbox.generator.world import Record, World

ITEMS_PER_PATIENT = 16
_SOURCES = Odds(*((number, weight) for number, _, weight in SOURCES))
_ALLERGIES = Odds((0, 70), (1, 20), (2, 8), (3, 2))
_CONDITIONS = Odds((0, 65), (1, 24), (2, 8), (3, 3))
_MEDICINES = Odds((0, 75), (1, 20), (2, 5))


def ordinary_patient(world: World, place: int, practice: Record, state: Standing) -> Record:
    """A patient without any defect but those of everyday life that no rule minds (blanks, shared mailboxes)."""
    person = identity(world.seed, place)
    household = household_of(world.seed, place)
    dice = Dice(world.seed, "patient", place)
    record: Record = {
        "patientId": world.patient_id(place),
        "practiceId": practice["practiceId"],
        "practiceName": practice["name"],
        "preferredUserId": preferred_clinician(world, place),
        "preferredHygienistUserId": world.clinician_at(place, dice) if dice.chance(200) else None,
        "patientNumber": f"{practice_prefix(practice['practiceId'])}-{place + 1:06}",
        "title": person.title,
        "firstName": person.first,
        "middleName": person.middle,
        "lastName": person.last,
        "previousLastName": person.previous,
        "preferredName": person.preferred,
        "dateOfBirth": day(person.birth),
        "gender": person.gender,
    }
    record |= home(world.seed, place, practice["country"], practice["town"])
    record |= _contact(world, place, practice, household)
    record |= _consents(world, place, state)
    record |= _numbers(world, place, practice["country"], person)
    record |= _medical(world, place, state)
    record |= _relations(world, place, person, household)
    record |= _state(world, place, state)
    return record


def preferred_clinician(world: World, place: int) -> int | None:
    """The clinician a patient mostly sees."""
    dice = Dice(world.seed, "preferred", place)
    return world.clinician_at(place, dice) if dice.chance(930) else None


def _mailbox(seed: int, place: int) -> str:
    person = identity(seed, place)
    first, last = plain_letters(person.first), plain_letters(person.last)
    return f"{first}.{last}{place}@example.{'org' if place % 3 else 'com'}"


def _contact(world: World, place: int, practice: Record, household: Household | None) -> Record:
    dice = Dice(world.seed, "contact", place)
    country = practice["country"]
    shared = household is not None and household.shares_email
    return {
        "homePhone": landline(dice, country) if dice.chance(450) else None,
        "mobilePhone": mobile(dice, country) if dice.chance(880) else ("" if dice.chance(300) else None),
        "workPhone": landline(dice, country) if dice.chance(80) else None,
        "email": _mailbox(world.seed, household.head if household is not None and shared else place)
        if dice.chance(820)
        else None,
    }


def _consents(world: World, place: int, state: Standing) -> Record:
    dice = Dice(world.seed, "consent", place)
    marketing = dice.chance(350)
    asked = instant(min(state.created + dice.below(200), EPOCH_DAY - 2), dice.between(28_800, 64_000))
    accepted = instant(state.created, dice.between(28_800, 64_000))
    return {
        "allowEmail": dice.chance(850),
        "allowSms": dice.chance(880),
        "allowPost": dice.chance(800),
        "allowPhone": dice.chance(900),
        "marketingConsent": marketing,
        "marketingConsentAt": asked if marketing or dice.chance(300) else None,
        "privacyNoticeAcceptedAt": accepted if dice.chance(700) else None,
    }


def _numbers(world: World, place: int, country: str, person: Identity) -> Record:
    dice = Dice(world.seed, "numbers", place)
    british = country == "GB"
    number = nhs_number(world.seed, place) if british and dice.chance(780) else None
    if number is not None:
        number = dice.pick(
            (number, f"{number[:3]} {number[3:6]} {number[6:]}", f"{number[:3]}-{number[3:6]}-{number[6:]}")
        )
    insured = dice.chance(180)
    exempt = british and (person.is_minor or dice.chance(120))
    return {
        "nhsNumber": number,
        "healthNumberType": "NHS" if number is not None else None,
        "ppsNumber": pps_number(dice) if not british and dice.chance(600) else None,
        "medicalCardNumber": f"{dice.between(1000000, 9999999)}A" if not british and dice.chance(250) else None,
        "nhsExemptionCode": ("UNDER_18" if person.is_minor else dice.pick(EXEMPTIONS[1:])) if exempt else None,
        "nhsExemptionExpiresOn": day(EPOCH_DAY + dice.between(-300, 900)) if exempt and dice.chance(600) else None,
        "insuranceProvider": dice.pick(INSURERS) if insured else None,
        "insurancePolicyNumber": f"{dice.pick(('DP', 'BU', 'VH'))}-{dice.between(1000, 9999)}-{dice.between(10, 99)}"
        if insured
        else None,
    }


def item_id(place: int, at: int) -> int:
    """Id of the n-th medical item of a patient, unique in the clinic."""
    return 1 + place * ITEMS_PER_PATIENT + at


def allergy(
    place: int, at: int, substance: str | None, *, reaction: str | None = "Rash", active: bool = True
) -> Record:
    """An allergy as embedded in the patient."""
    return {
        "medicalItemId": item_id(place, at), "substance": substance, "reaction": reaction, "severity": "MODERATE",
        "recordedAt": "2019-03-01T00:00:00Z", "active": active,
    }  # fmt: skip


def condition(place: int, at: int, name: str | None, *, notes: str | None = None, active: bool = True) -> Record:
    """A medical condition as embedded in the patient."""
    return {"medicalItemId": item_id(place, at), "name": name, "since": "2015", "notes": notes, "active": active}


def medicine(place: int, at: int, name: str | None, dose: str | None = None) -> Record:
    """A medication as embedded in the patient."""
    return {"medicalItemId": item_id(place, at), "name": name, "dose": dose, "since": "2021-05", "active": True}


def _medical(world: World, place: int, state: Standing) -> Record:
    dice = Dice(world.seed, "medical", place)
    allergies = []
    for at in range(dice.weighted(_ALLERGIES)):
        item = allergy(place, at, dice.pick(ALLERGENS), reaction=dice.pick(REACTIONS), active=dice.chance(850))
        item["severity"] = dice.pick(("MILD", "MODERATE", "SEVERE", None))
        recorded = min(state.created + dice.below(400), EPOCH_DAY - 2)
        item["recordedAt"] = instant(recorded, dice.below(86_400)) if dice.chance(900) else None
        allergies.append(item)
    conditions = []
    for at in range(4, 4 + dice.weighted(_CONDITIONS)):
        item = condition(place, at, dice.pick(CONDITIONS), active=dice.chance(900))
        item["since"] = dice.pick(
            (f"{dice.between(1975, 2025)}", f"{dice.between(2001, 2025)}-0{dice.between(1, 9)}", None)
        )
        item["notes"] = "Diet controlled.\r\nReview yearly" if dice.chance(120) else None
        conditions.append(item)
    medicines = [medicine(place, at, *dice.pick(MEDICINES)) for at in range(8, 8 + dice.weighted(_MEDICINES))]
    none_known = not any(item["active"] for item in allergies) and dice.chance(700)
    alert = "".join(item["name"].upper() + "! " for item in conditions[:1] if item["active"]).strip()
    return {
        "bloodType": dice.pick(("A+", "A-", "B+", "AB+", "O+", "O-", "Unknown")) if dice.chance(300) else None,
        "allergies": allergies,
        "noKnownAllergies": none_known,
        "medicalConditions": conditions,
        "medications": medicines,
        "medicalHistoryReviewedAt": instant(state.created, 40_000) if dice.chance(600) else None,
        "medicalAlertText": alert or None,
    }


def _relations(world: World, place: int, person: Identity, household: Household | None) -> Record:
    dice = Dice(world.seed, "relations", place)
    source = dice.weighted(_SOURCES) if dice.chance(920) else None
    referred = dice.chance(80)
    ward = household is not None and household.position > 0 and person.is_minor
    kin = dice.chance(550)
    return {
        "referralSourceId": source,
        "referralSource": SOURCE_NAME[source] if source is not None else None,
        "referredByPatientId": world.patient_id(2 * dice.below(place // 2)) if referred and place > 1 else None,
        "householdId": household.id if household is not None else None,
        "householdRole": None if household is None else "MEMBER" if household.position else "HEAD",
        "guardianPatientId": world.patient_id(household.head) if household is not None and ward else None,
        "nextOfKinName": f"{dice.pick(GIVEN_FEMALE['irish'])} {person.last}" if kin else None,
        "nextOfKinRelationship": dice.pick(("Spouse", "Parent", "Sibling", "Daughter", "Friend", None))
        if kin
        else None,
        "nextOfKinPhone": mobile(dice, "GB") if kin and dice.chance(800) else None,
        "recallExempt": dice.chance(40),
        "badDebt": dice.chance(15),
    }


def _state(world: World, place: int, state: Standing) -> Record:
    dice = Dice(world.seed, "state", place)
    archived = state.status == "ARCHIVED" and state.ended is not None
    touched = max(state.created, state.ended or 0)
    touched += dice.below(max(1, EPOCH_DAY - 1 - touched))
    return {
        "status": state.status,
        "archivedAt": instant(state.ended, 36_000) if archived and state.ended is not None else None,
        "archivedReason": state.reason,
        "deceasedOn": day(state.ended) if state.status == "DECEASED" and state.ended is not None else None,
        "mergedIntoPatientId": None,
        "isDeleted": False,
        "balance": "0.00",
        "createdAt": instant(state.created, dice.between(28_800, 64_000)),
        "updatedAt": instant(touched, dice.between(28_800, 80_000)),
    }
