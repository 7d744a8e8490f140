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
        "Default_Currency__c=currency Practice_Active__c=active Original_Create_Date__c="
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
        "Guardian__c=guardianPatientId Household_ID__c=householdId Household_Name__c=household.name "
        "Household_Head__c=household.headPatientId Household_Role__c=householdRole "
        "Next_Of_Kin__c=nextOfKinName+nextOfKinRelationship+nextOfKinPhone Recall_Exempt__c=recallExempt "
        "Bad_Debt__c=badDebt Care_Plan__c=carePlan.planName Care_Plan_Reference__c=carePlan.membershipId "
        "Care_Plan_Billing__c=carePlan.billing Care_Plan_Monthly_Fee__c=carePlan.monthlyAmount "
        "Care_Plan_Start__c=carePlan.startDate Care_Plan_End__c=carePlan.endDate Care_Plan_Status__c=carePlan.status "
        "Next_Recall_Date__c=nextRecall.dueOn Recall_Method__c=nextRecall.method "
        "Recall_Interval_Months__c=examRecall.intervalMonths Original_Create_Date__c=createdAt"
    ),
    "APT": (
        "ContactId__c=patientId OwnerId=userId Practitioner__c=userId Location__c=practiceId "
        "Appointment_Date_Time__c=appointmentTime Duration_Minutes__c=duration "
        "Status__c=appointmentStatus.code+appointmentStatusId+appointmentStatus "
        "Source_Status__c=appointmentStatus+appointmentStatus.name "
        "Appointment_Type__c=appointmentType.name+appointmentType Surgery__c=surgery Emergency__c=emergency "
        "Notes__c=appointmentNotes Cancellation_Reason__c=cancellationReason "
        "Rescheduled_To__c=rescheduledToAppointmentId Arrived_At__c=arrivedAt Completed_At__c=completedAt "
        "Cost__c=cost Cost_Derived__c=cost Currency_Code__c=currency Booking_Origin__c=origin "
        "Booked_By__c=createdByUserId Original_Create_Date__c=createdAt"
    ),
    "TRT": (
        "ContactId__c=patientId OwnerId=userId Practitioner__c=userId AppointmentId__c=appointmentId "
        "Location__c=practiceId Treatment_Name__c=name Procedure_Code__c=procedureCode Code_System__c=codeSystem "
        "Status__c=status Planned_Date__c=plannedOn Treatment_Date__c=completedOn+plannedOn Notes__c=notes "
        "Tooth_Number__c=tooth+toothNotation+quadrant Source_Tooth__c=tooth+toothNotation Tooth_Surface__c=surfaces "
        "Cost__c=cost Discount__c=discount Currency_Code__c=currency Scheme__c=scheme+course.scheme "
        "NHS_Band__c=nhsBand+course.nhsBand UDA_Value__c=course.uda Course_Reference__c=courseId "
        "Course_Name__c=course.name Course_Status__c=course.status Course_Start__c=course.startedOn "
        "Course_Accepted__c=course.acceptedOn Course_Completed__c=course.completedOn "
        "Claim_Reference__c=course.claimReference Claim_Status__c=course.claimStatus "
        "Original_Create_Date__c=createdAt"
    ),
    "NOT": (
        "ContactId__c=patientId OwnerId=userId Practitioner__c=userId AppointmentId__c=appointmentId "
        "TreatmentId__c=treatmentId Author_Name__c=authorName Note_Type__c=noteType Note_Text__c=text "
        "Source_Format__c=format Locked__c=locked Amends__c=amendsNoteId Part_Number__c=_part Part_Count__c=_parts "
        "Parent_Note__c=_whole Text_SHA256__c=_sha256 Original_Create_Date__c=createdAt"
    ),
    "DOC": (
        "ContactId__c=patientId OwnerId=userId Practitioner__c=userId File_Name__c=fileName File_Type__c=fileName "
        "File_URL__c= Category__c=category File_Size__c=sizeBytes Content_Hash__c=sha256 "
        "External_Reference__c=externalReference Upload_Date__c=uploadedAt Original_Create_Date__c=uploadedAt"
    ),
    "INV": (
        "ContactId__c=patientId OwnerId=userId Practitioner__c=userId Location__c=practiceId "
        "Invoice_Number__c=invoiceNumber Invoice_Date__c=invoiceDate Due_Date__c=dueDate Currency_Code__c=currency "
        "Amount__c=totalAmount Discount__c=discountAmount Amount_Due__c=amountDue Payment_Status__c=status "
        "Payment_Reference__c=paymentReference Line_Items__c=bill.description Original_Create_Date__c=createdAt"
    ),
    "ILN": (
        "InvoiceId__c=invoiceId TreatmentId__c=treatmentId Line_Number__c=lineNumber Shop_Item__c=shopItemId "
        "Description__c=description Quantity__c=quantity Unit_Price__c=unitPrice Discount__c=discount "
        "Line_Total__c=lineTotal Original_Create_Date__c=invoice.createdAt"
    ),
    "PLN": (
        "ContactId__c=patientId InvoiceId__c=invoiceId Plan_Name__c=name Provider__c=provider "
        "Total_Amount__c=totalAmount Currency_Code__c=currency Deposit__c=depositAmount Start_Date__c=startDate "
        "Months__c=months Status__c=status Signed_Off_By__c=signedOffBy Signed_Off_At__c=signedOffAt "
        "Original_Create_Date__c="
    ),
}

# What the platform makes of an entity's rows: the columns of the second are columns of the first.
MADE_OF = {
    "visit": "treatment",
    "courseWork": "treatment",
    "bill": "invoiceLine",
    "carePlan": "carePlanMembership",
    "nextRecall": "recall",
    "examRecall": "recall",
}
KEYS = {"practice": "practiceId", "patient": "patientId", "appointment": "appointmentId", "treatment": "treatmentId"}
KEYS |= {"clinicalNote": "noteId", "document": "documentId", "invoice": "invoiceId", "invoiceLine": "invoiceLineId"}
KEYS |= {"paymentPlan": "paymentPlanId"}


def read_columns() -> dict[str, set[str]]:
    """Entity -> columns that some line of the pack reads, directly or through a join."""
    found: dict[str, set[str]] = {}
    for unit in packs.load(PACK).maps:
        names = [*unit.join.values(), *(line.column for line in unit.when)]
        names += [name for rule in unit.fields for name in (*rule.sources, *rule.arguments)]
        for name in names:
            entity, _, column = name.rpartition(".")
            found.setdefault(MADE_OF.get(entity, entity) or unit.source, set()).add(column)
    return found


def test_every_field_of_the_clinic_is_listed_once() -> None:
    listed = {entity: len(fields) for entity, fields in packs.coverage(PACK).items()}
    assert listed == FIELDS
    assert sum(listed.values()) == 325


def test_each_disposition_is_mapped_matched_or_has_a_reason() -> None:
    for entity, fields in packs.coverage(PACK).items():
        for name, said in fields.items():
            head, colon, reason = said.partition(": ")
            settled = said in {"mapped", "matched"}
            reasoned = head in {"not loaded", "mapped as rows", "held", "rebuild", "later"} and colon and reason
            assert settled or reasoned, f"{entity}.{name}: {said}"


@pytest.mark.parametrize("entity", sorted(KEYS))
def test_the_pack_reads_exactly_what_is_called_mapped(entity: str) -> None:
    derived = {"groupName": "groupSlug", "practiceName": "siteKey"}
    read = read_columns()[entity]
    for name, said in packs.coverage(PACK)[entity].items():
        known = name == KEYS[entity] or derived.get(name, name) in read
        if said == "mapped":
            assert known, f"{entity}.{name} is called mapped, and no line reads it"
        elif name not in {"timezone", "appointments"} and not said.startswith("held"):
            assert name not in read, f"{entity}.{name} is called {said!r}, and a line reads it"


def test_fields_of_lists_that_are_called_mapped_are_read_through_joins() -> None:
    read = read_columns()
    for entity in ("appointmentType", "appointmentStatus", "course", "household", "carePlanMembership", "recall"):
        for name, said in packs.coverage(PACK)[entity].items():
            assert said == "matched" or (name in read[entity]) == (said == "mapped"), f"{entity}.{name}"


def test_only_kinds_of_rows_without_a_file_come_whole_with_a_later_release() -> None:
    sources = {unit.source for unit in packs.load(PACK).maps}
    late = {
        e for e, fields in packs.coverage(PACK).items() if {s.partition(":")[0] for s in fields.values()} == {"later"}
    }
    assert late == {"payment", "communication", "inlineNote"}
    assert not late & sources


def test_what_cannot_move_is_listed_for_rebuilding() -> None:
    listed = {e for e, fields in packs.coverage(PACK).items() for said in fields.values() if said.startswith("rebuild")}
    assert listed == {"paymentLink", "paymentPlan", "carePlanMembership"}
    assert set(packs.coverage(PACK)["paymentLink"].values()) == {"rebuild: payment providers are linked anew"}


@pytest.mark.parametrize("code", sorted(READS))
def test_each_target_is_made_of_the_columns_the_mapping_names(code: str) -> None:
    unit = next(unit for unit in packs.load(PACK).maps if unit.code == code)
    made = {rule.target: "+".join(rule.sources) for rule in unit.fields}
    assert made == dict(pair.split("=") for pair in READS[code].split(" "))
