"""Bringing the org's schema to what the plan wants: find what is missing, deploy only that, grant it, take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from chartlift.errors import StopError
from chartlift.model.ports import OnStep
from chartlift.model.schema import DesiredField, DesiredSchema, ObjectDescribe
from chartlift.platforms.salesforce import access
from chartlift.platforms.salesforce.deploys import Deploys, NotDeployed
from chartlift.platforms.salesforce.errors import Refused
from chartlift.platforms.salesforce.package import Values, package
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.session import Repeat
from chartlift.platforms.salesforce.soap import Soap
from chartlift.platforms.salesforce.soql import literal
from chartlift.platforms.salesforce.typewords import field_type, will_do

Describe = Callable[..., ObjectDescribe | None]

NO_AUDIT_FIELDS = (
    f"warning: {access.AUDIT_FIELDS} could not be granted; records get today's date as CreatedDate (the original one "
    "is kept in Original_Create_Date__c). To have both, switch on “Set Audit Fields upon Record Creation” in Setup > "
    "User Interface, then run this again."
)


class Metadata:
    """Schema and permission sets of one org."""

    def __init__(self, rest: Rest, soap: Soap, deploys: Deploys, describe: Describe) -> None:
        """Take the APIs, and how objects are described (`describe(name, fresh=True)`)."""
        self._rest = rest
        self._soap = soap
        self._deploys = deploys
        self._describe = describe

    # ------------------------------------------------------------ what is missing

    def missing(self, desired: DesiredSchema) -> DesiredSchema:
        """The part that the org lacks, that would not do, or that we cannot see or write."""
        names = access.objects_of(desired)
        shared = facts_of_shared(desired.value_sets)
        seen = {name: self._describe(name, fresh=True) for name in {*names, *(full.split(".")[0] for full in shared)}}
        return DesiredSchema(
            objects=tuple(item for item in desired.objects if seen.get(item.name) is None),
            fields=tuple(item for item in desired.fields if not _there(item, seen.get(item.object))),
            value_sets=_lacking(desired.value_sets, seen),
            standard_fields=tuple(full for full in desired.standard_fields if not _writable(full, seen)),
        )

    # ------------------------------------------------------------ deploying

    def deploy(self, desired: DesiredSchema, on_step: OnStep) -> list[str]:
        """Deploy what is missing with the permission sets, and assign ours to ourselves; a line per thing done."""
        gap = self.missing(desired)
        done: list[str] = []
        if gap != DesiredSchema() or not self._holds(access.INTEGRATION):
            merged = {name: self.merged(name, values) for name, values in gap.value_sets.items()}
            sets = access.sets(desired)
            parts = replace(gap, fields=tuple(self._completed(item) for item in gap.fields))
            zip_bytes = package(parts, sets, merged, self._rest.version, all_fields=desired.fields)
            self._deploys.deploy(zip_bytes, on_step)
            done += [f"object {item.name}" for item in gap.objects]
            done += [f"field {item.object}.{item.name}" for item in gap.fields]
            done += [f"values of {name}: {', '.join(values)}" for name, values in gap.value_sets.items()]
            done += [f"permission set {item.name}" for item in sets]
            done += self._assigned(access.INTEGRATION)
        done += self._audit_fields(on_step)
        left = self.missing(desired)
        if left != DesiredSchema():
            raise StopError(
                f"after the deployment the org still lacks: {', '.join(names_of(left))}",
                hint="Another permission set or a licence may hide it; look in Setup.",
            )
        return done

    def _audit_fields(self, on_step: OnStep) -> list[str]:
        """Grant original dates and authors, if the org has them switched on; otherwise say so."""
        if self._holds(access.AUDIT_FIELDS):
            return []
        try:
            zip_bytes = package(DesiredSchema(), (access.audit_fields(),), {}, self._rest.version)
            self._deploys.deploy(zip_bytes, on_step)
            return [f"permission set {access.AUDIT_FIELDS}", *self._assigned(access.AUDIT_FIELDS)]
        except (NotDeployed, Refused):
            return [NO_AUDIT_FIELDS]

    def _completed(self, item: DesiredField) -> DesiredField:
        """A picklist to add values to keeps the values that the org has beyond ours."""
        there = self._describe(item.object)
        found = there.fields.get(item.name) if there else None
        if found is None or not item.values:
            return item
        return replace(item, values=(*item.values, *(v for v in found.picklist if v not in item.values)))

    def merged(self, name: str, wanted: tuple[str, ...]) -> Values:
        """A shared value set with the wanted values appended.

        Raises:
            StopError: the set cannot be read, or a value that users see now is not in what was read.
        """
        current = self._soap.value_set(name)
        if current is None:
            raise StopError(f"the values of {name} cannot be read, so none can be added without taking others away")
        known = {value.get("fullName", "") for value in current}
        visible = {v for full in facts_of_shared({name: ()}) for v in self._visible(full)}
        if lost := visible - known:
            raise StopError(
                f"deploying {name} would take away: {', '.join(sorted(lost))}",
                hint="Add the new values in Setup by hand, then run this again.",
            )
        added = [{"fullName": value, "default": "false", "label": value} for value in wanted if value not in known]
        return [*current, *added]

    def _visible(self, full: str) -> tuple[str, ...]:
        object_name, _, field_name = full.partition(".")
        there = self._describe(object_name)
        found = there.fields.get(field_name) if there else None
        return found.picklist if found else ()

    # ------------------------------------------------------------ permission sets

    def _holds(self, name: str) -> bool:
        me = literal(str(self._rest.session.who()["user_id"]))
        where = f"PermissionSet.Name = {literal(name)} AND AssigneeId = {me}"
        return bool(self._rest.query(f"SELECT Id FROM PermissionSetAssignment WHERE {where}"))

    def _assigned(self, name: str) -> list[str]:
        if self._holds(name):
            return []
        found = self._rest.query(f"SELECT Id FROM PermissionSet WHERE Name = {literal(name)}")
        if not found:
            raise StopError(f"the permission set {name} is not there after its deployment")
        document = {"AssigneeId": self._rest.session.who()["user_id"], "PermissionSetId": found[0]["Id"]}
        try:
            # assigning twice is refused as a duplicate, so a lost answer does no harm
            self._rest.post("/sobjects/PermissionSetAssignment", document, repeat=Repeat.ALWAYS)
        except Refused as error:
            if error.code != "DUPLICATE_VALUE":
                raise
        return [f"{name} assigned to {self._rest.session.who().get('preferred_username', 'the integration user')}"]

    def package(self, desired: DesiredSchema) -> bytes:
        """Everything but the audit-fields set as one zip, shared value sets merged with what the org has now."""
        merged = {name: self.merged(name, values) for name, values in desired.value_sets.items()}
        return package(desired, access.sets(desired), merged, self._rest.version)


def facts_of_shared(value_sets: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The fields that draw on these shared value sets.

    Raises:
        StopError: a set is not known here.
    """
    shared = access.facts()["shared_values"]
    if unknown := sorted(set(value_sets) - set(shared)):
        raise StopError(f"no fields are known for the shared value sets {', '.join(unknown)}")
    return [full for name in value_sets for full in shared[name]]


def names_of(part: DesiredSchema) -> list[str]:
    """Everything in a part of a schema, by name."""
    return [
        *(item.name for item in part.objects),
        *(f"{item.object}.{item.name}" for item in part.fields),
        *(f"{name} {value}" for name, values in part.value_sets.items() for value in values),
        *part.standard_fields,
    ]


def _there(item: DesiredField, there: ObjectDescribe | None) -> bool:
    found = there.fields.get(item.name) if there else None
    if found is None or not will_do(item, found):
        return False
    # a detail's master is set once; everything else has to be writable to us
    return found.updateable or field_type(item.type).name == "MasterDetail"


def _writable(full: str, seen: Mapping[str, ObjectDescribe | None]) -> bool:
    object_name, _, name = full.partition(".")
    there = seen.get(object_name)
    found = there.fields.get(name) if there else None
    if found is None or name in access.facts()["always_visible"]["every"]:
        return found is not None
    return found.createable or found.updateable


def _lacking(
    wanted: Mapping[str, tuple[str, ...]], seen: Mapping[str, ObjectDescribe | None]
) -> dict[str, tuple[str, ...]]:
    lacking = {}
    for name, values in wanted.items():
        visible: set[str] = set()
        for full in facts_of_shared({name: ()}):
            object_name, _, field_name = full.partition(".")
            there = seen.get(object_name)
            found = there.fields.get(field_name) if there else None
            visible |= set(found.picklist) if found else set()
        if left := tuple(value for value in values if value not in visible):
            lacking[name] = left
    return lacking
