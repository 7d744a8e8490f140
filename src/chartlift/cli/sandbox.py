"""`chartlift sandbox start`: the sibling package in a process of its own; not a line of code is shared with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="A private Salesforce org and AeronaClinic practice on this machine.")


@app.callback()
def group() -> None:
    """A private Salesforce org and AeronaClinic practice on this machine."""


@app.command()
def start(
    home: Annotated[
        Path | None, typer.Option(help="Where certificate and data go; by default a temporary folder.")
    ] = None,
    patients: Annotated[int, typer.Option()] = 300,
    seed: Annotated[int, typer.Option()] = 1,
    clinic_port: Annotated[int, typer.Option()] = 0,
    org_port: Annotated[int, typer.Option()] = 0,
    org_tls_port: Annotated[int, typer.Option()] = 0,
    control_port: Annotated[int, typer.Option()] = 0,
    faults: Annotated[Path | None, typer.Option(help="A fault plan.")] = None,
) -> None:
    """Print one JSON line when ready and serve until SIGTERM."""
    os.execv(sys.executable, command(home, patients, seed, (clinic_port, org_port, org_tls_port, control_port), faults))  # noqa: S606 - this very interpreter


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
