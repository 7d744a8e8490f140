"""Lists and single records: what was asked for, checked, and the page that answers it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chartlift_sandbox.aeronaclinic.answers import ApiError
from chartlift_sandbox.aeronaclinic.switches import Switches
from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.generator.entities import EMBEDDED, ENTITIES, Entity

Record = dict[str, Any]
_EMBED = frozenset({*EMBEDDED, "medical"})
_YES_NO = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Query:
    """A list request after checking; ``size`` is already clamped."""

    page: int
    size: int
    since: str | None
    patient: int | None
    archived: bool
    deceased: bool
    inactive: bool
    embed: frozenset[str]
    fields: tuple[str, ...]


def read_query(params: Mapping[str, str], switches: Switches) -> Query:
    """Reads the parameters of a list; unknown ones are ignored.

    Raises:
        ApiError: 400 VALIDATION, naming every field that cannot be read.
    """
    wrong: dict[str, str] = {}
    page = _whole(params, "page", 1, wrong)
    size = _whole(params, "pageSize", switches.page_size, wrong)
    patient = _whole(params, "patientId", 0, wrong) if "patientId" in params else None
    since = read_instant(params, "updatedSince", wrong)
    if params.get("sort", "id") != "id":
        wrong["sort"] = "only id is supported"
    embed = frozenset(name for name in params.get("embed", "").split(",") if name)
    if not embed <= _EMBED:
        wrong["embed"] = f"must be some of {', '.join(sorted(_EMBED))}"
    flags = {name: _flag(params, name, wrong) for name in ("includeArchived", "includeDeceased", "includeInactive")}
    if wrong:
        raise ApiError(400, "VALIDATION", wrong)
    return Query(
        page=page,
        size=min(size, switches.max_page_size),
        since=since,
        patient=patient,
        archived=flags["includeArchived"],
        deceased=flags["includeDeceased"],
        inactive=flags["includeInactive"],
        embed=embed,
        fields=tuple(name for name in params.get("fields", "").split(",") if name),
    )


def read_instant(params: Mapping[str, str], name: str, wrong: dict[str, str]) -> str | None:
    """An instant of the query as the records write it (UTC, whole seconds); notes in ``wrong`` what cannot be read."""
    text = params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        wrong[name] = "must be an ISO 8601 instant"
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def page_of(clinic: Clinic, entity: Entity, query: Query, switches: Switches) -> Record | list[Record]:
    """The answer to a list request: an envelope, or the bare list of a short one."""
    with clinic.lock:
        keys = _selected(clinic, entity, query)
        if not entity.paged:
            return [_projected(entity, row, query.fields) for row in clinic.records(entity.name, keys)]
        first = (query.page - 1) * query.size
        chosen = keys[first : first + query.size]
        rows = [_projected(entity, _served(clinic, entity, row, query, switches), query.fields)
                for row in clinic.records(entity.name, chosen)]  # fmt: skip
        return envelope(rows, query.page, query.size, len(keys))


def envelope(rows: list[Record], page: int, size: int, total: int) -> Record:
    """Rows of one page with their place in the whole."""
    more = page * size < total
    return {"page": page, "pageSize": size, "total": total, "nextPage": page + 1 if more else None, "items": rows}


def single(clinic: Clinic, entity: Entity, text: str, query: Query, switches: Switches) -> Record:
    """One record by id.

    Raises:
        ApiError: 404 NOT_FOUND.
    """
    with clinic.lock:
        row = clinic.record(entity.name, int(text)) if text.isascii() and text.isdigit() else None
        if row is None:
            raise ApiError(404, "NOT_FOUND")
        return _projected(entity, _served(clinic, entity, row, query, switches), query.fields)


def deletions(clinic: Clinic, params: Mapping[str, str], switches: Switches) -> Record:
    """The page of the deletions feed that was asked for.

    Raises:
        ApiError: 400 VALIDATION.
    """
    wrong: dict[str, str] = {}
    page, size = _whole(params, "page", 1, wrong), _whole(params, "pageSize", switches.page_size, wrong)
    since = read_instant(params, "since", wrong)
    entity = params.get("entity") or None
    if wrong:
        raise ApiError(400, "VALIDATION", wrong)
    feed = clinic.deletions(entity, since)
    size = min(size, switches.max_page_size)
    return envelope(feed[(page - 1) * size : page * size], page, size, len(feed))


def _whole(params: Mapping[str, str], name: str, default: int, wrong: dict[str, str]) -> int:
    text = params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**11):
        wrong[name] = "must be a whole number from 1"
        return default
    return int(text)


def _flag(params: Mapping[str, str], name: str, wrong: dict[str, str]) -> bool:
    value = _YES_NO.get(params.get(name, "false").lower())
    if value is None:
        wrong[name] = "must be true or false"
    return bool(value)


def _selected(clinic: Clinic, entity: Entity, query: Query) -> Sequence[int]:
    if query.patient is not None and entity.rows is not None and entity.name != "patient":
        keys: Sequence[int] = [row[entity.key] for row in clinic.children(entity.name, query.patient)]
        since = query.since
        return keys if since is None else [key for key in keys if clinic.stamp(entity.name, key) >= since]
    keys = clinic.ids(entity.name) if query.since is None else clinic.changed_since(entity.name, query.since)
    hidden = set[object]()
    if entity.name == "patient":
        hidden = {name for name, shown in (("ARCHIVED", query.archived), ("DECEASED", query.deceased)) if not shown}
    elif entity.name == "user" and not query.inactive:
        hidden = {False}
    return keys if not hidden else [key for key in keys if clinic.state(entity.name, key) not in hidden]


def _served(clinic: Clinic, entity: Entity, row: Record, query: Query, switches: Switches) -> Record:
    if entity.name != "patient" or query.fields:
        return row
    arrays: Record = {name: [] for name in EMBEDDED}
    if not isinstance(row["patientId"], int):  # a hostile id, which nothing hangs on
        return row | {f"{name}Total": 0 for name in EMBEDDED} | arrays
    for child in ENTITIES:
        if child.embedded_as in query.embed:
            arrays[child.embedded_as] = clinic.embedded(child, row["patientId"])[: switches.embed_cap]
    return row | clinic.totals(row["patientId"]) | arrays


def _projected(entity: Entity, row: Record, fields: tuple[str, ...]) -> Record:
    if not fields:
        return row
    names = {entity.key if name == "id" else name for name in fields}
    return {name: value for name, value in row.items() if name in names}
