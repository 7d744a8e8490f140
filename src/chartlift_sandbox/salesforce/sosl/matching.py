"""Which records a search finds, as an SQL condition over the texts of a record."""

from __future__ import annotations

import re
from typing import Any

from chartlift_sandbox.salesforce.schema import TEXT_TYPES, Field, SObject
from chartlift_sandbox.salesforce.soql.scope import Scope
from chartlift_sandbox.salesforce.soql.statement import quoted
from chartlift_sandbox.salesforce.sosl.words import Both, Phrase, Sought

_SEARCHED = TEXT_TYPES - {"base64"}
_NAMES: dict[str, tuple[str, ...]] = {
    "Account": ("Website", "Site"), "Contact": ("FirstName", "LastName", "AssistantName"),
    "Lead": ("FirstName", "LastName", "Company"), "User": ("FirstName", "LastName", "CommunityNickname"),
    "Case": ("SuppliedName", "SuppliedCompany", "Subject"), "Note": ("Title",), "Task": ("Subject",), "Event": ("Subject",),
}  # fmt: skip
_WHOLE = frozenset({"ContentVersion", "ContentNote", "Document", "Product2"})
_BREAK = "\x1f"


def fields_of(scope: Scope, group: str) -> list[Field]:
    """The fields of the object that are searched in a group, as far as the caller sees them."""
    sobject = scope.root.sobject
    shown = [one for one in sobject.stored_fields if one.type in _SEARCHED and scope.statement.sees(sobject, one)]
    if sobject.name in _WHOLE:
        return shown
    return [one for one in shown if _in_group(sobject, one, group)]


def _in_group(sobject: SObject, found: Field, group: str) -> bool:
    named = found.name_field or found.name in _NAMES.get(sobject.name, ())
    match group:
        case "NAME":
            return named
        case "EMAIL" | "PHONE":
            return found.type == group.lower()
        case "SIDEBAR":
            return named or found.type in {"email", "phone"} or found.external_id
        case _:
            return True


def condition(scope: Scope, sought: Sought | None, group: str) -> str:
    """SQL that is true for the records that are found."""
    fields = fields_of(scope, group)
    if sought is None or not fields:
        return "false"
    texts = ", ".join(f"{scope.root.alias}.{quoted(one.name)}" for one in fields)
    return _sql(scope, sought, _haystack(texts))


def _haystack(texts: str) -> str:
    """Words of a record with one blank between them; a line's end stands between its fields, phrases stay inside."""
    joined = f"lower(concat_ws('{_BREAK}', {texts}))"
    apart = f"regexp_replace({joined}, '([\\p{{L}}\\p{{M}}])(\\p{{N}})', '\\1 \\2', 'g')"
    apart = f"regexp_replace({apart}, '(\\p{{N}})([\\p{{L}}\\p{{M}}])', '\\1 \\2', 'g')"
    blank = f"regexp_replace({apart}, '[^\\p{{L}}\\p{{M}}\\p{{N}}{_BREAK}]+', ' ', 'g')"
    return f"(' ' || replace({blank}, '{_BREAK}', ' \n ') || ' ')"


def _sql(scope: Scope, sought: Sought, haystack: str) -> str:
    if isinstance(sought, Phrase):
        return _phrase(scope, sought, haystack)
    parts = [_sql(scope, part, haystack) for part in sought.parts]
    if isinstance(sought, Both):
        parts += [f"NOT {_sql(scope, part, haystack)}" for part in sought.without]
        return f"({' AND '.join(parts)})"
    return f"({' OR '.join(parts)})" if parts else "false"


def _phrase(scope: Scope, phrase: Phrase, haystack: str) -> str:
    bind: Any = scope.statement.bind
    text = " ".join(phrase.words)
    if "*" not in text and "?" not in text:
        return f"contains({haystack}, {bind(f' {text} ')})"
    # a wildcard stays inside its word, and a word never begins with one
    pattern = "".join({"*": r"[^ \n]*", "?": r"[^ \n]"}.get(sign, re.escape(sign)) for sign in text)
    return f"regexp_matches({haystack}, {bind(f' {pattern} ')})"
