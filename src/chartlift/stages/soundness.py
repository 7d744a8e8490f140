"""The findings of `profile`: references, duplicates, and every rule the pack's transforms know; SQL over staging."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from chartlift import transforms
from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.model.ports import Tools
from chartlift.model.reports import Finding
from chartlift.model.source import EntityShape
from chartlift.stages.columns import Entities
from chartlift.stages.continuation import fill_parts
from chartlift.stages.lists import fill_lists
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.statement import compile_cell

SAMPLES = 5
CONSENT_AGE = 16
_STILL_OPEN = timedelta(days=7)
_STAND_INS = ("0001-01-01", "1900-01-01", "1970-01-01")  # birth dates that say "unknown"; they make no one a duplicate


def findings(sql: Any, shapes: Sequence[EntityShape], today: date) -> Iterator[Finding]:
    """What can be said without a map: references that lead nowhere, states out of time, minors alone, duplicates."""
    by_name = {shape.name: shape for shape in shapes}
    for shape in shapes:
        for column, target in shape.refs.items():
            if target in by_name:
                yield from _reference(sql, shape, column, by_name[target])
        if shape.state and shape.dated:
            yield from _states(sql, shape, today)
        if shape.person:
            yield from _alone(sql, shape, today)
            yield from _duplicates(sql, shape)


def rules(tools: Tools, shapes: Sequence[EntityShape]) -> Iterator[Finding]:
    """What each field of the pack would say about its values, with the fate the pack gives them."""
    if tools.pack is None:
        return
    entities = Entities.of(tools.source.shapes())
    known = {shape.name for shape in shapes}
    fill_lists(tools, tools.pack.value_maps.values())
    for unit in tools.pack.maps:
        if unit.source not in known:
            continue
        fill_parts(tools, unit)
        for rule in unit.fields:
            if rule.sources and not rule.lookup and not rule.sources[0].startswith("_"):
                yield from _rule(tools, unit, rule, entities)


def _samples(entity: str, keys: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(f"{entity} {key}" for key in keys or ())


# ---------------------------------------------------------------- references


def _reference(sql: Any, shape: EntityShape, column: str, target: EntityShape) -> Iterator[Finding]:
    """Ids without a record (merges are followed), records that point at themselves, and at another patient's."""
    src, there, cell = ident("src_" + shape.name), ident("src_" + target.name), f"s.{ident(column)}"
    followed = (
        f"(SELECT s._id, s._seq, s._patient, coalesce(m.survivor, {cell}) AS ref FROM {src} s LEFT JOIN src_merged m "
        f"ON m.entity = {literal(target.name)} AND m.id = {cell} WHERE NOT coalesce(is_blank({cell}), true))"
    )
    tests = [("R-REF", "error", f"ANTI JOIN {there} t ON t._id = r.ref", "it points to a record that is not there")]
    if target.name == shape.name:
        tests.append(("R-REF-SELF", "warning", "WHERE r.ref = r._id", "the record points to itself"))
        tests.append(
            (
                "R-REF-CYCLE",
                "warning",
                f"JOIN {there} t ON t._id = r.ref AND t.{ident(column)} = r._id AND t._id <> r._id",
                "two records point to each other",
            )
        )
    if target.patient and target.patient != target.id:
        where = f"JOIN {there} t ON t._id = r.ref AND t._patient <> r._patient"
        tests.append(("R-REF-PATIENT", "error", where, "it points to a record of another patient"))
    if column == shape.survivor:
        tests = []  # merges have their own table, with their own problems
    for code, severity, where, text in tests:
        count, keys = sql.execute(
            f"SELECT count(*), arg_min(r._id, r._seq, {SAMPLES}) FROM {followed} r {where}"
        ).fetchone()
        if count:
            fate = "held if required, else withheld"
            yield Finding(code, severity, f"{shape.name}.{column}", count, text, fate, _samples(shape.name, keys))


# ---------------------------------------------------------------- time


def _states(sql: Any, shape: EntityShape, today: date) -> Iterator[Finding]:
    """Rows that are over and still open, and rows that are done before their day."""
    day = f"left({ident(shape.dated)}, 10)"
    plain = f"regexp_full_match({day}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    week_ago = (today - _STILL_OPEN).isoformat()
    for kind, test, edge, text in (
        ("open", "<", week_ago, "more than a week over and still open"),
        ("done", ">", today.isoformat(), "done, and its day is yet to come"),
    ):
        ids = ", ".join(literal(key) for key, said in shape.states.items() if said == kind)
        if not ids:
            continue
        count, keys = sql.execute(
            f"SELECT count(*), arg_min(_id, _seq, {SAMPLES}) FROM {ident('src_' + shape.name)} "
            f"WHERE {ident(shape.state)} IN ({ids}) AND {plain} AND {day} {test} $1",
            [edge],
        ).fetchone()
        if count:
            where = f"{shape.name}.{shape.state} {kind}"
            yield Finding("R-STATE-TIME", "warning", where, count, text, "sent", _samples(shape.name, keys))


def _alone(sql: Any, shape: EntityShape, today: date) -> Iterator[Finding]:
    """Children below the age of consent without a guardian."""
    born, guardian = shape.person.get("born"), shape.person.get("guardian")
    if not born or not guardian:
        return
    youngest = f"{today.year - CONSENT_AGE:04d}-{today:%m-%d}"
    count, keys = sql.execute(
        f"SELECT count(*), arg_min(_id, _seq, {SAMPLES}) FROM {ident('src_' + shape.name)} "
        f"WHERE {ident(born)} > $1 AND {ident(born)} <= $2 AND coalesce(is_blank({ident(guardian)}), true)",
        [youngest, today.isoformat()],
    ).fetchone()
    if count:
        text = f"younger than {CONSENT_AGE} and no guardian is named"
        yield Finding(
            "R-GUARDIAN", "warning", f"{shape.name}.{guardian}", count, text, "sent", _samples(shape.name, keys)
        )


# ---------------------------------------------------------------- duplicates


def _people(shape: EntityShape) -> str:
    """Living records with what tells people apart, folded; deleted and merged ones are out."""
    role = {name: f"s.{ident(column)}" for name, column in shape.person.items()}

    def folded(name: str) -> str:
        return f"fold({role[name]})" if name in role else "NULL::VARCHAR"

    def digits(name: str, keep: int) -> str:
        cell = role.get(name, "NULL::VARCHAR")
        return f"nullif(right(regexp_replace({cell}, '[^0-9]', '', 'g'), {keep}), '')"

    stand_ins = ", ".join(literal(day) for day in _STAND_INS)
    return f"""
      SELECT s._id AS id, s._seq AS seq,
             CASE WHEN {role["born"]} NOT IN ({stand_ins}) THEN left({role["born"]}, 10) END AS born,
             {folded("surname")} AS surname, {folded("previous")} AS previous, {folded("forename")} AS forename,
             {folded("postcode")} AS postcode, {digits("mobile", 9)} AS mobile, {digits("health_number", 10)} AS number
      FROM {ident("src_" + shape.name)} s
      ANTI JOIN src_deleted d ON d.entity = {literal(shape.name)} AND d.id = s._id
      ANTI JOIN src_merged m ON m.entity = {literal(shape.name)} AND m.id = s._id"""


def _duplicates(sql: Any, shape: EntityShape) -> Iterator[Finding]:
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE profile_person AS {_people(shape)};
        CREATE OR REPLACE TEMP TABLE profile_pair AS
        WITH named AS (
          SELECT *, surname AS name FROM profile_person
          UNION ALL SELECT *, previous AS name FROM profile_person WHERE previous IS NOT NULL AND previous <> surname)
        SELECT a.id AS one, b.id AS other, min(a.seq) AS seq,
               bool_or(a.surname = b.surname AND a.forename = b.forename AND a.postcode IS NOT DISTINCT FROM b.postcode
                       AND a.mobile IS NOT DISTINCT FROM b.mobile AND a.number IS NOT DISTINCT FROM b.number) AS exact
        FROM named a JOIN named b ON a.born = b.born AND a.name = b.name AND a.id < b.id
        WHERE left(a.forename, 1) = left(b.forename, 1)
          AND (a.postcode = b.postcode OR a.mobile = b.mobile OR a.number = b.number)
        GROUP BY a.id, b.id""")
    for exact, code, text in (
        (True, "R-DUP-EXACT", "two records of one person: name, birth date, postcode, mobile and number are alike"),
        (False, "R-DUP", "probably one person twice: birth date, surname, initial and one more are alike"),
    ):
        count, ones, others = sql.execute(
            f"SELECT count(*), arg_min(one, seq, {SAMPLES}), arg_min(other, seq, {SAMPLES}) "
            "FROM profile_pair WHERE exact = $1",
            [exact],
        ).fetchone()
        if count:
            pairs = tuple(f"{shape.name} {one} and {other}" for one, other in zip(ones, others, strict=True))
            yield Finding(code, "warning", shape.name, count, text, "both sent; merge them in the clinic first", pairs)
    yield from _shared_numbers(sql, shape)
    sql.execute("DROP TABLE profile_pair; DROP TABLE profile_person")


def _shared_numbers(sql: Any, shape: EntityShape) -> Iterator[Finding]:
    where = f"{shape.name}.{shape.person.get('health_number', '')}"
    for code, having, text in (
        ("R-NHS-DUP", "true", "two living patients have one health number"),
        ("R-NHS-DUP-BORN", "count(DISTINCT born) > 1", "one health number with two birth dates"),
    ):
        count, keys = sql.execute(f"""
            WITH shared AS (SELECT number FROM profile_person WHERE strlen(number) = 10 GROUP BY number
                            HAVING count(*) > 1 AND {having})
            SELECT count(*), arg_min(id, seq, {SAMPLES})
            FROM profile_person SEMI JOIN shared USING (number)""").fetchone()
        if count:
            yield Finding(code, "error", where, count, text, "withheld on both", _samples(shape.name, keys))


# ---------------------------------------------------------------- rules of the pack


def _rule(tools: Tools, unit: ObjectMap, rule: FieldRule, entities: Entities) -> Iterator[Finding]:
    """Codes that a field's transform, length and value list raise, each with count and samples."""
    from chartlift.stages.carry.prepare import fill_distinct  # brings the whole loader along

    fill_distinct(tools, unit, rule)
    missing = "R-PICK" if rule.map else "R-REQ"
    absent = f"CASE WHEN cell.v IS NULL AND NOT cell.bad THEN '{missing}' END" if rule.required else "NULL"
    found = tools.staging.sql.execute(
        f"SELECT code, bool_or(bad), count(*), arg_min(_id, _seq, {SAMPLES}) FROM ("
        f"SELECT _id, _seq, coalesce(cell.note, {absent}) AS code, cell.bad OR cell.note IS NULL AS bad"
        f" FROM ({compile_cell(unit, rule, entities)}))"
        " WHERE code IS NOT NULL GROUP BY code ORDER BY code"
    ).fetchall()
    place = f"{unit.source}.{'+'.join(rule.sources)}"
    texts = transforms.findings()
    for code, bad, count, keys in found:
        held = bad and (rule.required or rule.on_bad == "hold")
        severity = "error" if held else "warning" if bad else "note"
        fate = "held" if held else "withheld" if bad else "sent"
        yield Finding(code, severity, place, count, texts.get(code, code), fate, _samples(unit.source, keys))
