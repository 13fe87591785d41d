"""A power cut for the journal's own file: what the disk was asked to keep is there, of the rest a part.

What was written to the write-ahead log after the last sync began may be there or not, block by block, in any
order, and the log may be shorter than it was. What becomes of it then is SQLite's to say.
"""

import random
from collections.abc import Callable
from pathlib import Path

BLOCK = 4096  # bytes that a disk writes all of or none
_HEADER = 32  # bytes: SQLite syncs the header of a log that it begins anew before it writes anything else


class Mains:
    """Remembers what of a journal's file is on the disk itself, and can lose the rest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._synced = (b"", b"")

    def sync(self) -> None:
        """Take what there is now for kept."""
        self._synced = self._now()

    def begin(self) -> Callable[[], None]:
        """Begin a sync: what there is now is kept once the function that is returned was called."""
        covered = self._now()

        def end() -> None:
            self._synced = covered

        return end

    def _now(self) -> tuple[bytes, bytes]:
        return self._path.read_bytes(), self._log.read_bytes() if self._log.exists() else b""

    def fail(self, chance: random.Random) -> bytes:
        """Give what is left of the log if the power fails now; the file is open, for closing tidies up."""
        _, log = self._now()
        _, kept = self._synced
        old = log[:_HEADER] + kept[_HEADER:] if kept[:_HEADER] != log[:_HEADER] else kept
        share = chance.choice([0.0, 0.5, 0.9, 1.0])
        left = bytearray(old.ljust(len(log), b"\0"))
        for at in range(0, len(log), BLOCK):
            if chance.random() < share:
                left[at : at + BLOCK] = log[at : at + BLOCK].ljust(len(left[at : at + BLOCK]), b"\0")
        return bytes(left[: chance.choice([len(left), chance.randint(len(old), max(len(old), len(left)))])])

    def come_back(self, log: bytes) -> None:
        """Put onto the disk what is left; the file is closed."""
        self._path.with_name(f"{self._path.name}-shm").unlink(missing_ok=True)
        self._path.write_bytes(self._synced[0])
        self._log.write_bytes(log)
