"""What was deployed, word for word: what the schema does not keep of it comes back in retrievals, with who and when."""

from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, fromstring

Node = tuple[str, "str | bool | int | list[Node]"]
_MOST_BYTES = 1 << 20


@dataclass(slots=True)
class Source:
    """The XML of one component as it was last deployed; empty if it was too large to keep."""

    xml: bytes
    created: datetime
    created_by: str
    modified: datetime
    modified_by: str


class Sources:
    """The deployed components of one org by type and full name."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Source] = {}

    def record(self, kind: str, name: str, xml: bytes, moment: datetime, user: str) -> None:
        """A component was deployed."""
        old, text = self.kept.get((kind, name)), xml if len(xml) <= _MOST_BYTES else b""
        created, created_by = (old.created, old.created_by) if old is not None else (moment, user)
        self.kept[kind, name] = Source(text, created, created_by, moment, user)

    def forget(self, kind: str, name: str) -> None:
        """A component was deleted, and with an object what belongs to it."""
        self.kept.pop((kind, name), None)
        if kind == "CustomObject":
            for key in [one for one in self.kept if one[1].startswith(f"{name}.")]:
                del self.kept[key]

    def rename(self, kind: str, old: str, new: str) -> None:
        """A component has another name now."""
        found = self.kept.pop((kind, old), None)
        if found is not None:
            self.kept[kind, new] = found

    def names(self, kind: str) -> list[str]:
        """Full names of the deployed components of a type."""
        return sorted(name for one, name in self.kept if one == kind)

    def nodes(self, kind: str, name: str) -> list[Node] | None:
        """The words of a component as they were deployed; None if it never was."""
        found = self.kept.get((kind, name))
        if found is None:
            return None
        return nodes_of(fromstring(found.xml)) if found.xml else []  # noqa: S314 - the org's own words


def nodes_of(root: Element) -> list[Node]:
    """The children of an element."""
    return [_node(one) for one in root]


def _node(element: Element) -> Node:
    name = element.tag.rpartition("}")[2]
    return (name, [_node(one) for one in element]) if len(element) else (name, element.text or "")


def merged(shown: list[Node], deployed: list[Node] | None, left: frozenset[str] = frozenset()) -> list[Node]:
    """What the org knows of a component, and of the rest what was deployed; names in order, fullName first."""
    known = {name for name, _ in shown} | left
    both = [*shown, *(one for one in deployed or () if one[0] not in known)]
    return sorted(both, key=lambda one: (one[0] != "fullName", one[0].lower()))
