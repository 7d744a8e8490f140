"""Send one batch: written down first, then the wire, then its outcomes, all journalled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute

from chartlift.model.ports import (
    BatchRow,
    ByValues,
    JobGone,
    JobUnsent,
    Step,
    WriteResult,
)
from chartlift.stages.carry.context import HASH, KEY, RUN, Carry
from chartlift.stages.carry.cut import Batch
from chartlift.stages.memory import give_back

pc: Any = pyarrow.compute  # its functions are made at run time, so tools see none of them
STATUS = {"created": "created", "uploaded": "uploaded", "closed": "closed"}
OUTCOMES = pa.schema(
    [
        ("key", pa.string()),
        ("id", pa.string()),
        ("outcome", pa.string()),  # ok | failed | unprocessed
        ("created", pa.bool_()),
        ("code", pa.string()),
        ("fields", pa.string()),
    ]
)
WIRE_OPERATION = {"restore": "update"}
TRIES = 4
AGAIN = ("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "TOO_MANY_RETRIES", "QUERY_TIMEOUT")


def send(carry: Carry, unit_name: str, object_name: str, batch: Batch, *, attempt: int = 1) -> None:
    """Write a batch and settle it; rows that may go again do, each as a batch of its own."""
    journal = carry.tools.journal
    entry = journal.cut(
        carry.run,
        unit=unit_name,
        object_name=object_name,
        operation=batch.operation,
        wire=batch.wire,
        level=batch.level,
        keys=batch.keys,
        pre=batch.pre,
        detail={"attempt": attempt},
    )
    outcomes = _send(carry, entry, batch)
    outcomes = settle_doubts(carry, entry, outcomes)
    _keep_outcomes(carry, entry, outcomes)
    _again(carry, entry, batch, outcomes, attempt)
    give_back()


def _send(carry: Carry, entry: BatchRow, batch: Batch) -> pa.Table:
    try:
        result = carry.tools.destination.write(
            entry.object,
            WIRE_OPERATION.get(entry.operation, entry.operation),
            batch.rows,
            key_column=KEY if entry.operation == "insert" else "Id",
            wire=entry.wire,
            on_step=lambda step: note_step(carry, entry.id, step),
        )
    except (JobGone, JobUnsent):
        return ask_org(carry, entry)
    return joined(carry, entry, result)


def note_step(carry: Carry, batch: int, step: Step) -> None:
    """Journal what happened on the wire before anything else does."""
    if step.kind in STATUS:
        carry.tools.journal.step(batch, STATUS[step.kind], job_id=step.job_id, detail=dict(step.detail))
    carry.tools.progress.step(f"job {step.kind}")


def joined(carry: Carry, entry: BatchRow, result: WriteResult) -> pa.Table:
    """Outcomes by our keys. Results are joined by what they say, never by where they stand; rows without a word stay open."""
    said = pa.table(result.rows)
    by = "key" if entry.operation == "insert" else "id"
    carry.sql.register("said", said)
    carry.sql.register("sent", carry.tools.journal.blob(entry.id, "keys"))
    try:
        known = "sent.key" if by == "key" else "sent.id"
        got = "said.key" if by == "key" else "coalesce(nullif(said.id, ''), said.key)"
        ident = "said.id" if by == "key" else "sent.id"
        return carry.table(f"""
            SELECT sent.key, {ident} AS id, coalesce(said.outcome, 'unknown') AS outcome,
                   coalesce(said.created, false) AS created, said.code, said.fields
            FROM sent LEFT JOIN said ON {got} = {known}
        """)
    finally:
        carry.sql.unregister("said")
        carry.sql.unregister("sent")


def settle_doubts(carry: Carry, entry: BatchRow, outcomes: pa.Table) -> pa.Table:
    """Rows whose fate the answer did not tell, and duplicates that may be our own, are looked up in the org by key.

    Adopted only if key, a run of this migration and the hash agree; the Id in an error message is never used.
    """
    unknown = pc.equal(outcomes.column("outcome"), "unknown")
    open_rows = outcomes.filter(pc.or_(unknown, _is(outcomes, "DUPLICATE_VALUE")))
    if not open_rows.num_rows:
        return outcomes
    answers = ask_org(carry, entry, open_rows.column("key").to_pylist())
    unsure = open_rows.filter(pc.equal(open_rows.column("outcome"), "unknown")).column("key").combine_chunks()
    told = pc.or_(pc.equal(answers.column("outcome"), "ok"), pc.is_in(answers.column("key"), value_set=unsure))
    better = answers.filter(told)
    kept = outcomes.filter(pc.invert(pc.is_in(outcomes.column("key"), value_set=better.column("key").combine_chunks())))
    return pa.concat_tables([kept.cast(OUTCOMES), better])


def _is(outcomes: pa.Table, *codes: str) -> pa.ChunkedArray:
    """Rows with one of these codes."""
    return pc.is_in(outcomes.column("code"), value_set=pa.array(codes))


def ask_org(carry: Carry, entry: BatchRow, keys: list[str] | None = None) -> pa.Table:
    """What the org says about rows of a batch whose answer is lost: done by us -> ok, else it never arrived."""
    sent = carry.tools.journal.blob(entry.id, "keys")
    wanted = set(keys) if keys is not None else None
    rows = [row for row in sent.to_pylist() if wanted is None or row["key"] in wanted]
    answers = [
        {
            "key": row["key"],
            "id": there["Id"] if there else row.get("id"),
            "outcome": "ok" if done else "unprocessed",
            "created": entry.operation == "insert" and done,
            "code": None,
            "fields": None,
        }
        for row, there, done in _looked_up(carry, entry, rows)
    ]
    return pa.Table.from_pylist(answers, schema=OUTCOMES)


def _looked_up(carry: Carry, entry: BatchRow, rows: list[dict[str, Any]]) -> Iterator[tuple[Any, Any, bool]]:
    """Each row with what the org has of it, and whether this batch did it."""
    pre = carry.tools.journal.blob(entry.id, "pre")
    before = {row["key"]: row for row in pre.to_pylist()} if pre is not None else {}
    fields = ["Id", KEY, RUN, HASH, "IsDeleted", "LastModifiedById"]
    if before:
        fields += [name for name in pre.column_names if name not in (*fields, "key")]
    by = (KEY, "key") if entry.operation == "insert" else ("Id", "id")
    where = ByValues(by[0], tuple(row[by[1]] for row in rows))
    found = pa.table(carry.tools.destination.read(entry.object, fields, where, deleted=True)).to_pylist()
    # a live row counts before one in the recycle bin
    known = {row[by[0]]: row for row in sorted(found, key=lambda row: row["IsDeleted"] != "true")}
    runs = {run["id"] for run in carry.tools.journal.runs()}
    me = carry.tools.destination.identity().user_id
    for row in rows:
        there = known.get(row[by[1]])
        gone = there is None or there["IsDeleted"] == "true"
        match entry.operation:
            case "insert":
                # one that a person has deleted meanwhile was made all the same
                stamps = (entry.run,) if gone else runs
                done = there is not None and there[RUN] in stamps and there[HASH] == row["hash"]
            case "delete":
                done = gone
            case "undelete":
                done = not gone
            case _:
                done = not gone and there["LastModifiedById"] == me and _differs(before.get(row["key"]), there)
        yield row, there, done


def _differs(before: dict[str, Any] | None, now: dict[str, Any]) -> bool:
    """Whether a row is not any more as its pre-image says: the update has arrived, and the pre-image is what undoes it."""
    return any(value != now[name] for name, value in (before or {}).items() if name not in ("key", "SystemModstamp"))


def _keep_outcomes(carry: Carry, entry: BatchRow, outcomes: pa.Table) -> None:
    """Durable first, then the tables that children read."""
    tools = carry.tools
    tools.journal.settle(entry.id, outcomes)
    tools.audit.outcomes(
        run=carry.run,
        batch=entry.id,
        object_name=entry.object,
        fingerprint=carry.plan.fingerprint,
        who=tools.who,
        rows=outcomes,
    )
    carry.sql.register("done", outcomes)
    carry.sql.register("sent", tools.journal.blob(entry.id, "keys"))
    carry.sql.execute("""
        UPDATE landed SET id = d.id, hash = s.hash, fate = 'ok', reason = NULL
        FROM done AS d JOIN sent AS s ON s.key = d.key WHERE d.key = landed.key AND d.outcome = 'ok'
    """)
    if entry.operation == "insert":
        carry.sql.execute("""
            UPDATE landed SET fate = 'hold', reason = 'failed:' || coalesce(d.code, 'unprocessed')
            FROM done AS d WHERE d.key = landed.key AND d.outcome <> 'ok'
        """)
    carry.sql.execute("""
        UPDATE spine SET id = d.id, fate = CASE d.outcome WHEN 'ok' THEN spine.fate ELSE 'failed' END,
               reason = CASE d.outcome WHEN 'ok' THEN spine.reason
                        ELSE coalesce(d.code, 'unprocessed') || coalesce('@' || nullif(d.fields, ''), '') END
        FROM done AS d WHERE d.key = spine.key
    """)
    carry.sql.unregister("done")
    carry.sql.unregister("sent")


def _again(carry: Carry, entry: BatchRow, batch: Batch, outcomes: pa.Table, attempt: int) -> None:
    """Locks and unprocessed rows go again, later and in smaller company; duplicates by a rule go where a header may pass them."""
    left = outcomes.filter(pc.not_equal(outcomes.column("outcome"), "ok"))
    if attempt >= TRIES or not left.num_rows:
        return
    failed = pc.equal(left.column("outcome"), "failed")
    late = pc.or_(pc.equal(left.column("outcome"), "unprocessed"), pc.and_(failed, _is(left, *AGAIN)))
    by_rule = pc.and_(failed, _is(left, "DUPLICATES_DETECTED"))
    locked = left.filter(late).column("key").to_pylist()
    ruled = left.filter(by_rule).column("key").to_pylist() if entry.wire == "bulk" else []
    for keys, wire in ((locked, entry.wire), (ruled, "rows")):
        for part in _parts(batch, keys, wire):
            carry.sql.register("again", pa.table({"key": part.keys.column("key")}))
            carry.sql.execute(
                "UPDATE spine SET fate = ?, reason = NULL WHERE key IN (SELECT key FROM again)", [entry.operation]
            )
            carry.sql.unregister("again")
            if keys is locked:
                carry.tools.clock.sleep(2.0**attempt)
            send(carry, entry.unit, entry.object, part, attempt=attempt + 1)


def _parts(batch: Batch, keys: list[str], wire: str) -> list[Batch]:
    if not keys:
        return []
    mask = pc.is_in(batch.keys.column("key"), value_set=pa.array(keys, pa.string()))
    rows, known = batch.rows.filter(mask), batch.keys.filter(mask)
    pre = None if batch.pre is None else batch.pre.filter(pc.is_in(batch.pre.column("key"), value_set=pa.array(keys)))
    size = 200 if wire == "rows" else max(1, rows.num_rows)
    return [
        Batch(batch.operation, wire, batch.level, rows.slice(start, size), known.slice(start, size), pre)
        for start in range(0, rows.num_rows, size)
    ]
