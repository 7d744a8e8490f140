"""What the clinic serves: one Entity per resource. A new resource is one more line here and its own writer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chartlift_sandbox.generator import billing, documents, newborns, notes, outreach, plans, treatments, work
from chartlift_sandbox.generator.appointments import APPOINTMENT_BASE, PER_PATIENT
from chartlift_sandbox.generator.casts import Cast
from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.households import HOUSEHOLD_BASE, household_of, household_record
from chartlift_sandbox.generator.identity import identity
from chartlift_sandbox.generator.lists import appointment_statuses, appointment_types, referral_sources
from chartlift_sandbox.generator.medical import medical_items
from chartlift_sandbox.generator.patients import ITEMS_PER_PATIENT
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import NOBODY_BASE, PATIENT_BASE, Record, World

#: Ids given to records made later; larger than any generated one.
CREATED_AFTER = 1_000_000_000
_ODD_BALANCE = 1750  # cents that no invoice explains
_BEYOND = 20_000_000  # places no clinic reaches; new records are modelled on them


@dataclass(frozen=True, slots=True)
class Entity:
    """A resource of the API.

    Charted entities hang on patients: ids are ``base + place * stride + number``. Listed ones are short and served as
    they are.

    Attributes:
        paged: Whether answers wear the page envelope.
        rows: Writes the rows of one patient; ``count`` counts them cheaply.
        owned: Counts those that name the patient of the chart (orphans do not), as elements of the embedded array.
        embedded_as: Name of the array in the flat patient; ``unfold`` turns rows into its elements.
        sparse: Ids have gaps.
        planted, cast: Defects of the rows; the cast knows which are flagged as deleted.
        needs: Fields that a new record cannot do without; ``newborn`` sets what a new record has of its own.
    """

    name: str
    path: str
    key: str
    base: int = 0
    stride: int = 1
    paged: bool = True
    rows: Callable[[Chart], list[Record]] | None = None
    count: Callable[[Chart], int] | None = None
    owned: Callable[[Chart], int] | None = None
    listed: Callable[[World], list[Record]] | None = None
    embedded_as: str | None = None
    unfold: Callable[[list[Record]], list[Record]] | None = None
    planted: Callable[[Chart], list[Planted]] | None = None
    cast: Cast | None = None
    sparse: bool = False
    needs: tuple[str, ...] = ()
    newborn: Callable[[datetime, int], Record] | None = None

    def rows_of(self, chart: Chart) -> list[Record]:
        """Rows of one patient, by id."""
        return chart.rows(self.path, self.rows) if self.rows is not None else []

    def count_of(self, chart: Chart) -> int:
        """Number of rows of one patient."""
        return self.count(chart) if self.count is not None else len(self.rows_of(chart))

    def owned_by(self, chart: Chart) -> int:
        """Number of rows that name the patient of the chart."""
        return self.owned(chart) if self.owned is not None else self.count_of(chart)

    def place_of(self, key: int) -> tuple[int, int]:
        """(place, number) of an id."""
        return divmod(key - self.base, self.stride)


def _patient_rows(chart: Chart) -> list[Record]:
    """The patient, whose balance is known only when the invoices are."""
    if chart.gone:
        return []
    extra = _ODD_BALANCE if "odd balance" in chart.traits else 0
    chart.patient["balance"] = work.money(billing.balance(chart) + extra)
    return [chart.patient]


def _household_rows(chart: Chart) -> list[Record]:
    mine = household_of(chart.world.seed, chart.place)
    if mine is None or mine.position:
        return []
    surname = identity(chart.world.seed, chart.place).last
    row = household_record(chart.patient_id, mine, surname, chart.world.patients)
    return [row | {"headPatientId": _head(chart)[0]}]


def _head(chart: Chart) -> tuple[int, str]:
    """(patient, why the link is lost) of the household that a chart's patient begins: usually that patient, soundly."""
    dice = Dice(chart.world.seed, "household-head", chart.place)
    if dice.chance(30):
        return NOBODY_BASE + 600 + chart.place, "the head does not exist"
    if chart.place + 1 < chart.world.patients and dice.chance(600):
        second = Chart(chart.world, chart.place + 1)
        if second.row != "send" and "merged" not in second.traits:
            return second.patient_id, "the head does not move"
    return chart.patient_id, ""


def _planted_households(chart: Chart) -> list[Planted]:
    return [
        Planted("household", row["householdId"], "headPatientId", "R-REF", "send", "withheld", _head(chart)[1])
        for row in _household_rows(chart)
        if _head(chart)[1]
    ]


def _medical_rows(chart: Chart) -> list[Record]:
    return [] if chart.gone else medical_items(chart.patient)


def _appointments_owned(chart: Chart) -> int:
    return sum(1 for visit in chart.visits if visit.case is None or "orphan" not in visit.case.traits)


def planted_in(world: World, chart_at: Callable[[int], Chart]) -> list[Planted]:
    """Every planted defect of a clinic: people first, then patient by patient."""
    found = [one for member in world.members if (one := member.planted()) is not None]
    for place in range(world.patients):
        chart = chart_at(place)
        found.extend(chart.planted())
        for entity in ENTITIES:
            if entity.planted is not None:
                found.extend(entity.planted(chart))
    return found


def feed_of(world: World, chart_at: Callable[[int], Chart]) -> list[Record]:
    """The deletions feed of the clinic as generated, in no particular order."""
    feed: list[Record] = []
    for place in range(world.patients):
        chart = chart_at(place)
        patient = chart.patient if chart.row != "send" else None
        if patient is not None and (chart.gone or patient["isDeleted"]):
            feed.append(feed_row("patient", patient["patientId"], patient["updatedAt"], "DELETED", None))
        elif patient is not None and patient["mergedIntoPatientId"] is not None:
            into = patient["mergedIntoPatientId"]
            feed.append(feed_row("patient", patient["patientId"], patient["updatedAt"], "MERGED", into))
        if any(visit.case is not None and visit.case.row == "skip" for visit in chart.visits):
            feed.extend(
                feed_row("appointment", row["appointmentId"], row["updatedAt"], "DELETED", None)
                for row in chart.appointments
                if row["isDeleted"]
            )
        feed.extend(_deleted_rows(chart))
    return feed


def _deleted_rows(chart: Chart) -> list[Record]:
    rows: list[Record] = []
    for entity in ENTITIES:
        if entity.cast is None or chart.row != "send":
            continue
        for number in range(entity.count_of(chart)):
            case = entity.cast.case(chart, number)
            if case is not None and case.about == "isDeleted":
                row = entity.rows_of(chart)[number]
                rows.append(feed_row(entity.name, row[entity.key], row["updatedAt"], "DELETED", None))
    return rows


def feed_row(entity: str, key: int, moment: str, reason: str, into: int | None) -> Record:
    """One line of the deletions feed."""
    return {"entity": entity, "entityId": key, "deletedAt": moment, "reason": reason, "mergedIntoId": into}


def fresh(entity: Entity, world: World, turn: int, now: datetime, key: int) -> Record:
    """A sound record to start from when somebody creates one; ``turn`` makes each differ from the last."""
    if entity.listed is not None:
        return dict.fromkeys(entity.listed(world)[0]) | {"active": True}
    while True:
        chart = Chart(world, _BEYOND + 2 * turn)
        spoilt = {found.id for found in chart.planted()}
        sound = [row for row in entity.rows_of(chart) if row[entity.key] not in spoilt]
        if sound:
            return sound[0] | (entity.newborn(now, key) if entity.newborn is not None else {})
        turn += 1_000_000


ENTITIES: tuple[Entity, ...] = (
    Entity("practice", "/practices", "practiceId", paged=False, listed=lambda world: world.practices),
    Entity("user", "/users", "userId", listed=lambda world: [member.record for member in world.members]),
    Entity(
        "appointmentType", "/appointmentTypes", "appointmentTypeId", paged=False, listed=lambda _: appointment_types()
    ),
    Entity(
        "appointmentStatus",
        "/appointmentStatuses",
        "appointmentStatusId",
        paged=False,
        listed=lambda _: appointment_statuses(),
    ),
    Entity("referralSource", "/referralSources", "referralSourceId", paged=False, listed=lambda _: referral_sources()),
    Entity(
        "patient",
        "/patients",
        "patientId",
        PATIENT_BASE,
        rows=_patient_rows,
        count=lambda chart: int(not chart.gone),
        newborn=newborns.new_patient,
    ),
    Entity(
        "appointment",
        "/appointments",
        "appointmentId",
        APPOINTMENT_BASE,
        PER_PATIENT,
        rows=lambda chart: chart.appointments,
        count=lambda chart: len(chart.visits),
        owned=_appointments_owned,
        embedded_as="appointments",
        needs=("patientId",),
        newborn=newborns.new_appointment,
    ),
    Entity(
        "medicalItem",
        "/medicalItems",
        "medicalItemId",
        1,
        ITEMS_PER_PATIENT,
        rows=_medical_rows,
        sparse=True,
        needs=("patientId",),
    ),
    Entity(
        "treatment",
        "/treatments",
        "treatmentId",
        treatments.TREATMENT_BASE,
        treatments.TREATMENTS_PER_PATIENT,
        rows=treatments.treatments,
        count=work.treatment_count,
        owned=treatments.owned,
        embedded_as="treatments",
        needs=("patientId",),
        planted=treatments.planted,
        cast=treatments.CAST,
        newborn=newborns.unlinked(appointmentId=None, courseId=None),
    ),
    Entity(
        "coursesOfTreatment",
        "/coursesOfTreatment",
        "courseId",
        treatments.COURSE_BASE,
        treatments.COURSES_PER_PATIENT,
        rows=treatments.course_rows,
        count=lambda chart: len(work.courses(chart)),
        needs=("patientId",),
        planted=treatments.planted_courses,
        cast=treatments.COURSE_CAST,
    ),
    Entity(
        "clinicalNote",
        "/clinicalNotes",
        "noteId",
        notes.NOTE_BASE,
        notes.NOTES_PER_PATIENT,
        rows=notes.clinical_notes,
        count=work.note_count,
        owned=notes.owned,
        embedded_as="clinicalNotes",
        needs=("patientId",),
        planted=notes.planted,
        cast=notes.CAST,
        newborn=newborns.unlinked(appointmentId=None, treatmentId=None, amendsNoteId=None),
    ),
    Entity("inlineNote", "/inlineNotes", "inlineNoteId", notes.INLINE_BASE, rows=notes.inline_notes),
    Entity(
        "document",
        "/documents",
        "documentId",
        documents.DOCUMENT_BASE,
        documents.DOCUMENTS_PER_PATIENT,
        rows=documents.documents,
        count=documents.count,
        owned=documents.owned,
        needs=("patientId",),
        planted=documents.planted,
        cast=documents.CAST,
        newborn=newborns.new_document,
    ),
    Entity(
        "invoice",
        "/invoices",
        "invoiceId",
        billing.INVOICE_BASE,
        billing.INVOICES_PER_PATIENT,
        rows=billing.invoices,
        count=lambda chart: len(billing.billed(chart)),
        owned=billing.owned,
        embedded_as="billingLines",
        unfold=billing.billing_lines,
        needs=("patientId",),
        planted=billing.planted,
        cast=billing.CAST,
        newborn=newborns.new_invoice,
    ),
    Entity(
        "payment",
        "/payments",
        "paymentId",
        billing.PAYMENT_BASE + billing.INVOICE_BASE,
        billing.INVOICES_PER_PATIENT,
        rows=billing.payments,
        sparse=True,
        needs=("patientId",),
        newborn=newborns.unlinked(allocations=[]),
    ),
    Entity(
        "paymentPlan",
        "/paymentPlans",
        "paymentPlanId",
        plans.PLAN_BASE,
        rows=plans.payment_plans,
        sparse=True,
        needs=("patientId",),
        planted=plans.planted,
        newborn=newborns.unlinked(mandateId=None),
    ),
    Entity(
        "carePlanMembership",
        "/carePlanMemberships",
        "membershipId",
        plans.MEMBERSHIP_BASE,
        plans.PER_PATIENT,
        rows=plans.memberships,
        sparse=True,
        needs=("patientId",),
        newborn=newborns.unlinked(mandateId=None),
        planted=plans.planted_memberships,
    ),
    Entity(
        "recall",
        "/recalls",
        "recallId",
        outreach.RECALL_BASE,
        outreach.RECALLS_PER_PATIENT,
        rows=outreach.recalls,
        sparse=True,
        needs=("patientId",),
        planted=outreach.planted_recalls,
    ),
    Entity(
        "communication",
        "/communications",
        "communicationId",
        outreach.COMMUNICATION_BASE,
        outreach.MESSAGES_PER_PATIENT,
        rows=outreach.communications,
        count=lambda chart: len(chart.visits),
        needs=("patientId",),
        newborn=newborns.unlinked(appointmentId=None),
    ),
    Entity(
        "paymentLink",
        "/paymentProviders",
        "providerLinkId",
        plans.LINK_BASE,
        plans.PER_PATIENT,
        rows=plans.payment_links,
        sparse=True,
        needs=("patientId",),
        planted=plans.planted_links,
    ),
    Entity(
        "household",
        "/households",
        "householdId",
        HOUSEHOLD_BASE,
        rows=_household_rows,
        sparse=True,
        planted=_planted_households,
    ),
)
BY_NAME: dict[str, Entity] = {entity.name: entity for entity in ENTITIES}
BY_PATH: dict[str, Entity] = {entity.path: entity for entity in ENTITIES}
EMBEDDED: tuple[str, ...] = ("appointments", "treatments", "clinicalNotes", "billingLines")
