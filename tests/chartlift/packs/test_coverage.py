"""Every field of the clinic is mapped, or somebody wrote down why it is not."""

from __future__ import annotations

import pytest

from chartlift import packs

PACK = "aeronaclinic_to_salesforce"
# How many fields each entity of the clinic has; 325 in all.
FIELDS = {
    "practice": 15,
    "user": 13,
    "patient": 74,
    "appointment": 24,
    "course": 15,
    "treatment": 26,
    "clinicalNote": 14,
    "inlineNote": 8,
    "document": 13,
    "invoice": 18,
    "invoiceLine": 9,
    "payment": 16,
    "paymentPlan": 16,
    "carePlanMembership": 11,
    "recall": 10,
    "communication": 19,
    "household": 4,
    "paymentLink": 11,
    "appointmentType": 5,
    "appointmentStatus": 4,
}


# Target = the columns it is made of, in order; retyped from the mapping, so that a line that reads another column is seen.
READS = {
    "PRA": (
        "Name=name ParentId=groupSlug OwnerId= BillingStreet=addressLine1+addressLine2 BillingCity=town "
        "BillingState=county BillingPostalCode=postcode BillingCountry=country Phone=phone Email__c=email "
        "Default_Currency__c=currency Practice_Active__c=active"
    ),
    "PAT": (
        "AccountId=siteKey OwnerId=preferredUserId Practitioner__c=preferredUserId "
        "Hygienist__c=preferredHygienistUserId Medical_Record_Number__c=patientNumber+patientId "
        "Salutation=title FirstName=firstName Middle_Name__c=middleName LastName=lastName "
        "Previous_Last_Name__c=previousLastName Preferred_Name__c=preferredName Birthdate=dateOfBirth "
        "Gender__c=gender Patient_Status__c=status Archived_On__c=archivedAt "
        "Archived_Reason__c=archivedReason Deceased_On__c=deceasedOn MailingStreet=addressLine1+addressLine2 "
        "MailingCity=town MailingState=county MailingPostalCode=postcode MailingCountry=country "
        "Phone=mobilePhone+homePhone+workPhone MobilePhone=mobilePhone HomePhone=homePhone "
        "OtherPhone=workPhone Email=email HasOptedOutOfEmail=allowEmail SMS_Opt_Out__c=allowSms "
        "Post_Opt_Out__c=allowPost DoNotCall=allowPhone Marketing_Consent__c=marketingConsent "
        "Marketing_Consent_Date__c=marketingConsentAt Privacy_Notice_Date__c=privacyNoticeAcceptedAt "
        "NHS_Number__c=nhsNumber Health_Number_Type__c=healthNumberType "
        "Medical_Card_Number__c=medicalCardNumber NHS_Exemption__c=nhsExemptionCode "
        "NHS_Exemption_Expires__c=nhsExemptionExpiresOn Insurance_Provider__c=insuranceProvider "
        "Insurance_Policy_Number__c=insurancePolicyNumber Blood_Type__c=bloodType "
        "Allergies__c=allergies+noKnownAllergies "
        "Medical_Conditions__c=medicalAlertText+medicalConditions+medications "
        "Medical_Alert__c=medicalAlertText Medical_History_Reviewed__c=medicalHistoryReviewedAt "
        "LeadSource=referralSource.name+referralSource Referred_By__c=referredByPatientId "
        "Guardian__c=guardianPatientId Household_ID__c=householdId Household_Role__c=householdRole "
        "Next_Of_Kin__c=nextOfKinName+nextOfKinRelationship+nextOfKinPhone Recall_Exempt__c=recallExempt "
        "Bad_Debt__c=badDebt Original_Create_Date__c=createdAt"
    ),
    "APT": (
        "ContactId__c=patientId OwnerId=userId Practitioner__c=userId Location__c=practiceId "
        "Appointment_Date_Time__c=appointmentTime Duration_Minutes__c=duration "
        "Status__c=appointmentStatus.code+appointmentStatusId+appointmentStatus "
        "Source_Status__c=appointmentStatus+appointmentStatus.name "
        "Appointment_Type__c=appointmentType.name+appointmentType Surgery__c=surgery Emergency__c=emergency "
        "Notes__c=appointmentNotes Cancellation_Reason__c=cancellationReason "
        "Rescheduled_To__c=rescheduledToAppointmentId Arrived_At__c=arrivedAt Completed_At__c=completedAt "
        "Cost__c=cost Cost_Derived__c= Currency_Code__c=currency Booking_Origin__c=origin "
        "Booked_By__c=createdByUserId Original_Create_Date__c=createdAt"
    ),
}


def read_columns() -> dict[str, set[str]]:
    """Entity -> columns that some line of the pack reads, directly or through a join."""
    found: dict[str, set[str]] = {}
    for unit in packs.load(PACK).maps:
        names = [*unit.join.values(), *(line.column for line in unit.when)]
        names += [name for rule in unit.fields for name in (*rule.sources, *rule.arguments)]
        for name in names:
            entity, _, column = name.rpartition(".")
            found.setdefault(entity or unit.source, set()).add(column)
    return found


def test_every_field_of_the_clinic_is_listed_once() -> None:
    listed = {entity: len(fields) for entity, fields in packs.coverage(PACK).items()}
    assert listed == FIELDS
    assert sum(listed.values()) == 325


def test_each_disposition_is_mapped_matched_later_or_has_a_reason() -> None:
    for entity, fields in packs.coverage(PACK).items():
        for name, said in fields.items():
            head, colon, reason = said.partition(": ")
            settled = said in {"mapped", "matched", "later"}
            assert settled or (head in {"not loaded", "mapped as rows"} and colon and reason), (
                f"{entity}.{name}: {said}"
            )


@pytest.mark.parametrize("entity", ["practice", "patient", "appointment"])
def test_the_pack_reads_exactly_what_is_called_mapped(entity: str) -> None:
    derived = {"groupName": "groupSlug", "practiceName": "siteKey"}
    key = {"practice": "practiceId", "patient": "patientId", "appointment": "appointmentId"}[entity]
    read = read_columns()[entity]
    for name, said in packs.coverage(PACK)[entity].items():
        known = name == key or derived.get(name, name) in read
        if said == "mapped":
            assert known, f"{entity}.{name} is called mapped, and no line reads it"
        elif name not in {"timezone", "appointments"}:
            assert name not in read, f"{entity}.{name} is called {said!r}, and a line reads it"


def test_fields_of_lists_that_are_called_mapped_are_read_through_joins() -> None:
    read = read_columns()
    for entity in ("appointmentType", "appointmentStatus"):
        for name, said in packs.coverage(PACK)[entity].items():
            assert (name in read[entity]) == (said == "mapped")


def test_kinds_of_rows_without_a_pack_file_are_called_later() -> None:
    sources = {unit.source for unit in packs.load(PACK).maps}
    for entity, fields in packs.coverage(PACK).items():
        late = {name for name, said in fields.items() if said == "later"}
        if entity in sources:
            assert late <= {"treatments", "clinicalNotes", "billingLines"}


@pytest.mark.parametrize("code", sorted(READS))
def test_each_target_is_made_of_the_columns_the_mapping_names(code: str) -> None:
    unit = next(unit for unit in packs.load(PACK).maps if unit.code == code)
    made = {rule.target: "+".join(rule.sources) for rule in unit.fields}
    assert made == dict(pair.split("=") for pair in READS[code].split(" "))
