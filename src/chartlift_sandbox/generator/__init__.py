"""Writes one synthetic clinic, record by record, from a seed."""
