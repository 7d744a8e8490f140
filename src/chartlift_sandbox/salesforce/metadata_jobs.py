"""Deployments and retrievals as background jobs, from Pending over InProgress to a final status."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chartlift_sandbox.faults import DEPLOY_KINDS, FaultPlan
from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.errors import OrgError, not_found
from chartlift_sandbox.salesforce.metadata_apply import apply
from chartlift_sandbox.salesforce.metadata_deploy import Deployment
from chartlift_sandbox.salesforce.metadata_draft import Draft
from chartlift_sandbox.salesforce.metadata_outcome import Outcome
from chartlift_sandbox.salesforce.metadata_sources import Sources
from chartlift_sandbox.salesforce.metadata_zip import MAX_ZIP_BYTES, TOO_LARGE, FileError, PackageError, read_package
from chartlift_sandbox.salesforce.org import Actor, Org

OPTIONS = {
    "allowMissingFiles": False, "autoUpdatePackage": False, "checkOnly": False, "ignoreWarnings": False,
    "performRetrieve": False, "purgeOnDelete": False, "rollbackOnError": False, "runAllTests": False, "runTests": None,
    "singlePackage": False, "testLevel": None,
}  # fmt: skip
TEST_LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")
_SPECIFIED = "RunSpecifiedTests"
_COMPONENT_PREFIX = {
    "CustomObject": "01I", "CustomField": "00N", "PermissionSet": "0PS", "CustomTab": "01r", "ValidationRule": "03d",
    "Layout": "00h", "RecordType": "012", "ListView": "00B", "DuplicateRule": "0Bm", "CustomPermission": "0CP",
    "CustomApplication": "02u", "Flow": "301", "Profile": "00e",
}  # fmt: skip
_DEPLOY_PREFIX, _RETRIEVE_PREFIX = "0Af", "09S"
_VALID_FOR = timedelta(days=10)
_log = logging.getLogger(__name__)


@dataclass
class DeployJob:
    """One deployment.

    Attributes:
        validated: The zip of a passed validation, kept until it is deployed.
        validation: The validation that this job deploys.
        canceled_by: Id and name of the user who cancelled it.
        error: `errorMessage` of a deployment whose package cannot be opened, with its `errorStatusCode`.
    """

    id: str
    options: dict[str, Any]
    actor: Actor
    created: datetime
    modified: datetime
    status: str = "Pending"
    started: datetime | None = None
    completed: datetime | None = None
    error: tuple[str, str] | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    validated: bytes | None = None
    validation: str | None = None
    canceled_by: tuple[str, str] | None = None

    @property
    def done(self) -> bool:
        """Whether the status is final."""
        return self.status in {"Succeeded", "SucceededPartial", "Failed", "Canceled"}

    def result(self, *, details: bool, user_name: str) -> dict[str, Any]:
        """DeployResult as the WSDL names its parts; times as ISO text."""
        failures = [one for one in self.outcomes if one.failed]
        canceled_id, canceled_name = self.canceled_by or (None, None)
        tested = self.options["runAllTests"] or self.options["testLevel"] not in {None, "NoTestRun"}
        shown = {
            "canceledBy": canceled_id, "canceledByName": canceled_name,
            "checkOnly": bool(self.options["checkOnly"]), "completedDate": stamp(self.completed),
            "createdBy": self.actor.user_id, "createdByName": user_name, "createdDate": stamp(self.created),
            "done": self.done, "id": self.id, "ignoreWarnings": bool(self.options["ignoreWarnings"]),
            "lastModifiedDate": stamp(self.modified), "numberComponentErrors": len(failures) if self.done else 0,
            "numberComponentsDeployed": self._deployed(),
            "numberComponentsTotal": sum(bool(one.kind) or one.failed for one in self.outcomes),
            "numberTestErrors": 0, "numberTestsCompleted": 0,
            "numberTestsTotal": 0, "rollbackOnError": bool(self.options["rollbackOnError"]), "runTestsEnabled": tested,
            "startDate": stamp(self.started), "status": self.status, "success": self.status.startswith("Succeeded"),
        }  # fmt: skip
        if self.error is not None:
            shown |= {"errorMessage": self.error[0], "errorStatusCode": self.error[1]}
        if details:
            moment = stamp(self.completed or self.modified)
            shown["details"] = {
                "componentFailures": [one.message(moment) for one in failures],
                "componentSuccesses": [one.message(moment) for one in self.outcomes if not one.failed],
                "retrieveResult": None,
                "runTestResult": {
                    "codeCoverage": [], "codeCoverageWarnings": [], "failures": [], "flowCoverage": [],
                    "flowCoverageWarnings": [], "numFailures": 0, "numTestsRun": 0, "successes": [], "totalTime": 0.0,
                },
            }  # fmt: skip
        return {key: value for key, value in shown.items() if value is not None}

    def _deployed(self) -> int:
        """Components that stand; those of a failed deployment were taken back."""
        if not self.status.startswith("Succeeded") or not self.outcomes:
            return 0
        return sum(bool(one.kind) and one.problem is None for one in self.outcomes)


@dataclass
class RetrieveJob:
    """One retrieval; `zip` holds the answer once it is done."""

    id: str
    request: dict[str, Any]
    zip: bytes | None = None
    properties: list[dict[str, Any]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def _hide_fields(org: Org, deployment: Deployment) -> None:
    """Takes the field permissions of the deployed fields back: they exist and nobody sees them."""
    for one in deployment.outcomes:
        if one.kind == "CustomField" and not one.failed and not one.deleted:
            org.db.execute('DELETE FROM "FieldPermissions" WHERE "Field" = ?', [one.name])
    org.access.invalidate()


def _check_options(options: dict[str, Any]) -> None:
    level, tests = options["testLevel"], options["runTests"]
    if level is not None and level not in TEST_LEVELS:
        raise OrgError("INVALID_ENUM_VALUE", f"'{level}' is not a valid value for the enum 'TestLevel'")
    if tests and level != _SPECIFIED:
        raise OrgError("INVALID_OPERATION", f"runTests can be used only with a testLevel of {_SPECIFIED}")
    if level == _SPECIFIED and not tests:
        raise OrgError("INVALID_OPERATION", f"a testLevel of {_SPECIFIED} needs runTests")


def stamp(moment: datetime | None) -> str | None:
    """An instant as metadata answers write it."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


class MetadataJobs:
    """All deployments and retrievals of one org; deployments run one after the other."""

    def __init__(self, org: Org, faults: FaultPlan | None = None) -> None:
        self._org, self._faults = org, faults
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._deploys: dict[str, DeployJob] = {}
        self._retrieves: dict[str, RetrieveJob] = {}
        self._components: dict[tuple[str, str], str] = {}
        self._running: set[str] = set()
        self.sources = Sources()

    def deploy(self, data: bytes, options: dict[str, Any], actor: Actor) -> DeployJob:
        """Queues a deployment of a zip; unknown options are ignored as the platform does.

        Raises:
            OrgError: 400, options that contradict each other, or a zip beyond the size of a request.
        """
        known = {key: options.get(key, default) for key, default in OPTIONS.items()}
        _check_options(known)
        if len(data) > MAX_ZIP_BYTES:
            raise OrgError("LIMIT_EXCEEDED", TOO_LARGE)
        return self._queue(data, known, actor, None)

    def deploy_validated(self, validation_id: str, actor: Actor) -> DeployJob:
        """Queues the package of a validation that passed within the last ten days, as it was then.

        Raises:
            OrgError: 400, it did not pass, is too old, or was deployed already.
        """
        passed = self._deploys.get(ids.normalise(validation_id) or "")
        data = passed.validated if passed is not None else None
        late = passed is None or passed.completed is None or self._org.clock.now() - passed.completed > _VALID_FOR
        if passed is None or data is None or late:
            raise OrgError("INVALID_ID_FIELD", f"The validation {validation_id} cannot be deployed")
        passed.validated = None
        return self._queue(data, passed.options | {"checkOnly": False}, actor, passed.id)

    def _queue(self, data: bytes, options: dict[str, Any], actor: Actor, validation: str | None) -> DeployJob:
        now = self._org.clock.now()
        with self._lock:
            number = ids.make(_DEPLOY_PREFIX, len(self._deploys) + 1)
            job = DeployJob(number, options, actor, now, now, validation=validation)
            self._deploys[job.id] = job
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, "metadata")
            self._running.add(job.id)
            self._pool.submit(self._run, job, data)
        return job

    def _run(self, job: DeployJob, data: bytes) -> None:
        try:
            self._work(job, data)
        finally:
            self._running.discard(job.id)

    def _work(self, job: DeployJob, data: bytes) -> None:
        if job.status == "Canceled":
            return
        job.status, job.started = "InProgress", self._org.clock.now()
        planned = self._planned()
        if planned in {"in_progress", "canceled"}:
            if planned == "canceled":
                job.completed = job.modified = self._org.clock.now()
                job.status = "Canceled"
            return
        try:
            status = self._carry_out(job, data, planned)
        except FileError as error:
            problem = Outcome("", error.path, error.path, problem=str(error), problem_type="Error", place=error.place)
            job.outcomes, status = [problem], "Failed"
        except PackageError as error:
            job.error, status = (str(error), error.code), "Failed"
        except Exception:  # noqa: BLE001 - a deployment that breaks must end as Failed
            _log.exception("deployment %s", job.id)
            job.error, status = ("An unexpected error occurred", "UNKNOWN_EXCEPTION"), "Failed"
        job.completed = job.modified = self._org.clock.now()
        job.status = status

    def _planned(self) -> str:
        """What a planned fault does to the deployment in hand; nothing if it is empty."""
        where = "/metadata/deployRequest"
        due = self._faults.take(DEPLOY_KINDS, "org", None, where, None) if self._faults is not None else []
        return due[0].what if due else ""

    def _carry_out(self, job: DeployJob, data: bytes, planned: str) -> str:
        package = read_package(data, self._org.settings.deploy_unpacked_mb << 20)
        if float(package.version) > self._org.settings.newest_api_version:
            raise FileError("package.xml", f"Invalid version specified: {package.version}")
        with self._org.lock:
            draft = Draft(self._org.schema, deactivate=self._org.settings.value_set_deploy_deactivates)
            deployment = Deployment(self._org, job.actor, package, draft)
            deployment.missing_allowed = bool(job.options["allowMissingFiles"])
            deployment.ignore_warnings = bool(job.options["ignoreWarnings"])
            deployment.spoiled = planned == "partial"
            deployment.check()
            if job.status == "Canceling":
                return "Canceled"
            failures = deployment.failures
            keep = not job.options["checkOnly"] and not (failures and job.options["rollbackOnError"])
            if keep:
                apply(deployment, self.sources)
            if keep and planned == "no_fls":
                _hide_fields(self._org, deployment)
        for one in deployment.outcomes:
            one.component_id = self._outcome_id(one) if keep or not one.created else ""
        job.outcomes = deployment.outcomes
        if not failures:
            job.validated = data if job.options["checkOnly"] else None
            return "Succeeded"
        stand = any(one.kind and not one.failed for one in job.outcomes)
        return "SucceededPartial" if stand and not job.options["rollbackOnError"] else "Failed"

    def _outcome_id(self, one: Outcome) -> str:
        return "" if not one.kind or one.problem is not None else self.component_id(one.kind, one.name)

    def component_id(self, kind: str, name: str) -> str:
        """The id of a component; the same for as long as it has its name."""
        prefix = _COMPONENT_PREFIX.get(kind, "0Nk")
        key = (kind, name)
        if key not in self._components:
            number = sum(1 for kind, _ in self._components if _COMPONENT_PREFIX.get(kind, "0Nk") == prefix) + 1
            self._components[key] = ids.make(prefix, number)
        return self._components[key]

    def get(self, job_id: str) -> DeployJob:
        """A deployment by id.

        Raises:
            OrgError: 404.
        """
        found = self._deploys.get(ids.normalise(job_id) or "")
        if found is None:
            raise not_found()
        return found

    def cancel(self, job: DeployJob, user: tuple[str, str]) -> None:
        """Cancels a deployment that waits or hangs at once, another one (Canceling) if it is not too late.

        Args:
            job: The deployment.
            user: Id and name of who cancels it.

        Raises:
            OrgError: 400, it has ended.
        """
        if job.done:
            raise OrgError("INVALID_ID_FIELD", f"A deployment that is {job.status} cannot be canceled")
        job.canceled_by = user
        if job.status == "Pending" or job.id not in self._running:
            job.status = "Canceled"
            job.completed = job.modified = self._org.clock.now()
        elif not job.done:
            job.status = "Canceling"

    def keep_retrieve(self, request: dict[str, Any]) -> RetrieveJob:
        """Registers a retrieval."""
        with self._lock:
            job = RetrieveJob(ids.make(_RETRIEVE_PREFIX, len(self._retrieves) + 1), request)
            self._retrieves[job.id] = job
        return job

    def is_retrieve(self, job_id: str) -> bool:
        """Whether a retrieval has this id."""
        return ids.normalise(job_id) in self._retrieves

    def get_retrieve(self, job_id: str) -> RetrieveJob:
        """A retrieval by id.

        Raises:
            OrgError: 404.
        """
        found = self._retrieves.get(ids.normalise(job_id) or "")
        if found is None:
            raise not_found()
        return found

    def kept(self) -> dict[str, Any]:
        """What a snapshot keeps."""
        parts = {"deploys": self._deploys, "retrieves": self._retrieves, "components": self._components,
                 "sources": self.sources.kept}  # fmt: skip
        return {name: dict(one) for name, one in parts.items()}

    def put_back(self, kept: dict[str, Any]) -> None:
        """Goes on from what `kept` gave."""
        with self._lock:
            self._deploys, self._retrieves = kept["deploys"], kept["retrieves"]
            self._components, self.sources.kept = kept["components"], kept.get("sources", {})

    def busy(self) -> bool:
        """Whether a deployment waits or runs."""
        return any(job.id in self._running for job in self._deploys.values())

    def clear(self) -> None:
        """Forgets everything (the sandbox is reset)."""
        with self._lock:
            self._deploys, self._retrieves, self._components, self.sources.kept = {}, {}, {}, {}

    def stop(self) -> None:
        """Waits for the deployment in hand and ends the thread."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
