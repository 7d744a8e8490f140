"""What `check` asks an org before anything is planned: may we, is there room, and what will interfere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chartlift.errors import ChartliftError
from chartlift.model.ports import OrgIdentity
from chartlift.model.source import Probe
from chartlift.platforms.salesforce.errors import Refused
from chartlift.platforms.salesforce.limits import FORECAST
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.soql import literal

NEEDED = {
    "PermissionsApiEnabled": "API Enabled",
    "PermissionsModifyMetadata": "Modify Metadata Through Metadata API Functions",
    "PermissionsCustomizeApplication": "Customize Application",
    "PermissionsViewSetup": "View Setup and Configuration",
}
"""Columns of UserPermissionAccess, and what Setup calls them."""

TOUCHED = ("Account", "Contact")

AUDIT_OFF = (
    "switched off in the org: records would get today's date as CreatedDate. Switch on “Set Audit Fields upon Record "
    "Creation” in Setup > User Interface to keep the original dates"
)
FLOWS = "SELECT ApiName, ProcessType, TriggerType, TriggerObjectOrEventId FROM FlowDefinitionView WHERE IsActive = true"


class Preflight:
    """The probes of one org."""

    def __init__(
        self,
        rest: Rest,
        identity: Callable[[], OrgIdentity],
        limits: Callable[[], Mapping[str, tuple[int, int]]],
    ) -> None:
        """Take the REST API and the two port calls whose answers are reported."""
        self._rest = rest
        self._identity = identity
        self._limits = limits

    def probes(self) -> list[Probe]:
        """Every probe in order; one that cannot be asked says so instead of ending the check.

        Raises:
            ChartliftError: the login itself failed.
        """
        who = self._identity()
        kind = "sandbox" if who.sandbox else "production"
        return [
            Probe("login", True, f"as {who.username} to {who.name} ({who.org_id}, {who.edition}, {kind})"),
            Probe("API version", True, self._rest.version),
            *self._asked("limits", self._room),
            *self._asked("permissions", self._permissions),
            *self._asked("audit fields", self._audit_fields),
            *self._asked("duplicate rules", self._duplicate_rules),
            *self._asked("triggers", self._triggers),
            *self._asked("flows", self._flows),
            *self._asked("dedicated user", lambda: self._dedicated(who)),
        ]

    @staticmethod
    def _asked(name: str, probe: Callable[[], list[Probe]]) -> list[Probe]:
        try:
            return probe()
        except Refused as error:
            return [Probe(name, True, f"not answered to this user ({error.code}); look in Setup")]
        except ChartliftError as error:
            return [Probe(name, False, error.message)]

    def _room(self) -> list[Probe]:
        found = self._limits()
        return [
            Probe(f"limit {name}", found[name][1] > 0, f"{found[name][1]} of {found[name][0]} left", found[name][1])
            for name in FORECAST
            if name in found
        ]

    def _permissions(self) -> list[Probe]:
        rows = self._rest.query(f"SELECT {', '.join(NEEDED)} FROM UserPermissionAccess")
        if not rows:
            return [Probe("permissions", True, "the org does not tell")]
        lacking = [label for column, label in NEEDED.items() if not rows[0].get(column)]
        return [Probe("permissions", not lacking, f"lacking: {', '.join(lacking)}" if lacking else "all there")]

    def _audit_fields(self) -> list[Probe]:
        name = "audit fields"
        try:
            found = self._rest.query("SELECT PermissionsCreateAuditFields FROM UserPermissionAccess")
        except Refused as error:
            if error.code != "INVALID_FIELD":
                raise
            return [Probe(name, True, AUDIT_OFF)]
        granted = bool(found and found[0].get("PermissionsCreateAuditFields"))
        return [Probe(name, True, "granted" if granted else "available; `chartlift schema` grants it")]

    def _duplicate_rules(self) -> list[Probe]:
        """Never in the way of a load: a row that a rule stops in a Bulk job goes again with the header for alerts."""
        statement = "SELECT DeveloperName, SobjectType FROM DuplicateRule WHERE IsActive = true"
        rules = [f"{r['SobjectType']}.{r['DeveloperName']}" for r in self._rest.query(statement) if _touches(r)]
        detail = (
            f"active: {', '.join(rules)}. Rows that they stop go again, 200 to a call, past rules that only alert; "
            "a rule that blocks refuses them: for speed, and for those, switch the rules off during the load"
        )
        return [Probe("duplicate rules", True, detail if rules else "none", len(rules))]

    def _triggers(self) -> list[Probe]:
        found = self._rest.query("SELECT Name, TableEnumOrId FROM ApexTrigger WHERE Status = 'Active'")
        names = sorted(str(r["Name"]) for r in found if r.get("TableEnumOrId") in TOUCHED)
        return [Probe("triggers", True, f"will run: {', '.join(names)}" if names else "none", len(names))]

    def _flows(self) -> list[Probe]:
        found = self._rest.query(FLOWS)
        names = sorted(str(r["ApiName"]) for r in found if r.get("TriggerType") or r.get("ProcessType") == "Workflow")
        return [Probe("flows", True, f"may run: {', '.join(names)}" if names else "none", len(names))]

    def _dedicated(self, who: OrgIdentity) -> list[Probe]:
        """A user that has made records of its own kind is a person's, or another tool's."""
        made = 0
        for name in TOUCHED:
            described = self._rest.describe(name) or {}
            stamped = any(field["name"] == "Migration_Run__c" for field in described.get("fields", ()))
            ours = " AND Migration_Run__c = null" if stamped else ""
            made += self._rest.count(f"SELECT COUNT() FROM {name} WHERE CreatedById = {literal(who.user_id)}{ours}")
        detail = (
            f"{who.username} has made {made} records outside the migration; a rollback tells people's work from ours "
            "by user, so give the migration a user of its own"
        )
        return [Probe("dedicated user", not made, detail if made else "no records of its own", made)]


def _touches(rule: Mapping[str, object]) -> bool:
    return rule.get("SobjectType") in TOUCHED
