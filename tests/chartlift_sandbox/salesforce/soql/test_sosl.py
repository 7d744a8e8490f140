"""SOSL on the small org: which records are found, what is answered of them, and what is refused."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.sosl.door import statement
from chartlift_sandbox.salesforce.sosl.execute import search, shares

PEOPLE = (
    ("Acme Ltd", None), ("John Smith", "john.smith@x.org"), ("Joan of Arc 12b", None), ("Blue1 O'Brien", "a-b@c.de"),
    ("Éva Müller", "eva@x.org"), ("smith, john", None),
)  # fmt: skip
QUIET: dict[str, Any] = {
    "deadline": None, "derandomize": True, "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}  # fmt: skip


@pytest.fixture
def people(org: Any) -> Any:
    for number, (name, email) in enumerate(PEOPLE):
        org.insert("Contact", "003", number, Name=name, Email=email)
    org.insert("Contact", "003", 50, Name="Gone Smith", IsDeleted=True)
    org.insert("Account", "001", 1, Name="Acme", Rating="Hot")
    return org


def _names(org: Any, ada: Any, words: str, rest: str = "RETURNING Contact(Name)") -> list[str]:
    return [record["Name"] for record in search(org, ada, f"FIND {{{words}}} {rest}").records("67.0")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ACME", ["Acme Ltd"]), ("jo?n", ["John Smith", "Joan of Arc 12b", "smith, john"]), ("jo*", [1, 2, 5]),
        ("john OR joan", [1, 2, 5]), ("smith john", [1, 5]), ("smith and john", [1, 5]), ('"john smith"', [1]),
        ('"smith john"', [5]), ("jo* AND NOT arc", [1, 5]), ("(acme OR john) AND smith", [1, 5]), ("blue", [3]),
        ("blue1", [3]), ("12b", [2]), ("O\\'Brien", [3]), ("john.smith@x.org", [1]), ("x org", [1, 4]), ("MÜLLER", [4]),
        ("ÉVA", [4]), ("mith", []), ("smit", []), ("*mith", []), ("sm*th", [1, 5]), ("a\\-b", [3]), ("joh", []), ("jo AND b*", []),
        ("acme OR jo* AND arc", [0, 2]),
    ],
)  # fmt: skip
def test_words_find_records(people: Any, ada: Any, words: str, found: list[Any]) -> None:
    wanted = [PEOPLE[one][0] if isinstance(one, int) else one for one in found]
    assert _names(people, ada, words) == wanted


def test_groups_of_fields_narrow_the_search(people: Any, ada: Any) -> None:
    assert _names(people, ada, "smith", "IN EMAIL FIELDS RETURNING Contact(Name)") == ["John Smith"]
    assert _names(people, ada, "org", "IN NAME FIELDS RETURNING Contact(Name)") == []
    assert _names(people, ada, "org", "IN PHONE FIELDS RETURNING Contact(Name)") == []
    people.hidden = {("Contact", "Email")}
    assert _names(people, ada, "org") == []


def test_what_is_answered_of_each_object_is_filtered_sorted_and_cut(people: Any, ada: Any) -> None:
    text = (
        "FIND {acme OR jo*} RETURNING Account(Id, Rating), Contact(Name WHERE Email = null ORDER BY Name DESC LIMIT 2)"
    )
    records = search(people, ada, text).records("67.0")
    assert [r["attributes"]["type"] for r in records] == ["Account", "Contact", "Contact"]
    assert records[0]["Rating"] == "Hot"
    assert [r["Name"] for r in records[1:]] == ["smith, john", "Joan of Arc 12b"]
    assert records[0]["attributes"]["url"] == f"/services/data/v67.0/sobjects/Account/{records[0]['Id']}"


def test_without_returning_the_ids_of_every_searchable_object_are_answered(people: Any, ada: Any) -> None:
    records = search(people, ada, "FIND {acme}").records("67.0")
    assert [set(r) for r in records] == [{"attributes", "Id"}] * 2
    assert [r["attributes"]["type"] for r in records] == ["Account", "Contact"]
    people.unreadable = {"Account"}
    assert len(search(people, ada, "FIND {acme}").records("67.0")) == 1


@pytest.mark.parametrize(
    ("found", "limit", "want"),
    [([5, 5], 4, [2, 2]), ([1, 9], 6, [1, 5]), ([3], 2_000, [3]),
     ([4, 4, 4], 5, [2, 2, 1]), ([9, 0], 3, [3, 0]), ([2, 2], 0, [0, 0])],
)  # fmt: skip
def test_a_limit_on_the_whole_is_shared_evenly(found: list[int], limit: int, want: list[int]) -> None:
    assert shares(found, limit) == want


def test_at_most_2000_records_are_answered(org: Any, ada: Any) -> None:
    org.db.execute(
        "INSERT INTO \"Contact\" BY NAME SELECT '0035g0000' || lpad(CAST(i AS VARCHAR), 6, '0') || 'AAA' AS \"Id\", "
        '\'same name\' AS "Name", false AS "IsDeleted" FROM range(2100) g(i)'
    )
    assert len(search(org, ada, "FIND {same} RETURNING Contact").records("67.0")) == 2_000
    assert len(search(org, ada, "FIND {same} RETURNING Contact LIMIT 9999").records("67.0")) == 2_000
    assert len(search(org, ada, "FIND {same} RETURNING Contact(Id LIMIT 7)").records("67.0")) == 7


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("FIND foo", "MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces."),
        ("FIND {foo", "MALFORMED_SEARCH", "mismatched character '<EOF>' expecting '}'"),
        ("FIND {}", "INVALID_SEARCH", "search term must be longer than one character: "),
        ("FIND {a*}", "INVALID_SEARCH", "search term must be longer than one character: a*"),
        ("FIND {?}", "INVALID_SEARCH", "search term must be longer than one character"),
        (
            "FIND {John|jane} RETURNING Contact", "MALFORMED_SEARCH",
            (
                "\nFIND {John|jane} RETURNING Contact\n         ^\nERROR at Row:1:Column:10\n"
                "line 1:10 mismatched character '|' expecting '}'"
            ),
        ),
        ("FIND {Marie-Pier Martin}", "MALFORMED_SEARCH", "Column:11\nline 1:11 mismatched character '-' expecting '}'"),
        (
            "FIND {name} IN ALL TYPE RETURNING Account(name)", "MALFORMED_SEARCH",
            (
                "\nFIND {name} IN ALL TYPE RETURNING Account(name)\n                  ^\nERROR at Row:1:Column:19\n"
                "Malformed search token: TYPE"
            ),
        ),
        ("FIND {name} IN NOPE FIELDS", "MALFORMED_SEARCH", "Malformed search token: NOPE"),
        ("FIND {name} RETURNING Nope__c", "INVALID_TYPE", "sObject type 'Nope__c' is not supported"),
        ("FIND {name} RETURNING Account(Nope__c)", "INVALID_FIELD", "No such column 'Nope__c' on entity 'Account'"),
        ("FIND {name} RETURNING Account(Id WHERE Name = 5)", "INVALID_FIELD", "must be of type string"),
        ("FIND {name} RETURNING Account(COUNT(Id))", "MALFORMED_SEARCH", "Malformed search token: COUNT"),
        ("FIND {name} RETURNING Account(Id, (SELECT Id FROM Contacts))", "MALFORMED_SEARCH", "Malformed search token"),
        ("FIND {name} RETURNING Account(Id GROUP BY Id)", "MALFORMED_SEARCH", "Malformed search token"),
        ("FIND {name} RETURNING Account(Id", "MALFORMED_SEARCH", "Malformed search token: <EOF>"),
        ("FIND {name} WITH NOPE = 'x'", "MALFORMED_SEARCH", "Malformed search token: NOPE"),
        ("FIND {(name}", "MALFORMED_SEARCH", "expecting ')'"),
        ("FIND {name)}", "MALFORMED_SEARCH", "mismatched character ')'"),
        ('FIND {"name}', "MALFORMED_SEARCH", "mismatched character '}'"),
        ("FIND {name and}", "MALFORMED_SEARCH", "mismatched character '}'"),
        ("FIND {" + "(" * 70 + "name" + ")" * 70 + "}", "MALFORMED_SEARCH", "mismatched character '('"),
        ("FIND {x" + "y" * 100_000 + "}", "MALFORMED_SEARCH", "longer than 100000 characters"),
    ],
)  # fmt: skip
def test_what_the_search_service_refuses(org: Any, ada: Any, text: str, code: str, words: str) -> None:
    with pytest.raises(OrgError) as caught:
        search(org, ada, text)
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert words in caught.value.message


def test_very_long_words_lose_their_operators_and_longer_ones_find_nothing(people: Any, ada: Any) -> None:
    filler = " zz" * 1_400
    assert _names(people, ada, f"john AND acme{filler}") == ["Acme Ltd", "John Smith", "smith, john"]
    assert _names(people, ada, "john OR" + " john" * 2_500) == []


@pytest.mark.parametrize(
    "rest",
    ["WITH SNIPPET", "WITH SNIPPET (target_length = 120)", "WITH DIVISION = 'Global'", "WITH HIGHLIGHT",
     "WITH NETWORK IN ('0DB000000000001')", "WITH SPELL_CORRECTION = false", "WITH PRICEBOOKID = '01s000000000001'",
     "UPDATE TRACKING, VIEWSTAT", "LIMIT 5 UPDATE TRACKING"],
)  # fmt: skip
def test_clauses_without_effect_are_accepted(people: Any, ada: Any, rest: str) -> None:
    assert _names(people, ada, "acme", f"RETURNING Contact(Name) {rest}") == ["Acme Ltd"]


def test_labels_come_with_the_records_when_asked_for(people: Any, ada: Any) -> None:
    found = search(people, ada, "FIND {acme} RETURNING Account(Id, Rating) WITH METADATA = 'LABELS'")
    fields = [{"name": "Id", "label": "Account ID"}, {"name": "Rating", "label": "Rating"}]
    assert found.metadata() == {"entityetadata": [{"entityName": "Account", "fieldMetadata": fields}]}
    assert found.labels
    assert not search(people, ada, "FIND {acme}").labels


def test_parameters_stand_for_a_statement(people: Any, ada: Any) -> None:
    words = {
        "q": "jo* & {smith}", "fields": ["Id"], "in": "NAME", "overallLimit": 5, "defaultLimit": 3,
        "sobjects": [{"name": "Contact", "fields": ["Name"], "where": "Email = null", "orderBy": "Name"}, {"name": "Account"}],
    }  # fmt: skip
    text = statement(words)
    assert "RETURNING Contact(Name WHERE Email = null ORDER BY Name LIMIT 3), Account(Id LIMIT 3) LIMIT 5" in text
    assert [r["Name"] for r in search(people, ada, text, strict=False).records("67.0")] == ["smith, john"]


@pytest.mark.parametrize(
    "words",
    [{}, {"q": ""}, {"q": 5}, {"q": "acme", "fields": ["Id"]}, {"q": "acme", "sobjects": "Account"}, {"q": "acme", "in": 3},
     {"q": "acme", "sobjects": [{"fields": ["Id"]}]}, {"q": "acme", "sobjects": [{"name": "Account", "fields": [1]}]},
     {"q": "acme", "overallLimit": 2001}, {"q": "acme", "overallLimit": "x"}, {"q": "acme", "defaultLimit": 3}],
)  # fmt: skip
def test_parameters_of_another_form_are_refused(words: dict[str, Any]) -> None:
    with pytest.raises(OrgError, match="MALFORMED_SEARCH"):
        statement(words)


# an evaluator of its own: a query is drawn as a tree, a text is split by hand

TERMS = (
    "acme",
    "Ltd",
    "JOHN",
    "jo*",
    "j??n",
    "smith",
    "arc",
    "12",
    "b",
    "blue",
    "x",
    "org",
    "zz*",
    "müller",
    "sm*h",
    '"john smith"',
)


def _tokens(text: str) -> list[str]:
    split = ""
    for before, sign in zip(" " + text, text, strict=False):
        turned = (before.isalpha() and sign.isdigit()) or (before.isdigit() and sign.isalpha())
        split += (" " if turned else "") + (sign.lower() if sign.isalnum() else " ")
    return split.split()


def _has(person: tuple[str, str | None], term: str) -> bool:
    wanted = term.lower().strip('"').split()
    for text in filter(None, person):
        have = _tokens(text)
        for start in range(len(have) - len(wanted) + 1):
            if all(fnmatchcase(have[start + n], one) for n, one in enumerate(wanted)):
                return True
    return False


def _drawn(rnd: random.Random, depth: int) -> tuple[str, Any]:
    """The text of a query, and who is found by it."""
    way = rnd.randrange(5) if depth else 0
    if way < 2:
        term = rnd.choice(TERMS)
        return term, lambda person: _has(person, term)
    (left, one), (right, two) = _drawn(rnd, depth - 1), _drawn(rnd, depth - 1)
    if way == 2:
        return f"({left} OR {right})", lambda person: one(person) or two(person)
    if way == 3:
        return f"({left}{rnd.choice((' AND ', ' and ', ' '))}{right})", lambda person: one(person) and two(person)
    return f"({left} AND NOT {right})", lambda person: one(person) and not two(person)


@settings(max_examples=60, **QUIET)
@given(start=st.integers(0, 2**32))
def test_drawn_words_find_whom_plain_python_finds(people: Any, ada: Any, start: int) -> None:
    rnd = random.Random(start)
    for _ in range(5):
        words, found = _drawn(rnd, 3)
        words = f"{words} OR acme"  # one word of two letters is always there
        assert _names(people, ada, words) == [p[0] for p in PEOPLE if found(p) or _has(p, "acme")], words


GARBAGE = st.lists(
    st.sampled_from(
        ["FIND", "{", "}", "{acme}", "FIND {acme}", "IN", "ALL", "NAME", "FIELDS", "RETURNING", "Account", "Contact(", "Id", ")",
         ",", "(", "WHERE", "Name", "=", "'a'", "ORDER BY", "LIMIT", "5", "WITH", "METADATA", "SNIPPET", "UPDATE", "AND", "OR",
         "NOT", '"', "\\", "*", "?", "\x00", "é", "😀", "\n", "-", "|", "&", "CreatedDate = TODAY", "OFFSET 3000", "USING"]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip
TEXTS = st.one_of(
    GARBAGE, GARBAGE.map("FIND {{acme}} {}".format), GARBAGE.map("FIND {{{}}} RETURNING Contact".format),
    st.text(max_size=20).map("FIND {{{}}}".format), GARBAGE.map("FIND {{acme}} RETURNING Contact({})".format),
)  # fmt: skip
CODES = {"MALFORMED_SEARCH", "INVALID_SEARCH", "INVALID_TYPE", "INVALID_FIELD", "INVALID_QUERY_FILTER_OPERATOR",
         "NUMBER_OUTSIDE_VALID_RANGE", "QUERY_TOO_COMPLICATED"}  # fmt: skip


@settings(max_examples=400, **QUIET)
@given(text=TEXTS, strict=st.booleans())
def test_any_search_is_answered_or_refused(people: Any, ada: Any, text: str, strict: bool) -> None:
    refused = None
    try:
        search(people, ada, text, strict=strict).records("67.0")
    except OrgError as error:
        refused = error
    assert refused is None or (refused.code in CODES and refused.status == 400), (text, refused)
