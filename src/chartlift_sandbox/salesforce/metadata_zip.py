"""Opens the zip of a deployment: package.xml, destructive changes, and one XML tree per component file.

Hostile input is refused before anything is read: paths that leave the package, too many or too large files, encrypted
entries, and XML with a document type or entities. Limits are those of the Metadata API guide.
"""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

import defusedxml
from defusedxml.ElementTree import ParseError, fromstring

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
MAX_FILES = 10_000
MAX_ZIP_BYTES = 39 << 20
MAX_BYTES = 600 << 20
MAX_RATIO = 200
_SMALL_FILE = 1 << 20
_VERSION = re.compile(r"[0-9]{1,3}\.0")
_MANIFEST = "package.xml"
_REMOVED_FIRST = ("destructiveChangesPre.xml", "destructiveChanges.xml")
_REMOVED_LAST = ("destructiveChangesPost.xml",)


class PackageError(ValueError):
    """A package that cannot be read at all; the text is the deployment's `errorMessage`."""


@dataclass(frozen=True, slots=True)
class Package:
    """An opened deployment.

    Attributes:
        members: Component names by metadata type, as package.xml lists them.
        files: XML root by path relative to package.xml, such as `objects/Visit__c.object`.
        paths: Every path in the package, whatever the file holds.
        removed: Names to delete by metadata type before anything is added; `removed_last` afterwards.
    """

    version: str
    members: dict[str, list[str]]
    files: dict[str, Element]
    paths: frozenset[str]
    removed: dict[str, list[str]] = field(default_factory=dict)
    removed_last: dict[str, list[str]] = field(default_factory=dict)


def read_package(data: bytes) -> Package:
    """Opens a deployment.

    Raises:
        PackageError: the zip or its manifest is unusable or dangerous.
    """
    if len(data) > MAX_ZIP_BYTES:
        raise PackageError("Maximum size of request reached. Maximum size of request is 52428800 bytes.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError) as error:
        raise PackageError("The zip file is not valid") from error
    with archive:
        entries = _checked_entries(archive)
        root = _root(entries)
        inside = {n[len(root) :]: info for n, info in entries.items() if n.startswith(root) and not info.is_dir()}
        try:
            texts = {name: archive.read(info) for name, info in inside.items()}
        except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, zlib.error) as error:
            raise PackageError("The zip file is damaged") from error
    return _package(texts)


def _checked_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise PackageError(f"Maximum number of files in the zip exceeded: {MAX_FILES}")
    total = 0
    for info in entries:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]) or "\x00" in info.filename:
            raise PackageError(f"Illegal path in the zip: {info.filename}")
        if info.flag_bits & 1:
            raise PackageError(f"Encrypted entry in the zip: {info.filename}")
        total += info.file_size
        if info.file_size > _SMALL_FILE and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise PackageError(f"Suspicious compression in the zip: {info.filename}")
    names = {info.filename.replace("\\", "/"): info for info in entries}
    if len(names) < len(entries):
        raise PackageError("The zip holds two entries of one name")
    if total > _SMALL_FILE and total > MAX_RATIO * sum(max(info.compress_size, 1) for info in entries):
        raise PackageError("Suspicious compression in the zip")
    if total > MAX_BYTES:
        raise PackageError(f"Maximum size of the unzipped files exceeded: {MAX_BYTES} bytes")
    return names


def _root(entries: dict[str, zipfile.ZipInfo]) -> str:
    """Folder of the manifest: the zip's root for a single package, else the first package folder."""
    found = sorted((n for n in entries if n == _MANIFEST or n.endswith("/" + _MANIFEST)), key=lambda n: n.count("/"))
    if not found:
        raise PackageError("No package.xml found")
    return found[0][: -len(_MANIFEST)]


def _package(texts: dict[str, bytes]) -> Package:
    manifest = parse_xml(texts[_MANIFEST], _MANIFEST)
    files = {
        path: parse_xml(text, path)
        for path, text in texts.items()
        if "/" in path and not path.endswith("-meta.xml") and text.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<"
    }
    if manifest.tag != f"{NAMESPACE}Package":
        raise PackageError(f"{_MANIFEST}: {manifest.tag} is no Package of the metadata namespace")
    version = text_of(manifest, "version") or ""
    if not _VERSION.fullmatch(version):
        raise PackageError(f"Invalid version specified: {version}")
    removed, last = _removed(texts, _REMOVED_FIRST), _removed(texts, _REMOVED_LAST)
    return Package(version, _members(manifest), files, frozenset(texts), removed, last)


def _removed(texts: dict[str, bytes], names: tuple[str, ...]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name in (one for one in names if one in texts):
        for kind, members in _members(parse_xml(texts[name], name)).items():
            out.setdefault(kind, []).extend(members)
    return out


def _members(manifest: Element) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for types in manifest.iter(NAMESPACE + "types"):
        kind = text_of(types, "name") or ""
        out.setdefault(kind, []).extend((one.text or "").strip() for one in types.iter(NAMESPACE + "members"))
    return out


def parse_xml(text: bytes, path: str) -> Element:
    """An XML document without document type or entities.

    Raises:
        PackageError: broken or dangerous XML, naming the file.
    """
    try:
        return fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except defusedxml.DefusedXmlException as error:
        raise PackageError(f"{path}: document types and entities are not allowed") from error
    except (ParseError, ValueError, LookupError) as error:
        raise PackageError(f"{path}: Error parsing file: {error}") from error


def text_of(element: Element, name: str) -> str | None:
    """Trimmed text of a direct child; None if it is missing or empty."""
    found = element.find(NAMESPACE + name)
    text = (found.text or "").strip() if found is not None else ""
    return text or None


def flag_of(element: Element, name: str, default: bool = False) -> bool:
    """A boolean child."""
    text = text_of(element, name)
    return default if text is None else text.lower() == "true"


def number_of(element: Element, name: str, default: int = 0) -> int:
    """A whole-number child; the default if it is missing or no number."""
    text = text_of(element, name)
    return int(text) if text is not None and text.lstrip("-").isdigit() else default


def children_of(element: Element, name: str) -> list[Element]:
    """Direct children of that name."""
    return element.findall(NAMESPACE + name)
