"""Data storage: a flat size per live record whatever its width. Source: knowledge articles on storage allocation."""

import pyarrow as pa

from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.schema import SObject
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.usage import Usage

STANDARD_KB = 2
_RECORD_KB = {"Campaign": 8, "CampaignMember": 1}
_FILES = {"ContentVersion": "ContentSize", "Attachment": "BodyLength", "Document": "BodyLength"}
_FREE = frozenset(
    {
        *_FILES, "ContentDocument", "ContentDocumentLink", "Organization", "AccountContactRelation", "AccountTeamMember",
        "ContentNote", "OpportunityContactRole", "EmailMessageRelation", "EventRelation", "TaskRelation",
    }
)  # fmt: skip
_LONG_MAIL = "EmailMessage"
"""Costs what it holds where it is HTML; a person account costs twice the usual because its contact counts too."""
_MAIL_PREFIX = "02s"
_INSERTS = frozenset({"insert", "upsert", "undelete"})


def data_kilobytes(org: Org) -> int:
    """Storage used by live records, in KB."""
    total = 0
    with org.lock:
        for sobject in org.schema.objects.values():
            if sobject.setup or sobject.name in _FREE or "IsDeleted" not in sobject.fields:
                continue
            row = org.db.execute(f'SELECT count(*) FROM {quote(sobject.name)} WHERE NOT "IsDeleted"').fetchone()
            total += (row[0] if row else 0) * _record_kb(sobject)
        total += _long_mail(org)
    return total


def _long_mail(org: Org) -> int:
    """What HTML e-mails take beyond the flat size, in KB."""
    found = org.schema.object(_LONG_MAIL)
    if found is None or "HtmlBody" not in found.fields:
        return 0
    size = 'ceil((strlen("HtmlBody") + coalesce(strlen("TextBody"), 0)) / 1024)'
    row = org.db.execute(
        f'SELECT coalesce(sum(greatest({size} - {STANDARD_KB}, 0)), 0) FROM "EmailMessage" '
        'WHERE NOT "IsDeleted" AND "HtmlBody" IS NOT NULL'
    ).fetchone()
    return int(row[0]) if row else 0


def stored_file_bytes(org: Org) -> int:
    """Storage used by file versions and attachments, in bytes."""
    total = 0
    with org.lock:
        for name, column in _FILES.items():
            if org.schema.object(name) is not None:
                sql = f'SELECT coalesce(sum({quote(column)}), 0) FROM {quote(name)} WHERE NOT "IsDeleted"'
                row = org.db.execute(sql).fetchone()
                total += int(row[0]) if row else 0
    return total


class StorageGuard:
    """Refuses new records once the allowance is used up; a row fault of the engine, so that every channel feels it."""

    def __init__(self, org: Org, usage: Usage) -> None:
        self._org, self._usage = org, usage

    def refuse(self, op: str, object_name: str, count: int) -> pa.Table | None:
        """Rows of a call that do not fit any more, with code and message; None if all fit."""
        sobject = self._org.schema.object(object_name)
        if op not in _INSERTS or sobject is None or sobject.setup:
            return None
        if sobject.name in _FILES:
            full = stored_file_bytes(self._org) >= self._usage.maximum["FileStorageMB"] * 1024**2
            return _refused(0, count) if full and count else None
        if sobject.name in _FREE:
            return None
        most = self._usage.maximum["DataStorageMB"] * 1024
        if _bound(self._org, sobject, count) <= most:
            return None
        room = max(most - data_kilobytes(self._org), 0) // _record_kb(sobject)
        if room >= count:
            return None
        return _refused(room, count)


def _bound(org: Org, sobject: SObject, count: int) -> int:
    """KB that records take at most, those of a call included: from the ids ever given out, without counting tables."""
    taken = count * _record_kb(sobject) + (_long_mail(org) if org.counters.get(_MAIL_PREFIX) else 0)
    for one in org.schema.objects.values():
        if not (one.setup or one.name in _FREE):
            taken += org.counters.get(one.key_prefix, 0) * _record_kb(one)
    return taken


def _record_kb(sobject: SObject) -> int:
    return _RECORD_KB.get(sobject.name, STANDARD_KB)


def _refused(first: int, count: int) -> pa.Table:
    rows = pa.array(range(first, count), pa.int64())
    codes = pa.array(["STORAGE_LIMIT_EXCEEDED"] * len(rows))
    return pa.table({"row": rows, "code": codes, "message": pa.array(["storage limit exceeded"] * len(rows))})
