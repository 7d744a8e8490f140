"""Who a patient is: names, birth, home, and the standing of the record. Pure functions of (world, place)."""

from dataclasses import dataclass
from functools import lru_cache

from chartlift_sandbox.generator.days import EPOCH_DAY, years_before
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.households import Household, household_of
from chartlift_sandbox.generator.names import CULTURES, FAMILY, GIVEN_FEMALE, GIVEN_MALE, STREETS, TOWNS
from chartlift_sandbox.generator.numbers import postcode
from chartlift_sandbox.generator.world import Record, World

_ADULT, _RETIRED, _CONSENTING = 18, 65, 16
_AGES = Odds(((3, 17), 40), ((_ADULT, _RETIRED - 1), 720), ((_RETIRED, 94), 240))
_GENDERS = {
    True: Odds(("FEMALE", 970), ("OTHER", 15), ("UNKNOWN", 15)),
    False: Odds(("MALE", 970), ("OTHER", 15), ("UNKNOWN", 15)),
}
_CULTURES = Odds(*CULTURES)
_STATES = Odds(("ACTIVE", 72), ("INACTIVE", 18), ("ARCHIVED", 7), ("DECEASED", 3))


@dataclass(frozen=True, slots=True)
class Identity:
    """Names and birth of one patient; ``birth`` is an ordinal."""

    title: str | None
    first: str
    middle: str | None
    last: str
    previous: str | None
    preferred: str | None
    birth: int
    gender: str

    @property
    def is_minor(self) -> bool:
        """Under the age of consent on the clinic's today."""
        return self.birth > years_before(EPOCH_DAY, _CONSENTING)


@dataclass(frozen=True, slots=True)
class Standing:
    """State of the record: ordinals of its beginning and, where it has one, its end."""

    status: str
    created: int
    ended: int | None
    reason: str | None


def _years(dice: Dice, household: Household | None) -> int:
    if household is not None and household.position == 0:
        return dice.between(30, 68)
    if household is not None and household.position > 1:
        return dice.between(2, 22)
    if household is not None:
        return dice.between(28, 70)
    return dice.between(*dice.weighted(_AGES))


@lru_cache(maxsize=4096)
def identity(seed: int, place: int) -> Identity:
    """Names and birth of the patient at that place; a household shares its head's surname and culture."""
    household = household_of(seed, place)
    dice = Dice(seed, "identity", place)
    culture = dice.weighted(_CULTURES)
    last = dice.pick(FAMILY[culture])
    if household is not None and household.position > 0:
        last = identity(seed, household.head).last
    female = dice.chance(515)
    pool = (GIVEN_FEMALE if female else GIVEN_MALE)[culture]
    years = _years(dice, household)
    birth = years_before(EPOCH_DAY, years) - dice.below(360) - 1
    grown = ("Mrs", "Ms", "Miss", "Dr", "Ms", "Mrs") if female else ("Mr", "Mr", "Mr", "Dr", "Prof", "Rev")
    title = dice.pick(grown) if years >= _ADULT else ("Miss" if female else "Master")
    return Identity(
        title=None if dice.chance(60) else title,
        first=dice.pick(pool),
        middle=dice.pick(pool) if dice.chance(250) else None,
        last=last,
        previous=dice.pick(FAMILY["english"]) if female and years >= _ADULT and dice.chance(200) else None,
        preferred=dice.pick(("Pat", "Ash", "Lulu", "Bé", "Sam")) if dice.chance(70) else None,
        birth=birth,
        gender=dice.weighted(_GENDERS[female]),
    )


@lru_cache(maxsize=4096)
def home(seed: int, place: int, country: str, practice_town: str) -> Record:
    """Postal address fields; a household lives with its head."""
    household = household_of(seed, place)
    dice = Dice(seed, "address", household.head if household is not None else place)
    region = "GB-NI" if practice_town == "Belfast" else country
    town, county, area = dice.pick(TOWNS[region])
    flat = dice.chance(150)
    has_code = country == "GB" or not dice.chance(250)
    return {
        "addressLine1": f"{dice.between(1, 240)} {dice.pick(STREETS[country])}",
        "addressLine2": f"Flat {dice.between(1, 12)}" if flat else ("" if dice.chance(300) else None),
        "town": town,
        "county": county,
        "postcode": postcode(dice, area, country) if has_code else None,
        "country": country,
    }


def standing(world: World, place: int, *, deceased: bool = False, alive: bool = False) -> Standing:
    """Status with its dates: 72 % active, 18 % inactive, 7 % archived, 3 % deceased."""
    dice = Dice(world.seed, "standing", place)
    status = dice.weighted(_STATES)
    if deceased:
        status = "DECEASED"
    if alive and status == "DECEASED":
        status = "ACTIVE"
    born = identity(world.seed, place).birth
    earliest = max(years_before(EPOCH_DAY, 12), born + 300)
    created = earliest + dice.below(max(1, EPOCH_DAY - 60 - earliest))
    ended = (
        created + 30 + dice.below(max(1, EPOCH_DAY - 20 - created - 30)) if status in {"ARCHIVED", "DECEASED"} else None
    )
    reason = dice.pick(("Moved away", "Left practice", "Non-payment", None)) if status == "ARCHIVED" else None
    return Standing(status, created, ended, reason)
