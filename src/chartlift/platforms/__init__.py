"""The outside systems chartlift knows: one folder = one vendor, found by its name.

Each folder offers `connect(url, *, secrets, clock, …)`, which gives a Source or a Destination.
"""
