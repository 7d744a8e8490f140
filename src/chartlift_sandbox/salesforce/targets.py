"""Lookups of standard objects that can point to any custom object: files, attachments, activities, e-mails."""

from __future__ import annotations

from dataclasses import replace

from chartlift_sandbox.salesforce.schema import Schema, SObject

_ANY = (
    ("ContentDocumentLink", "LinkedEntityId"),
    ("ContentVersion", "FirstPublishLocationId"),
    ("Attachment", "ParentId"),
    ("Note", "ParentId"),
)
_WITH_ACTIVITIES = (("Task", "WhatId"), ("Event", "WhatId"), ("EmailMessage", "RelatedToId"))


def spread(schema: Schema, sobject: SObject) -> None:
    """Let the lookups point to a new custom object."""
    for owner, name in (*_ANY, *(_WITH_ACTIVITIES if sobject.enable_activities else ())):
        found = schema.field(owner, name)
        if found is not None and sobject.name not in found.reference_to:
            schema.add_field(owner, replace(found, reference_to=(*found.reference_to, sobject.name)))


def withdraw(schema: Schema, object_name: str) -> None:
    """Take an object that goes away out of the lookups."""
    for owner, name in (*_ANY, *_WITH_ACTIVITIES):
        found = schema.field(owner, name)
        if found is not None and object_name in found.reference_to:
            rest = tuple(one for one in found.reference_to if one != object_name)
            schema.add_field(owner, replace(found, reference_to=rest))
