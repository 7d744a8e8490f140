"""What the org should hold of the clinic's documents: what is known of each file, not the file."""

import re
import unicodedata
from decimal import Decimal

import oracle_values as values
from clinic_wire import Record
from oracle_children import Children
from oracle_row import Row, mapped
from oracle_values import Withhold

CATEGORIES = {
    "ID Scan": ("idscan",),
    "Consent Form": ("consentform",),
    "Treatment Plan": ("treatmentplan",),
    "Radiograph Reference": ("radiographreference",),
    "Letter": ("letter",),
    "Photo": ("photo",),
    "Other": ("other",),
}
TYPES = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/dicom": "dcm",
    "text/plain": "txt",
}
LONGEST = 255
EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,10})$")


def file_name(raw: str | None) -> str | None:
    """A name that every file system takes, as long as it may be, with its extension."""
    if raw is None:
        return None
    values.text(raw)
    name = unicodedata.normalize("NFC", raw).strip()
    name = "".join("_" if sign in '/\\:*?"<>|' or unicodedata.category(sign) == "Cc" else sign for sign in name)
    name = name.rstrip(". \u00a0")
    found = EXTENSION.search(name)
    extension = found.group() if found else ""
    stem = name.removesuffix(extension)
    while _units(stem + extension) > LONGEST:
        stem = stem[:-1]
    return stem + extension or None


def _units(value: str) -> int:
    return len(value.encode("utf-16-le")) // 2


def file_type(name: str | None, mime: str | None) -> str | None:
    """The lower-case extension, else what the MIME type usually has."""
    found = EXTENSION.search(name or "")
    return found.group(1).lower() if found else TYPES.get((values.text(mime) or "").lower())


def digest(raw: object) -> str | None:
    """A SHA-256 as the clinic gives it."""
    value = values.text(raw)
    if value is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise Withhold("R-HASH")
    return value


class Documents(Children):
    """The expected Document__c records."""

    entity, code = "document", "DOC"

    def _fill(self, row: Row, record: Record) -> None:
        zone = self._oracle.zone_of(self._data.rows["patient"].get(record["patientId"], {}).get("practiceId"))
        self._carer(row, record)
        row.put("File_Name__c", file_name, record["fileName"])
        row.put("File_Type__c", file_type, row.fields["File_Name__c"], record["mimeType"])
        row.put("Category__c", mapped, record["category"], CATEGORIES)
        row.put("File_Size__c", self._size, record["sizeBytes"])
        row.put("Content_Hash__c", digest, record["sha256"])
        row.put("External_Reference__c", values.limited, record["externalReference"], 255)
        for name in ("Upload_Date__c", "Original_Create_Date__c"):
            row.put(name, values.instant, record["uploadedAt"], self._oracle.last, zone)
        row.fields["File_URL__c"] = None

    def _size(self, raw: object) -> Decimal | None:
        read = values.number(raw, 14, 0)
        if read is not None and read < 0:
            raise Withhold("R-NUMBER")
        return read
