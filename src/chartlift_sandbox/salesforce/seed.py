"""Fills a fresh org: the Organization row, licences, profiles, the people every clinic has, and its practitioners.

Ids repeat with the seed, because everything is inserted in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chartlift_sandbox.salesforce.access import FULL, FieldGrant, ObjectGrant
from chartlift_sandbox.salesforce.catalogue import AUDIT_PERMISSIONS, user_permissions
from chartlift_sandbox.salesforce.grants import insert_rows, put_profile_grants

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

HIDDEN_FIELDS = frozenset({"Contact.HasOptedOutOfEmail", "Contact.HasOptedOutOfFax", "Contact.DoNotCall"})
"""Standard fields that no profile grants in a fresh org; a permission set has to."""
ADMIN_PROFILE = "System Administrator"
INTEGRATION_PROFILE = "Integration Administrator"
FRONT_DESK_PROFILE = "Front Desk"
STANDARD_PROFILE = "Standard User"
INTEGRATION_HIDDEN = frozenset({"Contact.Birthdate"})
_NOT_FOR_ADMINS = frozenset({*AUDIT_PERMISSIONS, "BulkApiHardDelete", "ApiUserOnly", "PasswordNeverExpires"})
_EVERYDAY = frozenset({"ApiEnabled", "EditTask", "EditEvent", "RunReports", "ViewSetup", "ViewRoles", "RunFlow"})
_EDIT = ObjectGrant(read=True, create=True, edit=True)
_BUSINESS = (
    "Account", "Contact", "Lead", "Task", "Event", "Case", "Opportunity", "OpportunityContactRole", "EmailMessage",
    "EmailMessageRelation", "ContentVersion", "ContentDocument", "ContentDocumentLink", "Attachment", "Note",
    "AccountContactRelation", "AccountTeamMember", "EventRelation", "ContentNote", "Document",
)  # fmt: skip
_ROLE = {"OpportunityAccessForAccountOwner": "Edit", "CaseAccessForAccountOwner": "Edit", "PortalType": "None"}
_STANDARD_USER = {
    "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US", "LocaleSidKey": "en_GB",
    "TimeZoneSidKey": "Europe/London", "DigestFrequency": "D", "DefaultGroupNotificationFrequency": "N",
}  # fmt: skip


def seed_org(org: Org, users: list[dict[str, Any]], seed: int = 0) -> None:
    """Seed the org with its fixed people and the clinic's users.

    Each user is a dictionary with first_name, last_name, email, username, is_active, profile, user_type and alias.
    """
    with org.lock:
        org.seed = seed
        _automated_user(org)
        _organization(org)
        licences = _licences(org)
        profiles = _profiles(org, licences)
        _fixed_people(org, profiles)
        _setup_values(org)
        for name in sorted({str(user["profile"]) for user in users} - set(profiles)):
            profiles[name] = put_profile_grants(
                org, name, _everyday_objects(), _standard_fields(org, HIDDEN_FIELDS), _EVERYDAY
            )  # fmt: skip
        insert_rows(org, "User", [_user_row(user, profiles, number) for number, user in enumerate(users)])
        org.access.invalidate()
        org.on_reset = lambda fresh: seed_org(fresh, users, seed)


def _automated_user(org: Org) -> None:
    row = {
        "LastName": "User", "FirstName": "Automated Process", "Username": "autoproc@clinic.example",
        "Email": "noreply@clinic.example", "Alias": "autoproc", "CommunityNickname": "autoproc",
        "UserType": "Standard", "IsActive": True, **_STANDARD_USER,
    }  # fmt: skip
    org.people.automated = insert_rows(org, "User", [{**row, "Name": "Automated Process User"}])[0]


def _organization(org: Org) -> None:
    insert_rows(
        org,
        "Organization",
        [
            {
                "Id": org.org_id, "Name": "Harbour Street Dental Group", "OrganizationType": "Enterprise Edition",
                "InstanceName": "SBX1", "IsSandbox": True, "IsReadOnly": False, "DefaultLocaleSidKey": "en_GB",
                "TimeZoneSidKey": "Europe/London", "LanguageLocaleKey": "en_US", "DefaultAccountAccess": "None",
                "DefaultContactAccess": "ControlledByParent", "DefaultLeadAccess": "ReadEditTransfer",
                "DefaultCalendarAccess": "HideDetailsInsert", "FiscalYearStartMonth": 4, "Country": "GB",
                "SignupCountryIsoCode": "GB", "PrimaryContact": "Alex Morgan",
            }
        ],
    )  # fmt: skip


def _licences(org: Org) -> dict[str, str]:
    rows = [
        {"Name": name, "MasterLabel": name, "LicenseDefinitionKey": key, "Status": "Active",
         "TotalLicenses": total, "UsedLicenses": 0}
        for name, key, total in (
            ("Salesforce", "SFDC", 100),
            ("Salesforce Integration", "SFDC_INTEGRATION", 5),
        )
    ]  # fmt: skip
    return dict(zip((str(row["Name"]) for row in rows), insert_rows(org, "UserLicense", rows), strict=True))


def _standard_fields(org: Org, hidden: frozenset[str]) -> dict[str, FieldGrant]:
    """Grants on every standard field of the business objects that field-level security covers."""
    grants = {}
    for name in _BUSINESS:
        for found in org.schema.objects[name].fields.values():
            key = f"{name}.{found.name}"
            if not found.always_visible and not found.custom and key not in hidden:
                grants[key] = FieldGrant(read=True, edit=found.createable or found.updateable)
    return grants


def _everyday_objects() -> dict[str, ObjectGrant]:
    return dict.fromkeys(_BUSINESS, _EDIT)


def _profiles(org: Org, licences: dict[str, str]) -> dict[str, str]:
    every = frozenset(user_permissions()) - _NOT_FOR_ADMINS
    hidden = frozenset() if org.settings.system_administrator_sees_opt_outs else HIDDEN_FIELDS
    full = dict.fromkeys(_BUSINESS, FULL)
    plan = {
        ADMIN_PROFILE: (full, hidden, every),
        INTEGRATION_PROFILE: (full, hidden | INTEGRATION_HIDDEN, every),
        STANDARD_PROFILE: (_everyday_objects(), HIDDEN_FIELDS, _EVERYDAY),
        FRONT_DESK_PROFILE: (_everyday_objects(), HIDDEN_FIELDS, _EVERYDAY),
    }
    profiles = {
        name: put_profile_grants(org, name, objects, _standard_fields(org, without), permissions)
        for name, (objects, without, permissions) in plan.items()
    }
    org.db.execute('UPDATE "Profile" SET "UserLicenseId" = ?', [licences["Salesforce"]])
    return profiles


def _setup_values(org: Org) -> None:
    """Statuses and priorities of tasks, roles, the group of everybody."""
    for name, values, mark, marked in (
        ("TaskStatus", "TaskStatus", "IsClosed", "Completed"),
        ("TaskPriority", "TaskPriority", "IsHighPriority", "High"),
    ):
        rows = [
            {"MasterLabel": one.label, "ApiName": one.value, "SortOrder": place, "IsDefault": one.default,
             mark: one.value == marked}
            for place, one in enumerate(org.schema.value_sets[values], start=1)
        ]  # fmt: skip
        insert_rows(org, name, rows)
    top = insert_rows(org, "UserRole", [{"Name": "Practice Manager", "DeveloperName": "Practice_Manager", **_ROLE}])[0]
    rest = ("Dentist", "Front Desk")
    rows = [{"Name": name, "DeveloperName": name.replace(" ", "_"), "ParentRoleId": top, **_ROLE} for name in rest]
    insert_rows(org, "UserRole", rows)
    everybody = {"Name": "All Internal Users", "DeveloperName": "AllInternalUsers", "Type": "Organization"}
    insert_rows(org, "Group", [everybody])


def _fixed_people(org: Org, profiles: dict[str, str]) -> None:
    plan = (
        ("Chartlift", "Integration", "integration@clinic.example", INTEGRATION_PROFILE, "clift"),
        ("Alex", "Morgan", "admin@clinic.example", ADMIN_PROFILE, "amorg"),
        ("Robin", "Keane", "frontdesk@clinic.example", FRONT_DESK_PROFILE, "rkean"),
        ("Jo", "Hartley", "manager@clinic.example", STANDARD_PROFILE, "jhart"),
    )
    rows = [
        {
            "FirstName": first, "LastName": last, "Name": f"{first} {last}", "Username": email, "Email": email,
            "Alias": alias, "CommunityNickname": email.partition("@")[0], "ProfileId": profiles[profile],
            "UserType": "Standard", "IsActive": True, **_STANDARD_USER,
        }
        for first, last, email, profile, alias in plan
    ]  # fmt: skip
    ids = insert_rows(org, "User", rows)
    org.people.integration, org.people.admin, org.people.front_desk, org.people.manager = ids


def _user_row(user: dict[str, Any], profiles: dict[str, str], number: int) -> dict[str, Any]:
    first, last = user.get("first_name"), user["last_name"]
    return {
        "FirstName": first,
        "LastName": last,
        "Name": " ".join(part for part in (first, last) if part),
        "Username": user["username"],
        "Email": str(user["email"]).lower(),
        "Alias": str(user.get("alias") or last)[:8],
        "CommunityNickname": f"{str(user['username']).partition('@')[0]}{number}"[:40],
        "IsActive": bool(user["is_active"]),
        "UserType": user.get("user_type") or "Standard",
        "ProfileId": profiles[str(user["profile"])],
        **_STANDARD_USER,
    }
