"""Documents: metadata, and content that is made from the id whenever it is asked for."""

# ruff: noqa: RUF001 - people and clinics type the signs of their own keyboards

from dataclasses import dataclass, replace
from hashlib import blake2b, sha256

from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.casts import Cast
from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, instant
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.truth import Finding, Planted
from chartlift_sandbox.generator.world import NOBODY_BASE, Record

DOCUMENT_BASE, DOCUMENTS_PER_PATIENT = 330_000, 16
_COUNTS = Odds((0, 10), (2, 20), (4, 25), (6, 25), (8, 15), (12, 5))
_KINDS = Odds(
    (("pdf", "application/pdf", b"%PDF-1.4\n"), 45),
    (("jpg", "image/jpeg", b"\xff\xd8\xff\xe0"), 35),
    (("png", "image/png", b"\x89PNG\r\n\x1a\n"), 10),
    (("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04"), 6),
    (("dcm", "application/dicom", b"\x00" * 128 + b"DICM"), 3),
    (("txt", "text/plain", b"Letter\r\n"), 1),
)
_CATEGORIES = Odds(("CONSENT_FORM", 25), ("RADIOGRAPH_REFERENCE", 30), ("LETTER", 18), ("PHOTO", 12),
("TREATMENT_PLAN", 9),
                   ("ID_SCAN", 3), ("OTHER", 3))  # fmt: skip
_COPY = "the content of another document"
_LONG_STEM = "referral letter to the oral surgery department of the royal victoria hospital "


@dataclass(frozen=True, slots=True)
class Content:
    """What a download gives; ``missing`` answers 404 although the metadata exist."""

    body: bytes
    mime: str
    missing: bool = False


def document_id(place: int, number: int) -> int:
    """Id of the n-th document of a patient."""
    return DOCUMENT_BASE + place * DOCUMENTS_PER_PATIENT + number


def _orphan(record: Record, spot: Spot) -> None:
    record["patientId"] = NOBODY_BASE + 400 + spot.place


def _empty(record: Record, _: Spot) -> None:
    record["sizeBytes"] = 0
    record["sha256"] = sha256(b"").hexdigest()


def _other_hash(record: Record, _: Spot) -> None:
    record["sha256"] = sha256(b"another file").hexdigest()


def _twin_of(number: int) -> int:
    """The document whose content another one has too: the one before, or the next of the first."""
    return number - 1 if number else 1


def _same_content(record: Record, spot: Spot) -> None:
    other = _twin_of(spot.number)
    extension, mime, _ = Dice(spot.world.seed, "document", spot.place, other).weighted(_KINDS)
    body = _bytes(spot.world.seed, spot.place, other)
    stem = record["fileName"].rpartition(".")[0]
    record |= {
        "fileName": f"{stem}.{extension}", "mimeType": mime, "sizeBytes": len(body), "sha256": sha256(body).hexdigest()
    }  # fmt: skip


def _name(name: str, note: str, weight: int = 2) -> Case:
    return setting(f"file name {name[:20]!r}", weight, {"fileName": name}, "R-FILENAME", note=note)


CASES: tuple[Case, ...] = (
    Case("content is missing", 5, lambda _, __: None, (Finding("contentUrl", "R-HASH", "none", "404 on download"),),
         traits=frozenset({"missing"})),
    Case("content is empty", 3, _empty, (Finding("sizeBytes", "R-HASH", "none", "no bytes"),),
    traits=frozenset({"empty"})),
    Case("hash differs", 4, _other_hash, (Finding("sha256", "R-HASH", "none", "content has another hash"),)),
    setting("type lies", 10, {"mimeType": "application/octet-stream"}, "R-MIME", note="extension tells better"),
    setting("hash not given", 10, {"sha256": None}, "R-HASH", note="computed while reading"),
    _name("../../etc/passwd", "path signs become _"),
    _name("C:\\scans\\x-ray?.jpg", "forbidden signs become _"),
    _name(_LONG_STEM * 4 + ".pdf", "255 units, extension kept"),
    _name("Siân\u202egpj.exe", "format signs"),
    _name("letter 1. ", "no trailing dot or blank"),
    _name("consent\u0007\nform.pdf", "controls become _"),
    setting("unmapped category", 4, {"category": "Misc scans"}, "R-PICK", "withheld"),
    setting("uploader not on the list", 3, {"userId": 7778}, "R-USER-EMAIL", "sent", "unmatched: fallback"),
    setting("upload date unreadable", 2, {"uploadedAt": "??"}, "R-DT", "withheld"),
    Case("patient does not exist", 4, _orphan, (Finding("patientId", "R-REF", "none", "orphan"),), "hold",
         traits=frozenset({"orphan"})),
    setting("deleted, still listed", 3, {"isDeleted": True}, "R-DELETED", "none", "source deleted", row="skip"),
    _name("CON", "no extension, and a device's name"),
    _name("X-RAY 14.JPG", "extension in capitals: jpg", weight=6),
    _name("scan", "type from the MIME type", weight=4),
    setting("neither extension nor type", 2, {"fileName": "letter", "mimeType": None}, "R-MIME", note="no type at all"),
    _name("\u00a0 consent form .pdf \r\n", "white space trimmed"),
    _name("Sia\u0302n’s crown.pdf", "NFC gives the same letters"),
    _name("🦷" * 130 + ".jpeg", "255 units, never half a sign"),
    setting("half a surrogate pair", 1, {"fileName": "scan \ud83e.pdf"}, "R-TEXT", "none", row="hold"),
    setting("category in other letters", 4, {"category": "consent form"}, "R-PICK", note="folds to Consent Form"),
    setting("reference over 255", 1, {"externalReference": "RVG-" * 80}, "R-LEN", "withheld"),
    Case("same content as another", 0, _same_content, (Finding("sha256", "R-HASH", "sent", _COPY),),
         traits=frozenset({"copy"})),
    setting("no uploader", 6, {"userId": None}, "R-USER-EMAIL", note="fallback owns it, practitioner stays empty"),
)  # fmt: skip
CAST = Cast("document", CASES, reach=8)


def count(chart: Chart) -> int:
    """How many documents a patient has."""
    return 0 if chart.gone else Dice(chart.world.seed, "documents", chart.place).weighted(_COUNTS)


def owned(chart: Chart) -> int:
    """How many of them name this patient."""
    return count(chart) - CAST.orphans(chart, count(chart))


def documents(chart: Chart) -> list[Record]:
    """Document metadata of a patient, by id."""
    return chart.rows(
        "document", lambda one: CAST.spoilt(one, [_document(one, number) for number in range(count(one))])
    )


def _document(chart: Chart, number: int) -> Record:
    dice = Dice(chart.world.seed, "document", chart.place, number)
    extension, mime, _ = dice.weighted(_KINDS)
    category = dice.weighted(_CATEGORIES)
    uploaded = instant(min(chart.standing.created + dice.below(2500), EPOCH_DAY - 2), 30_000 + dice.below(30_000))
    body = _bytes(chart.world.seed, chart.place, number)
    key = document_id(chart.place, number)
    return {
        "documentId": key, "patientId": chart.patient_id, "userId": chart.world.staff_at(dice),
        "fileName": f"{category.lower().replace('_', '-')}-{number + 1}.{extension}", "mimeType": mime,
        "category": category,
        "sizeBytes": len(body), "sha256": sha256(body).hexdigest(), "contentUrl": f"/documents/{key}/content",
        "externalReference": f"RVG-{dice.between(10000, 99999)}" if category == "RADIOGRAPH_REFERENCE" else None,
        "uploadedAt": uploaded, "updatedAt": uploaded, "isDeleted": False,
    }  # fmt: skip


def _bytes(seed: int, place: int, number: int) -> bytes:
    """Between one and about thirty kilobytes that begin as the file type does."""
    _, _, head = Dice(seed, "document", place, number).weighted(_KINDS)
    block = blake2b(f"{seed}|bytes|{place}|{number}".encode(), digest_size=64).digest()
    return head + block * (16 + int.from_bytes(block[:2], "little") % 480)


def content(chart: Chart, number: int) -> Content:
    """The content of a patient's n-th document."""
    row, case = documents(chart)[number], CAST.case(chart, number)
    traits = case.traits if case is not None else frozenset()
    source = _twin_of(number) if "copy" in traits else number
    body = b"" if "empty" in traits else _bytes(chart.world.seed, chart.place, source)
    return Content(body, str(row["mimeType"]), missing="missing" in traits)


def made_by_staff(key: int) -> Record:
    """Metadata of a document that was added later; its content follows from its id."""
    body = later_content(key).body
    return {
        "fileName": f"scan-{key}.pdf", "mimeType": "application/pdf", "sizeBytes": len(body),
        "sha256": sha256(body).hexdigest(), "contentUrl": f"/documents/{key}/content",
    }  # fmt: skip


def later_content(key: int) -> Content:
    """The content of a document that was added later."""
    return Content(b"%PDF-1.4\n" + f"document {key}\n".encode() * 64, "application/pdf")


def planted(chart: Chart) -> list[Planted]:
    """Defects of the documents; one with the content of another tells which, if the patient has it."""
    found = CAST.planted(chart, [document_id(chart.place, number) for number in range(count(chart))])
    paired = [replace(one, other=_other(chart, one)) if one.note == _COPY else one for one in found]
    beyond = document_id(chart.place, count(chart))
    return [one for one in paired if one.other is None or one.other < beyond]


def _other(chart: Chart, one: Planted) -> int:
    return document_id(chart.place, _twin_of(int(one.id) - document_id(chart.place, 0)))
