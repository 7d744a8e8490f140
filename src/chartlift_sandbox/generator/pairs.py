"""Two records of one person, and two people who look like one: what a finder of duplicates is measured on.

The second record stands at an odd place and refers to the even one below, which is always earlier. A pair of one
person shares what such a pair shares in practice (one of mobile number, e-mail and address, besides most of name and
birth) and differs in several other fields. A pair of two people shares as much, and is listed as NOT-DUP.
"""

from collections.abc import Callable
from datetime import date

from chartlift_sandbox.generator.cases import Case, Spot
from chartlift_sandbox.generator.days import EPOCH_DAY, day, years_before
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.identity import home, standing
from chartlift_sandbox.generator.names import CULTURES, FAMILY, GIVEN_FEMALE, GIVEN_MALE, NICKNAMES, TOWNS
from chartlift_sandbox.generator.numbers import landline, mobile, postcode
from chartlift_sandbox.generator.patients import ordinary_patient
from chartlift_sandbox.generator.truth import Finding
from chartlift_sandbox.generator.world import Record

_MONTHS = 12
_ADULT, _PARENT = 18, 45
_FAR = 50_000_000  # places that no clinic reaches
_WHO = ("firstName", "middleName", "lastName", "dateOfBirth", "gender", "nhsExemptionCode", "guardianPatientId")
_WHERE = ("addressLine1", "addressLine2", "town", "county", "postcode", "country")
_FEMALE_NAMES = frozenset(name for pool in GIVEN_FEMALE.values() for name in pool)
_NEIGHBOUR_KEYS = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "r": "t", "s": "d", "t": "y", "l": "k", "c": "v"}

Change = Callable[[Record, Record, Spot], None]
"""Makes the second record out of (its own ordinary self, the first record, the second's spot)."""


def _first(record: Record, spot: Spot) -> None:
    """The first record can be reached and found: whoever is registered twice usually can."""
    dice = Dice(spot.world.seed, "pair", spot.place)
    country = spot.world.practice_at(spot.place)["country"]
    record["mobilePhone"] = record["mobilePhone"] or mobile(dice, country)
    record["homePhone"] = record["homePhone"] or landline(dice, country)
    record["email"] = record["email"] or f"patient.{spot.place}@example.org"
    area = next(area for region in TOWNS if region.startswith(country) for _, _, area in TOWNS[region])
    record["postcode"] = record["postcode"] or postcode(dice, area, country)


def _first_early(record: Record, spot: Spot) -> None:
    """Born on a day of the month that may be mistaken for a month."""
    _first(record, spot)
    born = date.fromisoformat(record["dateOfBirth"])
    number = born.day if born.day <= _MONTHS else born.day % _MONTHS + 1
    record["dateOfBirth"] = born.replace(day=number % _MONTHS + 1 if number == born.month else number).isoformat()


def _host_record(spot: Spot, host: Callable[[Record, Spot], None]) -> Record:
    world, place = spot.world, spot.place - 1
    record = ordinary_patient(world, place, world.practice_at(place), standing(world, place))
    host(record, Spot(world, place, 0, Dice(world.seed, "patient-spoil", place)))
    return record


def _copied(record: Record, first: Record, *groups: str | tuple[str, ...]) -> None:
    for group in groups:
        for name in (group,) if isinstance(group, str) else group:
            record[name] = first[name]


def _mistyped(name: str, dice: Dice) -> str:
    """The name with one slip of the hand behind its first letter: two letters turned, one lost, doubled or mistaken."""
    spots = [at for at in range(1, len(name) - 1) if name[at].isalpha() and name[at + 1].isalpha()]
    if not spots:
        return name + name[-1]
    at, slip = dice.pick(spots), dice.pick(("turned", "lost", "mistaken", "doubled"))
    if slip == "turned" and name[at] != name[at + 1]:
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    if slip == "lost":
        return name[:at] + name[at + 1 :]
    if slip == "mistaken" and name[at] in _NEIGHBOUR_KEYS:
        return name[:at] + _NEIGHBOUR_KEYS[name[at]] + name[at + 1 :]
    return name[: at + 1] + name[at:]


def _elsewhere(spot: Spot) -> Record:
    """An address that is neither the first record's nor that of a household it may live in."""
    practice = spot.world.practice_at(spot.place - 1)
    return home(spot.world.seed, spot.place + _FAR, practice["country"], practice["town"])


def _other_family(record: Record, spot: Spot) -> str:
    culture = spot.dice.pick(CULTURES)[0]
    return next(name for name in FAMILY[culture] if name != record["lastName"])


def _surname(record: Record, first: Record, spot: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "mobilePhone")
    record |= {"lastName": _mistyped(first["lastName"], spot.dice), "email": None, "homePhone": None, "title": None}


def _forename(record: Record, first: Record, spot: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "title", "email")
    record |= {"firstName": _mistyped(first["firstName"], spot.dice), "middleName": None, "addressLine2": None}


def _married_kept(record: Record, first: Record, spot: Spot) -> None:
    _copied(record, first, _WHO, "mobilePhone", "preferredName")
    record |= {"lastName": _other_family(first, spot), "previousLastName": first["lastName"], "email": None}
    record |= _elsewhere(spot)


def _married_lost(record: Record, first: Record, spot: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "mobilePhone", "email")
    record |= {"lastName": _other_family(first, spot), "previousLastName": None, "homePhone": None}


def _day_and_month(record: Record, first: Record, _: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "title", "homePhone")
    born = date.fromisoformat(first["dateOfBirth"])
    record |= {"dateOfBirth": born.replace(month=born.day, day=born.month).isoformat(), "email": None}


def _two_sites(record: Record, first: Record, _: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "title")
    record |= {"email": None, "preferredName": None, "addressLine2": None}


def _moved(record: Record, first: Record, spot: Spot) -> None:
    _copied(record, first, _WHO, "title", "mobilePhone", "email")
    record |= {"middleName": None, "homePhone": None} | _elsewhere(spot)


def _nickname(record: Record, first: Record, _: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "title", "homePhone")
    record |= {"firstName": NICKNAMES[first["firstName"]], "middleName": None, "email": None, "mobilePhone": None}


def _initial(record: Record, first: Record, _: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "mobilePhone")
    record |= {"firstName": first["firstName"][:1], "middleName": None, "title": None, "email": None}


def _unreachable(record: Record, first: Record, _: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "title")
    record |= {"email": None, "mobilePhone": None, "homePhone": None, "workPhone": None, "middleName": None}


def _pool(name: str) -> tuple[str, ...]:
    pools = GIVEN_FEMALE if name in _FEMALE_NAMES else GIVEN_MALE
    return next(pool for pool in pools.values() if name in pool)


def _twin(record: Record, first: Record, spot: Spot) -> None:
    _copied(record, first, _WHO, _WHERE, "title", "homePhone", "email")
    others = [name for name in _pool(first["firstName"]) if name != first["firstName"]]
    record |= {"firstName": spot.dice.pick(others), "middleName": None, "preferredName": None}


def _namesake(record: Record, first: Record, spot: Spot) -> None:
    """Parent and child of one name in one house."""
    born, years = date.fromisoformat(first["dateOfBirth"]).toordinal(), spot.dice.between(21, 26)
    child = born < years_before(EPOCH_DAY, _PARENT)
    _copied(record, first, "firstName", "lastName", "gender", _WHERE, "homePhone")
    other = born + (years if child else -years) * 365 + spot.dice.between(10, 300)
    record |= {"dateOfBirth": day(other), "preferredName": None, "nhsExemptionCode": None, "guardianPatientId": None}
    record["title"] = "Mrs" if first["firstName"] in _FEMALE_NAMES else "Mr"


def _one_house(record: Record, first: Record, spot: Spot) -> None:
    """Another adult of the family, on the family's phone and in its mailbox."""
    _copied(record, first, "lastName", _WHERE, "homePhone", "mobilePhone", "email")
    pool = [name for name in _pool(first["firstName"]) if name != first["firstName"]]
    born = years_before(EPOCH_DAY, spot.dice.between(_ADULT + 1, 80)) - spot.dice.below(360)
    born -= day(born) == first["dateOfBirth"]
    record |= {"firstName": spot.dice.pick(pool), "dateOfBirth": day(born), "gender": first["gender"]}
    record |= {"nhsExemptionCode": None, "preferredName": None, "title": None}


def _pair(
    name: str, weight: int, change: Change, *, rule: str = "R-DUP", host: Callable[[Record, Spot], None] = _first,
    elsewhere: bool = False,
) -> Case:  # fmt: skip
    def spoil(record: Record, spot: Spot) -> None:
        first = _host_record(spot, host)
        record |= {"previousLastName": None, "nhsNumber": None, "healthNumberType": None, "ppsNumber": None}
        change(record, first, spot)

    lower, upper = (Finding(None, rule, "sent", name, other=step) for step in (1, -1))
    traits = frozenset({"other site" if elsewhere else "same site"})
    return Case(name, weight, spoil, (upper,), host=host, host_findings=(lower,), traits=traits)


DUPLICATES: tuple[Case, ...] = (
    _pair("surname mistyped", 8, _surname),
    _pair("married, former name kept", 5, _married_kept),
    _pair("initial only", 3, _initial),
    _pair("forename mistyped", 6, _forename),
    _pair("married, former name lost", 4, _married_lost),
    _pair("day and month turned", 5, _day_and_month, host=_first_early),
    _pair("two sites, another phone", 6, _two_sites, elsewhere=True),
    _pair("two sites, another address", 5, _moved, elsewhere=True),
    _pair("nickname", 5, _nickname),
    _pair("no phone or e-mail in one", 3, _unreachable),
)
NOT_DUPLICATES: tuple[Case, ...] = (
    _pair("twins", 5, _twin, rule="NOT-DUP"),
    _pair("parent and child of one name", 4, _namesake, rule="NOT-DUP"),
    _pair("one house, phone and mailbox", 5, _one_house, rule="NOT-DUP"),
)
