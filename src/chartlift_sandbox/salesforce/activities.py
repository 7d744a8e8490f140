"""Rules of Event: a start, and an end or a duration that agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import whole

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

CODE = "FIELD_INTEGRITY_EXCEPTION"
_DAY = 1_440
_LEAD = "00Q"


def check_targets(call: Call, staged: dict[str, pa.Array]) -> None:
    """An activity of a lead is about nothing else."""
    who, what = staged.get("WhoId"), staged.get("WhatId")
    if who is None or what is None:
        return
    both = pc.and_(pc.starts_with(pc.fill_null(who, ""), _LEAD), pc.is_valid(what))
    call.failures.add(both, CODE, "Related To ID: must be empty where the activity belongs to a lead", "WhatId")


def move_event(call: Call, staged: dict[str, pa.Array]) -> None:
    """An event that starts at another time keeps its length; a new end or length decides the other."""
    if "ActivityDateTime" in staged:
        other = staged["ActivityDateTime"]
        clash = pc.not_equal(staged.get("StartDateTime", other), other)
        call.failures.add(clash, CODE, "Start and activity date-time must be equal", "StartDateTime")
        staged["StartDateTime"] = other
    moved = "StartDateTime" in staged
    if moved:
        staged["ActivityDateTime"] = staged["StartDateTime"]
    ends, lasts = "EndDateTime" in staged, "DurationInMinutes" in staged
    if (moved or lasts) and not ends:
        staged["EndDateTime"] = pa.nulls(call.count, pa.timestamp("us"))
    if ends and not lasts:
        staged["DurationInMinutes"] = pa.nulls(call.count, pa.int64())
    if moved and ends:
        check_event(call, staged)


def check_event(call: Call, staged: dict[str, pa.Array]) -> None:
    """Fail new events whose times are missing or contradict each other."""
    if call.sobject.name != "Event":
        return
    start, other = _column(call, staged, "StartDateTime"), _column(call, staged, "ActivityDateTime")
    end, minutes = _column(call, staged, "EndDateTime"), _column(call, staged, "DurationInMinutes")
    day = _column(call, staged, "ActivityDate")
    begins = pc.coalesce(start, other)
    call.failures.add(
        pc.and_(pc.is_null(begins), pc.is_null(day)), "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [ActivityDateTime]", "ActivityDateTime",
    )  # fmt: skip
    call.failures.add(pc.not_equal(start, other), CODE, "Start and activity date-time must be equal", "StartDateTime")
    timed = pc.invert(pc.fill_null(_all_day(call, staged), pa.scalar(False, pa.bool_())))
    open_ended = pc.and_(timed, pc.and_(pc.is_null(end), pc.is_null(minutes)))
    call.failures.add(open_ended, CODE, "Event duration or end is required", "DurationInMinutes")
    length = pc.divide(pc.subtract(_seconds(end), _seconds(begins)), whole(60))
    call.failures.add(pc.less(length, whole(0)), CODE, "Event duration cannot be negative", "DurationInMinutes")
    call.failures.add(pc.less(minutes, whole(0)), CODE, "Event duration cannot be negative", "DurationInMinutes")
    if most := call.org.settings.event_max_days:
        long = pc.or_kleene(pc.greater(length, whole(most * _DAY)), pc.greater(minutes, whole(most * _DAY)))
        call.failures.add(long, CODE, f"Event duration cannot exceed {most} days", "DurationInMinutes")
    clash = pc.and_(timed, pc.not_equal(length, minutes))
    call.failures.add(clash, CODE, "Event duration and end do not agree", "DurationInMinutes")


def _seconds(moments: pa.Array) -> pa.Array:
    return pc.cast(pc.cast(moments, pa.timestamp("s")), pa.int64())


def _all_day(call: Call, staged: dict[str, pa.Array]) -> pa.Array:
    found = staged.get("IsAllDayEvent")
    return pa.nulls(call.count, pa.bool_()) if found is None else found


def _column(call: Call, staged: dict[str, pa.Array], name: str) -> pa.Array:
    kinds = {"DurationInMinutes": pa.int64(), "ActivityDate": pa.date32()}
    found = staged.get(name)
    return pa.nulls(call.count, kinds.get(name, pa.timestamp("us"))) if found is None else found
