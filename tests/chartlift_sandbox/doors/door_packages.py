"""Deployment zips for the tests: one custom object with a field of every kind, fields on Contact, a permission set."""

import io
import zipfile

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'

FIELDS = {
    "Key__c": "<label>Key</label><type>Text</type><length>64</length><externalId>true</externalId><unique>true</unique>"
    "<caseSensitive>false</caseSensitive>",
    "Short__c": "<label>Short</label><type>TextArea</type>",
    "Note__c": "<label>Note</label><type>LongTextArea</type><length>32768</length><visibleLines>10</visibleLines>",
    "Rich__c": "<label>Rich</label><type>Html</type><length>32768</length><visibleLines>25</visibleLines>",
    "Tooth__c": "<label>Tooth</label><type>Number</type><precision>3</precision><scale>0</scale>",
    "Cost__c": "<label>Cost</label><type>Currency</type><precision>18</precision><scale>2</scale>",
    "Share__c": "<label>Share</label><type>Percent</type><precision>5</precision><scale>2</scale>",
    "Done__c": "<label>Done</label><type>Checkbox</type><defaultValue>false</defaultValue>",
    "Day__c": "<label>Day</label><type>Date</type>",
    "Start__c": "<label>Start</label><type>DateTime</type>",
    "Clock__c": "<label>Clock</label><type>Time</type>",
    "Status__c": "<label>Status</label><type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition>"
    "<sorted>false</sorted><value><fullName>Booked</fullName><default>false</default><label>Booked</label></value>"
    "<value><fullName>No Show</fullName><default>false</default><label>No Show</label></value>"
    "</valueSetDefinition></valueSet>",
    "Tags__c": "<label>Tags</label><type>MultiselectPicklist</type><visibleLines>4</visibleLines><valueSet>"
    "<restricted>false</restricted><valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>A</fullName><default>false</default><label>A</label></value>"
    "<value><fullName>B</fullName><default>false</default><label>B</label></value></valueSetDefinition></valueSet>",
    "Mail__c": "<label>Mail</label><type>Email</type>",
    "Phone__c": "<label>Phone</label><type>Phone</type>",
    "Link__c": "<label>Link</label><type>Url</type>",
    "Contact__c": "<label>Patient</label><type>Lookup</type><referenceTo>Contact</referenceTo>"
    "<relationshipName>Visits</relationshipName><deleteConstraint>SetNull</deleteConstraint>",
}
CONTACT_FIELDS = {
    "Key__c": "<label>Key</label><type>Text</type><length>64</length><externalId>true</externalId><unique>true</unique>"
    "<caseSensitive>true</caseSensitive>",
}


def field(name: str, inner: str) -> str:
    """One fields element."""
    return f"<fields><fullName>{name}</fullName>{inner}</fields>"


def custom_object(label: str, inner: str, *, sharing: str = "ReadWrite") -> str:
    """A CustomObject document with an auto-numbered name."""
    return (
        f"<CustomObject {NS}><label>{label}</label><pluralLabel>{label}s</pluralLabel><nameField><label>Number</label>"
        "<type>AutoNumber</type><displayFormat>V-{00000}</displayFormat></nameField>"
        f"<deploymentStatus>Deployed</deploymentStatus><sharingModel>{sharing}</sharingModel>{inner}</CustomObject>"
    )


def manifest(members: dict[str, list[str]]) -> str:
    """A package.xml."""
    types = "".join(
        "<types>" + "".join(f"<members>{one}</members>" for one in names) + f"<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return f"<Package {NS}>{types}<version>67.0</version></Package>"


def permission_set(label: str, inner: str) -> str:
    """A PermissionSet document."""
    head = f"<label>{label}</label><hasActivationRequired>false</hasActivationRequired>"
    return f"<PermissionSet {NS}>{head}{inner}</PermissionSet>"


def grant(name: str) -> str:
    """Everything on one object."""
    words = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")
    return (
        "<objectPermissions>"
        + "".join(f"<{w}>true</{w}>" for w in words)
        + f"<object>{name}</object></objectPermissions>"
    )


def field_grant(qualified: str, *, editable: bool = True) -> str:
    """A field permission."""
    words = f"<editable>{str(editable).lower()}</editable><field>{qualified}</field><readable>true</readable>"
    return f"<fieldPermissions>{words}</fieldPermissions>"


def zipped(files: dict[str, str]) -> bytes:
    """A zip of text files."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return sink.getvalue()


def package() -> bytes:
    """Visit__c with every kind of field, Contact.Key__c, and the permission set Visit_Access."""
    fields = "".join(field(name, inner) for name, inner in FIELDS.items())
    contact = "".join(field(name, inner) for name, inner in CONTACT_FIELDS.items())
    granted = "".join(field_grant(f"Visit__c.{name}") for name in FIELDS)
    granted += field_grant("Contact.Key__c") + grant("Visit__c") + grant("Contact") + grant("Account")
    granted += "".join(
        f"<userPermissions><enabled>true</enabled><name>{name}</name></userPermissions>"
        for name in ("BulkApiHardDelete", "CreateAuditFields")
    )
    members = {
        "CustomObject": ["Visit__c"],
        "CustomField": ["Contact.Key__c"],
        "PermissionSet": ["Visit_Access"],
    }
    return zipped(
        {
            "package.xml": manifest(members),
            "objects/Visit__c.object": custom_object("Visit", fields),
            "objects/Contact.object": f"<CustomObject {NS}>{contact}</CustomObject>",
            "permissionsets/Visit_Access.permissionset": permission_set("Visit access", granted),
        }
    )
