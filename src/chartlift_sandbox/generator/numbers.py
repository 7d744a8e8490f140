"""Health numbers, post codes and phones of the synthetic ranges, each valid by its own rule."""

from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.names import EIRCODE_SIGNS, INWARD_LETTERS

_ELEVEN, _NO_DIGIT = 11, 10
_SCRAMBLE = 7_654_321  # coprime to ten million: every place gets a block of its own
_PPS_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"


def check_digit(nine: str) -> int | None:
    """Modulus-11 check digit of nine digits; None where the number cannot exist."""
    rest = _ELEVEN - sum(int(sign) * (_NO_DIGIT - at) for at, sign in enumerate(nine)) % _ELEVEN
    return 0 if rest == _ELEVEN else None if rest == _NO_DIGIT else rest


def _first_valid(first_nine: int, width: int = 9) -> str:
    while True:
        nine = f"{first_nine:0{width}}"
        digit = check_digit(nine)
        if digit is not None:
            return f"{nine}{digit}"
        first_nine += 1


def nhs_number(seed: int, place: int) -> str:
    """Ten digits of the test range 9xx, different for every place of a clinic."""
    block = (place * _SCRAMBLE + seed) % 10_000_000
    return _first_valid(900_000_000 + block * 10)


def chi_number(seed: int, place: int) -> str:
    """Ten digits that begin with a zero; the birth date in it (day 01, month 13) cannot exist."""
    return _first_valid(11_300_000 + (seed * 31 + place * 7) % 9_000 * 10)


def wrong_check(number: str) -> str:
    """The same number with a check digit that fails."""
    return f"{number[:-1]}{(int(number[-1]) + 1) % 10}"


def pps_number(dice: Dice) -> str:
    """Seven digits and their check letter."""
    digits = f"{dice.between(1_000_000, 9_999_999)}"
    return digits + _PPS_LETTERS[sum(int(sign) * (8 - at) for at, sign in enumerate(digits)) % 23]


def postcode(dice: Dice, area: str, country: str) -> str:
    """A well-formed post code of that area, or an Eircode of that routing key."""
    if country == "IE":
        return f"{area} {''.join(dice.pick(EIRCODE_SIGNS) for _ in range(4))}"
    return f"{area} {dice.below(10)}{dice.pick(INWARD_LETTERS)}{dice.pick(INWARD_LETTERS)}"


def mobile(dice: Dice, country: str) -> str:
    """A mobile number of a range kept free for fiction, in one of the spellings found in practice."""
    if country == "IE":
        tail = f"{dice.below(10_000):04}"
        return dice.pick((f"089 910 {tail}", f"+353 89 910 {tail}", f"00353 89 910{tail}"))
    tail = f"{dice.below(1000):03}"
    return dice.pick((f"07700 900{tail}", f"07700900{tail}", f"+44 7700 900{tail}", f"(07700) 900-{tail}"))


def landline(dice: Dice, country: str) -> str:
    """A fixed line of a range kept free for fiction."""
    if country == "IE":
        return f"020 910 {dice.below(10_000):04}"
    return dice.pick((f"028 9649 6{dice.below(1000):03}", f"020 7946 0{dice.below(1000):03}"))
