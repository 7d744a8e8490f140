"""The whole org that a load should leave behind, object by object."""

from dataclasses import dataclass, field
from datetime import date

from clinic_wire import ClinicData, Record
from oracle import Oracle
from oracle_documents import Documents
from oracle_money import Invoices, Plans
from oracle_notes import Notes
from oracle_row import Row
from oracle_treatments import Treatments
from oracle_visits import Visits


@dataclass
class Expected:
    """The expected records by object and key; ``texts`` is the canonical text of every note by key."""

    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def expect(data: ClinicData, users: list[Record], fallback: str, tenant: str, today: date) -> Expected:
    """Computes every record from the clinic's rows, the org's Users and the day."""
    oracle = Oracle(data, users, fallback, tenant, today)
    visits, treatments, notes = Visits(oracle), Treatments(oracle), Notes(oracle)
    visits.point()
    treatments.point(visits.rows)
    notes.point(visits.rows, treatments.rows)
    invoices = Invoices(oracle)
    rows = {
        "Account": oracle.accounts,
        "Contact": oracle.contacts,
        "Appointment__c": visits.rows,
        "Treatment__c": treatments.rows,
        "Clinical_Note__c": notes.rows,
        "Document__c": Documents(oracle).rows,
        "Invoice__c": invoices.rows,
        "Invoice_Line__c": invoices.lines(treatments.rows),
        "Payment_Plan__c": Plans(oracle).rows,
    }
    return Expected(rows, notes.texts)
