"""The journey, one file per step, each with one public function `run(tools, …) -> Report`.

Stages see ports only: never a vendor, a store or a door.
"""
