"""`python -m chartlift_sandbox.generator`: writes a whole clinic to files."""

import argparse
import json
import sys
from pathlib import Path

from chartlift_sandbox.generator.export import SIZES, Order, write_clinic
from chartlift_sandbox.generator.rates import RatesError, read_rates

_USAGE = 2


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="chartlift_sandbox.generator", description="A synthetic clinic in files.")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--size", choices=SIZES, help="500, 5,000, 50,000 or 500,000 patients")
    size.add_argument("--patients", type=int, help="any other number of patients")
    parser.add_argument("--seed", type=int, default=1, help="everything generated follows from it")
    parser.add_argument("--out", type=Path, required=True, help="an empty directory, made if needed")
    parser.add_argument("--processes", type=int, default=2, help="how many write at a time")
    parser.add_argument("--rates", type=Path, help="TOML file with rates of the defects; see rates.toml")
    parser.add_argument("--rate", action="append", default=[], metavar="TABLE.CLASS=RATE", help="one rate per 100,000")
    found = parser.parse_args(arguments)
    found.patients = SIZES[found.size] if found.size is not None else found.patients
    if found.patients < 1 or found.processes < 1:
        parser.error("--patients and --processes must be at least 1")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and answers the exit code; prints rows by entity as one JSON line."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        rates = read_rates(options.rates, options.rate)
        order = Order(options.patients, options.seed, rates, options.out, options.processes)
        rows = write_clinic(order)
    except (RatesError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    sys.stdout.write(json.dumps(rows) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
