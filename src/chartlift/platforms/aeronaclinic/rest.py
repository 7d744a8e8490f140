"""AeronaClinic, read through its API: the platform `aeronaclinic-rest`, which `aeronaclinic` means, too."""

from __future__ import annotations

from chartlift.platforms.aeronaclinic import connect, credentials

__all__ = ["connect", "credentials"]
