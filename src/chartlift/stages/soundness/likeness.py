"""Two records of one person: exact copies, and probable ones after Fellegi and Sunter, set-based in DuckDB.

Pairs are formed only within blocks (same birth date, day and month swapped, same number, same name and one more …). For each
pair every field gives a verdict (same, similar, differs, …) and the verdict a weight in bits (`likeness.toml`). The sum, with the
odds of any pair beforehand, is the score. Kept are verdicts and scores, never values.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from chartlift.model.source import EntityShape
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.soundness.persons import living
from chartlift.stages.sqltext import ident, literal

STAND_INS = ("0001-01-01", "1900-01-01", "1970-01-01")  # birth dates that say "unknown"; they make no one a duplicate
FATE = "both sent; merge them in the clinic first"
_DAY = "[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
_VALUED = {"surname": "sur", "forename": "fore", "born": "born", "mail": "mail", "postcode": "post"}


@cache
def weights() -> Mapping[str, Any]:
    """`likeness.toml`."""
    text = resources.files("chartlift.stages.soundness").joinpath("likeness.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def look(book: Book, shape: EntityShape) -> None:
    """Write down every pair of living records that is one person, exactly, probably or possibly."""
    if not {"born", "surname", "forename"} <= set(shape.person):
        return
    sql = book.sql
    sql.execute(f"CREATE OR REPLACE TEMP TABLE profile_person AS {_people(shape)}")
    sql.execute(f"CREATE OR REPLACE TEMP TABLE profile_likeness AS {_scored()}")
    heads = {
        "exact": Head(
            "R-DUP-EXACT",
            "warning",
            shape.name,
            (),
            "two records of one person: name, birth date, postcode, mobile and number are alike",
            FATE,
        ),
        "probable": Head("R-DUP", "warning", shape.name, (), "probably one person twice", FATE),
        "possible": Head("R-DUP-POSSIBLE", "note", shape.name, (), "possibly one person twice", "both sent"),
    }
    book.note_each(heads, _told())
    sql.execute("DROP TABLE profile_likeness; DROP TABLE profile_person")


def _people(shape: EntityShape) -> str:
    """Living records with what tells people apart, folded, and how many others have the same."""
    role = {name: f"s.{ident(column)}" for name, column in shape.person.items()}

    def folded(name: str) -> str:
        return f"fold(strip_accents({role[name]}))" if name in role else "NULL::VARCHAR"

    def digits(name: str, keep: int, least: int) -> str:
        plain = f"regexp_replace({role.get(name, 'NULL::VARCHAR')}, '[^0-9]', '', 'g')"
        return f"CASE WHEN strlen({plain}) >= {least} THEN right({plain}, {keep}) END"

    born, mail = role["born"], role.get("email", "NULL::VARCHAR")
    stand_ins = ", ".join(literal(day) for day in STAND_INS)
    return f"""
      WITH person AS (
        SELECT s._id AS id, s._seq AS seq,
          CASE WHEN regexp_full_match(left({born}, 10), '{_DAY}') AND left({born}, 10) NOT IN ({stand_ins})
               THEN left({born}, 10) END AS born,
          {folded("surname")} AS sur, {folded("previous")} AS prev, {folded("forename")} AS fore, {folded("middle")} AS middle,
          {folded("gender")} AS gender, {folded("postcode")} AS post, {folded("address")} AS street,
          {digits("mobile", 9, 8)} AS mobile, {digits("home", 9, 8)} AS home,
          CASE WHEN contains({mail}, '@') THEN lower(trim({mail})) END AS mail, {digits("health_number", 10, 9)} AS number
        {living(shape)})
      SELECT *, count(*) OVER () AS people, count(*) OVER (PARTITION BY sur) AS sur_n, count(*) OVER (PARTITION BY fore) AS fore_n,
        count(*) OVER (PARTITION BY born) AS born_n, count(*) OVER (PARTITION BY mail) AS mail_n,
        count(*) OVER (PARTITION BY post) AS post_n, count(*) OVER (PARTITION BY mobile) AS mobile_n,
        count(*) OVER (PARTITION BY home) AS home_n,
        CASE WHEN substr(born, 9, 2) <= '12' AND substr(born, 6, 2) <> substr(born, 9, 2)
             THEN left(born, 5) || substr(born, 9, 2) || '-' || substr(born, 6, 2) END AS swapped
      FROM person"""


def _blocks() -> str:
    """Pairs worth a look: each join is on equal values, so that their number grows with the people, not with its square."""
    most = weights()["shared_by_all"]
    head = "left(a.fore, 1) = left(b.fore, 1)"
    joins = (
        f"a.born = b.born AND ({head} OR a.sur = b.sur OR a.fore = b.sur OR a.sur = b.fore OR a.number = b.number)",
        f"a.born = b.swapped AND {head}",
        "a.number = b.number",
        *(f"a.sur = b.sur AND a.fore = b.fore AND a.{same} = b.{same}" for same in ("post", "mobile", "home", "mail")),
        "a.sur = b.sur AND a.fore = b.fore AND left(a.born, 7) = left(b.born, 7)",
        "a.sur = b.sur AND a.fore = b.fore AND substr(a.born, 6) = substr(b.born, 6)",
        "a.sur = b.sur AND a.fore = b.fore AND left(a.born, 4) = left(b.born, 4) AND right(a.born, 2) = right(b.born, 2)",
        *(f"a.fore = b.fore AND a.{same} = b.{same} AND a.{same}_n <= {most}" for same in ("mobile", "home", "mail")),
    )
    return " UNION ".join(
        f"SELECT a.id AS one, b.id AS other FROM profile_person a JOIN profile_person b ON {on} AND a.id < b.id"
        for on in joins
    )


def _verdicts() -> Mapping[str, str]:
    """Field -> SQL for its verdict on a pair (a, b); NULL = one of them does not say."""
    short = ", ".join(literal(pair) for pair in weights()["short_forms"]["names"])
    swapped = "WHEN a.fore = b.sur AND a.sur = b.fore THEN 'swapped'"
    wrong = "damerau_levenshtein({0}, {1}) = 1 AND least(strlen({0}), strlen({1})) >= 4"
    # a spelling that only one record has, or ten times fewer than the other, is a slip; two names that both exist are two people
    slip = "(least(a.fore_n, b.fore_n) = 1 OR least(a.fore_n, b.fore_n) * 10 <= greatest(a.fore_n, b.fore_n))"
    either = f"(a.fore || ' ' || b.fore IN ({short}) OR b.fore || ' ' || a.fore IN ({short}))"
    begins = "(starts_with(a.fore, b.fore) OR starts_with(b.fore, a.fore))"
    return {
        "surname": f"""CASE WHEN a.sur IS NULL OR b.sur IS NULL THEN NULL WHEN a.sur = b.sur THEN 'same' {swapped}
            WHEN a.prev = b.sur OR b.prev = a.sur OR a.prev = b.prev THEN 'former'
            WHEN {wrong.format("a.sur", "b.sur")} OR jaro_winkler_similarity(a.sur, b.sur) >= 0.93
              OR (least(strlen(a.sur), strlen(b.sur)) >= 4 AND (contains(a.sur, b.sur) OR contains(b.sur, a.sur))) THEN 'similar'
            ELSE 'differs' END""",
        "forename": f"""CASE WHEN a.fore IS NULL OR b.fore IS NULL THEN NULL WHEN a.fore = b.fore THEN 'same' {swapped}
            WHEN least(length(a.fore), length(b.fore)) = 1 THEN CASE WHEN {begins} THEN 'initial' ELSE 'differs' END
            WHEN {slip} AND ({wrong.format("a.fore", "b.fore")} OR jaro_winkler_similarity(a.fore, b.fore) >= 0.93) THEN 'similar'
            WHEN {either} OR (least(length(a.fore), length(b.fore)) >= 3 AND {begins}) THEN 'short' ELSE 'differs' END""",
        "born": """CASE WHEN a.born IS NULL OR b.born IS NULL THEN NULL WHEN a.born = b.born THEN 'same'
            WHEN a.born = b.swapped THEN 'swapped'
            WHEN damerau_levenshtein(a.born, b.born) = 1 AND left(a.born, 3) = left(b.born, 3) THEN 'near' ELSE 'differs' END""",
        "number": "CASE WHEN a.number = b.number THEN 'same' WHEN a.number <> b.number THEN 'differs' END",
        "telephone": """CASE WHEN a.mobile = b.mobile OR a.home = b.home OR a.mobile = b.home OR a.home = b.mobile THEN 'same'
            WHEN coalesce(a.mobile, a.home) IS NOT NULL AND coalesce(b.mobile, b.home) IS NOT NULL THEN 'differs' END""",
        "mail": "CASE WHEN a.mail = b.mail THEN 'same' WHEN a.mail <> b.mail THEN 'differs' END",
        "postcode": """CASE WHEN a.post = b.post THEN 'same' WHEN damerau_levenshtein(a.post, b.post) = 1 THEN 'similar'
            WHEN a.post <> b.post THEN 'differs' END""",
        "street": "CASE WHEN a.street = b.street THEN 'same' WHEN a.street <> b.street THEN 'differs' END",
        "middle": """CASE WHEN a.middle = b.middle THEN 'same'
            WHEN least(length(a.middle), length(b.middle)) = 1 AND left(a.middle, 1) = left(b.middle, 1) THEN 'initial'
            WHEN a.middle <> b.middle THEN 'differs' END""",
        "gender": "CASE WHEN a.gender = b.gender THEN 'same' WHEN a.gender <> b.gender THEN 'differs' END",
    }


def _weight(field: str, found: str) -> str:
    """SQL for the bits that a verdict is worth."""
    cases = []
    for verdict, bits in weights()[field].items():
        worth = str(bits)
        if isinstance(bits, list):
            others = f"greatest({_frequency(field)} - 1, 1)"
            worth = f"least(greatest(log2(a.people / {others}), {bits[0]}), {bits[1]})"
        cases.append(f"WHEN '{verdict}' THEN {worth}")
    return f"CASE {found} {' '.join(cases)} ELSE 0 END"


def _frequency(field: str) -> str:
    if field == "telephone":
        return "CASE WHEN a.mobile = b.mobile OR a.mobile = b.home THEN a.mobile_n ELSE a.home_n END"
    return f"a.{_VALUED[field]}_n"


def _scored() -> str:
    """Pairs with their verdicts and the score in bits; those that fall short of a possible one are left out."""
    found = _verdicts()
    told = ", ".join(f"{sql} AS {field}_v" for field, sql in found.items())
    kept = ("people", "sur_n", "fore_n", "born_n", "mail_n", "post_n", "mobile_n", "home_n", "mobile", "home")
    mine = ", ".join(f"{name} := a.{name}" for name in kept)
    total = " + ".join(_weight(field, f"{field}_v") for field in found)
    bits = f"{total} - log2({weights()['once_in']} * a.people)"
    return f"""
      WITH pair AS ({_blocks()}),
      judged AS (SELECT a.id AS one, b.id AS other, a.seq, {told},
                        struct_pack({mine}) AS a, struct_pack(mobile := b.mobile, home := b.home) AS b,
                        a.mobile IS NOT DISTINCT FROM b.mobile AND a.post IS NOT DISTINCT FROM b.post
                        AND a.number IS NOT DISTINCT FROM b.number AS alike
                 FROM pair JOIN profile_person a ON a.id = pair.one JOIN profile_person b ON b.id = pair.other)
      SELECT * FROM (SELECT * EXCLUDE (a, b), {bits} AS bits FROM judged) WHERE bits >= {weights()["possible"]}"""


def _told() -> str:
    """The pairs for the book: the kind of finding, and the evidence in words."""
    said = ", ".join(
        f"CASE WHEN {field}_v IS NOT NULL THEN {literal(words)} || replace({field}_v, 'short', 'short form') END"
        for field, words in (
            ("surname", "surname "),
            ("forename", "forename "),
            ("born", "birth date "),
            ("number", "health number "),
            ("telephone", "telephone "),
            ("mail", "e-mail "),
            ("postcode", "postcode "),
            ("street", "street "),
            ("middle", "middle name "),
            ("gender", "gender "),
        )
    )
    return f"""
      SELECT one AS _id, seq AS _seq, other,
        concat_ws(', ', {said}) || '; score ' || printf('%.4f', 1 - 1 / (1 + pow(2, least(bits, 40)))) AS evidence,
        CASE WHEN alike AND surname_v = 'same' AND forename_v = 'same' AND born_v = 'same' THEN 'exact'
             WHEN bits >= {weights()["probable"]} THEN 'probable' ELSE 'possible' END AS which
      FROM profile_likeness"""
