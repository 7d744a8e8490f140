"""The map from clinic to org, as written in packs and as confirmed by a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Condition:
    """One `when` line of a pack: rows for which `column` is true or filled, or the field `unless` comes out empty,
    get `fate` with `reason`."""

    fate: str  # skip | hold
    reason: str  # code, such as source_deleted
    column: str = ""  # a column of the flat entity or of a join
    unless: str = ""  # a target field of this map


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One line of a pack: where a target field comes from and what may happen to it.

    `transform` names a pair in `transforms`; `arguments` are the columns in its brackets (`local_time(practice.timezone)`).
    `lookup` is `User`, `Owner`, `OBJECT:CODE` (the value is a bare source id) or `OBJECT` (the value is `CODE-id`).
    """

    target: str
    sources: tuple[str, ...] = ()
    type: str = ""  # "" = a standard field of the org
    transform: str = "text"
    arguments: tuple[str, ...] = ()
    map: str = ""
    lookup: str = ""
    const: str | None = None
    required: bool = False
    on_bad: str = "withhold"  # withhold | hold | hold_unreadable (mere extra decimals: withhold)


@dataclass(frozen=True, slots=True)
class ObjectMap:
    """One pack file: how rows of one flat entity become rows of one object."""

    name: str  # file stem, unique in the pack
    object: str
    source: str
    code: str  # PRA, PAT, APT: the middle of Source_System_ID__c
    join: Mapping[str, str] = field(default_factory=dict)  # alias (an entity) -> column of the source holding its id
    when: tuple[Condition, ...] = ()
    fields: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueMap:
    """Source code or text (folded: case, punctuation and blanks do not count) -> label in the org."""

    name: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """What becomes of one clinician: a User, the fallback User, or nothing yet."""

    source_id: str
    user_id: str | None
    how: str  # email | decided | fallback | unmatched


@dataclass(frozen=True, slots=True)
class Policies:
    """Named choices that hold for the whole plan; an unverified behaviour of a vendor has its switch here."""

    fallback_user_id: str = ""
    account_owner_id: str = ""
    pps: bool = False
    batch_rows: int = 20_000
    batch_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class ConfirmedPlan:
    """All that a person confirmed. Any change to it gives another fingerprint, and voids the confirmation."""

    tenant: str
    org_id: str
    source: str
    pack: str
    maps: tuple[ObjectMap, ...]
    value_maps: tuple[ValueMap, ...]
    people: tuple[PersonDecision, ...]
    policies: Policies
    statements: Mapping[str, str]  # name of the ObjectMap -> SQL text of its translation
    schema: Mapping[str, object]  # desired schema, as deployed
    confirmed_by: str = ""
    confirmed_at: str = ""  # ISO 8601 UTC
    fingerprint: str = ""  # SHA-256 over everything except these last three
