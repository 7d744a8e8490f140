"""Refusals in the words of the query service: what is wrong, shown under the place in the text."""

from __future__ import annotations

from chartlift_sandbox.salesforce.errors import OrgError

_SHOWN = 120
MAX_LENGTH = 100_000
_OBJECT_TAIL = (
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
_FIELD_TAIL = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
_RELATION_TAIL = (
    "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship "
    "name. Please reference your WSDL or the describe call for the appropriate names."
)


def placed(code: str, text: str, at: int, message: str) -> OrgError:
    """An error with the offending line, a caret below the place, row and column (both from 1), then the message."""
    at = min(max(at, 0), len(text))
    start = text.rfind("\n", 0, at) + 1
    row = text.count("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : len(text) if end < 0 else end].replace("\t", " ").rstrip("\r")
    column = at - start
    first = max(0, column - _SHOWN // 2) if len(line) > _SHOWN else 0
    shown = line[first : first + _SHOWN]
    caret = " " * (column - first) + "^"
    return OrgError(code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def malformed(text: str, at: int, message: str) -> OrgError:
    """MALFORMED_QUERY at a place."""
    return placed("MALFORMED_QUERY", text, at, message)


def unknown_type(text: str, at: int, name: str) -> OrgError:
    """INVALID_TYPE: no such object, or the caller may not see it."""
    return placed("INVALID_TYPE", text, at, f"sObject type '{name}' is not supported. {_OBJECT_TAIL}")


def unknown_field(text: str, at: int, name: str, entity: str) -> OrgError:
    """INVALID_FIELD: no such field, or field-level security hides it."""
    return placed("INVALID_FIELD", text, at, f"No such column '{name}' on entity '{entity}'. {_FIELD_TAIL}")


def unknown_relationship(text: str, at: int, name: str) -> OrgError:
    """INVALID_FIELD: a path goes through a relationship that does not exist."""
    return placed("INVALID_FIELD", text, at, f"Didn't understand relationship '{name}' in field path. {_RELATION_TAIL}")


def unknown_child(text: str, at: int, name: str) -> OrgError:
    """INVALID_TYPE: a sub-query in the select list names no child relationship."""
    return placed(
        "INVALID_TYPE",
        text,
        at,
        f"Didn't understand relationship '{name}' in FROM part of query call. {_RELATION_TAIL}",
    )


def bad_operator(text: str, at: int, message: str) -> OrgError:
    """INVALID_QUERY_FILTER_OPERATOR at a place."""
    return placed("INVALID_QUERY_FILTER_OPERATOR", text, at, message)


def bad_value(text: str, at: int, field: str, wanted: str, *, quoted: bool) -> OrgError:
    """INVALID_FIELD: the literal does not fit the field's type."""
    tail = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{field}' must be of type {wanted} and {tail}"
    return placed("INVALID_FIELD", text, at, message)


def too_complicated(message: str) -> OrgError:
    """QUERY_TOO_COMPLICATED: too long or too deeply nested."""
    return OrgError("QUERY_TOO_COMPLICATED", message)
