"""Every error chartlift raises on purpose, grouped by what the caller does next.

ChartliftError
├── PlanError            2  something a person wrote is wrong: correct it, run again
│   ├── UsageError           the command, its options or the workspace
│   ├── CredentialsError     user name, password, pin, client secret, token or CHARTLIFT_KEY
│   └── PackError            a mapping pack (names file and field)
├── DecisionNeeded       3  nothing ran: a person has to decide first
│   ├── NotConfirmed         no confirmed plan, or it no longer fits what is here
│   ├── Unmatched            practitioners without a User
│   ├── SampleNotAccepted    no accepted sample
│   └── Conflict             the org or the clinic is not the one that was confirmed
├── StopError            3  going on could do harm: look before anything else is run
│   ├── Busy                 another process works on this workspace
│   ├── JournalDamaged       the record of what was done cannot be trusted
│   └── WrongOrg             another org answers than the confirmed one
├── RecordError          4  single records were refused; each is listed with its reason
└── TransientError       5  paused: run the same command again
    ├── Unreachable          no answer from a server
    ├── SessionExpired       the session ended and cannot be renewed from here
    └── QuotaExhausted       a limit of the clinic or the org is used up

A message names the record key, the field, the file or the command to run, never a patient's value and never a secret.
"""

from __future__ import annotations


class ChartliftError(Exception):
    """Base of all expected errors; `exit_code` is what the command line returns."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Take what is wrong and, in `hint`, what to do next."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def name(self) -> str:
        """Machine-readable name, as in the JSON output: of the tree above, whatever a platform calls its own kinds."""
        return next(kind.__name__ for kind in type(self).__mro__ if kind.__module__ == __name__)


class PlanError(ChartliftError):
    """Something a person wrote is wrong."""

    exit_code = 2


class UsageError(PlanError):
    """The command, an option or the workspace is not usable as given."""


class CredentialsError(PlanError):
    """A server or a lock refused the secret it was given."""


class PackError(PlanError):
    """A mapping pack cannot be used; the message names file and field."""


class DecisionNeeded(ChartliftError):
    """Nothing ran, because a person has to decide first."""

    exit_code = 3


class NotConfirmed(DecisionNeeded):
    """There is no confirmed plan that fits what is here."""


class Unmatched(DecisionNeeded):
    """Practitioners are without a User."""


class SampleNotAccepted(DecisionNeeded):
    """No sample has been accepted."""


class Conflict(DecisionNeeded):
    """What is there is not what was confirmed."""


class StopError(ChartliftError):
    """Going on could do harm."""

    exit_code = 3


class Busy(StopError):
    """Another process works on this workspace."""


class JournalDamaged(StopError):
    """The record of what was done cannot be trusted."""


class WrongOrg(StopError):
    """Another org answers than the confirmed one."""


class RecordError(ChartliftError):
    """Single records were refused."""

    exit_code = 4


class TransientError(ChartliftError):
    """Paused; the same command continues."""

    exit_code = 5


class Unreachable(TransientError):
    """A server gives no usable answer."""


class SessionExpired(TransientError):
    """The session ended and cannot be renewed from here."""


class QuotaExhausted(TransientError):
    """A limit of the clinic or the org is used up."""
