"""AccountContactRelation: every contact with an account has one direct relation, which follows the contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call
    from chartlift_sandbox.salesforce.org import Actor, Org

PREFIX = "07k"
_INSERT = (
    'INSERT INTO "AccountContactRelation" ("Id", "AccountId", "ContactId", "IsDirect", "IsActive", "CreatedById", '
    '"CreatedDate", "LastModifiedById", "LastModifiedDate", "SystemModstamp") '
    "SELECT id, account, contact, true, true, $who, $now, $who, $now, $now FROM _pairs"
)


def _off(org: Org) -> bool:
    return not org.settings.contacts_to_multiple_accounts


def _add(org: Org, actor: Actor, pairs: pa.Table) -> None:
    if pairs.num_rows:
        rows = pairs.append_column("id", org.take_ids(PREFIX, pairs.num_rows))
        org.query_with({"_pairs": rows}, _INSERT, {"who": actor.user_id, "now": org.now()})


def relate(call: Call, incoming: pa.Table) -> None:
    """Direct relations of new contacts that have an account."""
    if _off(call.org) or "AccountId" not in incoming.column_names:
        return
    pairs = pa.table({"contact": incoming.column("Id"), "account": incoming.column("AccountId")})
    _add(call.org, call.actor, pairs.filter(pc.is_valid(pairs.column("account"))))


def follow(call: Call, incoming: pa.Table) -> None:
    """After a change of AccountId: the direct relation moves along, goes, or comes; an indirect one is promoted."""
    org = call.org
    if _off(org):
        return
    tables = {"_changed": incoming.select(["_rid", "AccountId"])}
    base = (
        'FROM _changed n JOIN "Contact" c ON c.rowid = n._rid LEFT JOIN "AccountContactRelation" r '
        'ON r."ContactId" = c."Id" AND r."IsDirect" AND NOT r."IsDeleted" '
    )
    wanted = org.query_with(
        tables,
        'SELECT c."Id" AS contact, n."AccountId" AS account, r."Id" AS relation, (SELECT min(o."Id") '
        'FROM "AccountContactRelation" o WHERE o."ContactId" = c."Id" AND o."AccountId" = n."AccountId" '
        f'AND NOT o."IsDirect" AND NOT o."IsDeleted") AS other {base}'
        'WHERE r."AccountId" IS DISTINCT FROM n."AccountId"',
    )
    if not wanted.num_rows:
        return
    rows, stamp = {"_wanted": wanted}, {"now": org.now(), "who": call.actor.user_id}
    stamps = '"LastModifiedDate" = $now, "LastModifiedById" = $who, "SystemModstamp" = $now'
    org.query_with(
        rows,
        f'UPDATE "AccountContactRelation" AS t SET "IsDirect" = true, {stamps} FROM _wanted w WHERE t."Id" = w.other',
        stamp,
    )
    if org.settings.keep_previous_account_relation:
        left = f'UPDATE "AccountContactRelation" AS t SET "IsDirect" = false, {stamps} FROM _wanted w'
        org.query_with(rows, f'{left} WHERE t."Id" = w.relation', stamp)
        fresh = wanted.filter(pc.and_(pc.is_valid(wanted["account"]), pc.is_null(wanted["other"])))
    else:
        gone = "SELECT relation FROM _wanted WHERE other IS NOT NULL OR account IS NULL"
        org.query_with(rows, f'DELETE FROM "AccountContactRelation" WHERE "Id" IN ({gone})')
        moved = f'UPDATE "AccountContactRelation" AS t SET "AccountId" = w.account, {stamps} FROM _wanted w'
        org.query_with(rows, f'{moved} WHERE t."Id" = w.relation', stamp)
        alone = pc.and_(pc.is_null(wanted["relation"]), pc.is_null(wanted["other"]))
        fresh = wanted.filter(pc.and_(alone, pc.is_valid(wanted["account"])))
    _add(org, call.actor, fresh.select(["contact", "account"]))


def refuse_private(call: Call, staged: dict[str, pa.Array]) -> None:
    """A contact without an account cannot be related to one."""
    contacts = staged.get("ContactId")
    if contacts is None:
        return
    found = call.org.query_with(
        {"_asked": pa.table({"v": pc.unique(contacts).drop_null()})},
        'SELECT v FROM _asked JOIN "Contact" c ON c."Id" = v WHERE c."AccountId" IS NULL',
    )
    private = pc.is_in(contacts, value_set=column_of(found, "v"))
    message = "A private contact can't be related to an account"
    call.failures.add(private, "FIELD_INTEGRITY_EXCEPTION", message, "ContactId")


def refuse_direct(call: Call, ids: pa.Array) -> None:
    """The direct relation goes only with the contact's account."""
    found = call.org.query_with(
        {"_asked": pa.table({"v": pc.unique(ids).drop_null()})},
        'SELECT v FROM _asked JOIN "AccountContactRelation" r ON r."Id" = v WHERE r."IsDirect"',
    )
    direct = pc.is_in(ids, value_set=column_of(found, "v"))
    message = "You can't delete a direct account-contact relationship; change the contact's account instead"
    call.failures.add(direct, "FIELD_INTEGRITY_EXCEPTION", message)


def tidy(org: Org, master_id: str) -> None:
    """After a merge: one relation per pair, direct exactly where it is the contact's own account."""
    if _off(org):
        return
    touched = '("ContactId" = $master OR "AccountId" = $master) AND NOT "IsDeleted"'
    org.db.execute(
        'UPDATE "AccountContactRelation" AS t SET "IsDirect" = coalesce(c."AccountId" = t."AccountId", false) '
        f'FROM "Contact" c WHERE c."Id" = t."ContactId" AND {_qualified(touched)}',
        {"master": master_id},
    )
    org.db.execute(
        'DELETE FROM "AccountContactRelation" WHERE "Id" IN (SELECT "Id" FROM (SELECT "Id", row_number() OVER '
        f'(PARTITION BY "ContactId", "AccountId" ORDER BY "Id") AS n FROM "AccountContactRelation" WHERE {touched}) '
        "WHERE n > 1)",
        {"master": master_id},
    )


def _qualified(condition: str) -> str:
    return "".join(f't."{part}"' if place % 2 else part for place, part in enumerate(condition.split('"')))
