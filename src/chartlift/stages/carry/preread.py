"""What the org already has: our keys (the recycle bin included), and rows without our key that may be the same thing."""

from __future__ import annotations

from chartlift.model.plan import ObjectMap
from chartlift.model.ports import ByPrefix, ByValues, Everywhere
from chartlift.stages.carry.context import HASH, KEY, RUN, Carry, field_names, key_prefix
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import macros, view

# Rows of these objects may be known to the org without our key. Each needs one of the evidence lists to agree in full.
EVIDENCE: dict[str, tuple[tuple[str, ...], ...]] = {
    "Account": (("Name",),),
    "Contact": (
        ("Birthdate", "LastName", "NHS_Number__c"),
        ("Birthdate", "LastName", "MailingPostalCode"),
    ),
}
SMALL = 2_000  # rows up to which single keys are asked for instead of all keys of the unit


def read_org_rows(carry: Carry, unit: ObjectMap) -> None:
    """`org_rows(key, id, deleted, master, stamp, run, hash)`: one row per key, a live one before a deleted one."""
    destination = carry.tools.destination
    described = destination.describe(unit.object)
    wanted = ["Id", KEY, "IsDeleted", "SystemModstamp", RUN, HASH]
    has_master = described is not None and "MasterRecordId" in described.fields
    if has_master:
        wanted.append("MasterRecordId")
    where = _where(carry, unit)
    carry.read("org_all", unit.object, wanted, where, deleted=True)
    master = '"MasterRecordId"' if has_master else "NULL::VARCHAR"
    carry.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE org_rows AS
        SELECT "{KEY}" AS key, "Id" AS id, "IsDeleted" = 'true' AS deleted, {master} AS master,
               "SystemModstamp" AS stamp, "{RUN}" AS run, "{HASH}" AS hash
        FROM org_all WHERE starts_with(lower("{KEY}"), lower({literal(key_prefix(carry.plan, unit))}))
        QUALIFY row_number() OVER (PARTITION BY lower("{KEY}") ORDER BY "IsDeleted" = 'true', "SystemModstamp" DESC) = 1
    """)


def _where(carry: Carry, unit: ObjectMap) -> ByPrefix | ByValues:
    """All keys of the unit, or just the ones in hand when they are few."""
    count = carry.value("SELECT count(*) FROM spine WHERE fate = 'ok'")
    if count > SMALL or not count:
        return ByPrefix(KEY, key_prefix(carry.plan, unit))
    keys = carry.table("SELECT key FROM spine WHERE fate = 'ok' ORDER BY seq").column("key").to_pylist()
    return ByValues(KEY, tuple(keys))


def read_wide(carry: Carry, unit: ObjectMap, ids: str) -> None:
    """`org_wide`: Id, SystemModstamp and every mapped field of the rows whose ids the query `ids` gives."""
    known = carry.table(ids)
    fields = ["Id", KEY, "SystemModstamp", "LastModifiedById", *field_names(unit)]
    if known.num_rows <= SMALL:
        carry.read("org_wide", unit.object, fields, ByValues("Id", tuple(known.column(0).to_pylist())))
        return
    carry.read("org_wide", unit.object, fields, ByPrefix(KEY, key_prefix(carry.plan, unit)))
    carry.sql.register("incoming", known)
    rest = carry.table('SELECT * FROM incoming AS i(id) WHERE id NOT IN (SELECT "Id" FROM org_wide)')
    carry.sql.unregister("incoming")
    if rest.num_rows:
        carry.read("org_wide", unit.object, fields, ByValues("Id", tuple(rest.column(0).to_pylist())), more=True)


def find_matches(carry: Carry, unit: ObjectMap) -> None:
    """`matches(key, id, evidence)`: rows of the org without our key that look like rows we would insert."""
    carry.sql.execute("CREATE OR REPLACE TEMP TABLE matches (key VARCHAR, id VARCHAR, evidence VARCHAR)")
    mapped = set(field_names(unit))
    lists = [fields for fields in EVIDENCE.get(unit.object, ()) if set(fields) <= mapped]
    candidates = carry.value("SELECT count(*) FROM spine WHERE fate = 'insert'")
    if not lists or not candidates:
        return
    needed = sorted({name for fields in lists for name in fields})
    carry.read("org_others", unit.object, ["Id", KEY, *needed], Everywhere())
    if not carry.value(
        f'SELECT count(*) FROM org_others WHERE NOT coalesce(starts_with("{KEY}", {literal(carry.plan.tenant + "-")}), false)'
    ):
        return
    macros(carry.tools)
    tenant = literal(f"{carry.plan.tenant}-")
    for fields in lists:
        same = " AND ".join(f"fold(o.{ident(name)}) = fold(v.{ident(name)})" for name in fields)
        filled = " AND ".join(f"v.{ident(name)} <> ''" for name in fields)
        carry.sql.execute(f"""
            INSERT INTO matches
            SELECT v.key, o."Id", {literal("+".join(fields))}
            FROM {view(unit)} AS v
            JOIN org_others AS o ON {same}
            JOIN spine AS s ON s.key = v.key AND s.fate = 'insert'
            WHERE {filled} AND NOT coalesce(starts_with(o."{KEY}", {tenant}), false)
              AND o."Id" NOT IN (SELECT id FROM landed WHERE id IS NOT NULL)
        """)
