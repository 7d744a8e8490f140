"""One folder = one vendor, found by its name."""
