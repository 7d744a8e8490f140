"""Commands that are a little more than one call of a stage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from chartlift.cli.door import guarded
from chartlift.errors import UsageError
from chartlift.model.outcomes import StepReport
from chartlift.model.ports import Tools
from chartlift.model.reports import Report


def make_workspace(
    folder: Path, pack: str, source: str, source_url: str, org_url: str, tenant: str, *, as_json: bool
) -> int:
    """`init`: make the workspace and say what comes next."""
    from chartlift.workspace import make

    def work() -> Report:
        os.umask(0o077)
        made = make(
            folder, tenant=tenant, pack=pack, source=source, source_url=source_url, org_url=org_url, environ=os.environ
        )
        lines = (f"Workspace {folder} made for tenant {made.tenant}.", f"Next: chartlift check --workspace {folder}")
        return StepReport("init", lines=lines, data={"workspace": str(folder), "tenant": made.tenant})

    return guarded("init", work, as_json=as_json)


def extract_all(tools: Tools, *, full: bool) -> Report:
    """`extract`: everything, or what is missing of it."""
    from dataclasses import replace

    from chartlift.stages import extract

    return extract.run(replace(tools, options={**tools.options, "full": True}) if full else tools)


def sample_step(tools: Tools, *, go: bool, size: int, accept: bool, reject: bool, by: str) -> Any:
    """`sample`: load it, accept it or reject it; one thing at a time."""
    from chartlift.stages import sample

    if sum((go, accept, reject)) > 1:
        raise UsageError("Say one of --go, --accept and --reject.")
    if accept:
        return sample.accept(tools, by=by)
    if reject:
        return sample.reject(tools, by=by)
    return sample.run(tools, go=go, size=size)


def purge_step(workspace: Path, *, as_json: bool, go: bool) -> int:
    """`purge`: closes every store before their files go."""
    from chartlift.cli.door import run
    from chartlift.stages import purge

    return run("purge", lambda tools: purge.run(tools, go=go), workspace=workspace, as_json=as_json)
