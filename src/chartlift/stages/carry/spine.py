"""The narrow table that decides what becomes of every row: seq, key, hash, fate, reason, bytes, id, level."""

from __future__ import annotations

from chartlift.model.plan import ObjectMap
from chartlift.model.selection import Everything, Since, Slice
from chartlift.stages.carry import preread
from chartlift.stages.carry.context import Carry, field_names, key_prefix, parent_fields, self_fields
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import dependents, view

# What a row takes in CSV beside its cells: key, run and hash; comma and quotes of a cell; an Id for each parent.
ROW_BYTES, CELL_BYTES, ID_BYTES = 120, 3, 18


def build(carry: Carry, unit: ObjectMap) -> None:
    """Translate and judge the selected rows of a unit once; leaves `spine`.

    `fate` is insert | update | unchanged | undelete | skip | hold; `reason` says why a row does not go.
    """
    _translate(carry, unit)
    preread.read_org_rows(carry, unit)
    _resolve_own_parents(carry, unit)
    _classify(carry, unit)
    _match(carry, unit)
    _levels(carry, unit)
    _publish(carry)


def _translate(carry: Carry, unit: ObjectMap) -> None:
    rest = ROW_BYTES + CELL_BYTES * len(field_names(unit)) + ID_BYTES * len(parent_fields(unit))
    own = "".join(f", {ident('key:' + name)}" for name in self_fields(unit))
    carry.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE spine AS
        SELECT row_number() OVER (ORDER BY seq, key) AS seq, seq AS place, key, patient, fate, nullif(reason, '') AS reason,
               withheld, notes, h0 AS base, h0 AS hash, NULL::VARCHAR AS id, 0 AS level, _bytes + {rest} AS bytes{own}
        FROM {view(unit)} AS v
        WHERE {selected(carry, unit)}
    """)


def selected(carry: Carry, unit: ObjectMap) -> str:
    """The selection as SQL over a statement `v`: one predicate for sample, load and delta."""
    del unit  # every unit is selected by patient where it has one
    match carry.selection:
        case Slice():
            return "(v.patient IS NULL OR v.patient IN (SELECT patient FROM slice))"
        case Since():
            return (
                "(v.patient IS NULL OR v.patient IN (SELECT patient FROM touched)"
                " OR NOT (v.key IN (SELECT key FROM landed WHERE hash IS NOT NULL) OR v.key IN (SELECT key FROM rolled_back)))"
            )
        case Everything():
            return "true"


def open_selection(carry: Carry) -> None:
    """Make the tables the selection's predicate reads."""
    match carry.selection:
        case Slice(patients):
            listed = ", ".join(f"({literal(p)})" for p in patients) or "(NULL)"
            carry.sql.execute(f"CREATE OR REPLACE TEMP TABLE slice AS SELECT * FROM (VALUES {listed}) AS t(patient)")
        case Since(extraction):
            sources = sorted({unit.source for unit in carry.plan.maps})
            parts = [
                f"SELECT _patient AS patient FROM {ident('src_' + source)} WHERE _extraction >= {int(extraction)}"
                for source in sources
            ]
            for unit in carry.plan.maps:
                parts += dependents(carry.plan, unit, "_patient", extraction - 1)
            parts += [
                f"SELECT id FROM src_deleted WHERE extraction >= {int(extraction)} AND entity = 'patient'",
                f"SELECT survivor FROM src_deleted WHERE extraction >= {int(extraction)} AND entity = 'patient'",
            ]
            carry.sql.execute(
                f"CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT patient FROM ({' UNION ALL '.join(parts)})"
            )
        case Everything():
            pass


def _resolve_own_parents(carry: Carry, unit: ObjectMap) -> None:
    """Finish the hash with lookups into the own unit: the parent's key if it is there or will be, else "withheld"."""
    own = self_fields(unit)
    if not own:
        return
    columns = [ident("key:" + name) for name in own]
    named = " UNION ".join(f"SELECT {column} AS key FROM spine WHERE {column} IS NOT NULL" for column in columns)
    carry.sql.execute(f"CREATE OR REPLACE TEMP TABLE named AS {named}")
    carry.sql.execute("""
        CREATE OR REPLACE TEMP TABLE own_parents AS
        SELECT key FROM spine WHERE fate = 'ok' AND key IN (SELECT key FROM named)
        UNION SELECT key FROM landed WHERE fate = 'ok' AND key IN (SELECT key FROM named)
    """)
    joins = " ".join(f"LEFT JOIN own_parents AS p{n} ON p{n}.key = s.{column}" for n, column in enumerate(columns))
    lost = ", ".join(
        f"CASE WHEN s.{column} IS NOT NULL AND p{n}.key IS NULL THEN {literal(name + ':R-REF')} END"
        for n, (name, column) in enumerate(zip(own, columns, strict=True))
    )
    parts = ", ".join(f"coalesce(p{n}.key, chr(2))" for n in range(len(own)))
    found = ", ".join(f"p{n}.key AS {column}" for n, column in enumerate(columns))
    carry.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE spine AS
        SELECT s.* REPLACE ({found}, md5(concat_ws(chr(31), s.base, {parts})) AS hash,
          CASE WHEN coalesce({lost}) IS NULL THEN s.withheld
               ELSE list_concat(s.withheld, list_filter([{lost}], lambda code: code IS NOT NULL)) END AS withheld)
        FROM spine AS s {joins}
    """)


def _classify(carry: Carry, unit: ObjectMap) -> None:
    """Journal and org together decide; a key that landed is never inserted again."""
    carry.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE spine AS
          SELECT s.* REPLACE (
            CASE
              WHEN s.fate <> 'ok' THEN s.fate
              WHEN l.key IS NOT NULL AND o.id IS NOT NULL AND NOT o.deleted
                   THEN CASE WHEN l.hash = s.hash THEN 'unchanged' ELSE 'update' END
              WHEN l.key IS NOT NULL THEN 'hold'
              WHEN o.id IS NULL THEN 'insert'
              WHEN o.deleted AND o.run IN (SELECT run FROM our_runs)
                   THEN CASE WHEN s.key IN (SELECT key FROM revivable) THEN 'undelete' ELSE 'hold' END
              WHEN o.deleted THEN 'insert'
              ELSE 'update'
            END AS fate,
            CASE WHEN s.fate <> 'ok' THEN s.reason
                 WHEN l.key IS NULL AND o.deleted AND o.run IN (SELECT run FROM our_runs)
                      AND s.key NOT IN (SELECT key FROM revivable) THEN 'deleted_by_person'
                 WHEN l.key IS NULL OR (o.id IS NOT NULL AND NOT o.deleted) THEN NULL
                 WHEN o.master IS NOT NULL THEN 'merged_by_person' ELSE 'deleted_by_person' END AS reason,
            CASE WHEN s.fate <> 'ok' THEN s.id
                 WHEN l.key IS NOT NULL AND o.master IS NOT NULL THEN o.master ELSE coalesce(o.id, l.id) END AS id)
          FROM spine AS s
          LEFT JOIN (FROM landed WHERE starts_with(key, {literal(key_prefix(carry.plan, unit))})) AS l ON l.key = s.key
          LEFT JOIN org_rows AS o ON lower(o.key) = lower(s.key)
    """)


def _match(carry: Carry, unit: ObjectMap) -> None:
    """Rows the org may know without our key wait for a decision: link or new."""
    preread.find_matches(carry, unit)
    carry.sql.execute("""
        UPDATE spine SET
          fate = CASE WHEN d.choice IS NULL THEN 'hold' WHEN d.choice = 'new' THEN 'insert' ELSE 'update' END,
          reason = CASE WHEN d.choice IS NULL THEN 'probable_match' END,
          id = CASE WHEN d.choice NOT IN ('new') THEN d.choice END
        FROM (SELECT m.key, any_value(c.choice) AS choice FROM matches AS m
              LEFT JOIN match_choices AS c ON c.key = m.key GROUP BY m.key) AS d
        WHERE d.key = spine.key AND spine.fate = 'insert'
    """)
    carry.sql.execute("INSERT INTO all_matches SELECT ?, m.* FROM matches AS m", [unit.object])


def _levels(carry: Carry, unit: ObjectMap) -> None:
    """Rows whose parent is a row of the same load go one level later; what closes a cycle goes first, without the edge."""
    own = self_fields(unit)
    if not own:
        return
    edges = " UNION ALL ".join(
        f"SELECT key, {ident('key:' + name)} AS parent FROM spine WHERE fate IN ('insert', 'undelete')" for name in own
    )
    carry.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE edges AS
        SELECT DISTINCT e.key, e.parent FROM ({edges}) AS e
        JOIN spine AS p ON p.key = e.parent AND p.fate IN ('insert', 'undelete') WHERE e.parent <> e.key
    """)
    level = 0
    while carry.value("SELECT count(*) FROM edges"):
        level += 1
        carry.sql.execute("CREATE OR REPLACE TEMP TABLE waiting AS SELECT DISTINCT key FROM edges")
        done = carry.value("SELECT count(*) FROM edges WHERE parent NOT IN (SELECT key FROM waiting)")
        if not done:
            break  # only cycles are left: they stay where they are and get their edge in the update pass
        carry.sql.execute(f"UPDATE spine SET level = {level} WHERE key IN (SELECT key FROM waiting)")
        carry.sql.execute("DELETE FROM edges WHERE parent NOT IN (SELECT key FROM waiting)")


def _publish(carry: Carry) -> None:
    """Tell the children: what is there or will be is `ok`, anything else holds them with its reason."""
    carry.sql.execute("DELETE FROM landed WHERE id IS NULL AND key IN (SELECT key FROM spine)")
    carry.sql.execute("""
        UPDATE landed SET id = s.id, reason = s.reason,
               fate = CASE WHEN s.fate = 'hold' AND s.reason <> 'merged_by_person' THEN 'hold' ELSE 'ok' END
        FROM spine AS s WHERE s.key = landed.key AND s.id IS NOT NULL
          AND (landed.id IS DISTINCT FROM s.id OR landed.reason IS DISTINCT FROM s.reason OR landed.fate <> 'ok' OR s.fate = 'hold')
    """)
    carry.sql.execute("""
        INSERT INTO landed
        SELECT key, CASE WHEN fate IN ('update', 'undelete') THEN id END, NULL,
               CASE WHEN fate IN ('skip', 'hold') THEN fate ELSE 'ok' END, reason
        FROM spine AS s ANTI JOIN landed AS l ON l.key = s.key
    """)
