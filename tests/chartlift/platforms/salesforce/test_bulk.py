from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import httpx2
import pyarrow as pa
import pytest

from chartlift.errors import QuotaExhausted, StopError, Unreachable
from chartlift.model.ports import NULL_CELL, JobGone, JobUnsent, WriteResult

KEY = "Source_System_ID__c"
Connect = Callable[..., Any]


def patients(count: int) -> pa.Table:
    return pa.table(
        {
            KEY: [f"c-PAT-{i}" for i in range(count)],
            "LastName": [f"Name {i}" for i in range(count)],
            "Description": [f'line "{i}"\nand, more' if i % 2 else None for i in range(count)],
        }
    )


def write(
    destination: Any, steps: Any, table: pa.Table | None = None, operation: str = "insert", key: str = KEY
) -> WriteResult:
    rows = patients(20) if table is None else table
    return destination.write("Contact", operation, rows, key_column=key, wire="bulk", on_step=steps)


def outcomes(result: WriteResult) -> dict[str, str]:
    return {row["key"]: row["outcome"] for row in pa.table(result.rows).to_pylist()}


def ingest(org: Any) -> list[str]:
    return [
        what.split("/jobs/ingest")[0] + what.split("/jobs/ingest")[1] for what in org.requests if "/jobs/ingest" in what
    ]


def test_a_smooth_batch_takes_four_requests_and_its_polls(connect: Connect, org: Any, steps: Any) -> None:
    result = write(connect(), steps)
    assert [what.split()[0] for what in ingest(org)] == ["POST", "PUT", "PATCH", "GET", "GET"]
    assert steps.kinds == ["creating", "created", "uploaded", "closing", "closed", "polled", "done"]
    assert result.complete
    assert result.sent == 20
    assert set(outcomes(result).values()) == {"ok"}


def test_rows_are_joined_by_key_and_not_by_position(connect: Connect, org: Any, steps: Any) -> None:
    rows = pa.table(write(connect(), steps).rows).to_pylist()
    assert [row["key"] for row in rows] != [f"c-PAT-{i}" for i in range(20)]  # the fake org shuffles
    assert all(row["id"] == f"0035g{int(row['key'].removeprefix('c-PAT-')):010}AAA" for row in rows)
    assert all(row["created"] for row in rows)


def test_six_requests_when_rows_fail_and_no_message_is_kept(connect: Connect, org: Any, steps: Any) -> None:
    bad = "STRING_TOO_LONG:Name: data value too large: Jane, O'Hara\n: x (max length=80):LastName --"
    org.refuse = lambda row: bad if row[KEY].endswith(("3", "7")) else ""
    rows = pa.table(write(connect(), steps).rows).to_pylist()
    failed = [row for row in rows if row["outcome"] == "failed"]
    assert len([what for what in ingest(org) if not what.endswith("AAA")]) + 1 == 6  # the close ends with the job's id
    assert {row["key"] for row in failed} == {"c-PAT-3", "c-PAT-7", "c-PAT-13", "c-PAT-17"}
    assert {(row["code"], row["fields"], row["id"]) for row in failed} == {("STRING_TOO_LONG", "LastName", None)}
    assert "Jane" not in str(rows)
    assert "Jane" not in str(steps)


def test_nothing_leave_and_clear_are_three_cells(connect: Connect, org: Any, steps: Any) -> None:
    table = pa.table({KEY: ["a", "b"], "Phone": [None, NULL_CELL], "Fax": pa.array([None, None], pa.string())})
    write(connect(), steps, table)
    sent = gzip.decompress(org.bodies[0]).decode()
    assert sent == f'{KEY},Phone\n"a",\n"b","#N/A"\n'


def test_a_real_value_like_the_clear_mark_goes_by_the_other_wire(connect: Connect, org: Any, steps: Any) -> None:
    with pytest.raises(ValueError, match="Phone"):
        write(connect(), steps, pa.table({KEY: ["a"], "Phone": ["#N/A"]}))
    assert not ingest(org)


@pytest.mark.parametrize(
    "where", ["POST .*/jobs/ingest$", "PUT .*/batches", "PATCH .*/jobs/ingest/", "GET .*/jobs/ingest/"]
)
def test_a_lost_answer_never_doubles_a_row(connect: Connect, org: Any, steps: Any, faults: Any, where: str) -> None:
    org.fault(where, after=faults.lost)
    result = write(connect(), steps)
    assert set(outcomes(result).values()) == {"ok"}
    assert sorted(row[KEY] for row in org.landed) == sorted(f"c-PAT-{i}" for i in range(20))
    assert len([job for job in org.jobs.values() if job["state"] == "JobComplete"]) == 1


def test_a_job_gets_one_upload_only(connect: Connect, org: Any, steps: Any, faults: Any) -> None:
    org.fault("PUT .*/batches", after=faults.lost)
    write(connect(), steps)
    uploads = [what for what in ingest(org) if what.startswith("PUT")]
    assert len(set(uploads)) == len(uploads) == 2
    assert [job["state"] for job in org.jobs.values()] == ["Aborted", "JobComplete"]


def test_a_close_that_is_refused_although_it_worked(connect: Connect, org: Any, steps: Any, faults: Any) -> None:
    org.fault("PATCH .*/jobs/ingest/", after=lambda _: faults.error(400, "INVALIDJOBSTATE"))
    assert write(connect(), steps).complete
    assert len(org.landed) == 20


@pytest.mark.parametrize("where", ["POST .*/jobs/ingest$", "PUT .*/batches", "PATCH .*/jobs/ingest/", "GET .*Results"])
def test_a_refused_connection_is_tried_again(connect: Connect, org: Any, steps: Any, faults: Any, where: str) -> None:
    org.fault(where, before=faults.reset, times=2)
    assert set(outcomes(write(connect(), steps)).values()) == {"ok"}
    assert len(org.jobs) == 1


@pytest.mark.parametrize(("status", "code"), [(401, "INVALID_SESSION_ID"), (400, "InvalidSessionId")])
@pytest.mark.parametrize("where", ["PUT .*/batches", "PATCH .*", "GET .*/jobs/ingest/[^/]*$", "GET .*Results"])
def test_an_ended_session_is_renewed_and_the_same_job_goes_on(
    connect: Connect, org: Any, steps: Any, faults: Any, where: str, status: int, code: str
) -> None:
    org.fault(where, before=lambda _: faults.error(status, code))
    assert set(outcomes(write(connect(), steps)).values()) == {"ok"}
    assert org.logins == 2
    assert len(org.jobs) == 1
    assert len(org.landed) == 20


def cut_at_a_row(response: httpx2.Response) -> bytes:
    return b'"\n"'.join(response.content.split(b'"\n"')[:-5]) + b'"\n'


CUTS: dict[str, Callable[[httpx2.Response, Any], httpx2.Response]] = {
    "at a row boundary": lambda r, f: f.raw(200, cut_at_a_row(r), content_type="text/csv"),
    "behind a line end inside quotes": lambda r, f: f.raw(
        200, r.content[: r.content.rindex(b"\nand, more") + 1], content_type="text/csv"
    ),
    "inside quotes": lambda r, f: f.raw(200, r.content[:-9], content_type="text/csv"),
    "in a gzip body": lambda r, f: f.raw(
        200, gzip.compress(r.content)[:-20], content_type="text/csv", content_encoding="gzip"
    ),
    "before a gzip body": lambda _, f: f.raw(200, b"", content_type="text/csv", content_encoding="gzip"),
    "to nothing": lambda _, f: f.raw(200, b"", content_type="text/csv"),
    "into HTML": lambda _, f: f.raw(200, b"<html>login</html>", content_type="text/html"),
    "doubled": lambda r, f: f.raw(200, r.content + r.content.split(b"\n", 1)[1], content_type="text/csv"),
    "to other rows": lambda r, f: f.raw(200, r.content.replace(b"c-PAT-1", b"c-PAT-9"), content_type="text/csv"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_damaged_results_are_fetched_again(connect: Connect, org: Any, steps: Any, faults: Any, cut: str) -> None:
    org.fault("GET .*successfulResults", after=lambda response: CUTS[cut](response, faults))
    result = write(connect(), steps)
    assert outcomes(result) == {f"c-PAT-{i}": "ok" for i in range(20)}
    assert len(org.landed) == 20


def test_results_that_never_add_up_leave_rows_unknown(connect: Connect, org: Any, steps: Any, faults: Any) -> None:
    org.fault("GET .*successfulResults", after=lambda r: CUTS["at a row boundary"](r, faults), times=99)
    result = write(connect(), steps)
    found = outcomes(result)
    assert not result.complete
    assert len(found) == 20
    assert sorted(found.values()).count("unknown") == 5
    assert steps[-1].detail["unknown"] == 5


def test_a_failed_job_keeps_what_it_did(connect: Connect, org: Any, steps: Any) -> None:
    def half(job: dict[str, Any]) -> None:
        type(org).process(org, job)
        job["left"] = [{k: v for k, v in row.items() if not k.startswith("sf__")} for row in job["good"][12:]]
        job["good"], job["state"] = job["good"][:12], "Failed"
        job["errorMessage"] = "TooManyLockFailure : Too many lock failure (20) for Jane Smith"

    org.process = half
    result = write(connect(), steps)
    assert not result.complete
    assert sorted(outcomes(result).values()) == ["ok"] * 12 + ["unprocessed"] * 8
    assert steps[-1].detail["reason"] == "TooManyLockFailure"
    assert "Jane" not in str(steps)


def test_a_column_the_org_does_not_know_stops(connect: Connect, org: Any, steps: Any) -> None:
    def refuse(job: dict[str, Any]) -> None:
        job |= {
            "state": "Failed",
            "errorMessage": "InvalidBatch : Field name not found : Ghost__c",
            "left": job["rows"],
        }

    org.process = refuse
    with pytest.raises(StopError, match="Ghost__c"):
        write(connect(), steps)


def test_an_org_without_gzip_gets_plain_text_from_then_on(connect: Connect, org: Any, steps: Any, faults: Any) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        return faults.error(415, "UNSUPPORTED_MEDIA_TYPE") if "content-encoding" in request.headers else None

    org.fault("PUT .*", before=refuse, times=99)
    destination = connect()
    for _ in range(2):
        assert write(destination, steps).complete
    assert len([what for what in ingest(org) if what.startswith("PUT")]) == 3
    assert len(org.jobs) == 2
    assert org.bodies[0].startswith(KEY.encode())


def test_an_org_that_cannot_read_gzip_after_all_gets_plain_text(connect: Connect, org: Any, steps: Any) -> None:
    real = type(org).process

    def process(job: dict[str, Any]) -> None:
        if len(org.jobs) > 1:
            return real(org, job)
        return job.update(state="Failed", errorMessage="InvalidBatch : Failed to parse CSV header")

    org.process = process
    assert write(connect(), steps).complete
    assert len(org.landed) == 20


@pytest.mark.parametrize("stop", ["created", "uploaded", "closing", "closed", "polled"])
def test_a_process_that_dies_is_continued_without_doubling(connect: Connect, org: Any, steps: Any, stop: str) -> None:
    steps.stop = stop
    with pytest.raises(KeyboardInterrupt):
        write(connect(), steps)
    steps.stop = ""
    (job,) = org.jobs
    try:
        result = connect().settle(job, key_column=KEY, on_step=steps)
    except JobUnsent:
        assert stop in {"created", "uploaded", "closing"}
        assert org.jobs[job]["state"] == "Aborted"
        assert not org.landed
    else:
        assert stop in {"closed", "polled"}
        assert outcomes(result) == {f"c-PAT-{i}": "ok" for i in range(20)}
        assert len(org.landed) == 20


def test_settling_twice_after_the_abort_says_unsent_again(connect: Connect, steps: Any) -> None:
    steps.stop = "uploaded"
    destination = connect()
    with pytest.raises(KeyboardInterrupt):
        write(destination, steps)
    for _ in range(2):
        with pytest.raises(JobUnsent):
            destination.settle(steps[-1].job_id, key_column=KEY, on_step=steps)


def test_a_purged_job(connect: Connect, org: Any, steps: Any, faults: Any) -> None:
    org.fault("GET .*successfulResults", before=lambda _: faults.error(404, "NOT_FOUND"), times=9)
    destination = connect()
    assert set(outcomes(write(destination, steps)).values()) == {"unknown"}
    with pytest.raises(JobGone):
        destination.settle(steps[-1].job_id, key_column=KEY, on_step=steps)
    with pytest.raises(JobGone):
        destination.settle("750000000000000AAA", key_column=KEY, on_step=steps)


def test_a_job_that_never_ends_is_left_alone(connect: Connect, org: Any, steps: Any) -> None:
    org.polls = 10**9
    with pytest.raises(Unreachable, match="UploadComplete"):
        write(connect(), steps)
    assert len(org.jobs) == 1
    assert len(ingest(org)) < 1_500


def test_updates_and_deletes_are_joined_by_id_under_the_callers_key(connect: Connect, org: Any, steps: Any) -> None:
    ids = [f"0035g{i:010}ABC" for i in range(6)]
    table = pa.table({"Id": ids, KEY: [f"k{i}" for i in range(6)], "Phone": ["1"] * 6})
    for operation in ("update", "delete"):
        rows = pa.table(write(connect(), steps, table, operation).rows).to_pylist()
        assert {row["key"]: row["id"] for row in rows} == {f"k{i}": ids[i] for i in range(6)}
    assert gzip.decompress(org.bodies[1]).startswith(b"Id\n")
    rows = pa.table(write(connect(), steps, table, "delete", "Id").rows).to_pylist()
    assert {row["key"] for row in rows} == set(ids)


def test_the_request_limit_is_waited_for_and_then_pauses(
    connect: Connect, org: Any, steps: Any, faults: Any, clock: Any
) -> None:
    org.fault("POST .*/jobs/ingest", before=lambda _: faults.error(403, "REQUEST_LIMIT_EXCEEDED"), times=2)
    assert write(connect(), steps).complete
    assert sum(clock.slept) >= 35
    org.fault("POST .*/jobs/ingest", before=lambda _: faults.error(403, "REQUEST_LIMIT_EXCEEDED"), times=99)
    with pytest.raises(QuotaExhausted):
        write(connect(), steps)


def test_the_reserve_of_daily_requests_is_not_touched(connect: Connect, org: Any, steps: Any, faults: Any) -> None:
    answer = faults.json_answer(200, [{"version": "67.0"}], **{"Sforce-Limit-Info": "api-usage=12500/15000"})
    org.answers["GET /services/data$"] = lambda _: answer
    destination = connect()
    assert destination._rest.version == "67.0"
    with pytest.raises(QuotaExhausted, match="12500"):
        write(destination, steps)
    assert not ingest(org)
