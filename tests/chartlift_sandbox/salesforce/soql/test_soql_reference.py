"""The compiler against an evaluator in plain Python that shares nothing with it: generated rows, generated queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chartlift_sandbox.salesforce import ids, soql

Row = dict[str, Any]
Test = Callable[[Row], bool]
TODAY = date(2026, 11, 25)
WORDS = st.sampled_from(
    ["a", "A", "ab", "aB", "AB", "b", "é", "É", "éa", "ß", "%", "_", "a%", "a_b", "b'", "'", "\\", "a\\b", "b a", "aéB"]
)
TEXTS = st.one_of(st.none(), WORDS)
EDGES = st.sampled_from(
    [date(2026, 11, 25), date(2026, 11, 23), date(2026, 10, 1), date(2026, 12, 1), date(2026, 1, 1)]
)
GIVEN_DAYS = st.one_of(
    st.dates(date(2025, 11, 1), date(2027, 12, 31)),
    st.builds(lambda day, days: day + timedelta(days), EDGES, st.integers(-2, 2)),
)
DAYS = st.one_of(st.none(), GIVEN_DAYS)
MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 10, 20), datetime(2026, 12, 31)).map(lambda t: t.replace(microsecond=0)),  # noqa: DTZ001
    st.builds(
        lambda day, seconds: datetime(2026, 11, day) + timedelta(seconds=seconds),  # noqa: DTZ001
        st.integers(22, 27), st.sampled_from([-1, 0, 1, 43_200]),
    ),
)  # fmt: skip
NUMBERS = st.one_of(st.none(), st.integers(-3, 3))
SETS = st.one_of(st.none(), st.sets(st.sampled_from(["Aa", "Bb", "Cc"]), min_size=1).map(lambda s: ";".join(sorted(s))))
ACCOUNTS = st.lists(st.fixed_dictionaries({"Name": TEXTS, "AnnualRevenue": NUMBERS}), min_size=1, max_size=3)
CONTACTS = st.lists(
    st.fixed_dictionaries(
        {
            "Name": TEXTS, "Email": TEXTS, "Birthdate": DAYS, "CreatedDate": MOMENTS, "NumberOfVisits": NUMBERS,
            "HasOptedOutOfEmail": st.booleans(), "Interests__c": SETS, "Source_System_ID__c": TEXTS,
            "IsDeleted": st.sampled_from([False] * 4 + [True]), "account": st.one_of(st.none(), st.integers(0, 2)),
        }
    ),
    max_size=12,
)  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """A condition as text and as a Python test."""

    text: str
    test: Test


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _parent(field: str) -> Callable[[Row], Any]:
    def get(row: Row) -> Any:
        return row["Account"][field] if row["Account"] else None

    return get


def _own(field: str) -> Callable[[Row], Any]:
    return lambda row: row[field]


TEXT_FIELDS = {"Name": _own("Name"), "email": _own("Email"), "Account.Name": _parent("Name")}
NUMBER_FIELDS = {"NumberOfVisits": _own("NumberOfVisits"), "account.AnnualRevenue": _parent("AnnualRevenue")}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a is not None and a == b,
    "!=": lambda a, b: a is None or a != b,
    "<>": lambda a, b: a is None or a != b,
    "<": lambda a, b: a is not None and a < b,
    "<=": lambda a, b: a is not None and a <= b,
    ">": lambda a, b: a is not None and a > b,
    ">=": lambda a, b: a is not None and a >= b,
}
OPERATORS = st.sampled_from(sorted(_COMPARE))


def _lower(value: str | None) -> str | None:
    return None if value is None else value.lower()


@st.composite
def text_compare(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(sorted(TEXT_FIELDS)))
    operator, value, get = draw(OPERATORS), draw(WORDS), TEXT_FIELDS[name]
    test = _COMPARE[operator]
    return Condition(f"{name} {operator} {_quote(value)}", lambda row: test(_lower(get(row)), value.lower()))


@st.composite
def exact_compare(draw: st.DrawFn) -> Condition:
    operator, value = draw(OPERATORS), draw(WORDS)
    test = _COMPARE[operator]
    text = f"Source_System_ID__c {operator} {_quote(value)}"
    return Condition(text, lambda row: test(row["Source_System_ID__c"], value))


@st.composite
def null_compare(draw: st.DrawFn) -> Condition:
    fields = TEXT_FIELDS | NUMBER_FIELDS | {"Birthdate": _own("Birthdate"), "AccountId": _own("AccountId")}
    name, wanted = draw(st.sampled_from(sorted(fields))), draw(st.booleans())
    get, word = fields[name], draw(st.sampled_from(["null", "NULL"]))
    return Condition(f"{name} {'=' if wanted else '!='} {word}", lambda row: (get(row) is None) is wanted)


@st.composite
def number_compare(draw: st.DrawFn) -> Condition:
    name, operator, value = draw(st.sampled_from(sorted(NUMBER_FIELDS))), draw(OPERATORS), draw(st.integers(-3, 3))
    get, test = NUMBER_FIELDS[name], _COMPARE[operator]
    return Condition(f"{name}{operator}{value}", lambda row: test(get(row), value))


@st.composite
def day_compare(draw: st.DrawFn) -> Condition:
    operator, value = draw(OPERATORS), draw(GIVEN_DAYS)
    test = _COMPARE[operator]
    return Condition(f"Birthdate {operator} {value}", lambda row: test(row["Birthdate"], value))


@st.composite
def moment_compare(draw: st.DrawFn) -> Condition:
    operator, value, hours = draw(OPERATORS), draw(MOMENTS), draw(st.integers(-11, 11))
    test, local = _COMPARE[operator], value + timedelta(hours=hours)
    text = f"CreatedDate {operator} {local.isoformat()}{'+' if hours >= 0 else '-'}{abs(hours):02d}:00"
    return Condition(text, lambda row: test(row["CreatedDate"], value))


def _spans(count: int) -> dict[str, tuple[date, date]]:
    """Half-open spans of whole days, worked out by hand for Wednesday 25 November 2026."""
    return {
        "TODAY": (TODAY, date(2026, 11, 26)),
        "YESTERDAY": (date(2026, 11, 24), TODAY),
        "THIS_WEEK": (date(2026, 11, 23), date(2026, 11, 30)),
        "LAST_WEEK": (date(2026, 11, 16), date(2026, 11, 23)),
        "NEXT_MONTH": (date(2026, 12, 1), date(2027, 1, 1)),
        "THIS_QUARTER": (date(2026, 10, 1), date(2027, 1, 1)),
        "LAST_YEAR": (date(2025, 1, 1), date(2026, 1, 1)),
        f"LAST_N_DAYS:{count}": (TODAY - timedelta(count), date(2026, 11, 26)),
        f"NEXT_N_DAYS:{count}": (date(2026, 11, 26), date(2026, 11, 26) + timedelta(count)),
        f"N_DAYS_AGO:{count}": (TODAY - timedelta(count), TODAY - timedelta(count - 1)),
        f"LAST_N_WEEKS:{count}": (date(2026, 11, 23) - timedelta(7 * count), date(2026, 11, 23)),
    }


@st.composite
def literal_compare(draw: st.DrawFn) -> Condition:
    spans = _spans(draw(st.integers(1, 40)))
    word, operator = draw(st.sampled_from(sorted(spans))), draw(OPERATORS)
    first, after = spans[word]
    moment = draw(st.booleans())
    # London keeps UTC from 25 October 2026 to 28 March 2027; earlier days of the year lie an hour ahead
    if moment and not date(2026, 10, 25) < first <= after < date(2027, 3, 28):
        moment = False
    if moment:
        edges: tuple[Any, Any] = (datetime(*first.timetuple()[:3]), datetime(*after.timetuple()[:3]))  # noqa: DTZ001
    else:
        edges = (first, after)
    name = "CreatedDate" if moment else "Birthdate"

    def test(row: Row) -> bool:
        value, start, end = row[name], *edges
        if value is None:
            return operator in {"!=", "<>"}
        return {
            "=": start <= value < end, "!=": not start <= value < end, "<>": not start <= value < end,
            "<": value < start, "<=": value < end, ">": value >= end, ">=": value >= start,
        }[operator]  # fmt: skip

    return Condition(f"{name} {operator} {word}", test)


@st.composite
def like(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(sorted(TEXT_FIELDS)))
    parts = draw(
        st.lists(st.sampled_from(["%", "_", "\\%", "\\_", "a", "B", "é", "\\'", "\\\\"]), min_size=1, max_size=4)
    )
    regex = "".join({"%": ".*", "_": "."}.get(part, re.escape(part.removeprefix("\\"))) for part in parts)
    compiled, get = re.compile(regex, re.DOTALL | re.IGNORECASE), TEXT_FIELDS[name]

    def test(row: Row) -> bool:
        value = get(row)
        return value is not None and compiled.fullmatch(value) is not None

    return Condition(f"{name} LIKE '{''.join(parts)}'", test)


@st.composite
def among(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(sorted(TEXT_FIELDS)))
    values = draw(st.lists(WORDS, min_size=1, max_size=4))
    with_null = draw(st.sampled_from(["", "''", "null"]))
    inside, get = draw(st.booleans()), TEXT_FIELDS[name]
    listed = ", ".join([*map(_quote, values), *([with_null] if with_null else [])])
    wanted = {value.lower() for value in values} | ({None} if with_null else set())
    return Condition(
        f"{name} {'IN' if inside else 'NOT IN'} ({listed})", lambda row: (_lower(get(row)) in wanted) is inside
    )


@st.composite
def chosen(draw: st.DrawFn) -> Condition:
    groups = draw(st.lists(st.sets(st.sampled_from(["aA", "BB", "Cc"]), min_size=1), min_size=1, max_size=3))
    inside = draw(st.booleans())
    listed = ", ".join(_quote(";".join(sorted(group))) for group in groups)

    def test(row: Row) -> bool:
        have = set((row["Interests__c"] or "").lower().split(";"))
        return any({part.lower() for part in group} <= have for group in groups) is inside

    return Condition(f"Interests__c {'includes' if inside else 'excludes'} ({listed})", test)


@st.composite
def ticked(draw: st.DrawFn) -> Condition:
    value, operator = draw(st.booleans()), draw(st.sampled_from(["=", "!="]))
    return Condition(
        f"HasOptedOutOfEmail {operator} {str(value).upper()}",
        lambda row: (row["HasOptedOutOfEmail"] == value) is (operator == "="),
    )


SIMPLE = st.one_of(
    text_compare(), exact_compare(), null_compare(), number_compare(), day_compare(), moment_compare(),
    literal_compare(), like(), among(), chosen(), ticked(),
)  # fmt: skip


def _joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    def join(word: str, parts: list[Condition]) -> Condition:
        combine = all if word == "AND" else any
        return Condition(
            "(" + f" {word} ".join(part.text for part in parts) + ")",
            lambda row: combine(part.test(row) for part in parts),
        )

    def negate(part: Condition) -> Condition:
        return Condition(f"(NOT {part.text})", lambda row: not part.test(row))

    junction = st.builds(join, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3))
    return st.one_of(junction, inner.map(negate))


CONDITIONS = st.recursive(SIMPLE, _joined, max_leaves=6)
QUIET = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


def _fill(org: Any, accounts: list[Row], contacts: list[Row]) -> list[Row]:
    for table in ("Account", "Contact"):
        org.db.execute(f'DELETE FROM "{table}"')
    parents = [account | {"Id": org.insert("Account", "001", n, **account)} for n, account in enumerate(accounts)]
    rows = []
    for number, contact in enumerate(contacts):
        values = {key: value for key, value in contact.items() if key != "account"}
        place = contact["account"]
        parent = parents[place % len(parents)] if place is not None else None
        values["AccountId"] = parent["Id"] if parent else None
        rows.append(values | {"Id": org.insert("Contact", "003", number, **values), "Account": parent})
    return rows


@settings(max_examples=50, **QUIET)
@given(
    accounts=ACCOUNTS, contacts=CONTACTS, conditions=st.lists(CONDITIONS, min_size=3, max_size=6), every=st.booleans()
)
def test_filters_select_what_plain_python_selects(
    org: Any, ada: Any, accounts: list[Row], contacts: list[Row], conditions: list[Condition], every: bool
) -> None:
    rows = _fill(org, accounts, contacts)
    for condition in conditions:
        text = f"SELECT Id FROM Contact WHERE {condition.text}"
        got = [row[0] for row in soql.run(org, ada, text, all_rows=every).rows]
        want = [row["Id"] for row in rows if (every or not row["IsDeleted"]) and condition.test(row)]
        assert got == want, text


ORDERS = {"Name": _own("Name"), "Account.Name": _parent("Name"), "NumberOfVisits": _own("NumberOfVisits"),
          "Birthdate": _own("Birthdate"), "HasOptedOutOfEmail": _own("HasOptedOutOfEmail")}  # fmt: skip


def _sorted(rows: list[Row], keys: list[tuple[str, bool, bool]]) -> list[Row]:
    for name, descending, last in reversed(keys):
        get = ORDERS[name]
        given_rows = [row for row in rows if get(row) is not None]
        given_rows.sort(
            key=lambda row: get(row).lower() if isinstance(get(row), str) else get(row),
            reverse=False,
        )
        if descending:
            # a stable descending sort: ties keep their order
            keyed = [list(group) for _, group in groupby(given_rows, key=lambda row: str(get(row)).lower())]
            given_rows = [row for group in reversed(keyed) for row in group]
        empty = [row for row in rows if get(row) is None]
        rows = [*given_rows, *empty] if last else [*empty, *given_rows]
    return rows


@settings(max_examples=30, **QUIET)
@given(
    accounts=ACCOUNTS, contacts=CONTACTS,
    keys=st.lists(st.tuples(st.sampled_from(sorted(ORDERS)), st.booleans(), st.booleans()), min_size=1, max_size=3),
    limit=st.one_of(st.none(), st.integers(0, 5)), offset=st.integers(0, 4),
)  # fmt: skip
def test_order_limit_and_offset_cut_as_plain_python_does(
    org: Any, ada: Any, accounts: list[Row], contacts: list[Row], keys: list[tuple[str, bool, bool]],
    limit: int | None, offset: int,
) -> None:  # fmt: skip
    rows = [row for row in _fill(org, accounts, contacts) if not row["IsDeleted"]]
    order = ", ".join(f"{n} {'DESC' if d else 'asc'}{' NULLS LAST' if last else ''}" for n, d, last in keys)
    text = f"SELECT Id FROM Contact ORDER BY {order}"
    text += "" if limit is None else f" LIMIT {limit}"
    text += f" OFFSET {offset}" if offset else ""
    want = [row["Id"] for row in _sorted(rows, keys)][offset:]
    got = [row[0] for row in soql.run(org, ada, text).rows]
    assert got == (want if limit is None else want[:limit]), text


@settings(max_examples=20, **QUIET)
@given(accounts=ACCOUNTS, contacts=CONTACTS, floor=st.integers(0, 2))
def test_groups_add_up_as_in_plain_python(
    org: Any, ada: Any, accounts: list[Row], contacts: list[Row], floor: int
) -> None:
    rows = [row for row in _fill(org, accounts, contacts) if not row["IsDeleted"]]
    text = (
        "SELECT HasOptedOutOfEmail o, COUNT(Id), COUNT(Email) e, COUNT_DISTINCT(Name), SUM(NumberOfVisits) s, "
        "AVG(NumberOfVisits) a, MIN(Birthdate), MAX(Birthdate) FROM Contact GROUP BY HasOptedOutOfEmail "
        f"HAVING COUNT(Id) > {floor} ORDER BY HasOptedOutOfEmail"
    )
    want = []
    for ticked_box in (False, True):
        group = [row for row in rows if row["HasOptedOutOfEmail"] is ticked_box]
        if len(group) <= floor:
            continue
        numbers = [row["NumberOfVisits"] for row in group if row["NumberOfVisits"] is not None]
        days = [row["Birthdate"] for row in group if row["Birthdate"]]
        want.append(
            {
                "attributes": {"type": "AggregateResult"}, "o": ticked_box, "expr0": len(group),
                "e": sum(row["Email"] is not None for row in group),
                "expr1": len({row["Name"].lower() for row in group if row["Name"]}),
                "s": sum(numbers) if numbers else None, "a": sum(numbers) / len(numbers) if numbers else None,
                "expr2": min(days).isoformat() if days else None, "expr3": max(days).isoformat() if days else None,
            }
        )  # fmt: skip
    got = soql.run(org, ada, text).to_records()
    for record, expected in zip(got, want, strict=True):
        if expected["a"] is not None:
            assert abs(record.pop("a") - expected.pop("a")) < 1e-9
        assert record == expected


@settings(max_examples=20, **QUIET)
@given(accounts=ACCOUNTS, contacts=CONTACTS, condition=SIMPLE, limit=st.one_of(st.none(), st.integers(0, 3)))
def test_children_hang_on_their_parents(
    org: Any, ada: Any, accounts: list[Row], contacts: list[Row], condition: Condition, limit: int | None
) -> None:
    rows = [row for row in _fill(org, accounts, contacts) if not row["IsDeleted"]]
    cut = "" if limit is None else f" LIMIT {limit}"
    text = f"SELECT Id, (SELECT Id FROM Contacts WHERE {condition.text} ORDER BY Id DESC{cut}) FROM Account"
    for record in soql.run(org, ada, text).to_records():
        mine = [row["Id"] for row in rows if row["AccountId"] == record["Id"] and condition.test(row)][::-1]
        mine = mine if limit is None else mine[:limit]
        got = record["Contacts"]
        assert [child["Id"] for child in got["records"]] == mine if got else not mine
        assert got is None or got["totalSize"] == len(mine)


@settings(max_examples=20, **QUIET)
@given(accounts=ACCOUNTS, contacts=CONTACTS, condition=SIMPLE, inside=st.booleans())
def test_semi_joins_select_parents_of_chosen_children(
    org: Any, ada: Any, accounts: list[Row], contacts: list[Row], condition: Condition, inside: bool
) -> None:
    rows = [row for row in _fill(org, accounts, contacts) if not row["IsDeleted"]]
    word = "IN" if inside else "NOT IN"
    text = f"SELECT Id FROM Account WHERE Id {word} (SELECT AccountId FROM Contact WHERE {condition.text})"
    named = {row["AccountId"] for row in rows if row["AccountId"] and condition.test(row)}
    every = [ids.make("001", number) for number in range(len(accounts))]
    assert [row[0] for row in soql.run(org, ada, text).rows] == [one for one in every if (one in named) is inside]
