"""The data key together with everything that only it can open: what `purge` destroys."""

from __future__ import annotations

from pathlib import Path

from chartlift.model.books import Holding
from chartlift.store import files, journal, keys, private, staging


class KeyVault:
    """Implements model.books.Vault for one workspace."""

    def __init__(self, home: Path, tenant: str, master: bytes) -> None:
        self._home, self._tenant, self._master = home, tenant, master

    @property
    def purged(self) -> bool:
        """Whether the data key is gone for good."""
        return keys.unlock(self._home, self._tenant, self._master).purged

    def holdings(self) -> tuple[Holding, ...]:
        """What is there to remove, by store."""
        found = []
        for name, paths in self._places().items():
            held = [path for place in paths for path in (place, *place.rglob("*")) if path.is_file()]
            if held:
                found.append(Holding(name, len(held), sum(path.stat().st_size for path in held)))
        return tuple(found)

    def destroy(self) -> None:
        """Destroy the data key, then remove what it protected; done again, it finishes what was cut short.

        The key goes first: whatever a crash leaves behind it can never be read again.
        """
        keys.destroy_data_key(self._home, self._tenant, self._master)
        for paths in self._places().values():
            for path in paths:
                private.remove(path)
        private.sync_folder(self._home)

    def _places(self) -> dict[str, list[Path]]:
        home = self._home
        return {
            "staging": [*sorted(home.glob(f"{staging.FILE}*")), home / staging.SPILL],
            "journal": [*sorted(home.glob(f"{journal.FILE}*")), home / journal.MARK],
            "files": [home / files.FOLDER],
        }
