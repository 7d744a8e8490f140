"""Who may see and change which record: sharing defaults, owners, the role hierarchy, View All and Modify All.

Everything is one SQL condition per object and level, None where nothing is held back, so that a caller who may do
everything pays one look at their grants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import literal, quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call
    from chartlift_sandbox.salesforce.org import Actor, Org

READ, EDIT, DELETE = "read", "edit", "delete"
MODELS = frozenset({"Private", "Read", "ReadWrite", "ReadWriteTransfer", "FullAccess", "ControlledByParent"})
_SHARED = frozenset({"Account", "Contact", "Lead", "Case", "Opportunity", "Task", "Event"})
"""Standard objects under sharing; files and relations follow rules of their own, setup objects none."""
_WRITE = frozenset({"ReadWrite", "ReadWriteTransfer", "FullAccess", "PublicReadWrite"})
_SEE = _WRITE | {"Read", "PublicRead"}
_IMPLICIT = ("Contact", "Opportunity", "Case")
"""Who owns one of these sees its account."""
UNSEEN = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
UNSEEN_TEXT = "insufficient access rights on cross-reference id"


def condition(org: Org, actor: Actor, sobject: SObject, alias: str, level: str = READ) -> str | None:
    """SQL over a row `alias` of the object's table that is true where the caller has the level; None if always."""
    if not org.settings.sharing or sobject.setup or not (sobject.custom or sobject.name in _SHARED):
        return None
    grant = org.grant(actor, sobject.name)
    if grant.modify_all or (level == READ and grant.view_all):
        return None
    if sobject.master is not None:
        return _by_parent(org, actor, sobject.master, alias, level)
    if sobject.sharing_model == "ControlledByParent" and "AccountId" in sobject.fields:
        parent = _by_parent(org, actor, sobject.fields["AccountId"], alias, level)
        return f'({_owned(org, actor, alias)} OR ({alias}."AccountId" IS NOT NULL AND {parent or "true"}))'
    if sobject.sharing_model in (_SEE if level == READ else _WRITE if level == EDIT else {"FullAccess"}):
        return None
    if "OwnerId" not in sobject.fields:
        return None
    owned = _owned(org, actor, alias)
    if sobject.name == "Account" and level == READ:
        return f"({' OR '.join([owned, *_implied(org, actor, alias)])})"
    return owned


def _by_parent(org: Org, actor: Actor, link: Field, alias: str, level: str) -> str | None:
    """A detail is seen with its master, and changed by whoever may change that."""
    parent = org.schema.object(link.reference_to[0])
    if parent is None:
        return None
    above = f"{alias}m"
    inner = condition(org, actor, parent, above, READ if level == READ else EDIT)
    if inner is None:
        return None
    match = f'{above}."Id" = {alias}.{quote(link.name)}'
    return f"EXISTS (SELECT 1 FROM {quote(parent.name)} {above} WHERE {match} AND {inner})"


def _implied(org: Org, actor: Actor, alias: str) -> list[str]:
    return [
        f'EXISTS (SELECT 1 FROM {quote(name)} {alias}i WHERE {alias}i."AccountId" = {alias}."Id" '
        f'AND NOT {alias}i."IsDeleted" AND {_owned(org, actor, f"{alias}i")})'
        for name in _IMPLICIT
        if org.schema.object(name) is not None
    ]


def _owned(org: Org, actor: Actor, alias: str) -> str:
    owners = ", ".join(literal(one) for one in org.access.owners_for(actor.user_id))
    return f'{alias}."OwnerId" IN ({owners})'


def read_owners(org: Org, user_id: str) -> list[str]:
    """The user, everybody in roles below, and the queues of which any of them is a member."""
    rows = org.rows(
        'WITH RECURSIVE below(role) AS (SELECT r."Id" FROM "UserRole" r JOIN "User" u ON r."ParentRoleId" = '
        'u."UserRoleId" WHERE u."Id" = $who UNION SELECT r."Id" FROM "UserRole" r JOIN below ON r."ParentRoleId" = '
        'below.role), people(id) AS (SELECT $who UNION SELECT u."Id" FROM "User" u JOIN below ON u."UserRoleId" = '
        'below.role) SELECT id FROM people UNION SELECT g."GroupId" FROM "GroupMember" g JOIN people ON '
        'g."UserOrGroupId" = people.id ORDER BY 1',
        {"who": user_id},
    )
    return [row["id"] for row in rows]


def columns(call: Call, alias: str) -> str:
    """Columns for a statement over records that a call changes: `seen`, `mine` and `held` where something is held back.

    `mine`: the caller may do to the record what the call does; `held`: they may give it away.
    """
    if call.by_person:
        return ""
    level = EDIT if call.op == "update" else DELETE
    wanted = {"seen": READ, "mine": level, "held": DELETE}
    found = {name: condition(call.org, call.actor, call.sobject, alias, one) for name, one in wanted.items()}
    return "".join(f", coalesce({sql}, false) AS {name}" for name, sql in found.items() if sql is not None)


def refuse_others(call: Call, ids: pa.Array, found: pa.Table) -> None:
    """Fail rows whose record the caller cannot see, or may not change."""
    if "seen" in found.column_names:
        message = pc.binary_join_element_wise(f"{UNSEEN_TEXT}: ", pc.utf8_slice_codeunits(ids, 0, 15), "")
        call.failures.add(pc.invert(column_of(found, "seen")), UNSEEN, message)
    if "mine" in found.column_names:
        mine = pc.invert(column_of(found, "mine"))
        call.failures.add(mine, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def refuse_transfer(call: Call, changed: pa.Array, found: pa.Table) -> None:
    """Fail rows that give away a record which is not the caller's; `changed` is null where the owner stays."""
    if "held" in found.column_names and not call.permitted("TransferAnyEntity"):
        other = pc.and_(pc.is_valid(changed), pc.invert(column_of(found, "held")))
        call.failures.add(other, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def check_parents(call: Call, link: Field, value: pa.Array) -> None:
    """Fail rows that point to a record which the caller cannot see, or as its detail may not change."""
    if call.by_person or value.null_count == len(value):
        return
    for name in link.reference_to:
        target = call.org.schema.object(name)
        level = EDIT if link.master_detail else READ
        sql = condition(call.org, call.actor, target, "t", level) if target is not None else None
        if target is None or sql is None:
            continue
        wanted = pa.table({"v": pc.unique(value).drop_null()})
        hidden = call.org.query_with(
            {"_wanted": wanted},
            f'SELECT v FROM _wanted JOIN {quote(target.name)} t ON t."Id" = v WHERE NOT coalesce({sql}, false)',
        )
        bad = pc.is_in(value, value_set=column_of(hidden, "v"))
        message = pc.binary_join_element_wise(f"{UNSEEN_TEXT}: ", pc.utf8_slice_codeunits(value, 0, 15), "")
        call.failures.add(bad, UNSEEN, message)


def seen(org: Org, actor: Actor, sobject: SObject, ids: list[str]) -> list[str]:
    """Those of the ids whose records the caller may see, in order."""
    sql = condition(org, actor, sobject, "t")
    if sql is None or not ids:
        return ids
    rows = org.rows(f'SELECT t."Id" FROM {quote(sobject.name)} t WHERE t."Id" IN (SELECT unnest(?)) AND {sql}', [ids])
    known = {row["Id"] for row in rows}
    return [one for one in ids if one in known]
