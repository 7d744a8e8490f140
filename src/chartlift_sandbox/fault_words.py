"""The words of one fault: what each means, which values it takes, and whether it is due at a call.

Kinds on the wire: status, reset, drop, delay, truncate, expire_token, trickle, pages, stale, org, and of the clinic alone
clinic, listing, content, envelope.
Kinds inside a bulk job: rows, alter, rival (these three in every other channel too), stall, fail_job, abort_job,
purge_job, order, created_false. Kinds elsewhere: tls (a handshake), deploy (a metadata deployment).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field, fields
from typing import Any

WIRE_KINDS = frozenset(
    {
        "status",
        "reset",
        "drop",
        "delay",
        "truncate",
        "expire_token",
        "trickle",
        "pages",
        "stale",
        "org",
        "clinic",
        "listing",
        "content",
        "envelope",
    }
)
ROW_KINDS = frozenset({"rows", "alter", "rival"})
JOB_KINDS = ROW_KINDS | {"stall", "fail_job", "abort_job", "purge_job", "order", "created_false"}
DEPLOY_KINDS = frozenset({"deploy"})
TLS_KINDS = frozenset({"tls"})
_KINDS = WIRE_KINDS | JOB_KINDS | DEPLOY_KINDS | TLS_KINDS
VENDORS = frozenset({"org", "clinic", "any"})
WHEN = frozenset({"once", "every", "persistent", "after"})
WHAT: dict[str, frozenset[str]] = {
    "trickle": frozenset({"", "endless", "silent"}),
    "pages": frozenset({"lost", "twice", "loop", "null", "absent"}),
    "org": frozenset(
        {
            "edit", "child", "delete", "undelete", "merge", "owner", "revoke_field", "drop_field", "drop_value",
            "shorten", "use_up", "other_org", "empty_bin", "purge_job", "skew", "switch", "lock_out",
        }
    ),
    "clinic": frozenset({"delete", "merge", "late", "same_stamp", "flicker", "aba", "stamp"}),
    "listing": frozenset({"size", "doubled", "empty_end", "total", "self", "poison"}),
    "content": frozenset({"empty", "length", "hash", "mime", "huge"}),
    "envelope": frozenset(
        {*(f"B{number:02}" for number in range(1, 15)), "B10_body", "B12_laughs", "B14_object", "B20", "B20_empty",
         "B20_missing", "B28", "B78"}
    ),
    "rows": frozenset({"", "parent", "row", "from"}),
    "alter": frozenset({"trim", "phone", "set", "cut", "lower"}),
    "deploy": frozenset({"partial", "canceled", "in_progress", "no_fls"}),
    "tls": frozenset({"expired", "wrong_host", "self_signed"}),
}  # fmt: skip
"""Which sub-kinds a kind has; the others have none."""

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "bool": (bool,),
    "dict[str, str]": (dict,),
    "dict[str, Any]": (dict,),
}


class FaultError(ValueError):
    """A fault that cannot be understood; the text names the fault and the word."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault.

    Attributes:
        kind: What happens. `status` answers `status`/`body`/`headers` without an effect (with `late`, after it);
            `reset` resets the connection before any effect (after `bytes` of the request body); `drop` lets the effect
            commit, then resets; `delay` waits `seconds` and pushes the virtual clock by `clock_s` (before the effect,
            or with `late` between the effect and the answer); `truncate` cuts the answer's body; `expire_token` ends
            the caller's session first; `trickle` sends a byte every `seconds`; `pages` forges where the next page is;
            `stale` answers what a cache kept; `clinic` changes its records before the call; `listing` forges a page of
            its lists, `content` a download, `envelope` an answer as a whole; `org` changes the org before (or with
            `late` after) the call.
        name: The fault's name in the catalogue, if it was given by name.
        object: API name of the object touched (bulk jobs, sobjects and collections paths); None for any.
        op: Operation of the rows (insert, update, upsert, delete, …); None for any.
        what: The sub-kind, see `WHAT`.
        bytes: Length at which a body is cut; `fraction` says it relatively; `row_boundary` moves the cut back to a
            line end, `mid_row` into a row; `gzip` cuts the packed body.
        clean: A truncated answer ends as if it were whole (no reset, matching length; with `chunked` no length).
        code, message, columns: The row error of a `rows` fault; `keys` (a regular expression searched in the cells of
            a row) or `share` picks rows; `chunk` lets the whole chunk of that many rows fail; with `late` the rows are
            written all the same. `{cell}`, `{id}` and `{pad}` in the message stand for a cell, the id and 10 kB.
        column, value: The column concerned and what it becomes.
        rows: For `fail_job` and `abort_job`: records processed before it happens (or `fraction` of the job). For
            `stall`: number of status polls during which the job stays InProgress (`clock_s`: or virtual seconds).
            `landed`: rows a stalled job writes.
        record: For `org`: the person's edit, as the control door takes it.
        words: For `org`: switches to set, or the allowance to use up and what is left of it.
    """

    id: str
    kind: str
    name: str = ""
    vendor: str = "org"
    method: str | None = None
    path: str = ""
    object: str | None = None
    op: str | None = None
    when: str = "once"
    nth: int = 1
    every: int = 1
    times: int | None = None
    for_s: float | None = None
    armed_by: str | None = None
    share: float | None = None
    seed: int = 0
    what: str = ""
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    clock_s: float = 0.0
    late: bool = False
    bytes: int | None = None
    fraction: float | None = None
    row_boundary: bool = False
    mid_row: bool = False
    gzip: bool = False
    clean: bool = False
    chunked: bool = False
    code: str = "UNABLE_TO_LOCK_ROW"
    message: str = "unable to obtain exclusive access to this record"
    columns: str = ""
    keys: str | None = None
    chunk: int = 0
    column: str | None = None
    value: str = ""
    rows: int = 0
    landed: int | None = None
    record: dict[str, Any] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)

    def matches(
        self, vendor: str, method: str | None, path: str, sobject: str | None, operation: str | None = None
    ) -> bool:
        """Whether a call is at the place that this fault watches; a job that runs has no method."""
        if self.vendor not in {vendor, "any"}:
            return False
        if self.method and method is not None and method.upper() not in self.method.upper().split("|"):
            return False
        if self.object and (sobject or "").lower() != self.object.lower():
            return False
        if self.op and operation is not None and operation.lower() not in self.op.lower().split("|"):
            return False
        return re.search(self.path, path) is not None

    def due(self, call: int, hits: int) -> bool:
        """Whether the `call`-th matching call (from 1) is hit, given `hits` so far."""
        if call < self.nth or (self.times is not None and hits >= self.times):
            return False
        if self.when == "once" and call != self.nth:
            return False
        if self.when == "after" and call == self.nth:
            return False
        if self.when == "every" and (call - self.nth) % self.every:
            return False
        if self.share is None or self.kind in ROW_KINDS | {"created_false"}:
            return True
        draw = random.Random(f"{self.seed}:{self.id}:{call}").random()  # noqa: S311 - a repeatable draw, no secret
        return draw < self.share


def read(data: Any, number: int) -> Fault:
    """Checks one JSON object.

    Raises:
        FaultError: an unknown word, kind, vendor or schedule, or a path that is no regular expression.
    """
    if not isinstance(data, dict):
        raise FaultError(f"fault {number} is not an object")
    data = plain(data, f"fault {number}")
    known = {one.name for one in fields(Fault)}
    if unknown := sorted(str(word) for word in set(data) - known):
        raise FaultError(f"fault {number}: unknown word {', '.join(unknown)}")
    words: dict[str, Any] = {"id": f"fault-{number}", "kind": "", **data}
    fault = Fault(**words)
    for one in fields(Fault):
        found, kinds = getattr(fault, one.name), _TYPES[str(one.type)]
        if not isinstance(found, kinds) or (isinstance(found, bool) and bool not in kinds):
            raise FaultError(f"fault {fault.id}: {one.name} must be {one.type}")
    _check_values(fault)
    return fault


def _check_values(fault: Fault) -> None:
    for word, allowed in (("kind", _KINDS), ("vendor", VENDORS), ("when", WHEN)):
        if getattr(fault, word) not in allowed:
            raise FaultError(f"fault {fault.id}: {word} must be one of {', '.join(sorted(allowed))}")
    whats = WHAT.get(fault.kind, frozenset({""}))
    if fault.what not in whats:
        raise FaultError(f"fault {fault.id}: what must be one of {', '.join(sorted(whats))}")
    for pattern in (fault.path, fault.keys or ""):
        try:
            re.compile(pattern)
        except re.error as error:
            raise FaultError(f"fault {fault.id}: {pattern!r} is no regular expression: {error}") from error
    if fault.nth < 1 or fault.every < 1:
        raise FaultError(f"fault {fault.id}: nth and every start at 1")
    for word in ("share", "fraction"):
        given = getattr(fault, word)
        if given is not None and not 0 <= given <= 1:
            raise FaultError(f"fault {fault.id}: {word} must lie between 0 and 1")
    if not 100 <= fault.status <= 599:  # noqa: PLR2004 - what HTTP knows
        raise FaultError(f"fault {fault.id}: status must lie between 100 and 599")
    if any(not isinstance(value, str) for value in fault.headers.values()):
        raise FaultError(f"fault {fault.id}: headers must be texts")


def plain(data: dict[str, Any], label: str) -> dict[str, Any]:
    """The short forms `endpoint`, `probability` and `effect` in the words they stand for.

    Raises:
        FaultError: one of them cannot be understood.
    """
    data = dict(data)
    if "endpoint" in data:
        method, space, path = str(data.pop("endpoint")).partition(" ")
        data |= {"method": method, "path": path.strip()} if space else {"path": method}
    if "probability" in data:
        data["share"] = data.pop("probability")
    if "effect" in data:
        effect = data.pop("effect")
        if effect not in {"before", "after"}:
            raise FaultError(f"{label}: effect must be before or after")
        data["late"] = effect == "after"
        connection = {("reset", True): "drop", ("drop", False): "reset"}
        data["kind"] = connection.get((str(data.get("kind")), data["late"]), data.get("kind", ""))
    return data
