"""Checks the components of a deployment against a draft of the schema.

Order: destructive changes (pre and plain), objects, value sets, fields, tabs, permission sets, the rest, and
post-destructive changes. A failing component never hides another one's result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from xml.etree.ElementTree import Element, tostring

from chartlift_sandbox.salesforce.metadata_draft import Draft
from chartlift_sandbox.salesforce.metadata_fields import read_field, read_values
from chartlift_sandbox.salesforce.metadata_outcome import ComponentError, Outcome
from chartlift_sandbox.salesforce.metadata_removal import Removal
from chartlift_sandbox.salesforce.metadata_rules import (
    RULE_TYPES,
    exists,
    read_custom_grants,
    read_duplicate_rule,
    read_validation_rule,
)
from chartlift_sandbox.salesforce.metadata_zip import FileError, Package, children_of, text_of
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.permissions import PermissionSetSpec, read_permission_set
from chartlift_sandbox.salesforce.rulebook import DuplicateRule, ValidationRule
from chartlift_sandbox.salesforce.store import quote

INERT_TYPES = {
    "Layout": ("layouts", "layout"), "CustomApplication": ("applications", "app"), "ListView": ("objects", "object"),
    "CompactLayout": ("objects", "object"),
    "RecordType": ("objects", "object"), "FieldSet": ("objects", "object"), "FlexiPage": ("flexipages", "flexipage"),
    "Report": ("reports", "report"),
    "ReportType": ("reportTypes", "reportType"), "Dashboard": ("dashboards", "dashboard"), "Flow": ("flows", "flow"),
    "CustomLabels": ("labels", "labels"),
    "Settings": ("settings", "settings"), "Profile": ("profiles", "profile"),
    "PathAssistant": ("pathAssistants", "pathAssistant"),
    "QuickAction": ("quickActions", "quickAction"),
    "MatchingRules": ("matchingRules", "matchingRule"), "GlobalValueSetTranslation": ("globalValueSetTranslations", ""),
}  # fmt: skip
"""Types that are taken without any effect on data, with folder and file ending."""
FILE_TYPES = {
    "CustomObject": ("objects", "object"), "StandardValueSet": ("standardValueSets", "standardValueSet"),
    "GlobalValueSet": ("globalValueSets", "globalValueSet"), "CustomTab": ("tabs", "tab"),
    "PermissionSet": ("permissionsets", "permissionset"), "DuplicateRule": ("duplicateRules", "duplicateRule"),
    "CustomPermission": ("customPermissions", "customPermission"),
}  # fmt: skip
"""Types with effect that have a file each, with folder and file ending."""
CHILD_TYPES = ["CustomField", "CompactLayout", "FieldSet", "ListView", "RecordType", "ValidationRule"]
"""Types whose components stand in the file of their object."""
CHILD_TAGS = {
    "CompactLayout": "compactLayouts", "FieldSet": "fieldSets", "ListView": "listViews", "RecordType": "recordTypes",
}  # fmt: skip
"""Element of an object's file for each of its component types that have no effect on data."""
_OWN_COMPONENTS = frozenset({"fields", "validationRules", *CHILD_TAGS.values()})
_MISSING = "was named in package.xml, but was not found in zipped directory"


def _spoil() -> tuple[bool, bool]:
    raise ComponentError("UNKNOWN_EXCEPTION: An unexpected error occurred")


@dataclass(slots=True)
class Deployment:
    """A package on its way into the org.

    Attributes:
        outcomes: One per component, in the order they were looked at.
        sets: Permission sets that passed.
        rules: Rules and custom permissions that passed.
        custom_grants: By permission set, the custom permissions that it grants.
        removal: What is deleted.
        sources: The words of each component, by type and name.
        missing_allowed: A component without its file is only worth a warning, and never stops the deployment.
        ignore_warnings: Warnings do not stop the deployment.
        spoiled: A planned fault lets every second field fail.
    """

    org: Org
    actor: Actor
    package: Package
    draft: Draft
    outcomes: list[Outcome] = field(default_factory=list)
    sets: list[PermissionSetSpec] = field(default_factory=list)
    rules: list[ValidationRule | DuplicateRule | str] = field(default_factory=list)
    custom_grants: dict[str, list[str]] = field(default_factory=dict)
    missing_allowed: bool = False
    ignore_warnings: bool = False
    spoiled: bool = False
    sources: dict[tuple[str, str], bytes] = field(default_factory=dict)
    removal: Removal = field(init=False)

    def __post_init__(self) -> None:
        self.removal = Removal(self.org, self.draft, self.rules, frozenset(INERT_TYPES))

    def check(self) -> None:
        """Looks at every component; nothing is changed. The caller holds the org's lock."""
        self.outcomes.append(Outcome("", "package.xml", "package.xml", changed=True))
        for file, members in self.package.removed.items():
            self.outcomes += self.removal.run(file, members)
        wanted = self.package.members
        self._objects()
        self._value_sets("StandardValueSet", "standardValueSets", "standardValue")
        self._value_sets("GlobalValueSet", "globalValueSets", "customValue")
        self._fields()
        self._rules()
        for name in self._names("CustomTab", "tabs", "tab"):
            self._try("CustomTab", name, f"tabs/{name}.tab", lambda n=name: self._tab(n))
        for name in self._names("PermissionSet", "permissionsets", "permissionset"):
            file = f"permissionsets/{name}.permissionset"
            self._try("PermissionSet", name, file, lambda n=name: self._permission_set(n))
        known = {"CustomObject", "CustomField", "StandardValueSet", "GlobalValueSet", "CustomTab", "PermissionSet"}
        known |= set(RULE_TYPES)
        for kind in (one for one in wanted if one not in known):
            self._inert(kind)
        for file, members in self.package.removed_last.items():
            self.outcomes += self.removal.run(file, members)
        for one in self.outcomes:
            one.tolerated = one.tolerated or (one.problem_type == "Warning" and self.ignore_warnings)

    def _try(self, kind: str, name: str, file: str, work: Callable[[], tuple[bool, bool]]) -> None:
        outcome = Outcome(kind, name, file)
        try:
            spoilt = self.spoiled and kind == "CustomField" and self._is_second(kind)
            outcome.created, outcome.changed = _spoil() if spoilt else work()
        except ComponentError as error:
            outcome.problem, outcome.problem_type, outcome.place = str(error), "Error", error.place
            if self.missing_allowed and str(error).endswith(_MISSING):
                outcome.problem_type, outcome.tolerated = "Warning", True
        self.outcomes.append(outcome)

    def _is_second(self, kind: str) -> bool:
        return sum(one.kind == kind for one in self.outcomes) % 2 == 1

    def _names(self, kind: str, folder: str, ending: str) -> list[str]:
        """Members of a type, `*` replaced by what the package holds."""
        names: list[str] = []
        for one in self.package.members.get(kind, []):
            if one != "*":
                names.append(one)
                continue
            inside = self.package.files.paths(folder, ending)
            names += [path[len(folder) + 1 : -len(ending) - 1] for path in inside]
        return list(dict.fromkeys(names))

    def _file(self, path: str, kind: str, name: str) -> Element:
        try:
            root = self.package.files.get(path)
        except FileError as error:
            raise ComponentError(str(error), error.place) from error
        if root is None:
            raise ComponentError(f"An object '{name}' of type {kind} {_MISSING}")
        return root

    def _keep(self, kind: str, name: str, root: Element, left_out: frozenset[str] = frozenset()) -> None:
        """Remembers the words of a component, without children that are components themselves."""
        if left_out:
            whole, root = root, Element(root.tag)
            root.extend(one for one in whole if one.tag.rpartition("}")[2] not in left_out)
        self.sources[kind, name] = tostring(root)

    def _tab(self, name: str) -> tuple[bool, bool]:
        self._keep("CustomTab", name, self._file(f"tabs/{name}.tab", "CustomTab", name))
        return self.draft.add_tab(name)

    def _missing(self, path: str, name: str, kind: str = "CustomField") -> tuple[bool, bool]:
        """The problem of a component that its object's file does not hold, or that stands in a broken file."""
        self._file(path, kind, name)
        raise ComponentError(f"An object '{name}' of type {kind} {_MISSING}")

    def _objects(self) -> None:
        for name in self._names("CustomObject", "objects", "object"):
            path = f"objects/{name}.object"
            self._try("CustomObject", name, path, lambda n=name, p=path: self._object(n, p))

    def _object(self, name: str, path: str) -> tuple[bool, bool]:
        root = self._file(path, "CustomObject", name)
        self._keep("CustomObject", name, root, _OWN_COMPONENTS)
        if name.endswith("__c"):
            return self.draft.add_object(name, root)
        if self.draft.object(name) is None and name != "Activity":
            raise ComponentError(f"Entity Enumeration Or ID: bad value for restricted picklist field: {name}")
        return False, False

    def _fields(self) -> None:
        """Fields of listed objects and fields listed by name, in the order of the files."""
        whole = set(self._names("CustomObject", "objects", "object"))
        named = set(self._names("CustomField", "", ""))
        found: set[str] = set()
        for path, owner, element in self._elements("fields"):
            full = f"{owner}.{text_of(element, 'fullName') or ''}"
            if (owner in whole or full in named) and full.endswith("__c"):
                found.add(full)
                self._try("CustomField", full, path, lambda o=owner, e=element: self._field(o, e))
        for full in sorted(named - found):
            path = f"objects/{full.partition('.')[0]}.object"
            self._try("CustomField", full, path, lambda f=full, p=path: self._missing(p, f))

    def _rules(self) -> None:
        """Validation rules of listed objects and by name, duplicate rules, custom permissions."""
        whole = set(self._names("CustomObject", "objects", "object"))
        named = {one for one in self.package.members.get("ValidationRule", []) if one != "*"}
        every, found = "*" in self.package.members.get("ValidationRule", []), set()
        for path, owner, element in self._elements("validationRules"):
            full = f"{owner}.{text_of(element, 'fullName') or ''}"
            if every or owner in whole or full in named:
                found.add(full)
                self._try("ValidationRule", full, path, lambda o=owner, e=element: self._validation_rule(o, e))
        for full in sorted(named - found):
            path = f"objects/{full.partition('.')[0]}.object"
            missing = partial(self._missing, path, full, "ValidationRule")
            self._try("ValidationRule", full, path, missing)
        for name in self._names("DuplicateRule", "duplicateRules", "duplicateRule"):
            path = f"duplicateRules/{name}.duplicateRule"
            self._try("DuplicateRule", name, path, lambda n=name, p=path: self._duplicate_rule(n, p))
        for name in self._names("CustomPermission", "customPermissions", "customPermission"):
            path = f"customPermissions/{name}.customPermission"
            self._try("CustomPermission", name, path, lambda n=name, p=path: self._custom_permission(n, p))

    def _elements(self, tag: str) -> Iterator[tuple[str, str, Element]]:
        """Elements of all object files that can be read: path, object, element."""
        for path in self.package.files.paths("objects", "object"):
            try:
                root = self.package.files.get(path)
            except FileError:
                continue
            owner = path.removeprefix("objects/").removesuffix(".object")
            yield from ((path, owner, element) for element in (children_of(root, tag) if root is not None else ()))

    def _validation_rule(self, owner: str, element: Element) -> tuple[bool, bool]:
        rule = read_validation_rule(owner, element, self.draft)
        self.rules.append(rule)
        self._keep("ValidationRule", f"{rule.object_name}.{rule.name}", element)
        created = not exists(self.org.rules, "ValidationRule", f"{rule.object_name}.{rule.name}")
        return created, rule not in self.org.rules.validation

    def _duplicate_rule(self, name: str, path: str) -> tuple[bool, bool]:
        root = self._file(path, "DuplicateRule", name)
        self._keep("DuplicateRule", name, root)
        rule = read_duplicate_rule(name, root, self.package, self.draft)
        self.rules.append(rule)
        return not exists(self.org.rules, "DuplicateRule", name), rule not in self.org.rules.duplicates

    def _custom_permission(self, name: str, path: str) -> tuple[bool, bool]:
        self._keep("CustomPermission", name, self._file(path, "CustomPermission", name))
        self.rules.append(name)
        created = not exists(self.org.rules, "CustomPermission", name)
        return created, created

    def _field(self, owner: str, element: Element) -> tuple[bool, bool]:
        new = read_field(element)
        self._keep("CustomField", f"{owner}.{new.name}", element)
        existing = self.org.schema.field(owner, new.name)
        if existing is not None and existing.stored and existing.type == new.type:
            self._check_data(owner, existing.name, shorter=0 < new.length < existing.length, length=new.length,
                             unique=new.unique and not existing.unique, case_sensitive=new.case_sensitive)  # fmt: skip
        elif existing is None and new.master_detail and self._has_records(owner):
            raise ComponentError("Cannot create a master-detail field on an object that has records")
        return self.draft.add_field(owner, new)

    def _has_records(self, owner: str) -> bool:
        known = self.org.schema.object(owner)
        return known is not None and bool(self.org.db.execute(f"SELECT 1 FROM {quote(known.name)} LIMIT 1").fetchone())

    def _check_data(
        self, owner: str, name: str, *, shorter: bool, length: int, unique: bool, case_sensitive: bool
    ) -> None:
        column, table = quote(name), quote(owner)
        sql = f"SELECT 1 FROM {table} WHERE length({column}) > ? LIMIT 1"
        if shorter and self.org.db.execute(sql, [length]).fetchone():
            raise ComponentError(f"Cannot shorten {owner}.{name}: records hold longer values")
        value = column if case_sensitive else f"lower(CAST({column} AS VARCHAR))"
        live = f'FROM {table} WHERE {column} IS NOT NULL AND NOT "IsDeleted"'
        sql = f"SELECT 1 {live} GROUP BY {value} HAVING count(*) > 1 LIMIT 1"
        if unique and self.org.db.execute(sql).fetchone():
            raise ComponentError(f"Cannot make {owner}.{name} unique: records hold duplicate values")

    def _value_sets(self, kind: str, folder: str, tag: str) -> None:
        ending = folder[:-1]
        for name in self._names(kind, folder, ending):
            path = f"{folder}/{name}.{ending}"

            def work(path: str = path, name: str = name) -> tuple[bool, bool]:
                root = self._file(path, kind, name)
                values = read_values(root, tag)
                self._keep(kind, name, root)
                return self.draft.set_values(name, values, may_create=kind == "GlobalValueSet")

            self._try(kind, name, path, work)

    def _permission_set(self, name: str) -> tuple[bool, bool]:
        root = self._file(f"permissionsets/{name}.permissionset", "PermissionSet", name)
        spec = read_permission_set(name, root, self.draft, audit_switch=self.org.settings.set_audit_fields)
        known = {one.lower() for one in (*self.org.rules.custom_permissions, *self.rules) if isinstance(one, str)}
        self.custom_grants[name] = read_custom_grants(root, known)
        self.sets.append(spec)
        self._keep("PermissionSet", name, root)
        return not self._set_exists(name), True

    def _set_exists(self, name: str) -> bool:
        sql = 'SELECT 1 FROM "PermissionSet" WHERE lower("Name") = lower(?) AND "_deleted_at" IS NULL'
        return self.org.db.execute(sql, [name]).fetchone() is not None

    def _inert(self, kind: str) -> None:
        if kind not in INERT_TYPES:
            problem = f"Unknown type name '{kind}' specified in package.xml"
            self.outcomes.append(Outcome("", "package.xml", "package.xml", problem=problem, problem_type="Error"))
            return
        folder, ending = INERT_TYPES[kind]
        for name in self._names(kind, folder, ending):
            inside = f"objects/{name.partition('.')[0]}.object" if folder == "objects" else f"{folder}/{name}.{ending}"
            self._try(kind, name, inside, lambda p=inside, n=name, k=kind: self._taken(p, k, n))

    def _taken(self, path: str, kind: str, name: str) -> tuple[bool, bool]:
        root = self._file(path, kind, name)
        tag = CHILD_TAGS.get(kind)
        if tag is not None:
            short = name.partition(".")[2]
            root = next((one for one in children_of(root, tag) if text_of(one, "fullName") == short), root)
        self._keep(kind, name, root)
        return False, True

    @property
    def failures(self) -> list[Outcome]:
        """Components that a real org would refuse."""
        return [one for one in self.outcomes if one.failed]
