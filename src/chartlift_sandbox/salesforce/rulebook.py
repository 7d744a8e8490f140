"""Rules that the people of an org have made: validation, duplicates, automation, custom permissions; and what they did.

Plain data. Rules are few, so lists are searched; a bulk load without rules pays one look at empty lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldUpdate:
    """Before-save flow: on insert (and update, if `on_update`) set `field` to an SQL expression over the record."""

    object_name: str
    field: str
    expression: str
    on_update: bool = False


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A row for which the condition is true is refused with the message, at `error_field` or at the page top.

    The condition is a `formula`, or, for rules of the control door alone, SQL over the record.
    """

    object_name: str
    condition: str
    message: str
    error_field: str = ""
    name: str = ""
    formula: str = ""
    description: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class MatchField:
    """One field that two records have in common; `fuzzy` compares letters and digits only, and tolerates a slip."""

    name: str
    fuzzy: bool = False
    blank_matches: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """What happens to a record that matches another in every field.

    `on_insert` and `on_update`: block (no way round), alert (saved if the caller insists), report (saved), off.
    """

    object_name: str
    name: str
    label: str
    fields: tuple[MatchField, ...]
    on_insert: str = "alert"
    on_update: str = "alert"
    message: str = "Use one of these records?"
    active: bool = True
    matching_rule: str = ""
    bypass: str = ""


@dataclass(frozen=True, slots=True)
class Automation:
    """A record-triggered flow or an Apex trigger.

    `moment` is before_save or after_save, `on` insert, update or both, `condition` a formula (empty: always), `action`
    set_field, send_mail, insert_task, fail_flow or fail_apex. `words` are what the action needs: `field` and `value` (a
    formula); `to`, `subject`, `body` with `{!Field}`; `message`. A caller with the custom permission `bypass` is spared.
    """

    object_name: str
    name: str
    moment: str
    action: str
    words: tuple[tuple[str, str], ...] = ()
    on: str = "both"
    condition: str = ""
    bypass: str = ""
    active: bool = True

    def word(self, name: str, default: str = "") -> str:
        """One of the action's words."""
        return dict(self.words).get(name, default)

    def runs(self, object_name: str, op: str) -> bool:
        """Whether it takes part in a save."""
        return self.active and self.object_name == object_name and self.on in {"both", op}


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail that automation sent; it went into the trap."""

    time: str
    to: str
    subject: str
    body: str
    object: str
    id: str
    automation: str
    user: str


@dataclass
class Rulebook:
    """All rules of one org, and its mail trap. `grants` maps a permission set to its custom permissions."""

    before_save: list[FieldUpdate] = field(default_factory=list)
    validation: list[ValidationRule] = field(default_factory=list)
    duplicates: list[DuplicateRule] = field(default_factory=list)
    automations: list[Automation] = field(default_factory=list)
    custom_permissions: list[str] = field(default_factory=list)
    grants: dict[str, list[str]] = field(default_factory=dict)
    locked: list[str] = field(default_factory=list)
    mail: list[Mail] = field(default_factory=list)

    def watches(self, object_name: str) -> bool:
        """Whether a rule looks at records of the object while they are saved."""
        groups: Iterable[list[Any]] = (self.before_save, self.validation, self.automations)
        return any(rule.object_name == object_name for group in groups for rule in group)

    def clear(self) -> None:
        """No rules, no mail."""
        for name in self.__dataclass_fields__:
            getattr(self, name).clear()

    def document(self) -> dict[str, Any]:
        """Everything as JSON takes it."""
        return asdict(self)

    def load(self, document: dict[str, Any]) -> None:
        """Replace everything by what `document` gave."""
        self.clear()
        kinds = {"before_save": FieldUpdate, "validation": ValidationRule, "mail": Mail}
        for name, kind in kinds.items():
            getattr(self, name).extend(kind(**data) for data in document.get(name, ()))
        for data in document.get("duplicates", ()):
            given: dict[str, Any] = {**data, "fields": tuple(MatchField(**one) for one in data["fields"])}
            self.duplicates.append(DuplicateRule(**given))
        for data in document.get("automations", ()):
            given = {**data, "words": tuple((name, value) for name, value in data["words"])}
            self.automations.append(Automation(**given))
        self.custom_permissions.extend(document.get("custom_permissions", ()))
        self.locked.extend(document.get("locked", ()))
        self.grants.update(document.get("grants", {}))


STANDARD_CONTACT = DuplicateRule(
    "Contact",
    "Standard_Contact_Duplicate_Rule",
    "Standard Contact Duplicate Rule",
    (MatchField("Email"), MatchField("LastName"), MatchField("FirstName", blank_matches=True)),
    matching_rule="Standard_Contact_Match_Rule_v1_1",
)


def duplicate_rules(book: Rulebook, *, standard: bool) -> list[DuplicateRule]:
    """Every rule of the org; with `standard` that of Contact too, unless somebody has made another of its name."""
    named = {rule.name for rule in book.duplicates}
    return [*book.duplicates, *([STANDARD_CONTACT] if standard and STANDARD_CONTACT.name not in named else [])]
