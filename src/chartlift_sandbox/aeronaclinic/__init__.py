"""The clinic's API on the wire: sign-in, limiter, lists, details, deletions. Synthetic data only."""

from chartlift_sandbox.aeronaclinic.practice import app
from chartlift_sandbox.aeronaclinic.switches import Switches

__all__ = ["Switches", "app"]
