"""The commands, one per step of the journey."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chartlift.cli import sandbox
from chartlift.cli.door import run

app = typer.Typer(
    name="chartlift",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: drawing boxes took half a second of start-up
    help="Moves a clinic out of AeronaClinic and into Salesforce Sales Cloud: every field mapped, verified and reversible.",
    epilog="The journey: init, check, extract, profile, propose, people, confirm, schema, sample, load, delta, reconcile, "
    "(rollback), purge. Nothing is written without --go.",
)
app.add_typer(sandbox.app, name="sandbox")

Home = Annotated[Path, typer.Option("--workspace", help="The workspace folder.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Go = Annotated[bool, typer.Option("--go", help="Do it; without it the step only explains.")]
By = Annotated[str, typer.Option("--by", help="Who decides.")]
HERE = Path()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The new workspace.")],
    pack: Annotated[str, typer.Option(help="The mapping pack.")] = "aeronaclinic_to_salesforce",
    source: Annotated[str, typer.Option(help="The source platform.")] = "aeronaclinic",
    source_url: Annotated[str, typer.Option(help="Address of the clinic's API, or path of its export.")] = "",
    source_profile: Annotated[str, typer.Option(help="TOML file, or name, of what is otherwise at this source.")] = "",
    org_url: Annotated[str, typer.Option(help="My Domain address of the org.")] = "",
    tenant: Annotated[str, typer.Option(help="First part of every key; by default from the folder's name.")] = "",
    as_json: Json = False,
) -> int:
    """Make a workspace: chartlift.toml and keys, no secrets."""
    from chartlift.cli.steps import make_workspace

    return make_workspace(folder, pack, source, source_url, org_url, tenant, source_profile, as_json=as_json)


@app.command()
def check(workspace: Home = HERE, as_json: Json = False) -> int:
    """Ask both sides whether they answer as the migration needs."""
    from chartlift.stages import check as stage

    return run("check", stage.run, workspace=workspace, as_json=as_json, exclusive=False)


@app.command()
def extract(
    workspace: Home = HERE,
    as_json: Json = False,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    absent_deleted: Annotated[
        bool, typer.Option("--absent-deleted", help="Read the export again; rows that it lacks were deleted.")
    ] = False,
    contents: Annotated[
        bool, typer.Option("--contents", help="Fetch the contents of documents, too: one request each.")
    ] = False,
) -> int:
    """Read the clinic into encrypted staging, or go on with it."""
    from chartlift.cli.steps import extract_all

    def work(tools: Any) -> Any:
        return extract_all(tools, full=full, absent_deleted=absent_deleted, contents=contents)

    return run("extract", work, workspace=workspace, as_json=as_json)


@app.command()
def profile(
    workspace: Home = HERE,
    as_json: Json = False,
    finding: Annotated[str, typer.Option(help="List all records of a finding: CODE, or 'CODE entity.field'.")] = "",
) -> int:
    """Find what is wrong with the data before a record moves."""
    from chartlift.stages import profile as stage

    if finding:
        return run("finding", lambda tools: stage.records(tools, finding), workspace=workspace, as_json=as_json)
    return run("profile", stage.run, workspace=workspace, as_json=as_json)


@app.command()
def propose(
    workspace: Home = HERE,
    as_json: Json = False,
    renew: Annotated[bool, typer.Option("--renew", help="Throw the edited map away and start from the pack.")] = False,
) -> int:
    """Write the proposed map to plan/, to be read and changed."""
    from chartlift.stages import propose as stage

    return run("propose", lambda tools: stage.run(tools, renew=renew), workspace=workspace, as_json=as_json)


@app.command()
def people(
    workspace: Home = HERE,
    as_json: Json = False,
    fallback: Annotated[str, typer.Option(help="E-mail of the active User who takes unmatched practitioners.")] = "",
    decide: Annotated[Path | None, typer.Option(help="CSV with source_id and user (e-mail or fallback).")] = None,
    account_owner: Annotated[str, typer.Option(help="E-mail of the User who owns the Accounts.")] = "",
) -> int:
    """Match practitioners to Users, and decide about the rest."""
    from chartlift.cli.steps import match_people

    def work(tools: Any) -> Any:
        return match_people(tools, fallback=fallback, decide=decide, account_owner=account_owner)

    return run("people", work, workspace=workspace, as_json=as_json)


@app.command()
def confirm(
    by: By = "",
    workspace: Home = HERE,
    as_json: Json = False,
    amend: Annotated[bool, typer.Option("--amend", help="Extend the plan by what first appeared since.")] = False,
) -> int:
    """Freeze the plan. No record moves without it."""
    from chartlift.stages import confirm as stage

    return run(
        "confirm", lambda tools: stage.run(tools, by=by, amend=amend), workspace=workspace, as_json=as_json, who=by
    )


@app.command()
def schema(
    workspace: Home = HERE,
    as_json: Json = False,
    go: Go = False,
    export: Annotated[Path | None, typer.Option(help="Write the package as a zip for other deploy tools.")] = None,
) -> int:
    """Deploy objects, fields, list values and permission sets."""
    from chartlift.cli.steps import schema_step

    return run("schema", lambda tools: schema_step(tools, go=go, export=export), workspace=workspace, as_json=as_json)


@app.command()
def sample(
    workspace: Home = HERE,
    as_json: Json = False,
    go: Go = False,
    size: Annotated[int, typer.Option(help="Patients, 100 to 300.")] = 200,
    accept: Annotated[bool, typer.Option("--accept", help="Accept the sample of this plan.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it: it is rolled back.")] = False,
    by: By = "",
) -> int:
    """Load a representative sample and compare it field by field."""
    from chartlift.cli.steps import sample_step

    def work(tools: Any) -> Any:
        return sample_step(tools, go=go, size=size, accept=accept, reject=reject, by=by)

    return run("sample", work, workspace=workspace, as_json=as_json, who=by)


@app.command()
def matches(
    workspace: Home = HERE,
    as_json: Json = False,
    every: Annotated[str, typer.Option("--all", help="Decide all alike: link or new.")] = "",
    decide: Annotated[Path | None, typer.Option(help="CSV with key and choice (link, new or an Id).")] = None,
) -> int:
    """Records the org may know already: link or new."""
    from chartlift.cli.steps import decide_matches

    return run(
        "matches", lambda tools: decide_matches(tools, every=every, decide=decide), workspace=workspace, as_json=as_json
    )


@app.command()
def load(
    workspace: Home = HERE,
    as_json: Json = False,
    go: Go = False,
    without_sample: Annotated[
        bool, typer.Option("--without-sample", help="Load though no sample was accepted.")
    ] = False,
) -> int:
    """Load everything that may go, or go on after any stop."""
    from chartlift.stages import load as stage

    return run(
        "load",
        lambda tools: stage.run(tools, go=go, without_sample=without_sample),
        workspace=workspace,
        as_json=as_json,
    )


@app.command()
def delta(
    workspace: Home = HERE,
    as_json: Json = False,
    go: Go = False,
    hours: Annotated[float, typer.Option(min=0, help="Go on picking up changes for so long (0 = once).")] = 0,
    every: Annotated[float, typer.Option(min=1, help="Minutes between two pick-ups.")] = 15,
) -> int:
    """Pick up what changed at the clinic since the last extraction."""
    from chartlift.stages import delta as stage

    return run(
        "delta", lambda tools: stage.run(tools, go=go, hours=hours, every=every), workspace=workspace, as_json=as_json
    )


@app.command()
def reconcile(workspace: Home = HERE, as_json: Json = False) -> int:
    """Compare every record and field with the org."""
    from chartlift.stages import reconcile as stage

    return run("reconcile", stage.run, workspace=workspace, as_json=as_json)


@app.command()
def rebuild(
    workspace: Home = HERE,
    as_json: Json = False,
    export: Annotated[Path | None, typer.Option(help="Write the list as .csv or .json, outside the workspace.")] = None,
) -> int:
    """What never moves and has to be built anew: mandates, plans."""
    from chartlift.stages import rebuild as stage

    return run("rebuild", lambda tools: stage.run(tools, export=export), workspace=workspace, as_json=as_json)


@app.command()
def rollback(
    workspace: Home = HERE,
    as_json: Json = False,
    go: Go = False,
    run_id: Annotated[str, typer.Option("--run", help="One run; by default all, newest first.")] = "",
) -> int:
    """Take back what was written; what people changed stays."""
    from chartlift.stages import rollback as stage

    return run("rollback", lambda tools: stage.run(tools, go=go, run_id=run_id), workspace=workspace, as_json=as_json)


@app.command()
def purge(workspace: Home = HERE, as_json: Json = False, go: Go = False) -> int:
    """Destroy patient data in the workspace; the audit stays."""
    from chartlift.cli.steps import purge_step

    return purge_step(workspace, as_json=as_json, go=go)


@app.command()
def estimate(workspace: Home = HERE, as_json: Json = False) -> int:
    """Counts, calls, storage, hours and the grade of this migration."""
    from chartlift.stages import estimate as stage

    return run("estimate", stage.run, workspace=workspace, as_json=as_json)


@app.command()
def status(workspace: Home = HERE, as_json: Json = False) -> int:
    """Where the journey stands, and what comes next."""
    from chartlift.stages import status as stage

    return run("status", stage.run, workspace=workspace, as_json=as_json, exclusive=False)


@app.command()
def audit(
    workspace: Home = HERE,
    as_json: Json = False,
    verify: Annotated[bool, typer.Option("--verify", help="Walk the hash chain.")] = False,
) -> int:
    """What was done, by whom, and whether the record holds."""
    from chartlift.stages import audit as stage

    return run(
        "audit", lambda tools: stage.run(tools, verify=verify), workspace=workspace, as_json=as_json, exclusive=False
    )


@app.command()
def demo(
    patients: Annotated[int, typer.Option(help="Size of the sandbox clinic.")] = 300,
    seed: Annotated[int, typer.Option(help="Another seed is another clinic.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Stop before the rollback and leave the sandbox up.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where workspace and report go; by default demo-SEED.")] = None,
    as_json: Json = False,
) -> int:
    """See the whole journey against a private sandbox."""
    from chartlift.cli.demo import run_demo

    return run_demo(patients=patients, seed=seed, keep=keep, home=home, as_json=as_json)
