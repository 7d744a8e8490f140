"""Records as the clinic nests them -> flat tables of text, one column per column of the entity, plus `_raw`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson
import pyarrow as pa

from chartlift import transforms
from chartlift.platforms.aeronaclinic.profile import Entity
from chartlift.platforms.aeronaclinic.wire import Number, compact

Record = Mapping[str, Any]
Problems = Counter[tuple[str, str]]

_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\ud[89a-f]")
_TEXT = pa.string()
_PLAIN_TEXT = orjson.OPT_PASSTHROUGH_SUBCLASS
_OF_TYPE: Mapping[type, pa.DataType] = {str: _TEXT, Number: _TEXT, int: pa.int64(), bool: pa.bool_()}
_KINDS: dict[tuple[str, type], dict[str, pa.DataType | None]] = {}
"""(entity, kind of its ids) -> column -> what its values are; None = several kinds, or arrays and objects. Wrong guesses
cost time, never a value."""
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")


def table(
    entity: Entity, records: Sequence[Record], problems: Problems, sites: Mapping[str, str] | None = None
) -> pa.Table:
    """The records as one table of text.

    A number is its raw token, a boolean `true` or `false`, an array or object its JSON text; null and a missing key are
    NULL, an empty string stays ''. Embedded arrays are rows of other entities and are left out of `_raw`. Keys that the
    entity does not know stay in `_raw` and are counted in `problems` as S-UNMAPPED.
    """
    apart = frozenset(array.member for array in entity.embedded)
    known = apart.union(entity.keys)
    for record in records:
        if not record.keys() <= known:
            for key in record.keys() - known:
                problems["S-UNMAPPED", f"{entity.name}.{plain_key(key)}"] += 1
    columns = _columns(entity, records, problems)
    for name in entity.derived:
        columns[name] = _text(entity, name, derived(entity, name, records, sites or {}), problems)
    columns["_raw"] = _raws(records, apart)
    return pa.table(columns)


def plain_key(key: str) -> str:
    """A key that we do not know, as far as it looks like one and not like somebody's words."""
    return key if _PLAIN_KEY.fullmatch(key) else "(odd name)"


def _columns(entity: Entity, records: Sequence[Record], problems: Problems) -> dict[str, pa.Array]:
    """The columns that the clinic delivers, as text.

    Nearly all values of a column are of one kind, which Arrow converts by itself, all columns in one go. The kinds are
    remembered; where a page does not fit them, its columns are converted one by one and the kinds learned anew.
    """
    kinds = _KINDS.setdefault((entity.name, type(records[0].get(entity.id)) if records else int), {})
    plain = [key for key in entity.keys if kinds.get(key, _TEXT) is not None]
    try:
        rows = pa.array(records, pa.struct([(key, kinds.get(key, _TEXT)) for key in plain]))
    except (ValueError, TypeError, OverflowError):
        return {
            key: _learned(entity, key, [record.get(key) for record in records], kinds, problems) for key in entity.keys
        }
    found = {
        key: array if array.type == _TEXT else array.cast(_TEXT)
        for key, array in zip(plain, rows.flatten(), strict=True)
    }
    for key in entity.keys:
        if key not in found:
            found[key] = _text(entity, key, [cell(record.get(key)) for record in records], problems)
    return {key: found[key] for key in entity.keys}


def _learned(
    entity: Entity, key: str, values: list[Any], kinds: dict[str, pa.DataType | None], problems: Problems
) -> pa.Array:
    types = set(map(type, values)) - {type(None)}
    if types:
        kind = _OF_TYPE.get(types.pop()) if len(types) == 1 else None
        kinds[key] = kind if kinds.get(key, kind) == kind else None
    return _text(entity, key, [cell(value) for value in values], problems)


def _raws(records: Sequence[Record], apart: frozenset[str]) -> pa.Array:
    whole = [_without(record, apart) for record in records] if apart else records
    try:
        return pa.array([orjson.dumps(record, option=_PLAIN_TEXT) for record in whole], _TEXT)
    except TypeError:  # numbers by their tokens, halves of characters
        return pa.array([compact(record) for record in whole], _TEXT)


def _text(entity: Entity, name: str, cells: list[str | None], problems: Problems) -> pa.Array:
    try:
        return pa.array(cells, _TEXT)
    except UnicodeEncodeError:
        damaged = [text is not None and bool(_HALF.search(text)) for text in cells]
        problems["R-TEXT", f"{entity.name}.{name}"] += sum(damaged)
        return pa.array([transforms.mark_surrogates(text) if text else text for text in cells], _TEXT)


def cell(value: Any) -> str | None:
    """One JSON value as text."""
    kind = type(value)
    if value is None or kind is str:
        return value
    if kind is int or kind is Number:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    text = compact(value)
    return compact(_marked(value)) if _ESCAPED_HALF.search(text) else text


def _marked(value: Any) -> Any:
    """The value with halves of characters marked, so that its JSON text can be read by any parser."""
    if type(value) is str:
        return transforms.mark_surrogates(value)
    if isinstance(value, dict):
        return {transforms.mark_surrogates(key): _marked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return value


def _without(record: Record, apart: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in apart}


def made(
    entity: str, records: Sequence[Record], sites: Mapping[str, str] | None = None
) -> tuple[str, list[dict[str, Any]]] | None:
    """The rows of the entity that is made from another one's records, and its name; each slug once.

    `sites`: slug of a listed practice's name -> its id; who names one of these needs no practice known by its name only.
    """
    if entity == "practice":
        named = ((group_slug(record), record.get("groupName")) for record in records)
        return "practiceGroup", [{"groupSlug": s, "name": n} for s, n in _first_of_each(named).items()]
    if entity == "patient":
        names = ((name_slug(record), record.get("practiceName")) for record in records)
        named = ((slug, name) for slug, name in names if slug not in (sites or {}))
        return "practiceNamed", [{"nameSlug": s, "name": n} for s, n in _first_of_each(named).items()]
    return None


def _first_of_each(named: Iterable[tuple[str | None, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for slug, name in named:
        if slug and slug not in found:
            found[slug] = str(name).strip()
    return found


def derived(entity: Entity, name: str, records: Iterable[Record], sites: Mapping[str, str]) -> list[str | None]:
    """A column that is made from others, for each record; `sites` as in `made`."""
    return [_DERIVED[entity.name, name](record, sites) for record in records]


def derivable(entity: Entity, columns: Mapping[str, pa.Array]) -> list[dict[str, Any]]:
    """Records with no more in them than `derived` and `made` look at; none where nothing is made."""
    names = _INPUTS.get(entity.name, ())
    return [dict(zip(names, row, strict=True)) for row in zip(*(columns[n].to_pylist() for n in names), strict=True)]


def group_slug(practice: Record, _sites: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """The slug of a practice's group; None if it belongs to none."""
    return slug(practice.get("groupName"))


def name_slug(patient: Record) -> str | None:
    """The slug of a practice that is known by its name only; None if the patient has a practiceId or no name."""
    return slug(patient.get("practiceName")) if _blank(patient.get("practiceId")) else None


def site_key(patient: Record, sites: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """`PRA-<practiceId>`, by the name of a listed practice if need be, else `PRN-<slug of practiceName>`, else None."""
    if not _blank(patient.get("practiceId")):
        return f"PRA-{cell(patient['practiceId'])}"
    by_name = name_slug(patient)
    if by_name and by_name in sites:
        return f"PRA-{sites[by_name]}"
    return f"PRN-{by_name}" if by_name else None


def line_key(line: Record, _sites: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """`<invoiceId>-<invoiceLineId>`; None if one of them is missing."""
    invoice, number = line.get("invoiceId"), line.get("invoiceLineId")
    return None if _blank(invoice) or _blank(number) else f"{cell(invoice)}-{cell(number)}"


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def slug(name: Any) -> str | None:
    """A name as part of a key; None if it has no letter or digit."""
    return transforms.slug(transforms.mark_surrogates(name)) if isinstance(name, str) else None


_DERIVED: Mapping[tuple[str, str], Callable[[Record, Mapping[str, str]], str | None]] = {
    ("practice", "groupSlug"): group_slug,
    ("patient", "siteKey"): site_key,
    ("invoiceLine", "lineKey"): line_key,
}
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "practice": ("groupName",),
    "patient": ("practiceId", "practiceName"),
    "invoiceLine": ("invoiceId", "invoiceLineId"),
}
"""Entity -> the columns that its derived columns, and the entities made from it, are made from."""
