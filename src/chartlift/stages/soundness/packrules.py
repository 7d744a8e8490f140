"""What each field of the pack would say about its values, with the fate the pack gives them."""

from __future__ import annotations

from chartlift import transforms
from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.model.ports import Tools
from chartlift.model.source import EntityShape
from chartlift.stages.columns import Entities
from chartlift.stages.continuation import fill_parts
from chartlift.stages.lists import fill_lists
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.statement import compile_cell


def look(book: Book, tools: Tools, shapes: dict[str, EntityShape]) -> None:
    """Every rule of the pack over every row, and texts that go in several parts."""
    if tools.pack is None:
        return
    entities = Entities.of(tools.source.shapes())
    fill_lists(tools, tools.pack.value_maps.values())
    done = [unit for unit in tools.pack.maps if unit.source in shapes]
    for number, unit in enumerate(done):
        tools.progress.step(f"profile: rules of {unit.name}", number, len(done))
        fill_parts(tools, unit)
        for rule in unit.fields:
            if rule.sources and not rule.lookup and not rule.sources[0].startswith("_"):
                _rule(book, tools, unit, rule, entities)
        _parts(book, unit)


def _rule(book: Book, tools: Tools, unit: ObjectMap, rule: FieldRule, entities: Entities) -> None:
    """Codes that a field's transform, length and value list raise."""
    from chartlift.stages.carry.prepare import fill_distinct  # brings the whole loader along

    fill_distinct(tools, unit, rule)
    missing = "R-PICK" if rule.map else "R-REQ"
    absent = f"CASE WHEN cell.v IS NULL AND NOT cell.bad THEN '{missing}' END" if rule.required else "NULL"
    book.sql.execute(
        f"CREATE OR REPLACE TEMP TABLE profile_cell AS SELECT _id, _seq, code, bad FROM ("
        f"SELECT _id, _seq, coalesce(cell.note, {absent}) AS code, cell.bad OR cell.note IS NULL AS bad"
        f" FROM ({compile_cell(unit, rule, entities)})) WHERE code IS NOT NULL"
    )
    texts = transforms.findings()
    grouped = "SELECT code, bool_or(bad) FROM profile_cell GROUP BY code ORDER BY code"
    for code, bad in book.sql.execute(grouped).fetchall():
        held = bad and (rule.required or rule.on_bad == "hold")
        severity = "error" if held else "warning" if bad else "note"
        fate = "held" if held else "withheld" if bad else "sent"
        head = Head(code, severity, unit.source, rule.sources, texts.get(code, code), fate)
        book.note(head, "SELECT _id, _seq FROM profile_cell WHERE code = $1", [code])
    if rule.map and "." not in rule.sources[0]:
        _variants(book, tools, unit, rule)


def _variants(book: Book, tools: Tools, unit: ObjectMap, rule: FieldRule) -> None:
    """Values that mean one of the list in another spelling: `did not attend ` for `Did not attend`."""
    values = tools.pack.value_maps.get(rule.map) if tools.pack else None
    if values is None:
        return
    column, src = ident(rule.sources[0]), ident("src_" + unit.source)
    known = ", ".join(literal(key) for key in values.values) or "NULL"
    head = Head(
        "R-PICK-VARIANT",
        "note",
        unit.source,
        rule.sources[:1],
        "another spelling of a value of the list",
        "sent as that value",
    )
    book.note(
        head,
        f"SELECT _id, _seq FROM {src} SEMI JOIN (SELECT v FROM (SELECT DISTINCT {column} AS v FROM {src}) "
        f"WHERE v NOT IN ({known}) AND fold(v) IN (SELECT folded FROM value_map WHERE name = $1)) ON v = {column}",
        [rule.map],
    )


def _parts(book: Book, unit: ObjectMap) -> None:
    table = ident("parts_" + unit.name)
    made = book.sql.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = $1", ["parts_" + unit.name]
    ).fetchone()
    rule = next(
        (
            rule
            for rule in unit.fields
            if transforms.load().get(rule.transform or "") and transforms.load()[rule.transform].kind == "parts"
        ),
        None,
    )
    if made[0] and rule is not None:
        head = Head(
            "R-LONG-PARTS",
            "note",
            unit.source,
            rule.sources[:1],
            "longer than a long text field; it goes in several records",
            "sent in parts, nothing is cut",
        )
        book.note(
            head,
            f"SELECT _id, s._seq FROM {ident('src_' + unit.source)} s "
            f"SEMI JOIN (SELECT _id FROM {table} WHERE parts > 1) USING (_id)",
        )


def codes(book: Book, shape: EntityShape) -> None:
    """Codes that differ only in case, blanks or a leading zero from one that is used more."""
    if "code" not in shape.roles:
        return
    column, src = ident(shape.roles["code"]), ident("src_" + shape.name)
    head = Head(
        "R-CODE-VARIANT",
        "note",
        shape.name,
        (shape.roles["code"],),
        "a code that is used more in another spelling",
        "sent as it is",
    )
    book.note(
        head,
        f"""WITH used AS (SELECT {column} AS v, ltrim(coalesce(fold({column}), ''), '0') AS same, count(*) AS n
                          FROM {src} WHERE NOT coalesce(is_blank({column}), true) GROUP BY v),
                 odd AS (SELECT v FROM used QUALIFY row_number() OVER (PARTITION BY same ORDER BY n DESC, v) > 1)
            SELECT _id, _seq FROM {src} SEMI JOIN odd ON v = {column}""",
    )
