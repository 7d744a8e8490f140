"""One deployment: send the package, wait for its end, name every component that failed."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from chartlift.errors import PlanError, Unreachable
from chartlift.model.ports import Clock, OnStep, Step
from chartlift.platforms.salesforce.errors import NoAnswer
from chartlift.platforms.salesforce.jobs import FIRST_WAIT, LONGEST_WAIT, WAIT_GROWTH
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.session import Repeat

PATIENCE = timedelta(hours=1)
LARGEST_PACKAGE = 39_000_000  # bytes; 50 MB once encoded
OPTIONS = {
    "allowMissingFiles": False,
    "autoUpdatePackage": False,
    "checkOnly": False,
    "ignoreWarnings": True,
    "performRetrieve": False,
    "purgeOnDelete": False,
    "rollbackOnError": True,
    "singlePackage": True,
    "testLevel": "NoTestRun",
}


class NotDeployed(PlanError):
    """The org refused components of a package; nothing of it is there."""


class Deploys:
    """Deployments to one org."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        """Take the REST API and the clock that waiting goes through."""
        self._rest = rest
        self._clock = clock

    def deploy(self, package: bytes, on_step: OnStep) -> dict[str, Any]:
        """Deploy a package, all of it or nothing, and return the deploy result.

        Raises:
            NotDeployed: names each component that failed and why.
            Unreachable: it has not ended in time; it goes on, and deploying again does no harm.
        """
        if len(package) > LARGEST_PACKAGE:
            raise PlanError(f"the schema package has {len(package)} bytes, more than Salesforce takes")
        on_step(Step("creating", detail={"deploy": hashlib.sha256(package).hexdigest()}))
        deploy_id = self._sent(package)
        on_step(Step("created", deploy_id))
        result = self._ended(deploy_id, on_step)
        on_step(Step("done", deploy_id, {"state": result.get("status", "")}))
        if not result.get("success"):
            raise NotDeployed(
                _failures(result), hint="Nothing was changed. Correct the pack or the org, and run it again."
            )
        return result

    def _sent(self, package: bytes) -> str:
        boundary = f"chartlift-{hashlib.sha256(package).hexdigest()[:40]}"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="entity_content"\r\n'
            f"Content-Type: application/json\r\n\r\n{json.dumps({'deployOptions': OPTIONS})}\r\n"
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="deploy.zip"\r\n'
            "Content-Type: application/zip\r\n\r\n"
        )
        body = head.encode() + package + f"\r\n--{boundary}--\r\n".encode()
        # the same package twice ends in the same schema
        path = f"{self._rest.root}/metadata/deployRequest"
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        found = self._rest.session.call("POST", path, repeat=Repeat.ALWAYS, content=body, headers=headers).document
        deploy_id = found.get("id") if isinstance(found, dict) else None
        if not isinstance(deploy_id, str):
            raise NoAnswer(f"POST {path}", "it names no deployment", unsent=False)
        return deploy_id

    def _ended(self, deploy_id: str, on_step: OnStep) -> dict[str, Any]:
        until = self._clock.now() + PATIENCE
        pause = FIRST_WAIT
        while True:
            self._clock.sleep(pause)
            found = self._rest.get(f"/metadata/deployRequest/{deploy_id}", {"includeDetails": "true"})
            result = found.get("deployResult") if isinstance(found, dict) else None
            if not isinstance(result, dict):
                raise NoAnswer("GET deployRequest", "it holds no result", unsent=False)
            on_step(Step("polled", deploy_id, {"state": result.get("status", "")}))
            if result.get("done"):
                return result
            if self._clock.now() > until:
                raise Unreachable(
                    f"deployment {deploy_id} is still {result.get('status')}", hint="Run the same command again."
                )
            pause = min(pause * WAIT_GROWTH, LONGEST_WAIT)


def _failures(result: dict[str, Any]) -> str:
    """Component names with their problems (both are schema, never patients' data), a line each."""
    details = result.get("details")
    found = details.get("componentFailures") if isinstance(details, dict) else None
    items = found if isinstance(found, list) else [found] if isinstance(found, dict) else []
    lines = [f"{item.get('fullName') or item.get('fileName')}: {item.get('problem')}" for item in items]
    reason = result.get("errorMessage") or result.get("status")
    return "the org refused the schema:\n" + "\n".join(f"  {line}" for line in lines or [str(reason)])
