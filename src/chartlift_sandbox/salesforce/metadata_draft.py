"""The schema as it would be after a deployment: checked one component at a time, applied only if it stands."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from chartlift_sandbox.salesforce.access import spread_activity
from chartlift_sandbox.salesforce.metadata_fields import auto_number_words
from chartlift_sandbox.salesforce.metadata_outcome import ComponentError, MissingComponentError
from chartlift_sandbox.salesforce.metadata_zip import NAMESPACE, flag_of, number_of, text_of
from chartlift_sandbox.salesforce.schema import Field, PicklistValue, Schema, SObject, system_fields

_SHARING_MODELS = {"Private", "Read", "ReadWrite", "ReadWriteTransfer", "FullAccess", "ControlledByParent"}
_API_CHARS, _MAX_EXTERNAL, _MAX_MASTERS, _MAX_FIELDS = 43, 25, 2, 500
_NAME_LENGTH = 80
_SAFE_CHANGES = {
    frozenset({"string", "textarea"}),
    frozenset({"picklist", "string"}),
    frozenset({"double", "currency"}),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to apply. `kind`: object, field, tab, value_set, or one of these after remove_."""

    kind: str
    object: str = ""
    field: Field | None = None
    sobject: SObject | None = None
    values: tuple[PicklistValue, ...] = ()


class Draft:
    """A schema with pending changes on top; the schema itself is not touched."""

    def __init__(self, schema: Schema, *, deactivate: bool = True) -> None:
        self._schema, self._deactivate = schema, deactivate
        self._objects: dict[str, SObject] = {}
        self._removed: set[str] = set()
        self.value_sets = dict(schema.value_sets)
        self.changes: list[Change] = []

    def object(self, name: str) -> SObject | None:
        """An object as it would be."""
        found = self._objects.get(name.lower())
        if found is None:
            found = self._schema.object(name)
        return None if found is None or found.name in self._removed else found

    def _owned(self, name: str) -> SObject:
        """A private copy of an object, made at its first change."""
        found = self.object(name)
        if found is None:
            raise ComponentError(f"Entity Enumeration Or ID: bad value for restricted picklist field: {name}")
        if name.lower() not in self._objects:
            mine = copy(found)
            mine.fields, mine._by_lower = dict(found.fields), {}  # noqa: SLF001 - the copy's own cache
            self._objects[name.lower()] = mine
        return self._objects[name.lower()]

    def add_object(self, name: str, root: Element) -> tuple[bool, bool]:
        """A custom object's own attributes; answers (created, changed).

        Raises:
            ComponentError: the declaration is incomplete.
        """
        if not name.endswith("__c") or "__" in name[:-3] or not name[0].isalpha() or len(name) > _API_CHARS:
            raise ComponentError(f"The object name is not valid: {name}")
        for required in ("label", "pluralLabel", "deploymentStatus", "sharingModel"):
            if text_of(root, required) is None:
                raise ComponentError(f"Required field is missing: {required}")
        sharing = text_of(root, "sharingModel") or ""
        if sharing not in _SHARING_MODELS:
            raise ComponentError(f"'{sharing}' is not a valid value for the enum 'SharingModel'")
        switches = {
            flag_of(root, one, default=True) for one in ("enableBulkApi", "enableSharing", "enableStreamingApi")
        }
        if len(switches) > 1:
            raise ComponentError("enableBulkApi, enableSharing and enableStreamingApi must have the same value")
        old, name_field = self.object(name), _name_field(root)
        if old is not None:
            return False, self._change_object(old, root, name_field)
        made = SObject(name, text_of(root, "label") or name, text_of(root, "pluralLabel") or name, "", custom=True)
        made.sharing_model, made.enable_activities = sharing, flag_of(root, "enableActivities")
        fields = system_fields(made.label, has_owner=sharing != "ControlledByParent")
        at = next(n for n, one in enumerate(fields) if one.name == "IsDeleted") + 1
        fields.insert(at, name_field)
        if made.enable_activities:
            fields.append(Field("LastActivityDate", "Last Activity Date", "date", createable=False, updateable=False,
                                always_visible=True))  # fmt: skip
        made.fields = {one.name: one for one in fields}
        self._objects[name.lower()] = made
        self._removed.discard(name)
        self.changes.append(Change("object", name, sobject=made))
        return True, True

    def _change_object(self, old: SObject, root: Element, name_field: Field) -> bool:
        had = old.name_field
        if had is not None and (had.auto_number is None) != (name_field.auto_number is None):
            raise ComponentError("Cannot change the field type of the name field of a deployed object")
        words = (text_of(root, "label"), text_of(root, "pluralLabel"), text_of(root, "sharingModel"))
        if words == (old.label, old.label_plural, old.sharing_model):
            return False
        mine = self._owned(old.name)
        mine.label, mine.label_plural, mine.sharing_model = (one or "" for one in words)
        self.changes.append(Change("object", old.name, sobject=mine))
        return True

    def add_field(self, object_name: str, new: Field) -> tuple[bool, bool]:
        """A custom field; answers (created, changed).

        Raises:
            ComponentError: what a real org would refuse about it.
        """
        results = [self._add_field(one, new) for one in spread_activity(object_name)]
        return any(created for created, _ in results), any(changed for _, changed in results)

    def _add_field(self, object_name: str, new: Field) -> tuple[bool, bool]:
        owner = self._owned(object_name)
        self._check_reference(owner, new)
        self._check_limits(owner, new)
        if new.value_set is not None and new.value_set not in self.value_sets:
            raise ComponentError(f"In field: valueSet - no GlobalValueSet named {new.value_set} found")
        old = owner.field(new.name)
        if old is not None:
            new = _merged(old, new)
            if new == old:
                return False, False
        owner.fields[new.name] = new
        self.changes.append(Change("field", owner.name, field=new))
        return old is None, True

    def _check_reference(self, owner: SObject, new: Field) -> None:
        for target in new.reference_to:
            if self.object(target) is None:
                raise ComponentError(f"In field: referenceTo - no CustomObject named {target} found")
            taken = (new.child_relationship_name or "").lower()
            for child in self.everything():
                for one in child.fields.values():
                    mine = child.name == owner.name and one.name.lower() == new.name.lower()
                    if not mine and target in one.reference_to and (one.child_relationship_name or "").lower() == taken:
                        name = (new.child_relationship_name or "").removesuffix("__r")
                        raise ComponentError(f"There is already a Child Relationship named {name} on {target}.")

    def everything(self) -> list[SObject]:
        """All objects as they would be."""
        kept = {one.name.lower(): one for one in self._schema.objects.values() if one.name not in self._removed}
        return list((kept | self._objects).values())

    def _check_limits(self, owner: SObject, new: Field) -> None:
        others = [one for one in owner.fields.values() if one.name.lower() != new.name.lower()]
        if new.master_detail:
            if sum(one.master_detail for one in others) >= _MAX_MASTERS:
                raise ComponentError(f"A custom object can have at most {_MAX_MASTERS} master-detail relationships")
            if owner.sharing_model != "ControlledByParent" or not owner.custom:
                raise ComponentError(
                    f"Cannot set sharingModel to {owner.sharing_model} on a CustomObject with a MasterDetail "
                    "relationship field"
                )
        if new.external_id and sum(one.external_id for one in others) >= _MAX_EXTERNAL:
            raise ComponentError(f"Maximum number of external id fields reached: {_MAX_EXTERNAL}")
        if sum(one.custom for one in others) >= _MAX_FIELDS:
            raise ComponentError(f"Maximum number of custom fields reached: {_MAX_FIELDS}")

    def add_tab(self, name: str) -> tuple[bool, bool]:
        """A tab for a custom object; answers (created, changed).

        Raises:
            ComponentError: no such object.
        """
        found = self.object(name)
        if found is None:
            raise ComponentError(f"In field: customObject - no CustomObject named {name} found")
        if found.has_tab:
            return False, False
        self._owned(name).has_tab = True
        self.changes.append(Change("tab", found.name))
        return True, True

    def remove_tab(self, name: str) -> None:
        """Takes the tab of a custom object away.

        Raises:
            ComponentError: it has none.
        """
        found = self.object(name)
        if found is None or not found.has_tab or not found.custom:
            raise MissingComponentError(f"No CustomTab named: {name} found")
        self._owned(name).has_tab = False
        self.changes.append(Change("remove_tab", found.name))

    def set_values(self, name: str, values: tuple[PicklistValue, ...], *, may_create: bool) -> tuple[bool, bool]:
        """A whole shared value set; entries that are left out become inactive. Answers (created, changed).

        Raises:
            ComponentError: a standard set of that name does not exist, or the list is empty.
        """
        old = self.value_sets.get(name)
        if old is None and not may_create:
            raise ComponentError(f"In field: fullName - no StandardValueSet named {name} found")
        if not values:
            raise ComponentError("Required field is missing: standardValue")
        given = {one.value.lower() for one in values}
        left = [one for one in old or () if one.value.lower() not in given]
        gone = tuple(replace(one, active=False, default=False) if self._deactivate else one for one in left)
        if (*values, *gone) == old:
            return False, False
        self.value_sets[name] = (*values, *gone)
        self.changes.append(Change("value_set", name, values=self.value_sets[name]))
        return old is None, True

    def remove_values(self, name: str) -> None:
        """Takes a global value set away.

        Raises:
            ComponentError: it does not exist, or a field uses it.
        """
        if name not in self.value_sets:
            raise MissingComponentError(f"No GlobalValueSet named: {name} found")
        for owner in self.everything():
            for one in owner.fields.values():
                if one.value_set == name:
                    raise ComponentError(
                        "This global value set is referenced elsewhere in salesforce.com. : "
                        f"Custom Field - {owner.name}.{one.name}."
                    )
        del self.value_sets[name]
        self.changes.append(Change("remove_value_set", name))

    def remove_field(self, object_name: str, name: str, check: Callable[[], None]) -> None:
        """Takes a custom field away, if what is left passes the check.

        Raises:
            ComponentError: it does not exist, is not custom, or the check's error.
        """
        for one in spread_activity(object_name):
            found = owner.field(name) if (owner := self.object(one)) is not None else None
            if found is None:
                raise MissingComponentError(f"No CustomField named: {object_name}.{name} found")
            if not found.custom:
                raise ComponentError(f"The CustomField called '{object_name}.{name}' is standard and cannot be deleted")
            mine = self._owned(one)
            mine.drop(found.name)
            try:
                check()
            except ComponentError:
                mine.fields[found.name] = found
                raise
            self.changes.append(Change("remove_field", one, field=found))

    def remove_object(self, name: str, going: set[str]) -> None:
        """Takes a custom object with its records away; `going`, in lower case, are those that go together with it.

        Raises:
            ComponentError: it does not exist, is not custom, or another object's field still points to it.
        """
        found = self.object(name)
        if found is None:
            raise MissingComponentError(f"No CustomObject named: {name} found")
        if not found.custom:
            raise ComponentError(f"The CustomObject called '{name}' is standard and cannot be deleted")
        for child in self.everything():
            used = [f.name for f in child.fields.values() if found.name in f.reference_to and f.custom]
            if used and child.name.lower() not in going | {found.name.lower()}:
                raise ComponentError(
                    "This custom object is referenced elsewhere in salesforce.com. : "
                    f"Custom Field - {child.name}.{used[0]}."
                )
        self._removed.add(found.name)
        self._objects.pop(found.name.lower(), None)
        self.changes.append(Change("remove_object", found.name))


def _name_field(root: Element) -> Field:
    element = root.find(NAMESPACE + "nameField")
    if element is None or text_of(element, "type") not in {"Text", "AutoNumber"}:
        raise ComponentError("Must specify a nameField of type Text or AutoNumber for a CustomObject")
    label = text_of(element, "label")
    if label is None:
        raise ComponentError("Required field is missing: label")
    base = Field("Name", label, "string", length=_NAME_LENGTH, id_lookup=True, name_field=True, always_visible=True,
                 defaulted_on_create=True)  # fmt: skip
    if text_of(element, "type") == "Text":
        return base
    shape = text_of(element, "displayFormat")
    if shape is None:
        raise ComponentError("Must specify 'displayFormat' for a CustomField of type AutoNumber")
    return replace(base, **auto_number_words(shape, number_of(element, "startingNumber", 1)))


def _merged(old: Field, new: Field) -> Field:
    """The field after deploying over an existing one: picklist entries left out become inactive."""
    kinds = frozenset({old.type, new.type})
    for word, had, has in (
        ("Formula", old.calculated, new.calculated),
        ("MasterDetail", old.master_detail, new.master_detail),
    ):
        if had != has:
            way = f"from a {word} to something else" if had else f"to a {word} from something else"
            raise ComponentError(f"Cannot update a field {way}")
    if old.type != new.type and kinds not in _SAFE_CHANGES:
        raise ComponentError(f"Cannot change the field type of {old.name} from {old.type} to {new.type}")
    if old.reference_to != new.reference_to or (old.auto_number is None) != (new.auto_number is None):
        raise ComponentError(f"Cannot change the field type of {old.name}: it refers to or numbers something else")
    if not old.custom:
        raise ComponentError(f"{old.name} is a standard field")
    given = {one.value.lower() for one in new.picklist}
    gone = tuple(replace(one, active=False, default=False) for one in old.picklist if one.value.lower() not in given)
    return replace(new, picklist=(*new.picklist, *gone)) if new.picklist else new
