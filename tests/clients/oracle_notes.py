"""What the org should hold of the clinic's notes, and whether the parts of a long one are cut as they may be."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import oracle_values as values
from clinic_wire import Record
from oracle import Oracle
from oracle_children import Children
from oracle_prose import html_text, rtf_text
from oracle_row import Row
from oracle_treatments import status_of

ONE_ROW, PART = 32_768, 32_000
KINDS = {
    "Clinical Finding": ("clinicalfinding",),
    "Medical History Update": ("medicalhistoryupdate",),
    "Prescription": ("prescription",),
    "Photograph Reference": ("photoreference", "photographreference"),
    "Other": ("admin", "other"),
}
READERS = {"HTML": html_text, "RTF": rtf_text}
PARTWISE = ("Note_Text__c", "Part_Number__c", "Part_Count__c", "Parent_Note__c")


def canonical(note: Record) -> str | None:
    """The whole plain text of a note."""
    reader = READERS.get((values.text(note["format"]) or "PLAIN").upper())
    return values.text(reader(note["text"]) if reader and note["text"] else note["text"])


class Notes(Children):
    """The expected Clinical_Note__c records, one per note however many parts it has.

    ``texts`` holds the canonical text by key; ``PARTWISE`` fields are checked by :func:`part_faults`.
    """

    entity, code = "clinicalNote", "NOT"

    def __init__(self, oracle: Oracle) -> None:
        self.texts: dict[str, str] = {}
        super().__init__(oracle)

    def _is_nothing(self, record: Record) -> bool:
        return canonical(record) is None

    def _fill(self, row: Row, record: Record) -> None:
        oracle = self._oracle
        visit = self._data.rows["appointment"].get(record["appointmentId"], {})
        zone = oracle.zone_of(visit.get("practiceId"))
        body = canonical(record) or ""
        self.texts[self.key(record["noteId"])] = body
        self._carer(row, record)
        row.put("Author_Name__c", values.limited, record["authorName"], 255)
        row.fields["Note_Type__c"] = status_of(record["noteType"], KINDS)
        row.fields["Text_SHA256__c"] = hashlib.sha256(body.encode()).hexdigest()
        row.put("Source_Format__c", values.limited, record["format"], 10)
        row.fields["Locked__c"] = record["locked"] is True
        row.put("Original_Create_Date__c", values.instant, record["createdAt"], oracle.last, zone)

    def point(self, visits: dict[str, Row], treatments: dict[str, Row]) -> None:
        """Fills the lookups; a note on another patient's visit, treatment or note is held."""
        key = self._oracle.key
        self._hold_strangers(
            [("appointmentId", "appointment"), ("treatmentId", "treatment"), ("amendsNoteId", "clinicalNote")]
        )
        self._point("AppointmentId__c", "appointmentId", visits, lambda one: key("APT", one))
        self._point("TreatmentId__c", "treatmentId", treatments, lambda one: key("TRT", one))
        self._point("Amends__c", "amendsNoteId", self.rows, self.key)


def whole_note(key: str) -> str:
    """The key of the note that a part belongs to."""
    return re.sub(r"(-NOT-\d+)-\d+$", r"\1", key)


def part_faults(key: str, body: str, records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with the parts of a note as the org holds them; nothing if they are what the reference asks."""
    keys = [key, *(f"{key}-{number}" for number in range(2, len(records) + 1))]
    if sorted(keys) != sorted(records):
        return [f"{key}: parts {sorted(records)}"]
    parts = [records[name]["Note_Text__c"] or "" for name in keys]
    faults = []
    if "".join(parts) != body:
        faults.append(f"{key}: joining the parts gives another text")
    length = values.units(body)
    if (length <= ONE_ROW) != (len(parts) == 1):
        faults.append(f"{key}: {length} units in {len(parts)} rows")
    if len(parts) > 1:
        faults += [
            f"{key}: part {number} too long" for number, part in enumerate(parts, 1) if values.units(part) > PART
        ]
        # a part that is less than half full has no reason in prose
        if len(parts) > 2 * math.ceil(length / PART):
            faults.append(f"{key}: {len(parts)} parts for {length} units")
    for number, name in enumerate(keys, 1):
        expected = {"Part_Number__c": number, "Part_Count__c": len(keys), "Parent_Note__c": key if number > 1 else None}
        faults += [
            f"{name}: {field} {records[name][field]!r}, not {value!r}"
            for field, value in expected.items()
            if records[name][field] != value
        ]
    faults += [
        f"{key}: cut between {left[-3:]!r} and {right[:3]!r}"
        for left, right in pairwise(parts)
        if not may_be_cut(left, right)
    ]
    return faults


def may_be_cut(left: str, right: str) -> bool:
    """Whether a text may be cut here: two visible signs meet, and no sign that a reader sees as one is torn."""
    if not left or not right or left[-1].isspace() or right[0].isspace():
        return False
    after = right[0]
    joined = (
        unicodedata.category(after).startswith("M") or after in "\u200d\u200c" or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
    if joined or left[-1] == "\u200d" or "\U000e0020" <= after <= "\U000e007f":
        return False
    flags = re.search("[\U0001f1e6-\U0001f1ff]*$", left)
    torn_flag = "\U0001f1e6" <= after <= "\U0001f1ff" and flags is not None and len(flags.group()) % 2 == 1
    return not torn_flag
