"""Spoilt names, contact details, dates and list values of patients."""

# ruff: noqa: RUF001 - people and clinics type the signs of their own keyboards

from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.truth import Finding
from chartlift_sandbox.generator.world import Record

_LONG_NAME = "Featherstonehaugh-Cholmondeley-Wrottesley-"


def _unknown_key(record: Record, _: Spot) -> None:
    record["legacySystemRef"] = "R4-000731"


def _trailing_blank(record: Record, spot: Spot) -> None:
    record["email"] = f"pat.{spot.place}@example.org \u00a0"


PHONES: tuple[Case, ...] = (
    setting("phone is a remark", 24, {"mobilePhone": "n/a"}, "R-PHONE", "withheld"),
    setting("phone is a sentence", 12, {"homePhone": "ask mum"}, "R-PHONE", "withheld"),
    setting("phone too long", 12, {"mobilePhone": "07700 900123 4567 8901"}, "R-PHONE", "withheld"),
    setting("phone too short", 12, {"workPhone": "12"}, "R-PHONE", "withheld"),
    setting("lost zero", 20, {"mobilePhone": "7700900321"}, "R-PHONE", note="reads as +447700900321", country="GB"),
    setting(
        "cross-border dialling",
        10,
        {"homePhone": "048 9649 6012"},
        "R-PHONE",
        note="reads as +442896496012",
        country="IE",
    ),
    setting(
        "phone with extension",
        10,
        {"workPhone": "028 9649 6099 ext 12"},
        "R-PHONE",
        note="extension stays",
        country="GB",
    ),
)

MAILS: tuple[Case, ...] = (
    setting("e-mail is a remark", 14, {"email": "none"}, "R-EMAIL", "withheld"),
    setting("two at signs", 7, {"email": "jo@@example.org"}, "R-EMAIL", "withheld"),
    setting("no at sign", 7, {"email": "jo.bloggs.example.org"}, "R-EMAIL", "withheld"),
    setting("blank inside", 4, {"email": "jo bloggs@example.org"}, "R-EMAIL", "withheld"),
    setting("non-ASCII host", 3, {"email": "jo@exämple.org"}, "R-EMAIL", "withheld"),
    setting("non-ASCII local part", 3, {"email": "siân.j@example.org"}, "R-EMAIL", "withheld"),
    setting("longer than 80", 2, {"email": f"{'x' * 60}@{'sub.' * 6}example.org"}, "R-EMAIL", "withheld"),
    setting("trailing full stop", 2, {"email": "jo@example.org."}, "R-EMAIL", "withheld"),
    Case("trailing white space", 8, _trailing_blank, (Finding("email", "R-TEXT", "sent", "white space is trimmed"),)),
)

POSTCODES: tuple[Case, ...] = (
    setting("outward part only", 12, {"postcode": "BT1"}, "R-POSTCODE", note="kept as text", country="GB"),
    setting("short inward part", 8, {"postcode": "BT34 1A"}, "R-POSTCODE", note="kept as text", country="GB"),
    setting("letter for digit", 8, {"postcode": "BTI3 1AA"}, "R-POSTCODE", note="kept as text", country="GB"),
    setting("postal district", 10, {"postcode": "Dublin 4"}, "R-POSTCODE", note="kept as text", country="IE"),
    setting(
        "Eircode with impossible letter", 4, {"postcode": "A91 B0M1"}, "R-POSTCODE", note="kept as text", country="IE"
    ),
)

NAMES: tuple[Case, ...] = (
    setting("surname is the null mark", 0, {"lastName": "#N/A"}, "R-NA", note="a literal, not a null"),
    setting("nickname is the null mark", 1, {"preferredName": "#N/A"}, "R-NA", note="a literal, not a null"),
    setting("former name is the null mark", 1, {"previousLastName": "#N/A"}, "R-NA", note="a literal, not a null"),
    setting("formula as first name", 1, {"firstName": "=1+1"}, "R-FORMULA", note="text"),
    setting("formula as nickname", 1, {"preferredName": '@SUM(1+1)*cmd|" /C calc"!A0'}, "R-FORMULA", note="text"),
    setting("formula as town", 1, {"town": "-2+3", "county": "+44"}, "R-FORMULA", note="text"),
    setting("blank surname", 3, {"lastName": ""}, "R-REQ", "none", "required", row="hold"),
    setting("surname of white space", 1, {"lastName": " \u00a0 "}, "R-REQ", "none", "required", row="hold"),
    setting("surname over 80", 1, {"lastName": (_LONG_NAME * 3)[:95]}, "R-LEN", "none", "required", row="hold"),
    setting("first name over 40", 1, {"firstName": (_LONG_NAME * 2)[:53]}, "R-LEN", "withheld"),
    setting(
        "first name of exactly 40", 1, {"firstName": (_LONG_NAME * 2)[:40].replace("-", "a")}, "R-LEN", note="just fits"
    ),
    setting(
        "surname mangled", 6, {"lastName": "O’Neill".encode().decode("cp1252")}, "R-TEXT", note="two readings of UTF-8"
    ),
    setting("control sign in surname", 2, {"lastName": "Mac\u0007Aodha"}, "R-TEXT", note="control removed"),
    setting(
        "decomposed accents",
        6,
        {"firstName": "Sia\u0302n", "lastName": "O\u0301 hEadhra"},
        "R-TEXT",
        note="NFC gives the same letters",
    ),
    setting("no-break spaces around", 6, {"lastName": "\u00a0O'Brien\u00a0"}, "R-TEXT", note="trimmed"),
    setting(
        "single name", 3, {"firstName": None, "title": None, "lastName": "Madhuri"}, "R-NAME", note="one name only"
    ),
    setting("emoji in nickname", 1, {"preferredName": "Lulu 👩‍👧‍👦"}, "R-TEXT", note="beyond the basic plane"),
)

ADDRESSES: tuple[Case, ...] = (
    setting("street over 255", 1, {"addressLine1": "The Old Rectory, " * 17}, "R-LEN", "withheld"),
    setting(
        "town over 40", 2, {"town": "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"}, "R-LEN", "withheld"
    ),
    setting(
        "line breaks in street",
        3,
        {"addressLine1": "Unit 4\r\nThe Mill", "addressLine2": "Mill\tLane"},
        "R-TEXT",
        note="LF, tab kept",
    ),
    setting("unknown country", 2, {"country": "Narnia", "postcode": None}, "R-ADDR", note="unknown name stays raw"),
)

DATES: tuple[Case, ...] = (
    setting(
        "born on the epoch of machines", 6, {"dateOfBirth": "1970-01-01"}, "R-DOB", note="a real day, often a default"
    ),
    setting("birth date is year one", 3, {"dateOfBirth": "0001-01-01"}, "R-DOB", "withheld"),
    setting("born before 1900", 2, {"dateOfBirth": "1899-12-30"}, "R-DOB", "withheld"),
    setting("born in the future", 2, {"dateOfBirth": "2046-05-17"}, "R-DOB", "withheld"),
    setting("impossible birth date", 2, {"dateOfBirth": "1980-02-31"}, "R-DOB", "withheld"),
    setting("no birth date", 6, {"dateOfBirth": None}, "R-DOB", "none", "missing"),
    setting("review in year one", 2, {"medicalHistoryReviewedAt": "0001-01-01T00:00:00Z"}, "R-DT", "withheld"),
    setting("privacy notice in 2150", 1, {"privacyNoticeAcceptedAt": "2150-01-01T00:00:00Z"}, "R-DT", "withheld"),
    setting(
        "unreadable consent date",
        1,
        {"marketingConsentAt": "last spring", "marketingConsent": False},
        "R-DT",
        "withheld",
    ),
)

LISTS: tuple[Case, ...] = (
    setting("title of two people", 3, {"title": "Mr & Mrs"}, "R-PICK", "withheld", "until the value is confirmed"),
    setting("title in another case", 4, {"title": "MRS."}, "R-PICK", note="folds to Mrs"),
    setting("unmapped gender", 4, {"gender": "Not stated"}, "R-PICK", "withheld"),
    setting("unmapped blood type", 2, {"bloodType": "O pos (verbal)"}, "R-PICK", "withheld"),
    setting(
        "source as free text",
        20,
        {"referralSource": "Bus shelter poster", "referralSourceId": None},
        "R-PICK",
        "withheld",
        "until the value is confirmed",
    ),
    setting(
        "source spelt another way",
        14,
        {"referralSource": " google  ads", "referralSourceId": None},
        "R-PICK",
        note="folds to Google Ads",
    ),
    Case(
        "key nobody knows", 1, _unknown_key, (Finding("legacySystemRef", "R-UNMAPPED", "none", "reported, kept raw"),)
    ),
)
