"""What never migrates and has to be built anew: counts by practice and provider, and a check-list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from chartlift.model.reports import Report


@dataclass(frozen=True, slots=True)
class RebuildCount:
    """One practice and one provider of payments."""

    practice: str
    provider: str  # as the clinic names it; "" if it names none
    links: int
    collecting: int  # mandates that go on collecting: active by what Aerona shows, or cancelled in Aerona only
    cancelled_only: int  # cancelled in Aerona, not with the provider
    plans: int  # payment plans, all held
    plans_unsound: int  # … whose sum or dates do not fit, whoever signs
    care_plans: int
    care_plans_due: int  # … with a next payment to come


@dataclass(frozen=True, slots=True)
class RebuildItem:
    """One line of the check-list of a practice: what has to be set up, and what the data says about its use."""

    code: str  # gocardless | stripe | webhooks | booking | templates | recalls | workflows
    use: Mapping[str, int]  # practice, or kind of recall -> records that show it is in use; {} = the data cannot tell


@dataclass(frozen=True, slots=True)
class RebuildReport(Report):
    """What somebody has to build anew before the cutover; keys and counts, details are in the exported file only."""

    step: ClassVar[str] = "rebuild"

    extraction: int
    counts: tuple[RebuildCount, ...]
    items: tuple[RebuildItem, ...]
    problems: Mapping[str, int] = field(default_factory=dict)  # code -> records on the list
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # code -> the first keys, such as "link 7781"
    rows: int = 0
    exported: str = ""  # name of the file

    @property
    def collecting(self) -> int:
        """Mandates that take money after the cutover unless somebody stops them."""
        return sum(count.collecting for count in self.counts)

    @property
    def cancelled_only(self) -> int:
        """Mandates that were cancelled in Aerona only."""
        return sum(count.cancelled_only for count in self.counts)

    def as_json(self) -> dict[str, object]:
        """As every report, with the two sums that matter and what they mean."""
        sums = {"collecting": self.collecting, "cancelled_only": self.cancelled_only, "warning": WARNING}
        # the base by name: `super()` without arguments does not work in a dataclass with slots
        return Report.as_json(self) | sums


WARNING = (
    "An active mandate goes on collecting after the cutover unless somebody stops it: patients can be charged twice, or not "
    "at all. Cancelling in Aerona alone does not stop GoCardless."
)
