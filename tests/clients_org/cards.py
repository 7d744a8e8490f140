"""The small schema and the rows that every client deploys and loads."""

from __future__ import annotations

import io
import zipfile
from typing import Any

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
ROWS = 10_000
PARENTS = 500
FIELDS = {
    "Key__c": "<type>Text</type><length>40</length><externalId>true</externalId><unique>true</unique>"
    "<caseSensitive>true</caseSensitive>",
    "Title__c": "<type>Text</type><length>255</length>",
    "Note__c": "<type>LongTextArea</type><length>32768</length><visibleLines>5</visibleLines>",
    "Day__c": "<type>Date</type>",
    "At__c": "<type>DateTime</type>",
    "Amount__c": "<type>Number</type><precision>18</precision><scale>2</scale>",
    "Done__c": "<type>Checkbox</type><defaultValue>false</defaultValue>",
    "Colour__c": "<type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>Red</fullName><default>false</default><label>Red</label></value>"
    "<value><fullName>Grün</fullName><default>false</default><label>Grün</label></value>"
    "</valueSetDefinition></valueSet>",
    "Mail__c": "<type>Email</type>",
    "Contact__c": "<type>Lookup</type><referenceTo>Contact</referenceTo><relationshipName>Cards</relationshipName>"
    "<deleteConstraint>SetNull</deleteConstraint>",
}
KEY = "Card_Key__c"


def field(name: str, inner: str) -> str:
    """A field element."""
    return f"<fields><fullName>{name}</fullName><label>{name[:-3].replace('_', ' ')}</label>{inner}</fields>"


def document(kind: str, inner: str) -> str:
    """A metadata file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{NAMESPACE}">{inner}</{kind}>\n'


def package(*, broken: bool = False) -> dict[str, str]:
    """Files of the deployment by path; a broken one has a lookup to an object that does not exist."""
    fields = dict(FIELDS)
    if broken:
        fields["Lost__c"] = FIELDS["Contact__c"].replace("Contact<", "Nowhere__c<").replace("Cards", "Lost_Cards")
    body = "".join(field(name, inner) for name, inner in fields.items())
    card = (
        f"<label>Card</label><pluralLabel>Cards</pluralLabel>{body}<nameField><label>Card No</label>"
        "<type>AutoNumber</type><displayFormat>C-{000000}</displayFormat></nameField>"
        "<deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>"
    )
    grants = [f"Card__c.{name}" for name in FIELDS] + [f"Contact.{KEY}"]
    access = "".join(
        f"<fieldPermissions><editable>true</editable><field>{one}</field><readable>true</readable></fieldPermissions>"
        for one in grants
    )
    rights = "".join(
        f"<{one}>true</{one}>"
        for one in ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")
    )
    access += "<label>Cards</label>" + "".join(
        f"<objectPermissions>{rights}<object>{one}</object></objectPermissions>"
        for one in ("Account", "Card__c", "Contact")
    )
    access += "<userPermissions><enabled>true</enabled><name>BulkApiHardDelete</name></userPermissions>"
    members = {"CustomObject": "Card__c", "CustomField": f"Contact.{KEY}", "PermissionSet": "Cards"}
    listed = "".join(f"<types><members>{name}</members><name>{kind}</name></types>" for kind, name in members.items())
    return {
        "package.xml": document("Package", f"{listed}<version>64.0</version>"),
        "objects/Card__c.object": document("CustomObject", card),
        "objects/Contact.object": document("CustomObject", field(KEY, FIELDS["Key__c"])),
        "permissionsets/Cards.permissionset": document("PermissionSet", access),
    }


def removal() -> dict[str, str]:
    """A deployment that only takes a field away."""
    gone = "<types><members>Card__c.Mail__c</members><name>CustomField</name></types>"
    return {
        "package.xml": document("Package", "<version>64.0</version>"),
        "destructiveChanges.xml": document("Package", gone),
    }


def zipped(files: dict[str, str]) -> bytes:
    """The files as a zip."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return sink.getvalue()


def contact(number: int) -> dict[str, Any]:
    """One parent."""
    return {"LastName": f"Ó Néill {number}", KEY: f"p{number}"}


def card(number: int) -> dict[str, Any]:
    """One good row, every kind of value in it; each seventh leaves what may be left empty empty."""
    if number % 7 == 0:
        return {
            "Key__c": f"k{number}", "Title__c": None, "Note__c": None, "Day__c": None, "At__c": None, "Amount__c": None,
            "Done__c": False, "Colour__c": None, "Mail__c": None, "Contact__c": None,
        }  # fmt: skip
    return {
        "Key__c": f"k{number}", "Title__c": f'Zähne "{number}", 歯 🦷; it\'s, \\ so',
        "Note__c": f'Line one of {number}\nline "two", ünï\n\n' + "x" * (number % 300) + ".",
        "Day__c": f"19{10 + number % 90}-02-{1 + number % 28:02}",
        "At__c": f"2024-0{1 + number % 9}-15T{number % 24:02}:30:00.000+0000", "Amount__c": number * 100.25 - 5000,
        "Done__c": number % 2 == 1, "Colour__c": ("Red", "Grün")[number % 2], "Mail__c": f"a{number}@example.org",
        "Contact__c": f"p{number % PARENTS}",
    }  # fmt: skip


BAD = {
    "too long": ({"Title__c": "y" * 256}, "STRING_TOO_LONG"),
    "no such parent": ({"Contact__c": "nobody"}, "INVALID_FIELD"),
    "no such colour": ({"Colour__c": "Mauve"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    "no e-mail": ({"Mail__c": "not mail"}, "INVALID_EMAIL_ADDRESS"),
}
"""Rows an org refuses, by key: what is wrong about them, and the code."""


def bad_cards() -> list[dict[str, Any]]:
    """The rows that an org refuses."""
    return [card(1) | {"Key__c": key} | wrong for key, (wrong, _) in BAD.items()]


def loadable(row: dict[str, Any]) -> dict[str, Any]:
    """A row as bulk jobs take it: the parent by its external id."""
    row = dict(row)
    row[f"Contact__r.{KEY}"] = row.pop("Contact__c")
    return row
