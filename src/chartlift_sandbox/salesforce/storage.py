"""Data storage: a flat size per live record whatever its width. Source: knowledge articles on storage allocation."""

import pyarrow as pa

from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.usage import Usage

STANDARD_KB = 2
_RECORD_KB = {"Campaign": 8, "CampaignMember": 1}
_FREE = frozenset(
    {"ContentVersion", "ContentDocument", "ContentDocumentLink", "Organization", "AccountContactRelation"}
)
_INSERTS = frozenset({"insert", "upsert", "undelete"})


def data_kilobytes(org: Org) -> int:
    """Storage used by live records, in KB."""
    total = 0
    with org.lock:
        for sobject in org.schema.objects.values():
            if sobject.setup or sobject.name in _FREE or "IsDeleted" not in sobject.fields:
                continue
            row = org.db.execute(f'SELECT count(*) FROM {quote(sobject.name)} WHERE NOT "IsDeleted"').fetchone()
            total += (row[0] if row else 0) * _RECORD_KB.get(sobject.name, STANDARD_KB)
    return total


def stored_file_bytes(org: Org) -> int:
    """Storage used by file versions, in bytes."""
    with org.lock:
        if org.schema.object("ContentVersion") is None:
            return 0
        row = org.db.execute('SELECT coalesce(sum("ContentSize"), 0) FROM "ContentVersion"').fetchone()
    return int(row[0]) if row else 0


class StorageGuard:
    """Refuses new records once the allowance is used up; a row fault of the engine, so that every channel feels it."""

    def __init__(self, org: Org, usage: Usage) -> None:
        self._org, self._usage = org, usage

    def refuse(self, op: str, object_name: str, count: int) -> pa.Table | None:
        """Rows of a call that do not fit any more, with code and message; None if all fit."""
        sobject = self._org.schema.object(object_name)
        if op not in _INSERTS or sobject is None or sobject.setup or sobject.name in _FREE:
            return None
        most = self._usage.maximum["DataStorageMB"] * 1024
        # ids ever given out bound the number of records from above, without counting tables
        if (sum(self._org.counters.values()) + count) * max(_RECORD_KB.values()) <= most:
            return None
        room = max(most - data_kilobytes(self._org), 0) // _RECORD_KB.get(sobject.name, STANDARD_KB)
        if room >= count:
            return None
        rows = pa.array(range(room, count), pa.int64())
        codes = pa.array(["STORAGE_LIMIT_EXCEEDED"] * len(rows))
        return pa.table({"row": rows, "code": codes, "message": pa.array(["storage limit exceeded"] * len(rows))})
