"""Layout resources: one page layout per object with every field the caller sees, the system's compact layout, no lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chartlift_sandbox.salesforce.describe import describe_object
from chartlift_sandbox.salesforce.errors import not_found
from chartlift_sandbox.salesforce.ids import normalise

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org
    from chartlift_sandbox.salesforce.singles import Asked

_LAYOUT_ID = "00h000000000001AAA"
_SYSTEM = "SYSTEM"
_LISTS = (
    "multirowEditLayoutSections", "offlineLinks", "relatedLists", "saveOptions",
)  # fmt: skip


def layouts(org: Org, asked: Asked) -> dict[str, Any]:
    """The layouts of an object and which record type has which. Raises OrgError NOT_FOUND."""
    described = _described(org, asked)
    mappings = [
        {**info, "layoutId": _LAYOUT_ID, "picklistsForRecordType": _picklists(described)}
        for info in described["recordTypeInfos"]
    ]
    named = sum(not info["master"] for info in described["recordTypeInfos"])
    return {
        "layouts": [_layout(described)],
        "recordTypeMappings": mappings,
        "recordTypeSelectorRequired": [named > 1],
    }


def layout(org: Org, asked: Asked) -> dict[str, Any]:
    """The layout of one record type. Raises OrgError NOT_FOUND for one that the object does not have."""
    described = _described(org, asked)
    known = {info["recordTypeId"] for info in described["recordTypeInfos"]}
    if normalise(asked.path["record_type"]) not in known:
        raise not_found()
    return _layout(described)


def compact_layouts(org: Org, asked: Asked) -> dict[str, Any]:
    """The compact layouts of an object: the system's own."""
    described = _described(org, asked)
    urls = described["urls"]
    mappings = [
        {
            "available": info["available"], "compactLayoutId": None, "compactLayoutName": _SYSTEM,
            "recordTypeId": info["recordTypeId"], "recordTypeName": info["name"],
            "urls": {"compactLayout": f"{urls['compactLayouts']}/{info['recordTypeId']}"},
        }
        for info in described["recordTypeInfos"]
    ]  # fmt: skip
    return {
        "compactLayouts": [_compact(described)],
        "defaultCompactLayoutId": None,
        "recordTypeCompactLayoutMappings": mappings,
        "urls": {"primary": f"{urls['compactLayouts']}/primary"},
    }


def compact_layout(org: Org, asked: Asked) -> dict[str, Any]:
    """The primary compact layout, or that of a record type."""
    described = _described(org, asked)
    known = {info["recordTypeId"] for info in described["recordTypeInfos"]}
    if asked.path["record_type"].lower() != "primary" and normalise(asked.path["record_type"]) not in known:
        raise not_found()
    return _compact(described)


def approval_layouts(org: Org, asked: Asked) -> dict[str, Any]:
    """No approval process has a layout."""
    _described(org, asked)
    return {"approvalLayouts": []}


def quick_actions(org: Org, asked: Asked) -> list[Any]:
    """No object has a quick action."""
    _described(org, asked)
    return []


def list_views(org: Org, asked: Asked) -> dict[str, Any]:
    """No object has a list view."""
    name = _described(org, asked)["name"]
    return {"done": True, "listviews": [], "nextRecordsUrl": None, "size": 0, "sobjectType": name}


def _described(org: Org, asked: Asked) -> dict[str, Any]:
    return describe_object(org, asked.actor, asked.path["object"], asked.version)


def _picklists(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"picklistName": one["name"], "picklistValues": one["picklistValues"]}
        for one in described["fields"]
        if one["type"] in {"picklist", "multipicklist"}
    ]


def _layout(described: dict[str, Any]) -> dict[str, Any]:
    shown = [one for one in described["fields"] if one["type"] not in {"id", "address"}]
    written = [one for one in shown if one["createable"] or one["updateable"]]
    return {
        "buttonLayoutSection": {"detailButtons": []},
        "detailLayoutSections": [_section(shown)],
        "editLayoutSections": [_section(written)],
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "id": _LAYOUT_ID,
        "quickActionList": {"quickActionListItems": []},
        "relatedContent": None,
        **{name: [] for name in _LISTS},
    }


def _section(fields: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [{"layoutItems": [_item(one, place)], "numItems": 1} for place, one in enumerate(fields, start=1)]
    return {
        "collapsed": False,
        "columns": 1,
        "heading": "Information",
        "layoutRows": rows,
        "layoutSectionId": "01B000000000001AAA",
        "parentLayoutId": _LAYOUT_ID,
        "rows": len(rows),
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": False,
        "useHeading": False,
    }


def _item(one: dict[str, Any], place: int) -> dict[str, Any]:
    component = {"details": one, "displayLines": 1, "tabOrder": place, "type": "Field", "value": one["name"]}
    required = not one["nillable"] and one["createable"] and not one["defaultedOnCreate"]
    return {
        "editableForNew": one["createable"],
        "editableForUpdate": one["updateable"],
        "label": one["label"],
        "layoutComponents": [component],
        "placeholder": False,
        "required": required,
    }


def _compact(described: dict[str, Any]) -> dict[str, Any]:
    named = [one for one in described["fields"] if one["nameField"]]
    return {
        "actions": [],
        "fieldItems": [_item(one, place) for place, one in enumerate(named, start=1)],
        "id": None,
        "imageItems": [],
        "label": "System Default",
        "name": _SYSTEM,
        "objectType": described["name"],
    }


RESOURCES = {
    "describe/layouts": layouts,
    "describe/layouts/{record_type}": layout,
    "describe/compactLayouts": compact_layouts,
    "describe/compactLayouts/{record_type}": compact_layout,
    "describe/approvalLayouts": approval_layouts,
    "quickActions": quick_actions,
    "listviews": list_views,
}
