"""What all records that belong to one patient have in common: whom they follow, who owns them, what they point to."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from clinic_wire import Record
from oracle import Oracle
from oracle_row import Row
from oracle_values import Hold, Skip, Withhold


def owner(oracle: Oracle, record: Record) -> int | None:
    """The patient a record belongs to, a merged one read as the survivor."""
    try:
        return oracle.survivor(record["patientId"])
    except Hold:
        return record["patientId"]


def contact_of(oracle: Oracle, patient: int | None) -> str:
    """The key of the Contact a record hangs on.

    Raises:
        Skip: the patient is deleted.
        Hold: there is no such Contact, or it does not move.
    """
    if patient is None:
        raise Hold("R-REQ")
    try:
        follows = oracle.survivor(patient)
    except Hold as reason:
        raise Hold("PARENT") from reason
    if ("patient", follows) in oracle.data.deleted:
        raise Skip("R-DELETED")
    key = oracle.key("PAT", follows)
    if oracle.contacts[key].fate != "send":
        raise Hold("PARENT")
    return key


def location(oracle: Oracle, practice: int | None) -> str | None:
    """The Account of a practice."""
    if practice is None:
        return None
    key = oracle.key("PRA", practice)
    if key not in oracle.accounts or oracle.accounts[key].fate != "send":
        raise Withhold("R-REF")
    return key


class Children(ABC):
    """The expected records of one object by key; ``entity`` and ``code`` say which."""

    entity: ClassVar[str]
    code: ClassVar[str]

    def __init__(self, oracle: Oracle) -> None:
        self._oracle, self._data = oracle, oracle.data
        self.rows = {self.key(one): self._row(one, record) for one, record in self.records.items()}

    @property
    def records(self) -> dict[int, Record]:
        """The clinic's rows of the entity."""
        return self._data.rows[self.entity]

    def key(self, one: Any) -> str:
        """The Source_System_ID__c of a record of this object."""
        return self._oracle.key(self.code, one)

    def _exist(self, one: int, record: Record) -> None:
        """Raises Skip where a record is none, wherever its patient is, and Hold where two records claim to be it."""
        if (self.entity, one) in self._data.deleted:
            raise Skip("R-DELETED")
        if self._is_nothing(record):
            raise Skip("R-EMPTY")
        if (self.entity, one) in self._data.conflicts:
            raise Hold("R-KEY")

    def _is_nothing(self, record: Record) -> bool:
        """Whether there is nothing in the record that could move."""
        del record
        return False

    @abstractmethod
    def _fill(self, row: Row, record: Record) -> None:
        """Puts every field into the row; raises Hold where the row cannot move."""

    def _row(self, one: int, record: Record) -> Row:
        row, orphaned = Row(), ""
        try:
            self._exist(one, record)
            try:
                row.fields["ContactId__c"] = contact_of(self._oracle, record["patientId"])
            except Hold as reason:
                orphaned = str(reason)
            self._fill(row, record)
        except Skip as reason:
            return row.stop("skip", str(reason))
        except Hold as reason:
            return row.stop("hold", str(reason))
        # what is wrong with the record itself is the nearer reason
        return row.stop("hold", orphaned) if orphaned else row

    def _carer(self, row: Row, record: Record) -> None:
        """Practitioner and owner."""
        row.fields["Practitioner__c"] = self._oracle.practitioner(record["userId"])
        row.fields["OwnerId"] = row.fields["Practitioner__c"] or self._oracle.fallback

    def _hold_strangers(self, pointers: Iterable[tuple[str, str]]) -> None:
        """Holds each row that points, by a (source field, entity) pair, to a record of another known patient."""
        for column, entity in pointers:
            targets = self._data.rows[entity]
            for one, record in self.records.items():
                row, target = self.rows[self.key(one)], targets.get(record[column])
                mine = row.fate == "send" or row.reason == "PARENT"
                if mine and target is not None and strange(self._oracle, record, target):
                    row.stop("hold", "R-REF")

    def _point(self, name: str, column: str, rows: dict[str, Row], key: Callable[[int], str]) -> None:
        """Fills a lookup to records of ``rows``; to what does not move it is withheld."""
        for one, record in self.records.items():
            row = self.rows[self.key(one)]
            if row.fate == "send":
                row.put(name, moving, rows, record[column], key)


def strange(oracle: Oracle, record: Record, target: Record) -> bool:
    """Whether the target belongs to another patient, one who exists."""
    theirs = owner(oracle, target)
    return theirs != owner(oracle, record) and target["patientId"] in oracle.data.rows["patient"]


def moving(rows: dict[str, Row], one: int | None, key: Callable[[int], str]) -> str | None:
    """The key of a record that moves."""
    if one is None:
        return None
    found = rows.get(key(one))
    if found is None or found.fate != "send":
        raise Withhold("R-REF")
    return key(one)
