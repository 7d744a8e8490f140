"""Clinical notes of the sittings, and inline notes stuck on patients."""

# ruff: noqa: RUF001 - people and clinics type the signs of their own keyboards

from chartlift_sandbox.generator.appointments import appointment_id
from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.casts import Cast
from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, instant, instant_of_wall
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.treatments import CAST as TREATMENTS
from chartlift_sandbox.generator.treatments import link, treatment_id
from chartlift_sandbox.generator.truth import Finding, Planted, RowFate
from chartlift_sandbox.generator.work import Sitting, note_count, sittings, treatment_count
from chartlift_sandbox.generator.world import NOBODY_BASE, Record

NOTE_BASE, NOTES_PER_PATIENT = 66_000_000, 64
INLINE_BASE = 50_000
_SOUND = 6  # a place whose first treatment moves
_KINDS = Odds(("CLINICAL_FINDING", 70), ("MEDICAL_HISTORY_UPDATE", 10), ("PRESCRIPTION", 9), ("PHOTO_REFERENCE", 4),
              ("ADMIN", 7))  # fmt: skip
_LENGTHS = Odds((1, 20), (2, 25), (4, 25), (7, 18), (12, 9), (30, 2), (75, 1))
_SENTENCES = (
    "Pt attended for routine exam, C/O nil.", "MH checked, no change.", "E/O: NAD. I/O: soft tissues healthy.",
    "BPE 2 1 2 / 2 2 2.", "Caries distal 36, discussed options inc. no tx; pt wishes to proceed.",
    "LA: 2.2 ml articaine 4 % 1:100 000, buccal infiltration.", "Composite A2 under rubber dam; occlusion checked.",
    "Pt advised re sensitivity, POIG.", "Seán’s mum present; consent given.", "OHI: interdental brushes (yellow).",
    "Rx amoxicillin 500 mg × 15, 1 TDS.", "Next: review 6/12.", "X-ray justified & graded: 2 × BW, grade A.",
    "Pt anxious – used distraction, tolerated well.", "Crown prep 16: shade A3, temp cemented.",
)  # fmt: skip
_HTML = "<p>Pt attended.<br>BPE <b>2&nbsp;1&nbsp;2</b></p><ul><li>36 MOD &amp; polish</li><li>Fee £76.60</li></ul>"
_FAMILY = "👩‍👧‍👦"


def note_id(place: int, number: int) -> int:
    """Id of the n-th clinical note of a patient."""
    return NOTE_BASE + place * NOTES_PER_PATIENT + number


def _long(signs: int) -> str:
    text = " ".join(_SENTENCES) + "\r\n\r\n"
    return (text * (signs // len(text) + 1))[: signs - 1] + "."


def _rtf(text: str) -> str:
    """The text as a word processor of the nineties would keep it."""
    escaped = "".join(sign if sign.isascii() else f"\\u{ord(sign)}?" for sign in text)
    return r"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}}\f0\fs20 " + escaped.replace("\r\n", r"\par ") + r"\par }"


def _orphan(record: Record, spot: Spot) -> None:
    record["patientId"] = NOBODY_BASE + 300 + spot.place


def _neighbours_visit(record: Record, spot: Spot) -> None:
    record["appointmentId"] = appointment_id(0 if spot.place else 2, 1)


def _neighbours_treatment(record: Record, spot: Spot) -> None:
    record["treatmentId"] = treatment_id(10 if spot.place == _SOUND else _SOUND, 0)


def _neighbours_note(record: Record, spot: Spot) -> None:
    record["amendsNoteId"] = note_id(0 if spot.place else 2, 0)


def _some_length(record: Record, spot: Spot) -> None:
    record["text"] = _long(spot.dice.between(32_900, 120_000))


def _text(
    name: str, text: str, rule: str, note: str, *, row: RowFate = "send", weight: int = 0, kind: str = "PLAIN"
) -> Case:
    return setting(
        name, weight, {"text": text, "format": kind}, rule, "sent" if row == "send" else "none", note, row=row
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    _text("exactly the limit", "n" * 32_768, "R-LONG", "one row"),
    _text("one over the limit", "nnn " * 8192 + "n", "R-LONG", "two parts"),
    _text("three parts", _long(70_000), "R-LONG", "three parts"),
    _text("family at the cut", "x" * 31_996 + _FAMILY + " yy" * 900, "R-LONG", "never cut inside a grapheme"),
    _text("line ends count twice", "ab\n" * 9_000, "R-LONG", "36,000 by the count of line ends"),
    _text("only white space", " \r\n\u00a0\t", "R-EMPTY", "empty note", row="skip", weight=2),
    _text("nothing", "", "R-EMPTY", "empty note", row="skip", weight=3),
    _text("half a surrogate pair", "Swelling \ud83e noted", "R-TEXT", "half a pair", row="hold", weight=1),
    _text("control signs", "BP 120/80\u0000\u000b pulse\u0007 72", "R-TEXT", "controls removed", weight=3),
    _text("HTML", _HTML, "R-TEXT", "becomes plain text", weight=40, kind="HTML"),
    _text("HTML in a plain note", "Refer <b>urgent</b> & call", "R-TEXT", "stays as typed", weight=2),
    _text("mangled", "SiÃ¢n’s crown".replace("’", "â€™"), "R-TEXT", "two readings of UTF-8", weight=6),
    _text("formula", '=HYPERLINK("http://example.org","x")', "R-FORMULA", "text", weight=1),
    _text("null mark", "#N/A", "R-NA", "a literal, not a null", weight=1),
    setting("unmapped kind", 6, {"noteType": "Phone chat"}, "R-PICK", "none", row="hold"),
    setting("kind is missing", 3, {"noteType": None}, "R-PICK", "none", row="hold"),
    setting("only a name on the row", 8, {"userId": None, "authorName": "Dr Locum, J."}, "R-USER-EMAIL",
            note="fallback owns it, practitioner stays empty"),
    setting("author not on the list", 4, {"userId": 7777, "authorName": "Dr Gone"}, "R-USER-EMAIL",
    note="unmatched: fallback"),
    setting("visit does not exist", 5, {"appointmentId": 69_000_003}, "R-REF", "withheld"),
    setting("treatment does not exist", 3, {"treatmentId": 89_000_001}, "R-REF", "withheld"),
    setting("amends nothing", 2, {"amendsNoteId": 65_000_001}, "R-REF", "withheld"),
    Case("patient does not exist", 5, _orphan, (Finding("patientId", "R-REF", "none", "orphan"),), "hold",
         traits=frozenset({"orphan"})),
    setting("deleted, still listed", 3, {"isDeleted": True}, "R-DELETED", "none", "source deleted", row="skip"),
    Case("visit of another patient", 2, _neighbours_visit, (Finding("appointmentId", "R-REF", "none"),), "hold"),
    Case("treatment of another patient", 2, _neighbours_treatment, (Finding("treatmentId", "R-REF", "none"),), "hold"),
    Case("amends a note of another patient", 2, _neighbours_note, (Finding("amendsNoteId", "R-REF", "none"),), "hold"),
    setting("kind in other letters", 3, {"noteType": "clinical finding"}, "R-PICK", note="folds to Clinical Finding"),
    _text("emoji across the limit", "x" * 32_767 + "🦷" + " and more" * 40, "R-LONG", "two units, one sign"),
    _text("emoji up to the limit", "x" * 32_766 + "🦷", "R-LONG", "one row"),
    _text("white space at the cut", "x" * 31_980 + " \r\n" * 30 + "yy " * 900, "R-LONG", "joining gives every blank"),
    _text("letters with many marks at the cut", "x" * 31_999 + "e" + "\u0301\u0323" * 9 + " zz" * 600, "R-LONG",
          "never cut inside a grapheme"),
    _text("one sign of 120,000", "y" * 120_000, "R-LONG", "four parts, no blank anywhere"),
    _text("long markup, short text", "<p>" + "<span style='color:#000000'></span>" * 1200 + "Crown 16 fitted</p>",
          "R-TEXT", "becomes plain text", kind="HTML"),
    _text("long markup, long text", "<p>" + "</p><p>".join(_SENTENCES * 60) + "</p>", "R-LONG", "becomes plain text",
          kind="HTML"),
    _text("script in a note", "<p>BPE 222</p><script>alert('x')</script><style>p{}</style>", "R-TEXT",
          "becomes plain text", kind="HTML", weight=1),
    _text("word processor", _rtf("Fórsa: pt’s crown\r\nReview 6/12"), "R-TEXT", "RTF becomes plain text", kind="RTF",
          weight=3),
    Case("long by chance", 1, _some_length, (Finding("text", "R-LONG", "sent", "several parts"),)),
)  # fmt: skip
#: Shares by patient, who has nine notes.
COMMON: tuple[Case, ...] = (
    _text("HTML by the editor", _HTML.replace("36", "37"), "R-TEXT", "becomes plain text", kind="HTML"),
    _text("RTF by the editor", _rtf("LA given.\r\nFilled 24 – A2"), "R-TEXT", "RTF becomes plain text", kind="RTF"),
)  # fmt: skip
CAST = Cast("clinicalNote", CASES, COMMON, reach=12)


def clinical_notes(chart: Chart) -> list[Record]:
    """Clinical notes of a patient, by id."""
    return chart.rows("clinicalNote", _clinical_notes)


def _clinical_notes(chart: Chart) -> list[Record]:
    rows = [_note(chart, sitting, sitting.note) for sitting in sittings(chart) if sitting.note is not None]
    return CAST.spoilt(chart, rows)


def _note(chart: Chart, sitting: Sitting, number: int) -> Record:
    dice = Dice(chart.world.seed, "note", chart.place, number)
    author = chart.world.clinician_at(chart.place, dice)
    signed = chart.world.signature(author)
    written = instant_of_wall(min(sitting.visit.day, EPOCH_DAY - 2), sitting.visit.minute + dice.below(50))
    wordy = Dice(chart.world.seed, "note-text", chart.place, number)
    end = "\r\n" if wordy.chance(300) else " "
    kind = dice.weighted(_KINDS)
    length = dice.weighted(_LENGTHS)
    start = wordy.below(len(_SENTENCES))
    return {
        "noteId": note_id(chart.place, number), "patientId": chart.patient_id,
        "appointmentId": appointment_id(chart.place, sitting.visit.number),
        "treatmentId": link(chart, sitting.first) if sitting.treatments and dice.chance(200) else None,
        "userId": author, "authorName": signed,
        "noteType": kind, "text": end.join(_SENTENCES[(start + 7 * at) % len(_SENTENCES)] for at in range(length)),
        "format": "PLAIN", "locked": dice.chance(800),
        "amendsNoteId": note_id(chart.place, number - 1) if number and dice.chance(20) else None,
        "createdAt": written, "updatedAt": written, "isDeleted": False,
    }  # fmt: skip


def planted(chart: Chart) -> list[Planted]:
    """Defects of the notes, and links to rows that do not move."""
    count = note_count(chart)
    found = CAST.planted(chart, [note_id(chart.place, number) for number in range(count)])
    if chart.row != "send":
        return found
    visits = {
        appointment_id(chart.place, one.visit.number): "the visit does not move"
        for one in sittings(chart) if one.visit.case is not None
    }  # fmt: skip
    held = TREATMENTS.stopped(chart, treatment_count(chart))
    treated = {treatment_id(chart.place, at): "the treatment does not move" for at in held}
    amended = {note_id(chart.place, at): "the amended note does not move" for at in CAST.stopped(chart, count)}
    for field, gone in (("appointmentId", visits), ("treatmentId", treated), ("amendsNoteId", amended)):
        if gone:
            found += _broken(chart, field, gone)
    return found


def _broken(chart: Chart, field: str, gone: dict[int, str]) -> list[Planted]:
    """Notes whose link leads to a row that does not move."""
    found = []
    for number, row in enumerate(clinical_notes(chart)):
        case = CAST.case(chart, number)
        if row[field] in gone:
            fate = case.row if case is not None else "send"
            found.append(Planted("clinicalNote", row["noteId"], field, "R-REF", fate, "withheld", gone[row[field]]))
    return found


def owned(chart: Chart) -> int:
    """How many notes name this patient."""
    count = note_count(chart)
    return count - CAST.orphans(chart, count)


def inline_notes(chart: Chart) -> list[Record]:
    """At most one inline note on a patient."""
    dice = Dice(chart.world.seed, "inline", chart.place)
    if chart.gone or not dice.chance(150):
        return []
    written = instant(min(chart.standing.created + dice.below(300), EPOCH_DAY - 2), 40_000 + dice.below(20_000))
    return [{
        "inlineNoteId": INLINE_BASE + chart.place, "parentEntity": "PATIENT", "parentId": chart.patient_id,
        "userId": chart.world.staff_at(dice), "pinned": dice.chance(300), "createdAt": written, "updatedAt": written,
        "text": dice.pick(("Prefers mornings", "Mum is deaf – text only", "Gate code 4411\r\nDog!", "Pays cash",
        "VIP 🦷")),
    }]  # fmt: skip
