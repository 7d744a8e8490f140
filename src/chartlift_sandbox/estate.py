"""Everything one sandbox process holds: the clock, the clinic, the org, their doors, faults and counters."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from chartlift_sandbox.aeronaclinic import practice
from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.clinic_faults import ClinicActs
from chartlift_sandbox.clock import Clock
from chartlift_sandbox.fault_door import FaultDoor
from chartlift_sandbox.faults import FaultPlan
from chartlift_sandbox.generator.rates import Rates
from chartlift_sandbox.hostile import Hostile, HostileError, envelopes, families
from chartlift_sandbox.org_switches import SwitchError, set_switch
from chartlift_sandbox.salesforce.app import create_app
from chartlift_sandbox.salesforce.doors import Doors, DoorSettings, open_doors
from chartlift_sandbox.salesforce.login import SESSION, ConnectedApp
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.seed import seed_org
from chartlift_sandbox.salesforce.settings import OrgSettings
from chartlift_sandbox.traffic import Traffic, TrafficMeter

_CLIENT_CHARS = 40
FALLBACK_EMAIL = "manager@clinic.example"
"""The practice manager whom `seed_org` creates."""


@dataclass
class Addresses:
    """Origins of the four doors; the TLS one and its certificate authority are empty when there is no TLS."""

    org: str = ""
    org_tls: str = ""
    clinic: str = ""
    control: str = ""
    ca_file: str = ""

    def origins(self) -> list[str]:
        """Every origin that is served."""
        return [one for one in (self.org, self.org_tls, self.clinic, self.control) if one]


@dataclass
class Estate:
    """One sandbox.

    Attributes:
        access_token: The preset session of the integration user.
        fallback_email: The practice manager who takes what nobody else can.
    """

    home: Path
    seed: int
    patients: int
    clock: Clock
    clinic: Clinic
    clinic_service: Starlette
    org: Org
    doors: Doors
    access_token: str
    fallback_email: str
    faults: FaultPlan
    traffic: Traffic
    addresses: Addresses = field(default_factory=Addresses)
    switches: dict[str, Any] = field(default_factory=dict)
    hostile: Hostile | None = None
    hostile_from_start: bool = False

    def set_switches(self, given: list[str]) -> None:
        """Sets the switches of the command line, `NAME=VALUE` with JSON values; a reset sets them again.

        Raises:
            SwitchError: no such switch, or a value that it cannot take.
        """
        for one in given:
            name, _, text = one.partition("=")
            try:
                self.switches[name] = json.loads(text)
            except json.JSONDecodeError as error:
                raise SwitchError(f"{one}: the value must be JSON") from error
        self._apply_switches()

    def _apply_switches(self) -> None:
        for name, value in self.switches.items():
            set_switch(self.org, (self.org.settings, self.doors.settings), name, value)

    def org_app(self) -> ASGIApp:
        """The org with request counter and faults."""
        return create_app(self.doors, self.traffic)

    def clinic_app(self) -> ASGIApp:
        """The clinic with request counter and faults."""
        door = FaultDoor(
            self.clinic_service,
            self.faults,
            "clinic",
            self.clock,
            object_of=lambda _: None,
            expire=self.clinic_service.state.expire,
            act=ClinicActs(self.clinic).act,
        )
        return TrafficMeter(door, self.traffic, "clinic")

    def environment(self) -> dict[str, str]:
        """Every secret a client of the sandbox needs, by environment name."""
        app = self.doors.sessions.app
        return self.clinic.credentials() | {
            "CHARTLIFT_SF_CLIENT_ID": app.client_id,
            "CHARTLIFT_SF_CLIENT_SECRET": app.client_secret,
            "CHARTLIFT_CA_FILE": self.addresses.ca_file,
            "CHARTLIFT_KEY": fresh_key(),
            "CHARTLIFT_CLOCK": self.addresses.control,
        }

    def announcement(self) -> dict[str, Any]:
        """The one line that the command prints when everything is up."""
        return {
            "org_url": self.addresses.org,
            "org_tls_url": self.addresses.org_tls,
            "ca_file": self.addresses.ca_file,
            "clinic_url": self.addresses.clinic,
            "control_url": self.addresses.control,
            "access_token": self.access_token,
            "fallback_email": self.fallback_email,
            "env": self.environment(),
        }

    def reset(self) -> None:
        """Back to the state at start-up: seeded org, generated clinic, no faults, real time, nothing counted."""
        self.faults.forget_undo()
        self.faults.clear()
        with self.org.lock:
            self.doors.jobs.clear()
            self.doors.metadata.clear()
            self.doors.classic.clear()
            self.doors.queries.clear()
            self.clock.reset()
            for switches in (self.org.settings, self.doors.settings):
                _as_shipped(switches)
            self.org.reset()
            self._apply_switches()
            self.doors.sessions.timeout = SESSION
        self.clinic.reset()
        self.hostile = None
        self.clinic_service.state.reset()
        self.doors.usage.reset()
        self.traffic.clear()
        if self.hostile_from_start:
            self.plant(None)

    def plant(self, wanted: list[str] | None, *, large: bool = False, persistent: bool = False) -> list[dict[str, Any]]:
        """Plants hostile values and answers of these families, None for all; answers everything planted so far.

        Raises:
            HostileError: no such family.
        """
        chosen = families() if wanted is None else wanted
        if unknown := sorted(set(chosen) - set(families())):
            raise HostileError(f"no family {', '.join(unknown)}")
        if self.hostile is None:
            self.hostile = Hostile(self.clinic)
        self.hostile.plant(chosen, large=large)
        self.faults.replace(envelopes(chosen, persistent=persistent, large=large), add=True)
        return self.hostile.planted

    def close(self) -> None:
        """Ends the background work."""
        self.doors.close()


def _as_shipped(switches: OrgSettings | DoorSettings) -> None:
    """Puts every switch back, in the object that the doors hold on to."""
    for one in fields(switches):
        setattr(switches, one.name, one.default)


def fresh_key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def derived(seed: int, purpose: str, length: int) -> str:
    """A secret of the sandbox that repeats with the seed."""
    digest = hashlib.sha512(f"chartlift-sandbox:{seed}:{purpose}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().replace("-", "x").replace("_", "y")[:length]


def build_estate(
    home: Path, *, patients: int, seed: int, faults: FaultPlan | None = None, rates: Rates | None = None
) -> Estate:
    """A seeded sandbox without any server around it.

    Args:
        home: Existing directory for job data and certificates.
        patients: Size of the clinic.
        seed: Everything generated follows from it.
        faults: Faults in force from the start.
        rates: How often the clinic's defects are planted.
    """
    clock, plan = Clock(), faults or FaultPlan()
    clinic = Clinic(patients, seed, clock, rates)
    service = practice.app(clinic, clock)
    org = Org(clock, seed=seed)
    seed_org(org, clinic.org_users(), seed)
    app = ConnectedApp(
        client_id="3MVG9" + derived(seed, "client id", _CLIENT_CHARS),
        client_secret=derived(seed, "client secret", _CLIENT_CHARS).upper(),
        run_as=org.people.integration,
    )
    doors = open_doors(org, home, app, plan)
    token = doors.sessions.begin(
        org.people.integration, token=f"{org.org_id[:15]}!AQ{derived(seed, 'access token', 80)}"
    )
    return Estate(home, seed, patients, clock, clinic, service, org, doors, token, FALLBACK_EMAIL, plan, Traffic())
