"""What a record made by the staff has of its own; the rest is taken from a sound generated one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chartlift_sandbox.generator.documents import made_by_staff
from chartlift_sandbox.generator.world import Record


def new_patient(_: datetime, __: int) -> Record:
    """Nobody's relative, and not archived."""
    alone = ("householdId", "householdRole", "guardianPatientId", "referredByPatientId", "archivedAt", "archivedReason")
    return dict.fromkeys(alone) | {"deceasedOn": None, "status": "ACTIVE", "balance": "0.00"}


def new_appointment(now: datetime, _: int) -> Record:
    """Booked for two weeks from now."""
    return {
        "appointmentStatusId": 1, "appointmentStatus": "Pending", "appointmentNotes": None, "cancellationReason": None,
        "appointmentTime": f"{now + timedelta(days=14):%Y-%m-%d}T10:20:00", "arrivedAt": None, "completedAt": None,
        "cost": None, "rescheduledToAppointmentId": None,
    }  # fmt: skip


def unlinked(**links: Any) -> Callable[[datetime, int], Record]:
    """A new record hangs on its patient alone until somebody links it."""
    return lambda _, __: links


def new_invoice(_: datetime, key: int) -> Record:
    """Unpaid, with one line."""
    item = {
        "invoiceLineId": 1, "lineNumber": 1, "treatmentId": None, "shopItemId": None, "description": "Examination",
        "quantity": 1, "unitPrice": "55.00", "discount": "0.00", "lineTotal": "55.00",
    }  # fmt: skip
    return {
        "invoiceNumber": f"INV-{key}", "totalAmount": "55.00", "discountAmount": "0.00", "amountPaid": "0.00",
        "amountDue": "55.00", "status": "UNPAID", "paymentReference": None, "lineItems": [item],
    }  # fmt: skip


def new_document(_: datetime, key: int) -> Record:
    """A scan, uploaded by nobody known."""
    return made_by_staff(key) | {"userId": None}
