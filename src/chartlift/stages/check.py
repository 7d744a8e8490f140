"""`check`: does each side answer as the migration needs? Nothing is read for keeping, nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chartlift.errors import ChartliftError, CredentialsError
from chartlift.model.ports import Tools
from chartlift.model.reports import CheckReport
from chartlift.model.source import Probe


def run(tools: Tools) -> CheckReport:
    """Probe both sides and collect what they say; a side that cannot be probed is a failed probe.

    Raises:
        CredentialsError: a side refused its secret.
    """
    tools.progress.step("check: clinic")
    source = _probes(tools.source.name, tools.source.check)
    tools.progress.step("check: org")
    destination = _probes(tools.destination.name, tools.destination.check)
    report = CheckReport(source=source, destination=destination, forecast=_forecast(tools, source))
    tools.journal.put_report("check", "", report.as_json())
    return report


def _probes(name: str, check: Callable[[], list[Probe]]) -> tuple[Probe, ...]:
    try:
        return tuple(check())
    except CredentialsError:
        raise
    except ChartliftError as error:
        return (Probe(name, ok=False, detail=f"{error.message}. {error.hint}".strip(". ")),)


def _forecast(tools: Tools, probes: tuple[Probe, ...]) -> Mapping[str, float]:
    rows = {probe.name: probe.rows for probe in probes if probe.ok and probe.rows is not None}
    return dict(tools.source.forecast(rows)) if rows else {}
