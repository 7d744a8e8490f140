"""A whole clinic written to files: every entity as Parquet, and the truth about it. Memory does not grow with its size.

Patients are cut into shards of a fixed number, so the files are the same however many processes write them.
"""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from operator import itemgetter
from pathlib import Path
from shutil import copyfileobj
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.entities import ENTITIES, Entity
from chartlift_sandbox.generator.rates import Rates
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import Record, World

SIZES: dict[str, int] = {"S": 500, "M": 5_000, "L": 50_000, "XL": 500_000}
_SHARD, _GROUP = 2_500, 500
"""Patients of a file, and of a row group."""
_SAMPLE = 120  # patients beyond any clinic, by whose rows the types of the columns are told
_SAMPLE_FROM = 30_000_000
Schemas = dict[str, pa.Schema]


@dataclass(frozen=True)
class Order:
    """What to write: a clinic, where to, and with how many processes."""

    patients: int
    seed: int
    rates: Rates
    out: Path
    processes: int = 2


def write_clinic(order: Order) -> dict[str, int]:
    """Writes ENTITY/part-NNNN.parquet, truth.jsonl and truth_counts.json below ``order.out``.

    Returns:
        Rows by entity.

    Raises:
        OSError: the directory cannot be made or written, or is not empty.
    """
    order.out.mkdir(parents=True, exist_ok=True)
    if any(order.out.iterdir()):
        raise FileExistsError(f"{order.out} is not empty")
    rows, rules = _listed(order), Counter[tuple[str, str, str]]()
    for entity in ENTITIES:
        (order.out / entity.name).mkdir(exist_ok=True)
    shards = range(0, order.patients, _SHARD)
    with (order.out / "truth.jsonl").open("wb") as truth:
        _people(order, truth, rules)
        for part, (counted, planted) in enumerate(_written(order, shards)):
            rows.update(counted)
            rules.update(planted)
            piece = _piece(order, part)
            with piece.open("rb") as said:
                copyfileobj(said, truth)
            piece.unlink()
    (order.out / "truth_counts.json").write_bytes(orjson.dumps(_as_tree(rules), option=orjson.OPT_INDENT_2))
    return dict(rows)


def _written(order: Order, shards: Sequence[int]) -> Iterator[tuple[Counter[str], Counter[tuple[str, str, str]]]]:
    """What each shard holds, in their order."""
    if order.processes == 1 or len(shards) == 1:
        yield from (_shard(order, part) for part in range(len(shards)))
        return
    with ProcessPoolExecutor(order.processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_shard, [order] * len(shards), range(len(shards)))


def _piece(order: Order, part: int) -> Path:
    return order.out / f"truth-{part:04}.jsonl"


def _listed(order: Order) -> Counter[str]:
    """The short lists, one file each."""
    rows: Counter[str] = Counter()
    world = World(order.patients, order.seed, order.rates)
    for entity in ENTITIES:
        if entity.listed is not None:
            found = entity.listed(world)
            (order.out / entity.name).mkdir(exist_ok=True)
            pq.write_table(_table(found, _schema(found)), order.out / entity.name / "part-0000.parquet")
            rows[entity.name] = len(found)
    return rows


def _people(order: Order, truth: Any, rules: Counter[tuple[str, str, str]]) -> None:
    for member in World(order.patients, order.seed, order.rates).members:
        found = member.planted()
        if found is not None:
            truth.write(_line(found))
            rules[_class(found)] += 1


def _shard(order: Order, part: int) -> tuple[Counter[str], Counter[tuple[str, str, str]]]:
    """Writes one file of each entity and the shard's truth."""
    gc.disable()  # charts hold no circles, and looking for some takes a tenth of the time
    world = World(order.patients, order.seed, order.rates)
    schemas = _schemas(order.seed)
    rows: Counter[str] = Counter()
    rules: Counter[tuple[str, str, str]] = Counter()
    last = min(order.patients, (part + 1) * _SHARD)
    with ExitStack() as stack:
        truth = stack.enter_context(_piece(order, part).open("wb"))
        writers = {
            name: stack.enter_context(
                pq.ParquetWriter(order.out / name / f"part-{part:04}.parquet", schema, compression="snappy")
            )
            for name, schema in schemas.items()
        }
        for first in range(part * _SHARD, last, _GROUP):
            found = _group(world, range(first, min(last, first + _GROUP)), truth, rules)
            for name, records in found.items():
                writers[name].write_table(_table(records, schemas[name]))
                rows[name] += len(records)
    return rows, rules


def _group(
    world: World, places: Sequence[int], truth: Any, rules: Counter[tuple[str, str, str]]
) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {entity.name: [] for entity in _charted()}
    for place in places:
        chart = Chart(world, place)
        for entity in _charted():
            found[entity.name] += entity.rows_of(chart)
        planted = chart.planted()
        for entity in _charted():
            if entity.planted is not None:
                planted += entity.planted(chart)
        truth.write(b"".join(map(_line, planted)))
        rules.update(map(_class, planted))
    return found


@cache
def _charted() -> tuple[Entity, ...]:
    return tuple(entity for entity in ENTITIES if entity.rows is not None)


def _line(found: Planted) -> bytes:
    return orjson.dumps(found.as_json(), option=orjson.OPT_APPEND_NEWLINE)


def _class(found: Planted) -> tuple[str, str, str]:
    return found.entity, found.rule, found.note


def _as_tree(rules: Counter[tuple[str, str, str]]) -> dict[str, dict[str, dict[str, int]]]:
    """Entity -> rule -> kind -> number of records."""
    tree: dict[str, dict[str, dict[str, int]]] = {}
    for (entity, rule, note), number in sorted(rules.items()):
        tree.setdefault(entity, {}).setdefault(rule, {})[note] = number
    return tree


@cache
def _schemas(seed: int) -> Schemas:
    """Columns of each charted entity, told from patients whom no clinic reaches and none of whose fields is spoilt."""
    clean = World(_SAMPLE_FROM, seed, Rates({table: {} for table in _TABLES}))
    rows: dict[str, list[Record]] = {entity.name: [] for entity in _charted()}
    for place in range(_SAMPLE_FROM, _SAMPLE_FROM + _SAMPLE):
        chart = Chart(clean, place)
        for entity in _charted():
            rows[entity.name] += entity.rows_of(chart)
    return {name: _schema(found) for name, found in rows.items()}


#: Ends of the names of columns that hold an id of ours, even where no clean record has one.
_LINKS = ("PatientId", "UserId", "AppointmentId", "NoteId", "invoiceId", "paymentId")
_TABLES = (
    "patient", "appointment", "treatment", "coursesOfTreatment", "clinicalNote", "document", "invoice", "recall",
    "communication", "paymentPlan", "carePlanMembership", "household",
)  # fmt: skip


def _schema(rows: Sequence[Record]) -> pa.Schema:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.schema([(name, _type(name, rows)) for name in names])


def _type(name: str, rows: Sequence[Record]) -> pa.DataType:
    """Numbers and truth values have their type, everything else is text; nested arrays are JSON."""
    kinds = {type(row[name]) for row in rows if row.get(name) is not None}
    if kinds == {bool}:
        return pa.bool_()
    whole = kinds == {int} or (not kinds and name.endswith(_LINKS))
    return pa.int64() if whole else pa.string()


def _table(rows: Sequence[Record], schema: pa.Schema) -> pa.Table:
    try:
        columns = list(zip(*map(itemgetter(*schema.names), rows), strict=True))
    except KeyError:  # a field that not every record has
        columns = [[row.get(name) for row in rows] for name in schema.names]
    if not rows:
        return schema.empty_table()
    return pa.table([_column(values, one.type) for values, one in zip(columns, schema, strict=True)], schema=schema)


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """One column; what does not fit its type is written as text, a lone surrogate as the escape that JSON has for it."""
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, UnicodeError, TypeError):
        return pa.array([_text(value) for value in values] if kind == pa.string() else values, kind)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        try:
            return orjson.dumps(value).decode()
        except TypeError:  # a lone surrogate inside
            return orjson.dumps(_plain(value)).decode()
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
