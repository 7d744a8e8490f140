"""What describe says of single objects where the rule of thumb (business objects can everything) does not hold."""

from __future__ import annotations

from typing import Any

_PLAIN = dict.fromkeys(("feedEnabled", "mruEnabled", "searchable", "layoutable"), False)
_UNLIKE: dict[str, dict[str, bool]] = {
    "Event": {"feedEnabled": False},
    "Task": {"feedEnabled": False},
    "Opportunity": {"deepCloneable": True},
    "OpportunityContactRole": {**_PLAIN, "layoutable": True},
    "Note": {"feedEnabled": False, "mruEnabled": False},
    "Attachment": {**_PLAIN, "layoutable": True},
    "AccountContactRelation": {**_PLAIN, "layoutable": True},
    "AccountTeamMember": {**_PLAIN, "layoutable": True},
    "EmailMessage": {"feedEnabled": False, "mruEnabled": False},
    **dict.fromkeys(("EmailMessageRelation", "ContentDocumentLink", "EventRelation", "Folder"), _PLAIN),
    "ContentVersion": {"feedEnabled": False, "mruEnabled": False},
}
_QUEUES = (("Queue owned {}", "queue_owned"), ("User owned {}", "user_owned"))
_FILTER, _TEAM, _MINE = ("Filter by scope", "scopingRule"), ("My team's {}", "team"), ("My {}", "mine")
_SCOPES: dict[str, tuple[tuple[str, str], ...]] = {
    "Account": (_MINE, _FILTER, _TEAM),
    "Contact": (_MINE, _FILTER, _TEAM),
    "Opportunity": (_MINE, _FILTER, _TEAM),
    "Lead": (_MINE, _QUEUES[0], _FILTER, _TEAM, _QUEUES[1]),
    "Event": (("My delegated {}", "delegated"), _MINE, _FILTER, _TEAM),
    "Case": (
        ("My case teams {}", "genericteam"), _MINE, _QUEUES[0], ("My role-based team's {}", "team_by_role"), _QUEUES[1],
    ),
}  # fmt: skip
_NO_CHILDREN = frozenset({"MasterRecordId", "FromId"})


def traits(object_name: str) -> dict[str, bool]:
    """Flags of an object that differ from the rule."""
    return _UNLIKE.get(object_name, {})


def scopes(object_name: str, plural: str) -> list[dict[str, Any]]:
    """The scopes in which records can be listed, by name."""
    known = (("All {}", "everything"), *_SCOPES.get(object_name, ()))
    named = [{"label": label.format(plural.lower()), "name": name} for label, name in known]
    return sorted(named, key=lambda scope: str(scope["name"]))


def is_child(field_name: str) -> bool:
    """Whether the parents of a lookup list it among their child relationships."""
    return field_name not in _NO_CHILDREN
