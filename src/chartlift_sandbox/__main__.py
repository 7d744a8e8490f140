"""`python -m chartlift_sandbox start`: prints one JSON line when ready and serves until SIGTERM."""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from chartlift_sandbox.faults import FaultError, FaultPlan
from chartlift_sandbox.generator.rates import RatesError, read_rates

_USAGE = 2


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="chartlift_sandbox", description="A sandbox org and a sandbox clinic.")
    start = parser.add_subparsers(dest="command", required=True).add_parser("start", help="serve until SIGTERM")
    start.add_argument("--home", type=Path, help="directory for certificates and job data (default: a temporary one)")
    start.add_argument("--patients", type=int, default=200, help="size of the clinic")
    start.add_argument("--seed", type=int, default=1, help="everything generated follows from it")
    for door in ("clinic", "org", "org-tls", "control"):
        start.add_argument(f"--{door}-port", type=int, default=0, help="0 takes a free port")
    start.add_argument("--faults", type=Path, help="JSON file with a fault plan")
    start.add_argument("--rates", type=Path, help="TOML file with rates of the clinic's defects; see rates.toml")
    start.add_argument(
        "--rate", action="append", default=[], metavar="TABLE.CLASS=RATE", help="one rate per 100,000; CLASS may be *"
    )
    start.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an org switch, such as person_accounts=true",
    )
    start.add_argument("--hostile", action="store_true", help="plant the catalogue of bad values in the clinic")
    found = parser.parse_args(arguments)
    if found.patients < 1:
        parser.error("--patients must be at least 1")
    return found


def read_faults(path: Path | None) -> FaultPlan:
    """The fault plan of a file; an empty one without a file.

    Raises:
        FaultError: the file does not hold a plan.
    """
    plan = FaultPlan()
    if path is not None:
        try:
            plan.replace(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise FaultError(f"{path}: {error}") from error
    return plan


@contextmanager
def home_of(given: Path | None) -> Generator[Path]:
    """The given directory, made if needed, or a temporary one that goes away at the end."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="chartlift-sandbox-") as folder:
        yield Path(folder)


def forget_pandas() -> None:
    """Answers at once that there is no pandas, and no dateutil.

    Arrow and DuckDB ask for them at every conversion and with every value that a statement binds; where they are not
    installed, each question walks the whole search path, which cost a tenth of an ingest job.
    """
    for name in ("pandas", "dateutil"):
        sys.modules[name] = None  # ty: ignore[invalid-assignment] - the import system's own word for "there is none"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and answers the exit code."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        plan = read_faults(options.faults)
        rates = read_rates(options.rates, options.rate)
    except (FaultError, RatesError) as error:
        print(error, file=sys.stderr)
        return _USAGE
    forget_pandas()
    gc.disable()  # nothing that the start makes is garbage, and looking for some takes a tenth of it
    from chartlift_sandbox.estate import Estate, build_estate
    from chartlift_sandbox.org_switches import SwitchError
    from chartlift_sandbox.salesforce.memory import keep_between_calls
    from chartlift_sandbox.server import Ports, serve_until_signal

    keep_between_calls()

    def announce(estate: Estate) -> None:
        gc.freeze()
        gc.enable()
        print(json.dumps(estate.announcement()), flush=True)

    ports = Ports(options.clinic_port, options.org_port, options.org_tls_port, options.control_port)
    with home_of(options.home) as home:
        estate = build_estate(home, patients=options.patients, seed=options.seed, faults=plan, rates=rates)
        try:
            estate.set_switches(options.switch)
        except SwitchError as error:
            print(error, file=sys.stderr)
            return _USAGE
        if options.hostile:
            estate.hostile_from_start = True
            estate.plant(None)
        asyncio.run(serve_until_signal(estate, ports, announce))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
