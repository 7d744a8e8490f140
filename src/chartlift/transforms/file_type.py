"""The type of a file: the extension of its name, else what its MIME type says."""

from __future__ import annotations

import re

from chartlift.transforms import file_name
from chartlift.transforms.canonical import TEXT_FINDINGS, clean
from chartlift.transforms.outcome import NOTHING, Outcome
from chartlift.transforms.surrogates import MARK

QUICK = True
ARGUMENTS = 1
FINDINGS = {
    "R-TEXT-SURROGATE": TEXT_FINDINGS["R-TEXT-SURROGATE"],
    "R-MIME": "the extension of the file's name and its MIME type do not agree; the extension stands",
}
# MIME type -> extensions, the usual one first
_TYPES = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg jpeg jpe jfif",
    "image/jpg": "jpg jpeg jpe jfif",
    "image/png": "png",
    "image/tiff": "tif tiff",
    "image/bmp": "bmp dib",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic heif",
    "image/svg+xml": "svg",
    "application/dicom": "dcm dicom dic",
    "text/plain": "txt text log",
    "text/csv": "csv",
    "text/html": "html htm",
    "text/rtf": "rtf",
    "application/rtf": "rtf",
    "application/msword": "doc dot",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls xlt",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.ms-outlook": "msg",
    "message/rfc822": "eml",
    "application/zip": "zip",
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "video/mp4": "mp4 m4v",
    "video/quicktime": "mov qt",
}
_SAYS_NOTHING = {"application/octet-stream", "binary/octet-stream", "application/x-download"}


def _type_of(mime: str) -> str | None:
    """The extension that a MIME type stands for; the type itself where it stands for none."""
    if mime in _TYPES:
        return _TYPES[mime].split(" ")[0]
    if mime in _SAYS_NOTHING:
        return None
    other = re.fullmatch(r"[a-z]+/(?:x-)?([a-z0-9]{1,10})", mime)
    return other[1] if other else mime


def reference(x: str | None, mime_type: str | None) -> Outcome:
    """`x`: file name. Lower case, without the dot."""
    if MARK in (x or "") or MARK in (mime_type or ""):
        return Outcome(None, "R-TEXT-SURROGATE", bad=True)
    name = file_name.safe(file_name.trimmed(x)) if x else ""
    found = file_name.extension(name)[1:].lower()
    mime = clean((clean(mime_type) or "").split(";")[0]) or ""
    mime = mime.lower() if mime.isascii() else mime
    if found:
        return Outcome(found, "R-MIME" if mime in _TYPES and found not in _TYPES[mime].split(" ") else None)
    return Outcome(_type_of(mime)) if mime else NOTHING
