"""Opens the zip of a deployment: package.xml, destructive changes, and the XML of components when it is asked for.

Hostile input is refused before anything is read: paths that leave the package, too many or too large files, encrypted
entries, and XML with a document type or entities. Component files stay packed until they are looked at, so that a
package takes little more memory than its zip. Limits are those of the Metadata API guide.
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
MAX_REQUEST_BYTES = 50 << 20
MAX_ZIP_BYTES = MAX_REQUEST_BYTES // 4 * 3
MAX_XML_BYTES = 16 << 20
_KEPT_BYTES = 8 << 20
_VERSION = re.compile(r"[0-9]{1,3}\.0")
_MANIFEST = "package.xml"
_NO_MANIFEST = "No package.xml found"
_REMOVED_FIRST = ("destructiveChangesPre.xml", "destructiveChanges.xml")
_REMOVED_LAST = ("destructiveChangesPost.xml",)
_DAMAGED = (zipfile.BadZipFile, RuntimeError, EOFError, OSError, zlib.error)
TOO_LARGE = f"Maximum size of request reached. Maximum size of request is {MAX_REQUEST_BYTES} bytes."


class PackageError(ValueError):
    """A package that cannot be opened: `errorMessage` and `errorStatusCode` of the deployment."""

    def __init__(self, text: str, code: str = "UNKNOWN_EXCEPTION") -> None:
        super().__init__(text)
        self.code = code


class FileError(ValueError):
    """One file of the package that cannot be read; the text is the problem of what it holds."""

    def __init__(self, path: str, text: str, place: tuple[int, int] = (1, 1)) -> None:
        super().__init__(text)
        self.path, self.place = path, place


class XmlFiles:
    """The component files by path relative to package.xml, such as `objects/Visit__c.object`, parsed on demand."""

    def __init__(self, archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._archive, self._entries = archive, entries
        self._kept: dict[str, Element] = {}
        self._room = _KEPT_BYTES

    def paths(self, folder: str, ending: str) -> list[str]:
        """Paths of the files in a folder that end so, in order."""
        return sorted(p for p in self._entries if p.startswith(f"{folder}/") and p.endswith(f".{ending}"))

    def get(self, path: str) -> Element | None:
        """The root of a file; None if there is none.

        Raises:
            FileError: it is no XML, or dangerous.
            PackageError: the zip is damaged.
        """
        if path in self._kept or path not in self._entries:
            return self._kept.get(path)
        info = self._entries[path]
        if info.file_size > MAX_XML_BYTES:
            raise FileError(path, f"Error parsing file: it has more than {MAX_XML_BYTES} bytes")
        root = parse_xml(unpacked(self._archive, info), path)
        if info.file_size <= self._room:
            self._room -= info.file_size
            self._kept[path] = root
        return root


class Trees:
    """Component files that are there already, in the way of `XmlFiles`."""

    def __init__(self, roots: dict[str, Element]) -> None:
        self._roots = roots

    def paths(self, folder: str, ending: str) -> list[str]:
        """Paths of the files in a folder that end so, in order."""
        return sorted(p for p in self._roots if p.startswith(f"{folder}/") and p.endswith(f".{ending}"))

    def get(self, path: str) -> Element | None:
        """The root of a file; None if there is none."""
        return self._roots.get(path)


@dataclass(frozen=True, slots=True)
class Package:
    """An opened deployment.

    Attributes:
        members: Component names by metadata type, as package.xml lists them.
        files: The files of the components.
        paths: Every path in the package, whatever the file holds.
        removed: By manifest, the names to delete by metadata type before anything is added; `removed_last` afterwards.
    """

    version: str
    members: dict[str, list[str]]
    files: XmlFiles | Trees
    paths: frozenset[str]
    removed: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    removed_last: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def read_package(data: bytes, max_bytes: int) -> Package:
    """Opens a deployment whose files may have so many bytes together once unpacked.

    Raises:
        PackageError: the zip is unusable or dangerous.
        FileError: a manifest is missing or broken.
    """
    if len(data) > MAX_ZIP_BYTES:
        raise PackageError(TOO_LARGE, "LIMIT_EXCEEDED")
    if data[:2] != b"PK":  # a reader that goes from entry to entry finds none
        raise FileError(_MANIFEST, _NO_MANIFEST)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, RuntimeError) as error:
        raise PackageError("The zip file is not valid") from error
    entries = _checked_entries(archive, max_bytes)
    root = _root(entries)
    inside = {n[len(root) :]: info for n, info in entries.items() if n.startswith(root) and not info.is_dir()}
    return _package(archive, inside)


def unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The content of an entry. Raises PackageError."""
    try:
        return archive.read(info)
    except _DAMAGED as error:
        raise PackageError("The zip file is damaged") from error


def _checked_entries(archive: zipfile.ZipFile, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise PackageError("Too many files in zip", "INVALID_OPERATION")
    if sum(info.file_size for info in entries) > max_bytes:
        raise PackageError(
            f"Maximum size of unzipped files reached. Maximum size is {max_bytes} bytes.", "LIMIT_EXCEEDED"
        )
    for info in entries:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]) or "\x00" in info.filename:
            raise PackageError(f"Illegal path in the zip: {info.filename}")
        if info.flag_bits & 1:
            raise PackageError(f"Encrypted entry in the zip: {info.filename}")
    names = {info.filename.replace("\\", "/"): info for info in entries}
    if len(names) < len(entries):
        raise PackageError("The zip holds two entries of one name")
    return names


def _root(entries: dict[str, zipfile.ZipInfo]) -> str:
    """Folder of the manifest: the zip's root for a single package, else the first package folder."""
    found = sorted((n for n in entries if n == _MANIFEST or n.endswith("/" + _MANIFEST)), key=lambda n: n.count("/"))
    if not found:
        raise FileError(_MANIFEST, _NO_MANIFEST)
    return found[0][: -len(_MANIFEST)]


def _package(archive: zipfile.ZipFile, inside: dict[str, zipfile.ZipInfo]) -> Package:
    files = XmlFiles(archive, inside)
    manifest = _manifest(files, _MANIFEST)
    version = text_of(manifest, "version") or ""
    if not _VERSION.fullmatch(version):
        raise FileError(_MANIFEST, f"Invalid version specified: {version}")
    removed, last = (
        {name: members_of(_manifest(files, name)) for name in names if name in inside}
        for names in (_REMOVED_FIRST, _REMOVED_LAST)
    )
    return Package(version, members_of(manifest), files, frozenset(inside), removed, last)


def _manifest(files: XmlFiles, name: str) -> Element:
    root = files.get(name)
    if root is None or root.tag != f"{NAMESPACE}Package":
        tag = "" if root is None else root.tag
        raise FileError(name, f"Error parsing file: {tag} is no Package of the metadata namespace")
    return root


def members_of(manifest: Element) -> dict[str, list[str]]:
    """Component names by metadata type, as a manifest lists them."""
    out: dict[str, list[str]] = {}
    for types in manifest.iter(NAMESPACE + "types"):
        kind = text_of(types, "name") or ""
        out.setdefault(kind, []).extend((one.text or "").strip() for one in types.iter(NAMESPACE + "members"))
    return out


def parse_xml(text: bytes, path: str) -> Element:
    """An XML document without document type or entities.

    Raises:
        FileError: broken or dangerous XML, with the place of it.
    """
    try:
        return fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except defusedxml.DefusedXmlException as error:
        raise FileError(path, "Error parsing file: document types and entities are not allowed") from error
    except ParseError as error:
        line, column = error.position
        raise FileError(path, f"Error parsing file: {error}", (line, column + 1)) from error
    except (ValueError, LookupError) as error:
        raise FileError(path, f"Error parsing file: {error}") from error


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
