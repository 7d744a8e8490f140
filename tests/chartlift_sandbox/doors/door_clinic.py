"""The objects of a whole clinic as a deployment: seven custom objects, with a detail object and every kind of lookup.

One word a field: `T64!` unique text, `T40` text, `L32768` long text, `N6.2` number, `C16.2` currency, `B` checkbox, `D` date,
`DT` instant, `P:a|b` restricted picklist, `>Contact!` required lookup, `>Contact` optional one, `^Invoice__c` master-detail.
"""

from door_packages import NS, custom_object, field, field_grant, grant, manifest, permission_set, zipped

KEYED = "Source_System_ID__c=T64! Original_Create_Date__c=DT Migration_Run__c=T36 Migration_Hash__c=T32"
OWNED = f"{KEYED} ContactId__c=>Contact! Practitioner__c=>User"
OBJECTS = {
    "Appointment__c": f"{OWNED} Location__c=>Account Appointment_Type__c=P:Examination|Hygiene|Filling "
    "Status__c=P:Complete|No_Show Source_Status__c=T80 Appointment_Date_Time__c=DT Duration_Minutes__c=N6.0 Surgery__c=T80 "
    "Emergency__c=B Notes__c=L32768 Cost__c=C16.2 Currency_Code__c=T3 Rescheduled_To__c=>Appointment__c",
    "Treatment__c": f"{OWNED} AppointmentId__c=>Appointment__c Location__c=>Account Treatment_Name__c=T255 "
    "Procedure_Code__c=T40 Tooth_Number__c=T20 Source_Tooth__c=T40 Tooth_Surface__c=T10 NHS_Band__c=P:1|2a|2b|2c|3|Urgent "
    "UDA_Value__c=N6.2 Scheme__c=P:NHS|Private|Plan|PRSI|DTSS Cost__c=C16.2 Discount__c=C16.2 Currency_Code__c=T3 "
    "Status__c=P:Planned|Completed Planned_Date__c=D Treatment_Date__c=D Notes__c=L32768 Course_Reference__c=T64 "
    "Course_Name__c=T255 Course_Start__c=D Course_Status__c=P:Open|Completed|Abandoned",
    "Clinical_Note__c": f"{OWNED} AppointmentId__c=>Appointment__c TreatmentId__c=>Treatment__c "
    "Amends__c=>Clinical_Note__c Parent_Note__c=>Clinical_Note__c Author_Name__c=T255 Note_Text__c=L32768 "
    "Note_Type__c=P:Clinical_Finding|Prescription|Other Source_Format__c=T10 Locked__c=B Part_Number__c=N3.0 "
    "Part_Count__c=N3.0 Text_SHA256__c=T64",
    "Document__c": f"{OWNED} File_Name__c=T255 File_Type__c=T80 Category__c=P:Consent_Form|Letter|Other "
    "File_Size__c=N14.0 Content_Hash__c=T64 File_URL__c=T255 Upload_Date__c=DT",
    "Invoice__c": f"{OWNED} Location__c=>Account Invoice_Number__c=T64 Invoice_Date__c=D Due_Date__c=D Currency_Code__c=T3 "
    "Amount__c=C16.2 Discount__c=C16.2 Amount_Due__c=C16.2 Payment_Status__c=P:Paid|Part_Paid|Unpaid "
    "Payment_Reference__c=T255 Line_Items__c=L32768",
    "Invoice_Line__c": f"{KEYED} InvoiceId__c=^Invoice__c TreatmentId__c=>Treatment__c Line_Number__c=N4.0 "
    "Shop_Item__c=T64 Description__c=T255 Quantity__c=N8.2 Unit_Price__c=C16.2 Discount__c=C16.2 Line_Total__c=C16.2",
    "Payment_Plan__c": f"{OWNED} InvoiceId__c=>Invoice__c Plan_Name__c=T255 Total_Amount__c=C16.2 Months__c=N4.0 "
    "Start_Date__c=D",
}  # fmt: skip
ON_CONTACT = "Source_System_ID__c=T64! Allergies__c=L32768 Patient_Status__c=P:Active|Inactive Practitioner__c=>User"


def words_of(line: str) -> list[tuple[str, str]]:
    """(name, word) of each field."""
    return [(name, word) for name, _, word in (one.partition("=") for one in line.split())]


def _picklist(values: str) -> str:
    entries = "".join(
        f"<value><fullName>{v}</fullName><default>false</default><label>{v}</label></value>" for v in values.split("|")
    )
    return (
        "<type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
        f"{entries}</valueSetDefinition></valueSet>"
    )


def _lookup(owner: str, name: str, word: str) -> str:
    target, must = word[1:].rstrip("!"), word.endswith("!")
    relation = (
        f"<referenceTo>{target}</referenceTo><relationshipName>{(owner + name).replace('__c', '')}</relationshipName>"
    )
    if word[0] == "^":
        rights = "<reparentableMasterDetail>false</reparentableMasterDetail><relationshipOrder>0</relationshipOrder>"
        return f"<type>MasterDetail</type>{relation}{rights}<writeRequiresMasterRead>false</writeRequiresMasterRead>"
    rest = "<required>true</required><deleteConstraint>Restrict</deleteConstraint>" if must else ""
    return f"<type>Lookup</type>{relation}{rest}"


def _inner(owner: str, name: str, word: str) -> str:
    label = f"<label>{name.removesuffix('__c').replace('_', ' ')}</label>"
    if word[0] in "^>":
        return label + _lookup(owner, name, word)
    if word[:2] == "P:":
        return label + _picklist(word[2:])
    plain = {"B": "<type>Checkbox</type><defaultValue>false</defaultValue>", "D": "<type>Date</type>",
             "DT": "<type>DateTime</type>"}  # fmt: skip
    if word in plain:
        return label + plain[word]
    size = word[1:].rstrip("!")
    if word[0] == "T":
        key = "<externalId>true</externalId><unique>true</unique><caseSensitive>false</caseSensitive>"
        return f"{label}<type>Text</type><length>{size}</length>{key if word.endswith('!') else ''}"
    if word[0] == "L":
        return f"{label}<type>LongTextArea</type><length>{size}</length><visibleLines>10</visibleLines>"
    precision, _, scale = size.partition(".")
    kind = "Number" if word[0] == "N" else "Currency"
    return f"{label}<type>{kind}</type><precision>{precision}</precision><scale>{scale}</scale>"


def granted_fields(owner: str, line: str) -> list[str]:
    """Fields that a permission set may name: neither required lookups nor the master."""
    return [
        f"{owner}.{name}" for name, word in words_of(line) if not (word[0] == "^" or (word[0] == ">" and "!" in word))
    ]


def clinic_package(*, extra_grants: tuple[str, ...] = ()) -> bytes:
    """All objects in one deployment, with the permission set Clinic_Access."""
    files = {}
    for name, line in OBJECTS.items():
        inner = "".join(field(one, _inner(name, one, word)) for one, word in words_of(line))
        sharing = "ControlledByParent" if "=^" in line else "Private"
        files[f"objects/{name}.object"] = custom_object(name.removesuffix("__c"), inner, sharing=sharing)
    contact = "".join(field(one, _inner("Contact", one, word)) for one, word in words_of(ON_CONTACT))
    files["objects/Contact.object"] = f"<CustomObject {NS}>{contact}</CustomObject>"
    fields = [one for name, line in {**OBJECTS, "Contact": ON_CONTACT}.items() for one in granted_fields(name, line)]
    granted = "".join(field_grant(one) for one in [*fields, *extra_grants])
    granted += "".join(grant(name) for name in (*OBJECTS, "Contact", "Account"))
    granted += "".join(
        f"<userPermissions><enabled>true</enabled><name>{name}</name></userPermissions>"
        for name in ("BulkApiHardDelete", "CreateAuditFields")
    )
    files["permissionsets/Clinic_Access.permissionset"] = permission_set("Clinic access", granted)
    members = {"CustomObject": list(OBJECTS), "CustomField": [f"Contact.{one}" for one, _ in words_of(ON_CONTACT)],
               "PermissionSet": ["Clinic_Access"]}  # fmt: skip
    return zipped({"package.xml": manifest(members), **files})
