"""Statements drawn from the whole grammar, sound and broken, through the HTTP door: rows or a refusal, never a 500."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import date, time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from chartlift_sandbox.salesforce import ids, query
from chartlift_sandbox.salesforce.errors import OrgError, error_response

QUICK, MANY = 250, 10_000
BASE = "/services/data/v67.0"
CODES = {
    "MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE", "INVALID_QUERY_FILTER_OPERATOR", "QUERY_TOO_COMPLICATED",
    "NUMBER_OUTSIDE_VALID_RANGE", "EXCEEDED_ID_LIMIT",
}  # fmt: skip
PLACED = re.compile(r"\n.*\n *\^\nERROR at Row:[1-9]\d*:Column:[1-9]\d*\n.+", re.DOTALL)
QUIET: dict[str, Any] = {
    "deadline": None, "derandomize": True, "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}  # fmt: skip
OBJECTS = ("Contact", "Account", "Visit__c", "Task", "Payment__c", "User", "contact", "Contact c", "Visit__c AS v",
           "Contact c, c.Account a", "Nope__c", "Group")  # fmt: skip
FIELDS = (
    "Id", "Name", "Email", "Birthdate", "CreatedDate", "HasOptedOutOfEmail", "NumberOfVisits", "Interests__c", "OwnerId",
    "Source_System_ID__c", "MailingAddress", "MailingCity", "Description", "AccountId", "Account.Name", "Account.Rating",
    "Account.AnnualRevenue", "Account.Parent.Parent.Owner.Name", "Contact__r.Account.Parent.Parent.Parent.Name",
    "Account.Parent.Parent.Parent.Parent.Parent.Name", "Owner.Name", "Owner.Type", "Who.Name", "What.Type", "Fee__c", "At__c",
    "Start__c", "Day__c", "Note__c", "More__c", "Status__c", "Visit__r.Contact__r.Name", "Amount__c", "c.Name", "a.Name", "Nope__c",
    "Subject", "ActivityDate", "IsDeleted", "SystemModstamp", "Rating", "AnnualRevenue", "Contact.Name", "Nope__r.Name",
)  # fmt: skip
OWN = {
    "contact": ("Id", "Name", "Email", "Birthdate", "CreatedDate", "HasOptedOutOfEmail", "NumberOfVisits", "Interests__c",
                "AccountId", "Account.Name", "Account.Rating", "Account.AnnualRevenue", "Account.Parent.Owner.Name",
                "Owner.Name", "Owner.Type", "MailingAddress", "MailingCity", "Description", "Source_System_ID__c"),
    "account": ("Id", "Name", "Rating", "AnnualRevenue", "Parent.Name", "ParentId", "Owner.Name", "CreatedDate"),
    "visit__c": ("Id", "Name", "Start__c", "Day__c", "Status__c", "At__c", "Fee__c", "Note__c", "More__c", "Contact__c",
                 "Contact__r.Account.Parent.Parent.Parent.Name", "Contact__r.Email", "Owner.Name"),
    "task": ("Id", "Subject", "ActivityDate", "WhoId", "WhatId", "Who.Name", "What.Type", "What.Name", "Owner.Name"),
    "payment__c": ("Id", "Name", "Amount__c", "Visit__c", "Visit__r.Contact__r.Name", "CreatedDate"),
}  # fmt: skip
CHILD_OF = {"account": {"Contacts": "contact", "ChildAccounts": "account"}, "contact": {"Visits__r": "visit__c"},
            "visit__c": {"Payments__r": "payment__c"}}  # fmt: skip
NUMBERS, DAYS = ("0", "-1", "2.5", "1e3"), ("2026-01-01", "1700-01-01", "4000-12-31")
MOMENTS, TEXTS = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+05:30"), ("''", "'a'", "'É'", "'a%_\\'\\\\'")
KEYS = ("'0015g0000000001AAA'", "'0035g0000000001'", "null")
FITTING = {
    "NumberOfVisits": NUMBERS, "AnnualRevenue": NUMBERS, "Fee__c": NUMBERS, "Amount__c": NUMBERS, "Birthdate": DAYS,
    "Day__c": DAYS, "ActivityDate": DAYS, "CreatedDate": MOMENTS, "Start__c": MOMENTS, "At__c": ("10:30:00.000Z",),
    "HasOptedOutOfEmail": ("true", "FALSE"), "Id": KEYS, "AccountId": KEYS, "ParentId": KEYS, "Contact__c": KEYS,
    "WhoId": KEYS, "WhatId": KEYS, "Visit__c": KEYS,
}  # fmt: skip
CALLS = (
    "COUNT({})", "COUNT_DISTINCT({})", "SUM({})", "AVG({})", "MIN({})", "MAX({})", "toLabel({})", "FORMAT({})",
    "convertCurrency({})", "FORMAT(convertCurrency({}))", "FORMAT(MIN({}))", "CALENDAR_YEAR({})", "CALENDAR_QUARTER({})",
    "CALENDAR_MONTH({})", "DAY_IN_MONTH({})", "DAY_IN_WEEK({})", "DAY_IN_YEAR({})", "DAY_ONLY({})", "FISCAL_YEAR({})",
    "FISCAL_QUARTER({})", "FISCAL_MONTH({})", "HOUR_IN_DAY({})", "WEEK_IN_MONTH({})", "WEEK_IN_YEAR({})", "GROUPING({})",
    "DAY_ONLY(convertTimezone({}))", "HOUR_IN_DAY(convertTimezone({}))", "DISTANCE({}, GEOLOCATION(1, 2), 'km')", "NOPE({})",
)  # fmt: skip
UNITS = ("DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS", "FISCAL_QUARTERS", "FISCAL_YEARS")
LITERALS = (
    "null", "''", "'a'", "'É'", "'a%_\\'\\\\'", "'\\n'", "'a;b'", f"'{'long ' * 60}'", "0", "-1", "2.5", "1e3", "1e308", "9" * 40,
    "true", "FALSE", "2026-01-01", "1700-01-01", "4000-12-31", "2026-02-30", "2026-01-01T00:00:00Z", "10:30:00.000Z", "USD5.5",
    "2026-01-01T00:00:00.5+05:30", "'0015g0000000001AAA'", "'0035g0000000001'", "TODAY", "YESTERDAY", "TOMORROW", "LAST_WEEK",
    "THIS_MONTH", "NEXT_QUARTER", "THIS_YEAR", "LAST_90_DAYS", "NEXT_90_DAYS", "THIS_FISCAL_QUARTER", "LAST_FISCAL_YEAR",
    *(f"{way}_N_{unit}:{n}" for unit in UNITS for way, n in (("LAST", 2), ("NEXT", 999_999_999_999))),
    *(f"N_{unit}_AGO:3" for unit in UNITS), "LAST_N_DAYS:0", "NOPE", ":bound",
)  # fmt: skip
WORDS = tuple(word for word in LITERALS if word[0].isupper() and word not in {"FALSE", "NOPE", "USD5.5"})
JOINS = {
    "account": (("Id", "AccountId", "contact"),), "contact": (("Id", "Contact__c", "visit__c"), ("AccountId", "Id", "account")),
    "visit__c": (("Contact__c", "Id", "contact"),), "task": (("WhatId", "Id", "account"),),
}  # fmt: skip
DEPTH = 3
OPERATORS = ("=", "!=", "<>", "<", "<=", ">", ">=", "LIKE")
CHILDREN = ("Contacts", "Visits__r", "Tasks", "ChildAccounts", "Payments__r", "Nopes__r", "contacts")
TYPEOF = "TYPEOF {} WHEN Account THEN Name, Rating WHEN Visit__c THEN Fee__c ELSE Name END"
TAILS = (
    "", "LIMIT 0", "LIMIT 2", "LIMIT 200", "LIMIT 5 OFFSET 1", "OFFSET 2000", "OFFSET 2001", "FOR VIEW", "FOR REFERENCE",
    "FOR UPDATE", "FOR VIEW, REFERENCE", "LIMIT 1 UPDATE TRACKING",
    "UPDATE VIEWSTAT", "ALL ROWS", "LIMIT 3 ALL ROWS", "LIMIT 99999999999999999999",
    "LIMIT -1", "OFFSET 1.5",
)  # fmt: skip
BREAKS = ("(", ")", ",", "'", "\\", "''", "SELECT", "FROM", "WHERE", "NOT", "AND", "9" * 400, "\x00", "é", "😀", ".", ":", "--",
          "/*", ";", "NULL", "x" * 300, "\n", "\t", "%", "FIELDS(ALL)", "COUNT()", "(SELECT Id FROM Contacts)")  # fmt: skip


def _pick(draw: st.DrawFn, values: tuple[str, ...]) -> str:
    return draw(st.sampled_from(values))


def _field(draw: st.DrawFn, entity: str) -> str:
    return _pick(draw, OWN.get(entity, FIELDS) if draw(st.integers(0, 15)) else FIELDS)


def _operand(draw: st.DrawFn, entity: str, often: int = 5) -> str:
    field = _field(draw, entity)
    return field if draw(st.integers(0, often)) else _pick(draw, CALLS).format(field)


def _literal(draw: st.DrawFn, left: str) -> str:
    """A literal that fits the field, or a date word, or now and then any at all."""
    way, fitting = draw(st.integers(0, 9)), FITTING.get(left.rpartition(".")[2], TEXTS)
    if way == 0:
        return _pick(draw, LITERALS)
    if way < 5 and fitting in {DAYS, MOMENTS}:
        return _pick(draw, WORDS)
    return _pick(draw, fitting)


def _test(draw: st.DrawFn, entity: str) -> str:
    left = _operand(draw, entity, 11)
    match draw(st.integers(0, 9)):
        case 0:
            listed = ", ".join(_literal(draw, left) for _ in range(draw(st.integers(1, 3))))
            return f"{left} {_pick(draw, ('IN', 'NOT IN'))} ({listed})"
        case 1:
            left = _pick(draw, (left, "Interests__c", "Interests__c"))
            return f"{left} {_pick(draw, ('INCLUDES', 'EXCLUDES'))} ({_pick(draw, TEXTS)}, 'a;B')"
        case 2:
            return _semi_join(draw, entity)
        case _:
            return f"{left} {_pick(draw, OPERATORS)} {_literal(draw, left)}"


def _semi_join(draw: st.DrawFn, entity: str) -> str:
    key, wanted, source = draw(st.sampled_from(JOINS.get(entity, (("Id", "Id", "contact"),))))
    wanted = wanted if draw(st.integers(0, 9)) else _field(draw, source)
    field = _field(draw, source)
    where = f" WHERE {field} = {_literal(draw, field)}" if draw(st.booleans()) else ""
    return f"{key} {_pick(draw, ('IN', 'NOT IN'))} (SELECT {wanted} FROM {source}{where})"


def _condition(draw: st.DrawFn, entity: str, depth: int = 0) -> str:
    way = draw(st.integers(0, 5)) if depth < DEPTH else 5
    if way > 2:
        return _test(draw, entity)
    if way == 2:
        return f"(NOT {_condition(draw, entity, depth + 1)})"
    word = " AND " if way else " OR "
    return f"({word.join(_condition(draw, entity, depth + 1) for _ in range(2))})"


def _clauses(draw: st.DrawFn, entity: str, grouped: list[str]) -> str:
    rarely = st.integers(0, 9)
    parts = [f"USING SCOPE {_pick(draw, ('mine', 'everything', 'team', 'nope'))}"] if not draw(rarely) else []
    parts += [f"WHERE {_condition(draw, entity)}"] if draw(st.booleans()) else []
    parts += [f"WITH {_pick(draw, ('SECURITY_ENFORCED', 'USER_MODE', 'NOPE'))}"] if not draw(rarely) else []
    if grouped:
        parts.append("GROUP BY " + _pick(draw, ("{}", "ROLLUP({})", "CUBE({})")).format(", ".join(grouped)))
        parts += [f"HAVING COUNT(Id) {_pick(draw, OPERATORS)} {_pick(draw, LITERALS)}"] if not draw(rarely) else []
    if draw(st.booleans()):
        count = draw(st.integers(1, 2))
        keys = [_pick(draw, tuple(grouped)) if grouped else _operand(draw, entity, 11) for _ in range(count)]
        ways = ("", " ASC", " DESC", " NULLS LAST", " DESC NULLS FIRST")
        parts.append(f"ORDER BY {', '.join(keys)}" + _pick(draw, ways))
    return " ".join([*parts, _pick(draw, TAILS) if draw(st.booleans()) else ""])


def _selected(draw: st.DrawFn, entity: str, depth: int) -> str:
    match draw(st.integers(0, 11)):
        case 0 if depth < DEPTH and CHILD_OF.get(entity):
            name = _pick(draw, tuple(CHILD_OF[entity]) if draw(st.integers(0, 9)) else CHILDREN)
            inner = CHILD_OF[entity].get(name, "contact")
            return f"(SELECT {_selected(draw, inner, depth + 1)} FROM {name} {_clauses(draw, inner, [])})"
        case 1:
            return TYPEOF.format("What" if entity == "task" else _pick(draw, ("What", "Who", "Owner", "Account")))
        case 2:
            return _pick(draw, ("FIELDS(ALL)", "FIELDS(CUSTOM)", "FIELDS(STANDARD)", "COUNT()", "COUNT(Id) n"))
        case 3:
            return _pick(draw, CALLS).format(_field(draw, entity))
        case _:
            return _field(draw, entity)


@st.composite
def statements(draw: st.DrawFn) -> str:
    source = _pick(draw, tuple(OWN) if draw(st.integers(0, 5)) else OBJECTS)
    entity = source.split(" ", maxsplit=1)[0].lower()
    counts = range(draw(st.integers(1, 3)))
    grouped = [_operand(draw, entity) for _ in counts] if not draw(st.integers(0, 3)) else []
    chosen = [*grouped, _pick(draw, CALLS[:6]).format(_field(draw, entity))] if grouped else []
    chosen = chosen or [_selected(draw, entity, 0) for _ in counts]
    return f"SELECT {', '.join(chosen)} FROM {source} {_clauses(draw, entity, grouped)}"


@st.composite
def broken(draw: st.DrawFn) -> str:
    text = draw(statements())
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + _pick(draw, ("", *BREAKS)) + text[start + draw(st.integers(0, 8)) :]
    return text


SHELLS = (
    "SELECT Id FROM Contact WHERE {}", "SELECT Id, (SELECT Id FROM Contacts WHERE {}) FROM Account",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE {})",
    "SELECT Name, COUNT(Id) FROM Contact WHERE {} GROUP BY Name",
)  # fmt: skip
CROWDS = (
    ("(", "Name = null", ")"), ("(NOT ", "Name = null", ")"), ("Name = 'a' OR ", "Id = null", ""),
    ("Name IN (", "'a'", ", 'b'"), ("Name = '", "x", "\\u00e9"), ("", "Name = null", " AND Email LIKE '%a%'"),
    ("Account.", "Name = 'a'", ""), ("Name = ", "'a'", "'"), ("NumberOfVisits = ", "1", "0"), ("Name LIKE '", "a", "%_"),
)  # fmt: skip


@st.composite
def extremes(draw: st.DrawFn) -> str:
    """Statements that are too long, too deep or full of unusual characters."""
    shell = _pick(draw, SHELLS)
    if draw(st.booleans()):
        return shell.format("Name = '" + draw(st.text(max_size=30)) + _pick(draw, ("'", "")))
    before, middle, after = draw(st.sampled_from(CROWDS))
    often = draw(st.sampled_from((1, 2, 59, 61, 100, 101_000 // len(before + after))))
    closing = "'" if before.endswith("'") and middle != "'a'" else ")" if before.endswith("IN (") else ""
    return shell.format(f"{before * (1 if closing else often)}{middle}{after * often}{closing}")


@pytest.fixture
def filled(org: Any) -> Any:
    """Few rows with nulls, ties, accents, long text and a deleted one: statements meet every kind of value."""
    ada = ids.make("005", 1)
    for number, name in enumerate(["a", "A", "É", None]):
        org.insert("Account", "001", number, Name=name, Rating="Hot", AnnualRevenue=number or None, OwnerId=ada)
    for number in range(4):
        org.insert(
            "Contact", "003", number, Name="aB" if number else None, Birthdate=date(1990, 1, 1 + number), OwnerId=ada,
            Interests__c="a;b" if number else None, AccountId=ids.make("001", number), IsDeleted=number == 3,
            Description="x" * 3_000, NumberOfVisits=number or None, HasOptedOutOfEmail=number == 1,
        )  # fmt: skip
        visit = org.insert(
            "Visit__c", "a00", number, Fee__c=1.5, At__c=time(10, 30), Contact__c=ids.make("003", number)
        )
        org.insert("Payment__c", "a01", number, Amount__c=2.5, Visit__c=visit)
        org.insert("Task", "00T", number, Subject="s", WhatId=visit, WhoId=ids.make("003", 1), OwnerId=ada)
    return org


class Door:
    """The query routes in this process, called without a client in between: ten thousand calls stay cheap."""

    def __init__(self, org: Any, actor: Any) -> None:
        refused = {OrgError: lambda _request, error: error_response(error)}
        self._app = Starlette(routes=query.routes(org), exception_handlers=refused)
        self._actor = actor
        self._loop = asyncio.new_event_loop()

    def __call__(self, text: str) -> tuple[int, Any]:
        """Status and body; whatever the door raises is a bug and comes through."""
        return self._loop.run_until_complete(self._ask(urlencode({"q": text}).encode()))

    async def _ask(self, words: bytes) -> tuple[int, Any]:
        sent: list[Any] = []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": f"{BASE}/query", "raw_path": b"", "query_string": words, "root_path": "", "headers": [],
            "client": ("127.0.0.1", 1), "server": ("org", 80), "state": {"actor": self._actor, "version": "67.0"},
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@pytest.fixture
def ask(filled: Any, ada: Any) -> Iterator[Door]:
    door = Door(filled, ada)
    yield door
    door.close()


def _answered(ask: Door, text: str) -> None:
    status, body = ask(text)
    shown = text[:500]
    assert status in {200, 400}, (shown, body)
    if status == 200:
        assert {"totalSize", "done", "records"} <= set(body), shown
        return
    (error,) = body
    assert set(error) == {"message", "errorCode"}, shown
    assert error["errorCode"] in CODES, (shown, error)
    if error["errorCode"] in {"INVALID_TYPE", "INVALID_FIELD"}:
        assert PLACED.fullmatch(error["message"]), (shown, error)


CASES = st.integers(0, 19).flatmap(lambda way: extremes() if not way else broken() if way < 10 else statements())


@settings(max_examples=QUICK, **QUIET)
@given(text=CASES)
def test_any_statement_is_answered_or_refused_in_the_platforms_form(ask: Any, text: str) -> None:
    _answered(ask, text)


@pytest.mark.more
@settings(max_examples=MANY, **QUIET)
@given(text=CASES)
def test_ten_thousand_statements_are_answered_or_refused_in_the_platforms_form(ask: Any, text: str) -> None:
    _answered(ask, text)


@pytest.mark.parametrize(
    "rest",
    [
        "COUNT(Id) FROM Contact GROUP BY GROUPING(Name)", "COUNT(Id), GROUPING(Email) FROM Contact GROUP BY Name",
        "COUNT(Id), GROUPING(Name) FROM Contact", "Id FROM Contact ORDER BY GROUPING(Name)",
        "Id FROM Contact WHERE GROUPING(Name) = 1",
    ],
)  # fmt: skip
def test_grouping_has_its_place_beside_its_group_only(ask: Any, rest: str) -> None:
    status, body = ask(f"SELECT {rest}")
    assert (status, body[0]["errorCode"]) == (400, "MALFORMED_QUERY")
    assert ask("SELECT GROUPING(Name) g FROM Contact GROUP BY ROLLUP(Name)")[0] == 200
