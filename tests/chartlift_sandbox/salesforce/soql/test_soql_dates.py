"""Every date literal on a chosen day, weeks from Monday or Sunday, fiscal years, edges of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from chartlift_sandbox.salesforce.soql.dates import Calendar, date_of, datetime_of, time_of

LONDON = ZoneInfo("Europe/London")
WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)


def _days(word: str, number: int | None = None, calendar: Calendar | None = None) -> tuple[str, str] | None:
    span = (calendar or Calendar(WEDNESDAY, LONDON, fiscal_start=4)).span(word, number)
    return (span.start.isoformat(), span.end.isoformat()) if span else None


@pytest.mark.parametrize(
    ("word", "start", "end"),
    [
        ("TODAY", "2026-11-25", "2026-11-26"),
        ("YESTERDAY", "2026-11-24", "2026-11-25"),
        ("TOMORROW", "2026-11-26", "2026-11-27"),
        ("LAST_WEEK", "2026-11-16", "2026-11-23"),
        ("THIS_WEEK", "2026-11-23", "2026-11-30"),
        ("NEXT_WEEK", "2026-11-30", "2026-12-07"),
        ("LAST_MONTH", "2026-10-01", "2026-11-01"),
        ("THIS_MONTH", "2026-11-01", "2026-12-01"),
        ("NEXT_MONTH", "2026-12-01", "2027-01-01"),
        ("LAST_90_DAYS", "2026-08-27", "2026-11-26"),
        ("NEXT_90_DAYS", "2026-11-26", "2027-02-24"),
        ("LAST_QUARTER", "2026-07-01", "2026-10-01"),
        ("THIS_QUARTER", "2026-10-01", "2027-01-01"),
        ("NEXT_QUARTER", "2027-01-01", "2027-04-01"),
        ("LAST_YEAR", "2025-01-01", "2026-01-01"),
        ("THIS_YEAR", "2026-01-01", "2027-01-01"),
        ("NEXT_YEAR", "2027-01-01", "2028-01-01"),
        ("LAST_FISCAL_QUARTER", "2026-07-01", "2026-10-01"),
        ("THIS_FISCAL_QUARTER", "2026-10-01", "2027-01-01"),
        ("NEXT_FISCAL_QUARTER", "2027-01-01", "2027-04-01"),
        ("LAST_FISCAL_YEAR", "2025-04-01", "2026-04-01"),
        ("THIS_FISCAL_YEAR", "2026-04-01", "2027-04-01"),
        ("NEXT_FISCAL_YEAR", "2027-04-01", "2028-04-01"),
    ],
)
def test_fixed_literals(word: str, start: str, end: str) -> None:
    assert _days(word) == (start, end)
    assert _days(word, 3) is None


@pytest.mark.parametrize(
    ("word", "start", "end"),
    [
        ("LAST_N_DAYS", "2026-11-23", "2026-11-26"),
        ("NEXT_N_DAYS", "2026-11-26", "2026-11-28"),
        ("N_DAYS_AGO", "2026-11-23", "2026-11-24"),
        ("LAST_N_WEEKS", "2026-11-09", "2026-11-23"),
        ("NEXT_N_WEEKS", "2026-11-30", "2026-12-14"),
        ("N_WEEKS_AGO", "2026-11-09", "2026-11-16"),
        ("LAST_N_MONTHS", "2026-09-01", "2026-11-01"),
        ("NEXT_N_MONTHS", "2026-12-01", "2027-02-01"),
        ("N_MONTHS_AGO", "2026-09-01", "2026-10-01"),
        ("LAST_N_QUARTERS", "2026-04-01", "2026-10-01"),
        ("NEXT_N_QUARTERS", "2027-01-01", "2027-07-01"),
        ("N_QUARTERS_AGO", "2026-04-01", "2026-07-01"),
        ("LAST_N_YEARS", "2024-01-01", "2026-01-01"),
        ("NEXT_N_YEARS", "2027-01-01", "2029-01-01"),
        ("N_YEARS_AGO", "2024-01-01", "2025-01-01"),
        ("LAST_N_FISCAL_QUARTERS", "2026-04-01", "2026-10-01"),
        ("N_FISCAL_QUARTERS_AGO", "2026-04-01", "2026-07-01"),
        ("LAST_N_FISCAL_YEARS", "2024-04-01", "2026-04-01"),
        ("NEXT_N_FISCAL_YEARS", "2027-04-01", "2029-04-01"),
        ("N_FISCAL_YEARS_AGO", "2024-04-01", "2025-04-01"),
    ],
)
def test_counted_literals_with_n_of_two(word: str, start: str, end: str) -> None:
    assert _days(word, 2) == (start, end)
    assert _days(word) is None


def test_weeks_begin_on_the_day_of_the_locale() -> None:
    assert _days("THIS_WEEK", calendar=Calendar(WEDNESDAY, LONDON, first_weekday=6)) == ("2026-11-22", "2026-11-29")


def test_today_is_the_day_where_the_caller_is() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert Calendar(late, LONDON).today == date(2026, 7, 1)
    assert Calendar(late, ZoneInfo("America/New_York")).today == date(2026, 6, 30)


def test_midnight_follows_summer_time() -> None:
    calendar = Calendar(WEDNESDAY, LONDON)
    assert calendar.instant(date(2026, 7, 1)).isoformat() == "2026-06-30T23:00:00"
    assert calendar.instant(date(2026, 12, 1)).isoformat() == "2026-12-01T00:00:00"


def test_spans_end_at_the_edges_of_the_calendar() -> None:
    for word in ("LAST_N_DAYS", "NEXT_N_DAYS", "LAST_N_WEEKS", "N_MONTHS_AGO", "NEXT_N_FISCAL_YEARS", "N_YEARS_AGO"):
        span = Calendar(WEDNESDAY, LONDON).span(word, 10**12)
        assert span is not None
        assert date(1700, 1, 1) <= span.start <= span.end <= date(4001, 12, 31)


@pytest.mark.parametrize("word", ["SOMEDAY", "LAST_N_FORTNIGHTS", "N_DAYS", "LAST_N_DAYS_AGO", ""])
def test_unknown_literals_are_none(word: str) -> None:
    assert _days(word) is None
    assert _days(word, 2) is None


def test_bare_dates_and_times() -> None:
    assert date_of("2024-02-29") == date(2024, 2, 29)
    assert date_of("2023-02-29") is None
    assert (date_of("1699-12-31"), date_of("4001-01-01")) == (None, None)
    for text in ("2026-03-01T10:00:00Z", "2026-03-01t11:30:00+01:30", "2026-03-01T02:00:00.000-0800"):
        found = datetime_of(text)
        assert found is not None
        assert found.isoformat() == "2026-03-01T10:00:00"
    assert datetime_of("2026-03-01T25:00:00Z") is None
    assert str(time_of("09:30:00.5Z")) == "09:30:00.500000"
    assert time_of("24:30:00Z") is None
