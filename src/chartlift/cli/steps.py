"""Commands that are a little more than one call of a stage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chartlift.cli.door import guarded
from chartlift.errors import NotConfirmed, UsageError
from chartlift.model.outcomes import StepReport

if TYPE_CHECKING:
    from chartlift.model.ports import Tools
    from chartlift.model.reports import Report


def make_workspace(
    folder: Path, pack: str, source: str, source_url: str, org_url: str, tenant: str, profile: str, *, as_json: bool
) -> int:
    """`init`: make the workspace and say what comes next."""
    from chartlift.workspace import make

    def work() -> Report:
        os.umask(0o077)
        made = make(
            folder,
            tenant=tenant,
            pack=pack,
            source=source,
            source_url=source_url,
            org_url=org_url,
            environ=os.environ,
            source_profile=profile,
        )
        lines = (
            f"Workspace {folder} made for tenant {made.tenant}.",
            *(() if source_url and org_url else (f"Write both addresses into {folder / 'chartlift.toml'} first.",)),
            f"Next: cd {folder}, then chartlift check",
        )
        return StepReport("init", lines=lines, data={"workspace": str(folder), "tenant": made.tenant})

    return guarded("init", work, as_json=as_json)


def extract_all(tools: Tools, *, full: bool, absent_deleted: bool, contents: bool) -> Report:
    """`extract`: everything, or what is missing of it; of files what a later export has changed."""
    from dataclasses import replace

    from chartlift.stages import contents as fetching
    from chartlift.stages import extract

    options = {**tools.options, "full": full, "absent_deleted": absent_deleted}
    report = extract.run(replace(tools, options=options), since="last" if absent_deleted else None)
    return fetching.run(tools, report) if contents else report


def match_people(tools: Tools, *, fallback: str, decide: Path | None, account_owner: str) -> Report:
    """`people`: needs an extraction, because that is where the practitioners come from."""
    from chartlift.stages import people

    if tools.journal.report("extract") is None:
        raise NotConfirmed("Nothing has been extracted yet.", hint="chartlift extract")
    known = {str(row[0]) for row in tools.staging.sql.execute("SELECT _id FROM src_user").fetchall()}
    if decide is not None:
        named = {p["source_id"] for p in people.match(tools, people.users_by_mail(tools))} | known
        strangers = [
            row["source_id"] for row in decisions(decide, ("source_id", "user")) if row["source_id"] not in named
        ]
        if strangers:
            raise UsageError(
                f"{decide}: nobody has the source_id {', '.join(strangers[:5])}.", hint="chartlift people lists them."
            )
    return people.run(tools, fallback=fallback, decide=decide, account_owner=account_owner)


def decide_matches(tools: Tools, *, every: str, decide: Path | None) -> Report:
    """`matches`: list, or decide; what a person wrote is looked at before anything else is done."""
    from chartlift.stages import matches

    if every not in ("", "link", "new"):
        raise UsageError("Say --all link or --all new.")
    if decide is not None:
        decisions(decide, ("key", "choice"))
    return matches.run(tools, every=every, decide=decide)


def schema_step(tools: Tools, *, go: bool, export: Path | None) -> Report:
    """`schema`: a package needs a folder to go to."""
    from chartlift.stages import schema

    if export is not None and (export.is_dir() or not export.absolute().parent.is_dir()):
        raise UsageError(f"{export} cannot be written.", hint="Name a file in a folder that is there.")
    return schema.run(tools, go=go, export=export)


def decisions(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV a person wrote.

    Raises:
        UsageError: it is no file, no UTF-8, lacks a column, or a row is short or long.
    """
    import csv
    import io

    named = " and ".join(columns)
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"There is no file {path}.", hint=f"A CSV with the columns {named}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no CSV in UTF-8.", hint="Save it as CSV UTF-8.") from error
    if not rows or not set(columns) <= set(rows[0]):
        raise UsageError(f"{path} needs the columns {named}, and at least one row.")
    for number, row in enumerate(rows, start=2):
        if None in row or any(not (row[column] or "").strip() for column in columns):
            raise UsageError(f"{path}, line {number}: {named} must both be filled, and nothing else follow.")
    return rows


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
