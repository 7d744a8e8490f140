"""Territory models: one is active, an archived one takes no more associations; switches that take whole objects away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.settings import OrgSettings

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

_SWITCHED = {
    "territories": (
        "Territory2", "Territory2Model", "Territory2Type", "ObjectTerritory2Association", "UserTerritory2Association",
    ),
    "account_teams": ("AccountTeamMember",),
    "contacts_to_multiple_accounts": ("AccountContactRelation",),
}  # fmt: skip
SWITCHES = tuple(_SWITCHED)
BY_SETUP = frozenset({("Territory2Model", "State")})
"""Fields that only a person changes, in Setup."""
_CODE = "FIELD_INTEGRITY_EXCEPTION"


def absent(settings: OrgSettings, object_name: str) -> bool:
    """Whether the org has no such object because its feature is off."""
    return any(object_name in names and not getattr(settings, switch) for switch, names in _SWITCHED.items())


def change_state(call: Call, staged: dict[str, pa.Array]) -> None:
    """A model becomes active only where no other is; the moments of activation and archiving are noted."""
    states = staged.get("State")
    if states is None:
        return
    rising = pc.fill_null(pc.equal(states, "Active"), fill_value=False)
    row = call.org.rows('SELECT "Id" FROM "Territory2Model" WHERE "State" = \'Active\' AND NOT "IsDeleted"')
    active = [one["Id"] for one in row]
    ids = call.table.column("Id").combine_chunks() if "Id" in call.table.column_names else pa.nulls(call.count)
    if active:
        others = pc.invert(pc.is_in(ids.cast(pa.string()), value_set=pa.array(active)))
        message = "Only one territory model can be active at a time"
        call.failures.add(pc.and_(rising, others), _CODE, message, "State")
    now, never = pa.scalar(call.org.now(), pa.timestamp("us")), pa.scalar(None, pa.timestamp("us"))
    for name, state in (("ActivatedDate", "Active"), ("DeactivatedDate", "Archived")):
        reached = pc.fill_null(pc.equal(states, state), fill_value=False)
        if pc.any(reached).as_py():
            staged[name] = pc.if_else(reached, now, never)


def associate(call: Call, staged: dict[str, pa.Array]) -> None:
    """Associations belong to a model that is planned or active; the kind of an object comes from its Id."""
    territories = staged.get("Territory2Id")
    if territories is not None:
        found = call.org.query_with(
            {"_asked": pa.table({"v": pc.unique(territories).drop_null()})},
            'SELECT v FROM _asked JOIN "Territory2" t ON t."Id" = v JOIN "Territory2Model" m '
            'ON m."Id" = t."Territory2ModelId" WHERE m."State" NOT IN (\'Planning\', \'Active\')',
        )
        closed = pc.is_in(territories, value_set=column_of(found, "v"))
        message = "The territory model is neither planned nor active"
        call.failures.add(closed, _CODE, message, "Territory2Id")
    if call.sobject.name == "ObjectTerritory2Association" and "ObjectId" in staged:
        kinds = [None if one is None else call.org.schema.by_prefix(one[:3]) for one in staged["ObjectId"].to_pylist()]
        staged["SobjectType"] = pa.array([None if kind is None else kind.name for kind in kinds], pa.string())
