"""Moves a clinic from AeronaClinic to Salesforce: mapped, verified, reversible."""

__version__ = "0.1.0"
