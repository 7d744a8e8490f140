"""`chartlift sandbox start`: the sibling package in a process of its own; not a line of code is shared with it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="A private clinic and Salesforce org on this machine.")


@app.callback()
def group() -> None:
    """A private clinic and Salesforce org on this machine."""


@app.command()
def start(
    home: Annotated[
        Path | None, typer.Option(help="Where certificate and data go; by default a temporary folder.")
    ] = None,
    patients: Annotated[int, typer.Option(min=1, help="Size of the clinic.")] = 300,
    seed: Annotated[int, typer.Option(help="Another seed is another clinic.")] = 1,
    clinic_port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any free one.")] = 0,
    org_port: Annotated[int, typer.Option(min=0, max=65535, help="Same, plain http.")] = 0,
    org_tls_port: Annotated[int, typer.Option(min=0, max=65535, help="Same, https.")] = 0,
    control_port: Annotated[int, typer.Option(min=0, max=65535, help="Same, for the control door.")] = 0,
    faults: Annotated[Path | None, typer.Option(help="A fault plan.")] = None,
    rates: Annotated[Path | None, typer.Option(help="TOML file: how often the clinic's defects occur.")] = None,
    rate: Annotated[
        list[str] | None, typer.Option(metavar="TABLE.CLASS=RATE", help="One such rate per 100,000; CLASS may be *.")
    ] = None,
    switch: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A switch of the org, such as person_accounts=true.")
    ] = None,
    hostile: Annotated[
        bool, typer.Option("--hostile", help="Plant the catalogue of bad values in the clinic.")
    ] = False,
) -> None:
    """Print one JSON line when ready and serve until SIGTERM."""
    words = command(home, patients, seed, (clinic_port, org_port, org_tls_port, control_port), faults)
    words += [f"--rates={rates}"] if rates is not None else []
    words += [f"--rate={one}" for one in rate or ()]
    words += [f"--switch={setting}" for setting in switch or ()]
    words += ["--hostile"] if hostile else []
    os.execv(sys.executable, words)  # noqa: S606 - this very interpreter


@app.command()
def env(
    said: Annotated[Path, typer.Argument(help="File with the line that `sandbox start` printed.")],
) -> int:
    """Print the sandbox's secrets and addresses as lines for a shell: eval "$(chartlift sandbox env FILE)"."""
    from chartlift.cli.door import failed

    try:
        facts = json.loads(said.read_text(encoding="utf-8"))
        names = {"SANDBOX_CLINIC": "clinic_url", "SANDBOX_ORG": "org_url", "SANDBOX_MANAGER": "fallback_email"}
        values = {**facts["env"], **{name: facts[key] for name, key in names.items()}}
    except (OSError, ValueError, KeyError, TypeError):
        message = f"{said} does not hold the line of a sandbox."
        return failed("sandbox env", 2, "UsageError", message, "Is it up yet? It needs some seconds.", as_json=False)
    for name, value in values.items():
        print(f"export {name}={shlex.quote(str(value))}")
    return 0


def command(
    home: Path | None, patients: int, seed: int, ports: tuple[int, int, int, int], faults: Path | None
) -> list[str]:
    """The command line of the sandbox process."""
    words = [sys.executable, "-m", "chartlift_sandbox", "start", "--patients", str(patients), "--seed", str(seed)]
    names = ("--clinic-port", "--org-port", "--org-tls-port", "--control-port")
    for name, port in zip(names, ports, strict=True):
        words += [name, str(port)]
    words += ["--home", str(home)] if home is not None else []
    return words + (["--faults", str(faults)] if faults is not None else [])
