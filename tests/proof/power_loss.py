"""A power cut for the journal's own file: what SQLite asked the disk to keep is there, of the rest a part.

The write-ahead log is cut at any byte after the last sync, in the middle of a frame or of a
transaction; what becomes of it then is SQLite's to say.
"""

import random
from pathlib import Path


class Mains:
    """Remembers what of a journal's file is on the disk itself, and can lose the rest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._synced = (b"", b"")

    def sync(self) -> None:
        """Take what there is now for kept."""
        self._synced = self._now()

    def _now(self) -> tuple[bytes, bytes]:
        return self._path.read_bytes(), self._log.read_bytes() if self._log.exists() else b""

    def fail(self, chance: random.Random) -> bytes:
        """Give what is left of the log if the power fails now; the file is open, for closing tidies up."""
        _, log = self._now()
        _, kept = self._synced
        if not log.startswith(kept):  # begun anew since: its first frames are of another age
            return kept
        return log[: chance.randint(len(kept), len(log))]

    def come_back(self, log: bytes) -> None:
        """Put onto the disk what is left; the file is closed."""
        self._path.with_name(f"{self._path.name}-shm").unlink(missing_ok=True)
        self._path.write_bytes(self._synced[0])
        self._log.write_bytes(log)
