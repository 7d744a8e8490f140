"""A practice system of another kind, for the contract of a source: keys, pages and names unlike AeronaClinic's.

It serves what it is given over HTTP. How it pages and how it wants its key can be chosen, to try every kind.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

KEY = "key-of-the-practice"
HEADERS = {
    "bearer": ("Authorization", f"Bearer {KEY}"),
    "basic": ("Authorization", "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()),
    "header": ("X-Api-Key", KEY),
}
_LARGEST = 7  # rows on a page, whatever is asked for
Row = dict[str, Any]


class Practice:
    """Rows by the last part of their path; `calls` is what was asked for."""

    def __init__(self, rows: Mapping[str, list[Row]], now: Any, paging: str = "page", auth: str = "bearer") -> None:
        """Serve `rows`; `now` tells the time."""
        self.rows, self.now, self.paging, self.auth = rows, now, paging, auth
        self.circle = False  # the last page leads back to the second one
        self.calls: list[tuple[str, str]] = []
        practice = self

        class Door(BaseHTTPRequestHandler):
            """GET only."""

            def do_GET(self) -> None:
                practice.answer(self)

            def date_time_string(self, timestamp: float | None = None) -> str:
                del timestamp
                return format_datetime(practice.now().astimezone(UTC).replace(microsecond=0), usegmt=True)

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()

    def touch(self, name: str, key: int, **fields: Any) -> None:
        """Change a row, as staff would."""
        row = next(row for row in self.rows[name] if row["id"] == key)
        row.update(fields, updated_at=self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def answer(self, door: Any) -> None:
        """One request."""
        parts = urlsplit(door.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.calls.append(("GET", parts.path))
        name, value = HEADERS[self.auth]
        if door.headers.get(name) != value:
            self._send(door, 401, {"error": "unauthorised"})
            return
        words = parts.path.strip("/").split("/")
        if words[-1] == "content":
            self._send(door, 200, {"of": words[-2]})
        elif words[-1] in self.rows:
            self._send(door, 200, self._page(words[-1], parts.path, query))
        else:
            self._send(door, 404, {"error": "not_found"})

    def _page(self, name: str, path: str, query: Mapping[str, str]) -> Any:
        rows = sorted(self.rows[name], key=lambda row: row["id"])
        if "include_deleted" not in query:
            rows = [row for row in rows if not row.get("deleted_at")]
        if "updated_since" in query:
            since = datetime.fromisoformat(query["updated_since"])
            rows = [row for row in rows if datetime.fromisoformat(row["updated_at"]) >= since]
        if self.paging == "none":
            return {name: rows}
        size = min(int(query.get("per_page", 5)), _LARGEST)
        start = self._start(query, size)
        meta: Row = {"total_count": len(rows)}
        more = start + size < len(rows)
        if self.paging == "page":
            meta["total_pages"] = -(-len(rows) // size)
        if self.paging == "cursor":
            meta["next_cursor"] = f"c{start + size}" if more else f"c{size}" if self.circle else None
        if self.paging == "link":
            following = urlencode({**query, "at": str(start + size)})
            meta["next"] = f"https://elsewhere.invalid{path}?{following}" if more else None
        return {name: rows[start : start + size], "meta": meta}

    def _start(self, query: Mapping[str, str], size: int) -> int:
        if self.paging == "page":
            return (int(query.get("page", 1)) - 1) * size
        if self.paging == "offset":
            return int(query.get("offset", 0))
        return int(query.get("cursor", "c0")[1:]) if self.paging == "cursor" else int(query.get("at", 0))

    def _send(self, door: Any, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode()
        door.send_response(status)
        door.send_header("Content-Type", "application/json")
        door.send_header("Content-Length", str(len(body)))
        door.end_headers()
        door.wfile.write(body)


def rows(many: int) -> dict[str, list[Row]]:
    """A small practice: `many` patients and what belongs to them."""
    stamped = {"created_at": "2024-03-01T09:00:00Z", "updated_at": "2024-03-02T09:00:00Z", "deleted_at": None}
    people = range(1, many + 1)
    of = [{**stamped, "id": n, "patient_id": n, "practitioner_id": 1} for n in people]
    states = ("Pending", "Confirmed", "Completed", "Did Not Attend", "Somewhere Else")
    return {
        "sites": [{**stamped, "id": 1, "name": "North", "address_line_1": "1 High Street", "active": True}],
        "practitioners": [
            {**stamped, "id": 1, "user": {"first_name": "Ada", "last_name": "Byrne", "email": "ada@example.org"}}
        ],
        "acquisition_sources": [{**stamped, "id": 1, "name": "Website", "active": True}],
        "patients": [
            {**stamped, "id": n, "site_id": 1, "first_name": f"First{n}", "last_name": f"Last{n}", "dentist_id": 1,
             "date_of_birth": "1980-01-02", "address_line_1": "2 Low Street", "use_sms": n % 2 == 0, "colour": "red"}
            for n in people
        ],
        "appointments": [
            {**row, "start_time": "2024-05-01T10:00:00", "duration": 15, "state": states[row["id"] % 5]} for row in of
        ],
        "treatment_plan_items": [{**row, "nomenclature": "Filling", "price": "76.60", "code": "1421"} for row in of],
        "clinical_notes": [{**row, "text": "Seen.", "note_type": "CLINICAL_FINDING"} for row in of],
        "documents": [{**row, "filename": "a.json", "content_type": "application/json", "size": 3} for row in of],
        "invoices": [
            {**row, "number": f"I-{row['id']}", "dated_on": "2024-05-01", "amount": "76.60", "amount_outstanding": "0",
             "invoice_items": [{"id": 1, "name": "Filling", "total_price": "76.60", "treatment_plan_item_id": row["id"]},
                {"id": 2, "name": "Struck out", "total_price": "1.00", "deleted_at": "2024-05-02T00:00:00Z"}]}
            for row in of
        ],
        "recalls": [{**row, "recall_type": "DENTAL_EXAM", "interval": 6, "due_on": "2024-11-01"} for row in of],
    }  # fmt: skip
