"""Storage is counted per record, e-mails and files by what they hold, and refused when it is used up."""

import base64
from typing import Any

from door_harness import Sandbox

from chartlift_sandbox.salesforce.storage import data_kilobytes, stored_file_bytes


def _limits(box: Sandbox, **limits: int) -> None:
    assert box.control.post("/org/settings", json={"limits": limits}).status_code == 200


def _made(box: Sandbox, name: str, **values: Any) -> str:
    answer = box.post(f"/sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_records_cost_two_kilobytes_and_html_mail_its_size(sandbox: Sandbox) -> None:
    org = sandbox.estate.org
    before = data_kilobytes(org)
    contact = _made(sandbox, "Contact", LastName="Stored")
    assert data_kilobytes(org) - before == 2
    before = data_kilobytes(org)
    _made(sandbox, "EmailMessage", Subject="text", TextBody="x" * 9_000, Status="3")
    assert data_kilobytes(org) - before == 2
    _made(sandbox, "EmailMessage", Subject="html", HtmlBody="x" * 9_000, Status="3")
    assert data_kilobytes(org) - before == 2 + 9
    before = data_kilobytes(org)
    sandbox.org.delete(f"/services/data/v67.0/sobjects/Contact/{contact}")
    assert before - data_kilobytes(org) == 2  # what lies in the recycle bin does not count


def test_files_count_by_bytes_and_are_refused_when_full(sandbox: Sandbox) -> None:
    org, content = sandbox.estate.org, base64.b64encode(b"x" * 70_000).decode()
    before = stored_file_bytes(org)
    _made(sandbox, "ContentVersion", Title="t", PathOnClient="t.txt", VersionData=content)
    assert stored_file_bytes(org) - before == 70_000
    try:
        _limits(sandbox, FileStorageMB=0)
        words = {"Title": "t", "PathOnClient": "t.txt", "VersionData": content}
        refused = sandbox.post("/sobjects/ContentVersion", json=words)
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "STORAGE_LIMIT_EXCEEDED")
        _made(sandbox, "Contact", LastName="Records still fit")
    finally:
        _limits(sandbox, FileStorageMB=10_240)


def test_the_rows_that_still_fit_are_saved(sandbox: Sandbox) -> None:
    used = data_kilobytes(sandbox.estate.org)
    full = -(-used // 1024) * 1024
    fits = (full - used) // 2
    try:
        _limits(sandbox, DataStorageMB=full // 1024)
        csv = "Tooth__c\n" + "1\n" * (fits + 3)
        job = sandbox.ingest("insert", "Visit__c", csv)
    finally:
        _limits(sandbox, DataStorageMB=10_240)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (fits + 3, 3)


class Listening:
    """The org's database, which keeps what it was asked."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.asked: list[str] = []

    def execute(self, sql: str, params: Any = None) -> Any:
        """Runs a statement, and remembers it."""
        self.asked.append(sql)
        return self._db.execute(sql, params)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the database's own."""
        return getattr(self._db, name)


def test_no_table_is_counted_while_the_allowance_is_far_away(sandbox: Sandbox) -> None:
    """Counting takes longer than a single call may, beside a million rows."""
    org = sandbox.estate.org
    _made(sandbox, "EmailMessage", Subject="html", HtmlBody="x" * 9_000, Status="3")
    many = org.counters.get("001", 0)
    listening = org.db = Listening(org.db)
    try:
        org.counters["001"] = 3_000_000  # accounts of two kilobytes each, of ten gigabytes
        _made(sandbox, "Contact", LastName="Not counted")
        assert [sql for sql in listening.asked if "count(" in sql.lower()] == []
        org.counters["001"] = 5_300_000
        _made(sandbox, "Contact", LastName="Counted")
        assert [sql for sql in listening.asked if 'count(*) FROM "Contact"' in sql]
    finally:
        org.db, org.counters["001"] = listening._db, many
