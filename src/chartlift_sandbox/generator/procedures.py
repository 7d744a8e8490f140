"""Invented procedure codes of the practice, with what each needs on the chart, its NHS band and its private fee."""

# ruff: noqa: RUF001 - people and clinics type the signs of their own keyboards

from typing import NamedTuple


class Procedure(NamedTuple):
    """``fee`` in pence or cents; ``on_tooth`` and ``on_surface`` tell what has to be charted."""

    code: str
    name: str
    band: str
    fee: int
    on_tooth: bool
    on_surface: bool


PROCEDURES: tuple[tuple[Procedure, int], ...] = (
    (Procedure("EXAM", "Examination", "1", 5500, False, False), 60),
    (Procedure("HYG", "Scale and polish", "1", 7800, False, False), 42),
    (Procedure("XBW", "Bitewing radiographs", "1", 2400, False, False), 26),
    (Procedure("XPA", "Periapical radiograph", "1", 1500, True, False), 12),
    (Procedure("FLV", "Fluoride varnish", "1", 3000, False, False), 10),
    (Procedure("1421", "Composite filling", "2a", 14500, True, True), 30),
    (Procedure("1401", "Amalgam filling", "2a", 9500, True, True), 18),
    (Procedure("GIC", "Glass ionomer filling", "2a", 8200, True, True), 9),
    (Procedure("EXTR", "Extraction", "2a", 12000, True, False), 12),
    (Procedure("EXTS", "Surgical extraction", "2b", 24000, True, False), 4),
    (Procedure("RCTA", "Root canal treatment, anterior", "2b", 36000, True, False), 5),
    (Procedure("RCTM", "Root canal treatment, molar", "2c", 62000, True, False), 5),
    (Procedure("PERIO", "Root surface debridement", "2b", 19500, False, False), 7),
    (Procedure("CRWNP", "Crown, porcelain bonded", "3", 69500, True, False), 6),
    (Procedure("CRWNZ", "Crown, zirconia", "3", 79500, True, False), 4),
    (Procedure("BRDG", "Bridge unit", "3", 74000, True, False), 2),
    (Procedure("DENF", "Full denture – upper", "3", 98000, False, False), 2),
    (Procedure("DENP", "Partial chrome denture", "3", 112000, False, False), 2),
    (Procedure("IMPL", "Implant placement", "3", 225000, True, False), 1),
    (Procedure("WHIT", "Home whitening", "3", 34900, False, False), 2),
    (Procedure("SPLNT", "Soft bite splint", "3", 28500, False, False), 3),
    (Procedure("EMER", "Emergency: temporary dressing", "urgent", 8500, True, False), 8),
    (Procedure("FISS", "Fissure sealant", "1", 4200, True, True), 5),
    (Procedure("RVW", "Review, no charge", "1", 0, False, False), 8),
)
#: Patient charge of a course in pence, and its units of dental activity.
CHARGES: dict[str, tuple[int, str]] = {
    "1": (2790, "1.0"), "2": (7660, "3.0"), "2a": (7660, "3.0"), "2b": (7660, "5.0"), "2c": (7660, "7.0"),
    "3": (33210, "12.0"), "urgent": (2790, "1.2"),
}  # fmt: skip
BAND_ORDER = ("urgent", "1", "2", "2a", "2b", "2c", "3")
SURFACES = ("O", "MO", "DO", "MOD", "B", "MODB", "L")
PERMANENT = tuple(f"{quadrant}{tooth}" for quadrant in (1, 2, 3, 4) for tooth in range(1, 9))
BACK_TEETH = tuple(code for code in PERMANENT if code[1] >= "4")
QUADRANTS = ("UR", "UL", "LL", "LR")
#: The day on which band 2 was split.
BAND_TWO_SPLIT = "2022-11-25"
