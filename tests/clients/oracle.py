"""What the org should hold after a load: every Account and Contact, or why a row stays behind.

Built from the clinic's rows, the org's Users and the reference; a second opinion on the whole translation. Lookups to
records of the migration are given as their key, lookups to Users as the User's Id.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import oracle_circle as circle
import oracle_medical as medical
import oracle_values as values
from clinic_wire import ClinicData, Record
from oracle_row import BLOOD, LEAD_SOURCES, SALUTATIONS, Row, currency, fitting, mapped, required
from oracle_values import Hold, Withhold, folded


def slug(name: str) -> str:
    """A name as part of a key."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")


class Oracle:
    """The expected records by key, for one clinic, the org's Users and a day."""

    def __init__(self, data: ClinicData, users: list[Record], fallback: str, tenant: str, today: date) -> None:
        self.data, self._tenant, self._today = data, tenant, today
        self.last = date(today.year + 10, today.month, min(today.day, 28))
        self.fallback = next(user["Id"] for user in users if user["Email"] == fallback and user["IsActive"])
        self._users = self._matched(users)
        self._numbers = self._live_numbers()
        self._plans = circle.by_patient(data.rows["carePlanMembership"], self.survivor, "ACTIVE")
        self._recalls = circle.by_patient(data.rows["recall"], self.survivor, "DUE")
        self.accounts = self._accounts()
        self.contacts = {self.key("PAT", one): self._contact(row) for one, row in data.rows["patient"].items()}
        for name in ("Referred_By__c", "Guardian__c", "Household_Head__c"):
            link(self.contacts, name, self._known)

    def key(self, code: str, number: Any) -> str:
        """The Source_System_ID__c of a record."""
        return f"{self._tenant}-{code}-{number}"

    def _matched(self, users: list[Record]) -> dict[int, str]:
        """Clinicians whose address belongs to exactly one active User, and to no other clinician."""
        clinicians = self.data.rows["user"]
        addresses = {one: (values.text(row["email"]) or "").casefold() for one, row in clinicians.items()}
        carried = Counter(addresses.values())
        active: dict[str, list[str]] = {}
        for user in users:
            if user["IsActive"]:
                active.setdefault((user["Email"] or "").casefold(), []).append(user["Id"])
        return {
            one: active[address][0]
            for one, address in addresses.items()
            if address and carried[address] == 1 and len(active.get(address, [])) == 1
        }

    def practitioner(self, one: int | None) -> str | None:
        return None if one is None else self._users.get(one, self.fallback)

    def colleague(self, one: int | None) -> str | None:
        if one is not None and one not in self._users:
            raise Withhold("R-USER-EMAIL")
        return self._users.get(one) if one is not None else None

    def _live_numbers(self) -> Counter[str]:
        numbers = Counter[str]()
        for one, row in self.data.rows["patient"].items():
            if ("patient", one) in self.data.deleted or one in self.data.merged:
                continue
            try:
                numbers[values.health_number(row["nhsNumber"]) or ""] += 1
            except Withhold:
                continue
        return numbers

    def survivor(self, one: int | None) -> int | None:
        """The patient whom a patient's children follow.

        Raises:
            Hold: a circle, or nobody there.
        """
        seen: set[int | None] = set()
        while one in self.data.merged:
            if one in seen or len(seen) > 10:
                raise Hold("R-REF")
            seen.add(one)
            one = self.data.merged[one]
        if ("patient", one) not in self.data.deleted and one not in self.data.rows["patient"]:
            raise Hold("R-REF")
        return one

    def _accounts(self) -> dict[str, Row]:
        accounts = {}
        for one, practice in self.data.rows["practice"].items():
            accounts[self.key("PRA", one)] = self._practice(practice)
            group = values.text(practice["groupName"])
            if group:
                accounts[self.key("GRP", slug(group))] = Row(fields={"Name": group, "OwnerId": self.fallback})
        for patient in self.data.rows["patient"].values():
            site = values.text(patient["practiceName"])
            if patient["practiceId"] is None and site and self._site(patient) not in accounts:
                accounts[self.key("PRN", slug(site))] = Row(fields={"Name": site, "OwnerId": self.fallback})
        return accounts

    def _practice(self, practice: Record) -> Row:
        row = Row(fields={"OwnerId": self.fallback})
        nation = practice["country"]
        try:
            row.put("Name", lambda: required(fitting(practice["name"], 255)))
        except Hold as reason:
            return row.stop("hold", str(reason))
        group = values.text(practice["groupName"])
        row.fields["Parent"] = self.key("GRP", slug(group)) if group else None
        self._address(row, "Billing", practice)
        row.put("Phone", values.phone, practice["phone"], nation)
        row.put("Email__c", values.email, practice["email"])
        row.put("Default_Currency__c", currency, practice["currency"])
        row.fields["Practice_Active__c"] = practice["active"] is True
        # the clinic does not know when it put a practice on its list
        row.fields["Original_Create_Date__c"] = None
        return row

    def _address(self, row: Row, side: str, record: Record) -> None:
        row.put(f"{side}Street", values.lines, [record["addressLine1"], record["addressLine2"]], 255)
        row.put(f"{side}City", values.limited, record["town"], 40)
        row.put(f"{side}State", values.limited, record["county"], 80)
        row.put(f"{side}PostalCode", values.postcode, record["postcode"], values.nation(record["country"]))
        row.put(f"{side}Country", values.country, record["country"])

    def _site(self, patient: Record) -> str | None:
        if patient["practiceId"] is not None:
            return self.key("PRA", patient["practiceId"])
        name = values.text(patient["practiceName"])
        for one, practice in self.data.rows["practice"].items():
            if name and folded(practice["name"]) == folded(name):
                return self.key("PRA", one)
        return self.key("PRN", slug(name)) if name else None

    def zone_of(self, practice: int | None) -> ZoneInfo:
        return ZoneInfo(self.data.rows["practice"].get(practice or 0, {}).get("timezone") or "Europe/London")

    def _contact(self, patient: Record) -> Row:
        row, one = Row(), patient["patientId"]
        if ("patient", one) in self.data.deleted:
            return row.stop("skip", "R-DELETED")
        try:
            if one in self.data.merged:
                self.survivor(one)
                return row.stop("skip", "R-MERGED")
            site = required(self._site(patient))
            if (
                site not in self.accounts
                or self.accounts[site].fate != "send"
                or ("patient", one) in self.data.conflicts
            ):
                return row.stop("hold", "R-REF")
            self._fill_person(row, patient)
            self._fill_reach(row, patient)
            self._fill_consent(row, patient)
            self._fill_health(row, patient)
            self._fill_standing(row, patient)
            self._fill_circle(row, patient)
        except Hold as reason:
            return row.stop("hold", str(reason))
        row.fields |= {"Account": site, "OwnerId": row.fields["Practitioner__c"] or self.fallback}
        return row

    def _fill_person(self, row: Row, patient: Record) -> None:
        row.fields["Practitioner__c"] = self.practitioner(patient["preferredUserId"])
        row.put("Hygienist__c", self.colleague, patient["preferredHygienistUserId"])
        row.put(
            "Medical_Record_Number__c",
            values.limited,
            values.text(patient["patientNumber"]) or patient["patientId"],
            64,
        )
        row.put("Salutation", mapped, patient["title"], {target: (word,) for word, target in SALUTATIONS.items()})
        row.put("FirstName", values.limited, re.sub(r" +", " ", patient["firstName"] or ""), 40)
        row.put("LastName", lambda: required(fitting(patient["lastName"], 80)))
        row.put("Middle_Name__c", values.limited, patient["middleName"], 40)
        row.put("Previous_Last_Name__c", values.limited, patient["previousLastName"], 80)
        row.put("Preferred_Name__c", values.limited, patient["preferredName"], 40)
        # the first day of 1900 is what forms write for "not known"
        row.put("Birthdate", values.day, patient["dateOfBirth"], date(1900, 1, 2), self._today)
        row.put("Gender__c", values.label, patient["gender"], ("MALE", "FEMALE", "OTHER", "UNKNOWN"))

    def _fill_reach(self, row: Row, patient: Record) -> None:
        practice = self.data.rows["practice"].get(patient["practiceId"] or 0, {})
        region = practice.get("country") or values.nation(patient["country"]) or "GB"
        self._address(row, "Mailing", patient)
        row.put("HomePhone", values.phone, patient["homePhone"], region)
        row.put("MobilePhone", values.phone, patient["mobilePhone"], region)
        row.put("OtherPhone", values.phone, patient["workPhone"], region)
        fields = row.fields
        fields["Phone"] = fields["MobilePhone"] or fields["HomePhone"] or fields["OtherPhone"]
        if fields["Phone"] is None and not {"MobilePhone", "HomePhone", "OtherPhone"}.isdisjoint(row.withheld):
            row.withheld["Phone"] = "R-PHONE"
        row.put("Email", values.email, patient["email"])
        try:
            kin = values.phone(patient["nextOfKinPhone"], region)
        except Withhold:
            kin = values.text(patient["nextOfKinPhone"])
        parts = [values.text(patient["nextOfKinName"]), values.text(patient["nextOfKinRelationship"]), kin]
        row.put("Next_Of_Kin__c", values.limited, "; ".join(part for part in parts if part), 255)

    def _fill_consent(self, row: Row, patient: Record) -> None:
        fields = row.fields
        dead = patient["status"] == "DECEASED" or patient["deceasedOn"] is not None
        for name, allowed in (
            ("HasOptedOutOfEmail", "allowEmail"),
            ("SMS_Opt_Out__c", "allowSms"),
            ("Post_Opt_Out__c", "allowPost"),
            ("DoNotCall", "allowPhone"),
        ):
            fields[name] = dead or patient[allowed] is not True
        zone = self.zone_of(patient["practiceId"])
        row.put("Marketing_Consent_Date__c", values.instant, patient["marketingConsentAt"], self.last, zone)
        row.put("Privacy_Notice_Date__c", values.instant, patient["privacyNoticeAcceptedAt"], self.last, zone)
        agreed = patient["marketingConsent"] is True and not dead
        if agreed and fields["Marketing_Consent_Date__c"] is None:
            row.withheld["Marketing_Consent__c"] = "R-CONSENT"
        fields["Marketing_Consent__c"] = agreed and fields["Marketing_Consent_Date__c"] is not None

    def _fill_health(self, row: Row, patient: Record) -> None:
        zone = self.zone_of(patient["practiceId"])
        row.put("NHS_Number__c", self._unique_number, patient["nhsNumber"])
        row.put("Health_Number_Type__c", self._number_type, row, patient)
        row.put("Medical_Card_Number__c", values.limited, patient["medicalCardNumber"], 20)
        row.put("NHS_Exemption__c", values.limited, patient["nhsExemptionCode"], 255)
        row.put("NHS_Exemption_Expires__c", values.day, patient["nhsExemptionExpiresOn"], date(1950, 1, 1), self.last)
        row.put("Insurance_Provider__c", values.limited, patient["insuranceProvider"], 255)
        row.put("Insurance_Policy_Number__c", values.limited, patient["insurancePolicyNumber"], 64)
        row.put("Blood_Type__c", self._blood, patient["bloodType"])
        row.put("Medical_History_Reviewed__c", values.instant, patient["medicalHistoryReviewedAt"], self.last, zone)
        row.put("Medical_Alert__c", values.limited, patient["medicalAlertText"], 255)
        alert = values.text(patient["medicalAlertText"]) if "Medical_Alert__c" in row.withheld else None
        row.fields["Allergies__c"] = medical.allergies(patient, zone, self.last)
        row.fields["Medical_Conditions__c"] = medical.conditions(patient, alert)

    def _unique_number(self, raw: Any) -> str | None:
        number = values.health_number(raw)
        if number is not None and self._numbers[number] > 1:
            raise Withhold("R-NHS-DUP")
        return number

    def _number_type(self, row: Row, patient: Record) -> str | None:
        if "NHS_Number__c" in row.withheld:
            raise Withhold(row.withheld["NHS_Number__c"])
        declared = values.text(patient["healthNumberType"])
        number = row.fields["NHS_Number__c"]
        return (declared or values.scheme_of(number)) if number else None

    def _blood(self, raw: Any) -> str | None:
        word = values.text(raw)
        if word is None:
            return None
        for group in BLOOD:
            if re.sub(r"\s", "", word).casefold() == group.casefold():
                return group
        raise Withhold("R-PICK")

    def _fill_standing(self, row: Row, patient: Record) -> None:
        zone, fields = self.zone_of(patient["practiceId"]), row.fields
        row.put("LeadSource", self._lead_source, patient)
        fields["Referred_By__c"], fields["Guardian__c"] = patient["referredByPatientId"], patient["guardianPatientId"]
        household = patient["householdId"]
        fields["Household_ID__c"] = None if household is None else str(household)
        row.put("Household_Role__c", values.label, patient["householdRole"], ("HEAD", "MEMBER"))
        fields["Recall_Exempt__c"], fields["Bad_Debt__c"] = patient["recallExempt"] is True, patient["badDebt"] is True
        try:
            state = values.label(patient["status"], ("ACTIVE", "INACTIVE", "ARCHIVED", "DECEASED"))
        except Withhold as reason:
            raise Hold(str(reason)) from None
        fields["Patient_Status__c"] = state
        row.put("Archived_On__c", values.instant, patient["archivedAt"], self.last, zone)
        row.put("Archived_Reason__c", values.limited, patient["archivedReason"], 255)
        row.put("Deceased_On__c", values.day, patient["deceasedOn"], date(1950, 1, 1), self.last)
        row.put("Original_Create_Date__c", values.instant, patient["createdAt"], self.last, zone)

    def _fill_circle(self, row: Row, patient: Record) -> None:
        one = patient["patientId"]
        circle.fill_household(row, self.data.rows["household"].get(patient["householdId"]))
        circle.fill_plan(row, self._plans.get(one, []), self.last)
        circle.fill_recall(row, self._recalls.get(one, []), self.last)

    def _lead_source(self, patient: Record) -> str | None:
        listed = self.data.rows["referralSource"].get(patient["referralSourceId"] or 0)
        return mapped(listed["name"] if listed else patient["referralSource"], LEAD_SOURCES)

    def _known(self, one: int) -> str:
        try:
            return self.key("PAT", self.survivor(one))
        except Hold as reason:
            raise Withhold(str(reason)) from None


def link(rows: dict[str, Row], name: str, key_of: Callable[[int], str]) -> None:
    """Turns ids of other records of the same object into keys, once it is known who travels."""

    def travelling(one: int) -> str:
        key = key_of(one)
        if key not in rows or rows[key].fate != "send":
            raise Withhold("R-REF")
        return key

    for row in rows.values():
        one = row.fields.get(name)
        if one is not None:
            row.put(name, travelling, one)
