"""What the org should hold of the clinic's invoices, their lines and its payment plans."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import oracle_values as values
from clinic_wire import Record
from oracle_children import Children, location, moving, strange
from oracle_row import Row, currency, fitting
from oracle_treatments import status_of
from oracle_values import Hold, Withhold

LIMIT = 32_768
STATES = {
    "Unpaid": ("unpaid",),
    "Part Paid": ("partpaid",),
    "Paid": ("paid",),
    "Written Off": ("writtenoff",),
    "Refunded": ("refunded",),
    "Void": ("void",),
}
AMOUNTS = {"Unit_Price__c": "unitPrice", "Discount__c": "discount", "Line_Total__c": "lineTotal"}


def sure(raw: object) -> Decimal | None:
    """An amount; an invoice with one that cannot be read is held."""
    try:
        return values.money(raw)
    except Withhold:
        raise Hold("R-MONEY") from None


def spoilt(line: Record) -> bool:
    """Whether an amount of the line cannot be read."""
    try:
        pieces(line["quantity"])
        for name in AMOUNTS.values():
            sure(line[name])
    except Hold:
        return True
    return False


def pieces(raw: object) -> Decimal | None:
    """A quantity; it is an amount of the line as its price is."""
    try:
        return values.number(raw, 6, 2)
    except Withhold:
        raise Hold("R-MONEY") from None


def plain(value: Decimal | None) -> str:
    """A quantity as people write it."""
    return "" if value is None else format(value.normalize(), "f")


class Invoices(Children):
    """The expected Invoice__c records."""

    entity, code = "invoice", "INV"

    def _fill(self, row: Row, record: Record) -> None:
        self._carer(row, record)
        row.put("Invoice_Number__c", values.limited, record["invoiceNumber"], 64)
        row.put("Location__c", location, self._oracle, record["practiceId"])
        row.put("Invoice_Date__c", self._day, record["invoiceDate"])
        row.put("Due_Date__c", self._day, record["dueDate"])
        row.put("Payment_Reference__c", values.limited, record["paymentReference"], 255)
        zone = self._oracle.zone_of(record["practiceId"])
        row.put("Original_Create_Date__c", values.instant, record["createdAt"], self._oracle.last, zone)
        row.fields["Payment_Status__c"] = status_of(record["status"], STATES)
        self._fill_money(row, record)

    def _fill_money(self, row: Row, record: Record) -> None:
        fields = row.fields
        try:
            fields["Currency_Code__c"] = currency(record["currency"])
        except Withhold as reason:
            raise Hold(str(reason)) from None
        total, paid = sure(record["totalAmount"]), sure(record["amountPaid"])
        fields["Amount__c"], fields["Discount__c"] = total, sure(record["discountAmount"])
        due = sure(record["amountDue"])
        fields["Amount_Due__c"] = total - (paid or 0) if due is None and total is not None else due
        lines = sorted(
            record["lineItems"] or [], key=lambda line: (int(line["lineNumber"] or 0), line["invoiceLineId"])
        )
        fields["Line_Items__c"] = fitting("\n".join(self._line(line) for line in lines), LIMIT)

    def _line(self, line: Record) -> str:
        for name in ("unitPrice", "discount"):
            sure(line[name])
        total = sure(line["lineTotal"])
        described, quantity = values.text(line["description"]) or "", plain(pieces(line["quantity"]))
        return f"{described} x {quantity} = {'' if total is None else f'{total:.2f}'}"

    def _day(self, raw: object) -> date | None:
        return values.day(raw, date(1950, 1, 1), self._oracle.last)

    def lines(self, treatments: dict[str, Row]) -> dict[str, Row]:
        """The expected Invoice_Line__c records by key."""
        return {
            self._oracle.key("ILN", f"{one}-{line['invoiceLineId']}"): self._line_row(one, record, line, treatments)
            for one, record, line in self._every_line()
        }

    def _every_line(self) -> Iterator[tuple[int, Record, Record]]:
        for one, record in self.records.items():
            for line in record["lineItems"] or []:
                yield one, record, line

    def _line_row(self, one: int, record: Record, line: Record, treatments: dict[str, Row]) -> Row:
        row, invoice = Row(), self.rows[self.key(one)]
        work = self._data.rows["treatment"].get(line["treatmentId"])
        if invoice.fate == "skip":
            return row.stop("skip", "R-DELETED")
        if work is not None and strange(self._oracle, record, work):
            return row.stop("hold", "R-REF")
        if invoice.fate == "hold":
            return row.stop("hold", "R-MONEY" if invoice.reason == "R-MONEY" and spoilt(line) else "PARENT")
        row.fields["InvoiceId__c"] = self.key(one)
        # a line has no time of its own
        zone = self._oracle.zone_of(record["practiceId"])
        row.put("Original_Create_Date__c", values.instant, record["createdAt"], self._oracle.last, zone)
        row.put("TreatmentId__c", moving, treatments, line["treatmentId"], lambda two: self._oracle.key("TRT", two))
        row.put("Line_Number__c", values.number, line["lineNumber"], 4, 0)
        row.put("Shop_Item__c", values.limited, line["shopItemId"], 64)
        try:
            row.put("Description__c", values.limited, line["description"], 255)
        except Hold as reason:
            return row.stop("hold", str(reason))
        row.fields["Quantity__c"] = pieces(line["quantity"])
        for name, column in AMOUNTS.items():
            row.fields[name] = sure(line[column])
        return row


class Plans(Children):
    """The expected Payment_Plan__c records: none moves before a person has signed it off."""

    entity, code = "paymentPlan", "PLN"

    def _row(self, one: int, record: Record) -> Row:
        row = super()._row(one, record)
        return row if row.fate == "skip" else row.stop("hold", "R-PLAN")

    def _fill(self, row: Row, record: Record) -> None:
        """Nothing is filled before a person has signed."""
