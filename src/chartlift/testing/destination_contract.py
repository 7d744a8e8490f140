"""What every destination has to keep to, whatever the vendor. The checks deploy their own objects first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from chartlift.model.ports import NULL_CELL, ByPrefix, ByValues, Destination, Everywhere, JobGone, JobUnsent, Step
from chartlift.model.schema import DesiredField, DesiredObject, DesiredSchema

PARENT, CHILD = "Contract_Probe__c", "Contract_Part__c"
KEY = "Source_System_ID__c"
WIRES = ("bulk", "rows")
SCHEMA = DesiredSchema(
    objects=(
        DesiredObject(PARENT, "Contract Probe", "Contract Probes", "CP-{0000}"),
        DesiredObject(CHILD, "Contract Part", "Contract Parts", "CC-{0000}"),
    ),
    fields=(
        *(
            DesiredField(name, KEY, "Source System ID", "Text(64)", external_id=True, unique=True)
            for name in (PARENT, CHILD)
        ),
        DesiredField(PARENT, "Text__c", "Text", "Text(20)"),
        DesiredField(PARENT, "Long__c", "Long", "LongTextArea(1000)"),
        DesiredField(PARENT, "Mail__c", "Mail", "Email"),
        DesiredField(PARENT, "Amount__c", "Amount", "Currency(16,2)"),
        DesiredField(PARENT, "Day__c", "Day", "Date"),
        DesiredField(PARENT, "Moment__c", "Moment", "DateTime"),
        DesiredField(PARENT, "Flag__c", "Flag", "Checkbox"),
        DesiredField(PARENT, "State__c", "State", "Picklist", values=("Open", "Done"), restricted=True),
        DesiredField(CHILD, "Parent__c", "Parent", f"Lookup({PARENT})", required=True),
    ),
)
CANONICAL = {
    "Text__c": ('O\'Hara, "x" é', 'O\'Hara, "x" é'),
    "Long__c": ("line 1\nline 2", "line 1\nline 2"),
    "Mail__c": ("Ann@Example.IE", "ann@example.ie"),
    "Amount__c": ("12.50", "12.5"),
    "Day__c": ("1980-02-29", "1980-02-29"),
    "Moment__c": ("2024-03-31T01:30:00.000Z", "2024-03-31T01:30:00.000Z"),
    "Flag__c": ("true", "true"),
    "State__c": ("Open", "Open"),
}
"""Field -> what is sent, what canonical text of it comes back."""


class Stopped(Exception):
    """The process dies at this step."""


@dataclass
class DestinationCase:
    """A connected destination over an org that can be written to. `again` connects as another process would."""

    org: Destination
    again: Callable[[], Destination]
    deployed: bool = False

    def ready(self) -> Destination:
        """The org with the contract's objects in it."""
        if not self.deployed:
            self.org.deploy(SCHEMA, _ignore)
            self.deployed = True
        return self.org

    def insert(self, keys: list[str], *, wire: str = "rows", **cells: str | None) -> dict[str, dict[str, Any]]:
        """Probes with these keys, all with the same cells; what the org said, by key."""
        columns: dict[str, Any] = {KEY: keys} | {n: pa.array([v] * len(keys), pa.string()) for n, v in cells.items()}
        return self.write("insert", pa.table(columns), KEY, wire)

    def write(
        self, operation: str, rows: pa.Table, key: str, wire: str, object_name: str = PARENT
    ) -> dict[str, dict[str, Any]]:
        """One batch; what the org said, by key."""
        org = self.ready()
        result = org.write(object_name, operation, rows, key_column=key, wire=wire, on_step=_ignore)
        said = table(result.rows).to_pylist()
        assert result.complete
        assert len(said) == result.sent == rows.num_rows
        return {row["key"]: row for row in said}

    def read(self, prefix: str, *fields: str, deleted: bool = False) -> dict[str, dict[str, Any]]:
        """Probes whose key starts so, by key."""
        found = self.ready().read(PARENT, [KEY, "Id", *fields], ByPrefix(KEY, prefix), deleted=deleted)
        return {row[KEY]: row for row in table(found).to_pylist()}


def table(stream: Any) -> pa.Table:
    """An Arrow stream as a table."""
    return pa.table(stream)


def _ignore(_step: Step) -> None:
    """Nobody keeps these steps."""


def outcomes(said: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The different outcomes of a batch."""
    return {row["outcome"] for row in said.values()}


class DestinationContract:
    """Inherit it in a test module and give it a fixture `destination_case`."""

    def test_it_says_who_answers(self, destination_case: DestinationCase) -> None:
        """Ids of org and user in their one long form, the same at every login."""
        first, second = destination_case.org.identity(), destination_case.again().identity()
        assert len(first.org_id) == len(first.user_id) == 18  # noqa: PLR2004 - the length of a record id
        assert (first.org_id, first.user_id, first.username) == (second.org_id, second.user_id, second.username)

    def test_check_and_limits_answer(self, destination_case: DestinationCase) -> None:
        """Probes have names; limits have room."""
        assert all(probe.name for probe in destination_case.org.check())
        for most, left in destination_case.org.limits().values():
            assert 0 <= left <= most

    def test_users_have_all_columns(self, destination_case: DestinationCase) -> None:
        """The integration user is among them; truth is spelled true or false."""
        found = table(destination_case.org.users())
        assert found.column_names == ["Id", "Name", "Email", "Username", "IsActive", "UserType"]
        assert destination_case.org.identity().user_id in found.column("Id").to_pylist()
        assert set(found.column("IsActive").to_pylist()) <= {"true", "false"}

    def test_what_was_deployed_is_there(self, destination_case: DestinationCase) -> None:
        """Nothing is missing afterwards, and deploying it again does nothing."""
        org = destination_case.ready()
        assert org.missing(SCHEMA) == DesiredSchema()
        assert list(org.deploy(SCHEMA, _ignore)) == []
        assert org.schema_package(SCHEMA)
        described = org.describe(PARENT, fresh=True)
        assert described is not None
        assert described.custom
        assert {*CANONICAL, KEY} <= set(described.fields)
        assert described.fields[KEY].unique
        assert described.fields[KEY].external_id
        assert [(c.child, c.field) for c in described.children if c.child == CHILD] == [(CHILD, "Parent__c")]
        assert org.describe("No_Such_Thing__c") is None

    def test_values_come_back_as_canonical_text(self, destination_case: DestinationCase) -> None:
        """The same cells on both wires, read by prefix, by values and everywhere."""
        org = destination_case.ready()
        for wire in WIRES:
            said = destination_case.insert(
                [f"canon-{wire}"], wire=wire, **{n: sent for n, (sent, _) in CANONICAL.items()}
            )
            assert outcomes(said) == {"ok"}, wire
        expected = {name: back for name, (_, back) in CANONICAL.items()}
        fields = [KEY, *CANONICAL]
        keys = tuple(f"canon-{wire}" for wire in WIRES)
        for where in (ByPrefix(KEY, "canon-"), ByValues(KEY, (*keys, "no'such")), Everywhere()):
            found = table(org.read(PARENT, fields, where))
            assert found.column_names == fields
            rows = {row.pop(KEY): row for row in found.to_pylist()}
            assert [rows[key] for key in keys] == [expected, expected], where
        assert org.count(PARENT, ByPrefix(KEY, "canon-")) == len(keys)
        assert org.count(PARENT, ByPrefix(KEY, "canon-none")) == 0

    def test_an_empty_answer_has_its_columns(self, destination_case: DestinationCase) -> None:
        """No rows are still a table."""
        found = table(destination_case.ready().read(PARENT, ["Id", "Text__c"], ByValues(KEY, ("nobody",))))
        assert (found.num_rows, found.column_names) == (0, ["Id", "Text__c"])

    def test_results_are_joined_by_key(self, destination_case: DestinationCase) -> None:
        """Good and bad rows in one batch: each outcome names its key, and the ids are those of the rows."""
        for wire in WIRES:
            keys = [f"join-{wire}-{number}" for number in range(6)]
            states = ["Open", "Nonsense", "Done", "Open", "Nonsense", "Done"]
            said = destination_case.write("insert", pa.table({KEY: keys, "State__c": states}), KEY, wire)
            assert [said[key]["outcome"] for key in keys] == ["ok", "failed", "ok", "ok", "failed", "ok"], wire
            assert all(said[key]["code"] for key in (keys[1], keys[4]))
            there = destination_case.read(f"join-{wire}-")
            assert {key: row["Id"] for key, row in there.items()} == {
                key: row["id"] for key, row in said.items() if row["outcome"] == "ok"
            }
            assert all(said[key]["created"] for key in there)

    def test_a_key_is_there_once(self, destination_case: DestinationCase) -> None:
        """A second insert of the same key fails, whatever its case, and leaves the first row alone."""
        destination_case.insert(["once-a"], Text__c="first")
        for wire in WIRES:
            said = destination_case.insert(["ONCE-A"], wire=wire, Text__c="second")
            assert {(row["outcome"], row["code"]) for row in said.values()} == {("failed", "DUPLICATE_VALUE")}
        assert [row["Text__c"] for row in destination_case.read("once-", "Text__c").values()] == ["first"]

    def test_null_leaves_alone_and_the_mark_clears(self, destination_case: DestinationCase) -> None:
        """NULL in an update changes nothing; NULL_CELL empties the field."""
        for wire in WIRES:
            key = f"clear-{wire}"
            made = destination_case.insert([key], Text__c="stays", Long__c="goes", Amount__c="1")[key]["id"]
            cells = {"Id": [made], "Text__c": pa.array([None], pa.string()), "Long__c": [NULL_CELL], "Amount__c": ["2"]}
            said = destination_case.write("update", pa.table(cells), "Id", wire)
            assert {(row["key"], row["outcome"], row["created"]) for row in said.values()} == {(made, "ok", False)}
            row = destination_case.read(key, "Text__c", "Long__c", "Amount__c")[key]
            assert (row["Text__c"], row["Long__c"], row["Amount__c"]) == ("stays", None, "2"), wire

    def test_the_vendors_mark_for_nothing_can_be_a_text(self, destination_case: DestinationCase) -> None:
        """`#N/A` typed by a person survives the rows wire."""
        destination_case.insert(["mark-a"], wire="rows", Text__c="#N/A")
        assert destination_case.read("mark-", "Text__c")["mark-a"]["Text__c"] == "#N/A"

    def test_deleted_rows_are_told_and_can_come_back(self, destination_case: DestinationCase) -> None:
        """Deleted on either wire, seen in the recycle bin, undeleted under the same id."""
        for wire in WIRES:
            key = f"bin-{wire}"
            made = destination_case.insert([key], Text__c="kept")[key]["id"]
            ids = pa.table({"Id": [made]})
            assert outcomes(destination_case.write("delete", ids, "Id", wire)) == {"ok"}
            assert destination_case.read(key) == {}
            assert destination_case.read(key, "IsDeleted", deleted=True)[key]["IsDeleted"] == "true"
            assert outcomes(destination_case.write("delete", ids, "Id", wire)) == {"failed"}
            assert outcomes(destination_case.write("undelete", ids, "Id", "rows")) == {"ok"}
            assert destination_case.read(key, "Text__c")[key] == {KEY: key, "Id": made, "Text__c": "kept"}

    def test_references_are_checked(self, destination_case: DestinationCase) -> None:
        """A child needs its parent; one that is not there is refused, not dropped."""
        parent = destination_case.insert(["ref-a"])["ref-a"]["id"]
        for wire in WIRES:
            rows = pa.table({KEY: [f"ref-{wire}-1", f"ref-{wire}-2"], "Parent__c": [parent, parent[:-4] + "ZZZZ"]})
            said = destination_case.write("insert", rows, KEY, wire, CHILD)
            assert [said[key]["outcome"] for key in rows.column(KEY).to_pylist()] == ["ok", "failed"], wire

    def test_steps_tell_the_job_before_anything_leaves(self, destination_case: DestinationCase) -> None:
        """The job's id is known before the first row is uploaded."""
        steps: list[Step] = []
        rows = pa.table({KEY: ["step-a"]})
        destination_case.ready().write(PARENT, "insert", rows, key_column=KEY, wire="bulk", on_step=steps.append)
        kinds = [step.kind for step in steps]
        assert kinds.index("created") < kinds.index("uploaded") < kinds.index("closed")
        assert len({step.job_id for step in steps if step.kind in ("created", "uploaded", "closed")} - {""}) == 1

    def test_a_closed_job_is_settled_after_the_fact(self, destination_case: DestinationCase) -> None:
        """Another process gets the same outcomes; nothing is written a second time."""
        job = _stopped(destination_case, "late", "closed")
        said = table(destination_case.again().settle(job, key_column=KEY, on_step=_ignore).rows).to_pylist()
        there = destination_case.read("late-")
        assert {row["key"]: row["id"] for row in said} == {key: row["Id"] for key, row in there.items()}
        assert len(there) == len(said) == 3  # noqa: PLR2004 - the rows of the batch

    def test_an_open_job_is_given_up(self, destination_case: DestinationCase) -> None:
        """Nothing of it was processed, and nothing ever will be."""
        job = _stopped(destination_case, "open", "created")
        for _ in range(2):
            try:
                destination_case.again().settle(job, key_column=KEY, on_step=_ignore)
            except (JobUnsent, JobGone) as signal:
                assert isinstance(signal, JobUnsent) or destination_case.read("open-") == {}  # noqa: PT017 - no test runner here
            else:
                raise AssertionError("an open job has no outcomes")
        assert destination_case.read("open-") == {}

    def test_a_job_nobody_knows_is_gone(self, destination_case: DestinationCase) -> None:
        """Told apart from every other failure."""
        try:
            destination_case.ready().settle("7505g0000999999AAA", key_column=KEY, on_step=_ignore)
        except JobGone:
            return
        raise AssertionError("the org cannot know this job")


def _stopped(case: DestinationCase, prefix: str, kind: str) -> str:
    """Start a batch of three and die at this step; returns the job's id."""
    jobs: list[str] = []

    def dies(step: Step) -> None:
        jobs.append(step.job_id)
        if step.kind == kind:
            raise Stopped

    rows = pa.table({KEY: [f"{prefix}-{number}" for number in range(3)]})
    try:
        case.ready().write(PARENT, "insert", rows, key_column=KEY, wire="bulk", on_step=dies)
    except Stopped:
        return jobs[-1]
    raise AssertionError(f"the batch never said {kind}")
