"""Where people live, how they are reached, and their health numbers: what forms alone tell, and what several share."""

from __future__ import annotations

from chartlift.model.source import EntityShape
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.soundness.persons import living
from chartlift.stages.sqltext import ident, literal

SHARED_BY_MANY = 5  # an address of more surnames than this is nobody's own


def look(book: Book, shape: EntityShape) -> None:
    """Addresses, telephones, e-mail and numbers of the people of one entity."""
    _places(book, shape)
    _telephones(book, shape)
    _mail(book, shape)
    _numbers(book, shape)


# ---------------------------------------------------------------- where they live

_EIRCODE = "(?i)(?:[AC-FHKNPRTV-Y][0-9]{2}|D6W) ?[0-9AC-FHKNPRTV-Y]{4}"
_AREA = "[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY])"
_OUTWARD = f"(?i){_AREA}"
_POSTCODE = f"(?i)(?:GIR ?0AA|{_AREA} ?[0-9][ABD-HJLNP-UW-Z]{{2}})"
_DISTRICT = "(?i)(?:dublin|baile [áa]tha cliath|d\\.?) ?(?:[0-9]{1,2}|6w)"
_IRISH = "('IE', 'IRL', 'IRELAND', 'EIRE', 'REPUBLIC OF IRELAND')"
_BRITISH = "('GB', 'UK', 'GBR', 'UNITED KINGDOM', 'ENGLAND', 'SCOTLAND', 'WALES', 'NORTHERN IRELAND', 'NI')"


def _places(book: Book, shape: EntityShape) -> None:
    """Postcodes and Eircodes: half of one, a district of Dublin, and one of the other country."""
    postcode, country = shape.person.get("postcode"), shape.person.get("country")
    if not postcode or not country:
        return
    columns, kept = (postcode, country), "sent as it is"
    heads = {
        "outward": Head("R-POSTCODE-OUTWARD", "note", shape.name, columns, "only the first half of a postcode", kept),
        "district": Head(
            "R-POSTCODE-DISTRICT", "note", shape.name, columns, "a postal district of Dublin, no Eircode", kept
        ),
        "country": Head("R-POSTCODE-COUNTRY", "note", shape.name, columns, "a postcode of the other country", kept),
        "missing": Head(
            "R-EIRCODE-MISSING", "note", shape.name, columns, "an Irish address without Eircode", "sent without"
        ),
    }
    book.note_each(
        heads,
        f"""SELECT _id, _seq, CASE WHEN code IS NULL THEN CASE WHEN land IN {_IRISH} THEN 'missing' END
              WHEN regexp_full_match(code, {literal(_DISTRICT)}) THEN 'district'
              WHEN regexp_full_match(code, {literal(_EIRCODE)}) THEN CASE WHEN land IN {_BRITISH} THEN 'country' END
              WHEN regexp_full_match(code, {literal(_POSTCODE)}) THEN CASE WHEN land IN {_IRISH} THEN 'country' END
              WHEN regexp_full_match(code, {literal(_OUTWARD)}) THEN 'outward' END AS which
            FROM (SELECT s._id, s._seq, nullif(trim(s.{ident(postcode)}), '') AS code,
                         upper(trim(s.{ident(country)})) AS land {living(shape)})""",
    )


# ---------------------------------------------------------------- how to reach them

_LANDLINE = (
    r"(?:\+?44|0044)?0?[123][0-9]{8,9}|(?:\+?353|00353)0?[124-79][0-9]{6,8}"
    r"|0(?:1|2[1-9]|4[0-9]|5[0-9]|6[0-9]|7[14]|9[0-9])[0-9]{5,7}"
)


def _telephones(book: Book, shape: EntityShape) -> None:
    """What the digits of a home country's number tell without a library: landlines, lost zeros, 048."""
    mobile = shape.person.get("mobile")
    for role in ("mobile", "home", "work"):
        column = shape.person.get(role)
        if not column:
            continue
        heads = {
            "zero": Head("R-PHONE-ZERO", "note", shape.name, (column,), "the leading zero is lost", "sent with it"),
            "048": Head(
                "R-PHONE-048",
                "note",
                shape.name,
                (column,),
                "Northern Ireland as it is dialled from the Republic",
                "sent as +44 28",
            ),
        }
        if column == mobile:
            heads["landline"] = Head(
                "R-PHONE-LANDLINE", "note", shape.name, (column,), "a landline where a mobile number belongs", "sent"
            )
        book.note_each(
            heads,
            rf"""SELECT _id, _seq, CASE WHEN n LIKE '048%' AND strlen(n) = 11 THEN '048'
                  WHEN regexp_full_match(n, '7[0-9]{{9}}|8[35679][0-9]{{7}}') THEN 'zero'
                  WHEN regexp_full_match(n, {literal(_LANDLINE)})
                  THEN 'landline' END AS which
                FROM (SELECT s._id, s._seq, regexp_replace(s.{ident(column)}, '[\s().-]', '', 'g') AS n {living(shape)})""",
        )


def _mail(book: Book, shape: EntityShape) -> None:
    """Shared in a family is as it should be; one address of many surnames is nobody's own."""
    column, surname = shape.person.get("email"), shape.person.get("surname")
    if not column or not surname:
        return
    cell = f"lower(trim(s.{ident(column)}))"
    heads = {
        "family": Head(
            "R-EMAIL-SHARED", "note", shape.name, (column,), "an e-mail address that a family shares", "sent to each"
        ),
        "many": Head(
            "R-EMAIL-STANDIN",
            "warning",
            shape.name,
            (column,),
            "one e-mail address of many families: a stand-in",
            "sent",
        ),
    }
    book.note_each(
        heads,
        f"""SELECT _id, _seq, CASE WHEN surnames > {SHARED_BY_MANY} THEN 'many' ELSE 'family' END AS which
            FROM (SELECT s._id, s._seq, {cell} AS mail {living(shape)} AND 1 = 1) JOIN (
              SELECT {cell} AS mail, count(*) AS n, count(DISTINCT fold(s.{ident(surname)})) AS surnames {living(shape)}
              WHERE contains(s.{ident(column)}, '@') GROUP BY mail HAVING n > 1) USING (mail)""".replace(
            " AND 1 = 1)", ")"
        ),
    )


# ---------------------------------------------------------------- numbers of health services


def _numbers(book: Book, shape: EntityShape) -> None:
    """One number on several living people; and what a number is if it is none: PPS, too short, a test."""
    column, born = shape.person.get("health_number"), shape.person.get("born")
    if not column or not born:
        return
    digits = f"regexp_replace(s.{ident(column)}, '[^0-9]', '', 'g')"
    number = f"CASE WHEN strlen({digits}) = 9 THEN '0' || {digits} ELSE {digits} END"
    people = (
        f"(SELECT s._id, s._seq, {number} AS number, s.{ident(born)} AS born {living(shape)} "
        f"WHERE NOT regexp_matches(s.{ident(column)}, '[A-Za-z]'))"
    )
    for code, having, text in (
        ("R-NHS-DUP", "true", "two living patients have one health number"),
        ("R-NHS-DUP-BORN", "count(DISTINCT born) > 1", "one health number with two birth dates"),
    ):
        book.note(
            Head(code, "error", shape.name, (column,), text, "withheld on both"),
            f"SELECT _id, _seq FROM {people} SEMI JOIN (SELECT number FROM {people} WHERE strlen(number) = 10 "
            f"AND NOT regexp_full_match(number, '{'|'.join(d + '{10}' for d in '0123456789')}') "
            f"GROUP BY number HAVING count(*) > 1 AND {having}) USING (number)",
        )
    _no_numbers(book, shape, column)


def _no_numbers(book: Book, shape: EntityShape, column: str) -> None:
    """What stands in the field and is no number, or none of a patient."""
    withheld = "withheld"
    heads = {
        "pps": Head(
            "R-NHS-PPS",
            "warning",
            shape.name,
            (column,),
            "an Irish PPS number in the field of the health number",
            withheld,
        ),
        "short": Head(
            "R-NHS-LENGTH", "warning", shape.name, (column,), "not ten digits, nor nine that lost a zero", withheld
        ),
        "test": Head(
            "R-NHS-TEST",
            "note",
            shape.name,
            (column,),
            "a number of the range for tests (9…)",
            "sent if its check digit is right",
        ),
    }
    book.note_each(
        heads,
        rf"""SELECT _id, _seq, CASE WHEN regexp_full_match(n, '(?i)[0-9]{{7}}[A-W][A-IW]?') THEN 'pps'
              WHEN regexp_full_match(n, '[0-9]+') AND strlen(n) NOT IN (9, 10) THEN 'short'
              WHEN regexp_full_match(n, '9[0-9]{{9}}') AND n <> '9999999999' THEN 'test' END AS which
            FROM (SELECT s._id, s._seq, regexp_replace(s.{ident(column)}, '[\s-]', '', 'g') AS n {living(shape)})""",
    )
