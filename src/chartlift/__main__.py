"""`python -m chartlift` is the `chartlift` command."""

from chartlift.cli import main

main()
