"""Audit fields and owners: what may be set on insert, and who may own a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import any_true
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.values import EMAIL

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

EPOCH = pa.scalar("1970-01-01T00:00:00").cast(pa.timestamp("us"))
_GROUP = "00G"


def stamp(call: Call, staged: dict[str, pa.Array]) -> None:
    """Fill the system fields of new records: given audit values stay, all others are now and the caller."""
    now = pa.scalar(call.org.now(), pa.timestamp("us"))
    who = pa.scalar(call.actor.user_id, pa.string())
    defaults = {
        "CreatedDate": now, "CreatedById": who, "LastModifiedDate": now, "LastModifiedById": who, "SystemModstamp": now
    }  # fmt: skip
    _check_dates(call, staged, now)
    for name, default in defaults.items():
        if call.sobject.field(name) is None:
            continue
        given = staged.get(name)
        staged[name] = pa.repeat(default, call.count) if given is None else pc.fill_null(given, default)


def _check_dates(call: Call, staged: dict[str, pa.Array], now: pa.Scalar) -> None:
    """CreatedDate lies between 1970 and now, LastModifiedDate not before it."""
    created, modified = staged.get("CreatedDate"), staged.get("LastModifiedDate")
    for name, value in (("CreatedDate", created), ("LastModifiedDate", modified)):
        if value is None:
            continue
        outside = pc.less(value, EPOCH)
        if not call.org.settings.future_created_date:
            outside = pc.or_(outside, pc.greater(value, now))
        label = call.sobject.fields[name].label
        call.failures.add(outside, "FIELD_INTEGRITY_EXCEPTION", f"{label}: invalid date", name)
    if created is not None and modified is not None:
        message = "Last Modified Date: cannot be before Created Date"
        call.failures.add(pc.less(modified, created), "FIELD_INTEGRITY_EXCEPTION", message, "LastModifiedDate")


def default_owner(call: Call, staged: dict[str, pa.Array]) -> None:
    """New records belong to the caller unless they say otherwise."""
    if call.sobject.field("OwnerId") is not None:
        who = pa.scalar(call.actor.user_id, pa.string())
        given = staged.get("OwnerId")
        staged["OwnerId"] = pa.repeat(who, call.count) if given is None else pc.fill_null(given, who)


def check_owner(call: Call, owner: pa.Array | None) -> None:
    """Fail rows whose owner may not read the object, or is an inactive user and the caller may not use those."""
    if owner is None:
        return
    _check_reads(call, owner)
    _check_queues(call, owner)
    if call.org.settings.set_audit_fields and call.permitted("UpdateWithInactiveOwner"):
        return
    distinct = pc.unique(owner).drop_null()
    if len(distinct) == 0 or (len(distinct) == 1 and distinct[0].as_py() == call.actor.user_id):
        return
    found = call.org.query_with(
        {"_owners": pa.table({"v": distinct})},
        'SELECT v FROM _owners JOIN "User" u ON u."Id" = v WHERE NOT u."IsActive"',
    )
    inactive = column_of(found, "v")
    bad = pc.is_in(owner, value_set=inactive)
    if len(inactive) and any_true(bad):
        tail = f"] as owner of {call.sobject.name.lower()}"
        shown = pc.utf8_slice_codeunits(owner, 0, 15)
        message = pc.binary_join_element_wise("operation performed with inactive user [", shown, tail, "")
        call.failures.add(bad, "INACTIVE_OWNER_OR_USER", message)


def check_login(call: Call, staged: dict[str, pa.Array]) -> None:
    """The name of a login looks like an e-mail address."""
    names = staged.get("Username")
    if names is not None:
        wrong = pc.invert(pc.match_substring_regex(names, EMAIL))
        message = pc.binary_join_element_wise("Username: invalid email address: ", names, "")
        call.failures.add(wrong, "INVALID_EMAIL_ADDRESS", message, "Username")


def _check_queues(call: Call, owner: pa.Array) -> None:
    """A group that owns records is a queue, and one for this kind of record."""
    groups = [one for one in pc.unique(owner).drop_null().to_pylist() if one.startswith(_GROUP)]
    if not groups:
        return
    found = call.org.query_with(
        {"_owners": pa.table({"v": pa.array(groups)})},
        'SELECT v FROM _owners WHERE NOT EXISTS (SELECT 1 FROM "Group" g JOIN "QueueSobject" q ON q."QueueId" = g."Id" '
        'WHERE g."Id" = v AND g."Type" = \'Queue\' AND q."SobjectType" = $object)',
        {"object": call.sobject.name},
    )
    strange = pc.is_in(owner, value_set=column_of(found, "v"))
    call.failures.add(strange, "INVALID_OPERATION", "Queue not associated with this SObject type", "OwnerId")


def _check_reads(call: Call, owner: pa.Array) -> None:
    if not call.org.settings.owner_needs_read:
        return
    others = [one for one in pc.unique(owner).drop_null().to_pylist() if one.startswith("005")]
    without = [one for one in others if not call.org.readable(call.org.actor_for(one), call.sobject.name)]
    if without:
        bad = pc.is_in(owner, value_set=pa.array(without, pa.string()))
        call.failures.add(bad, "TRANSFER_REQUIRES_READ", "The new owner must have read permission", "OwnerId")
