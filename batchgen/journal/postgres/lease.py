"""The lease of a batch: who may buy for it, as long as it is renewed in time."""

import json
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from batchgen.errors import BatchgenError, BatchLockedError, FencedError
from batchgen.formats import stamp as formatted
from batchgen.journal.postgres.checks import named
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.wire import moment

_RENEWALS: Final = 6  # in the time of one lease
_QUICK: Final = 0.5  # seconds: an answer that took longer tells little of the time


class Lease:
    """One lease that was taken; implements ``ports.Lease``.

    Its end is counted on this machine from before the renewal was sent, on a clock that nobody sets: so it is
    never later here than it is on the server.
    """

    def __init__(
        self,
        connection: PostgresConnection,
        batch: str,
        *,
        seconds: float,
        asked: float,
        epoch: int,
        silent: float | None,
        told: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Keep a lease that was just taken.

        Args:
            connection: of its own, for a thread renews it.
            batch: its name.
            seconds: how long it lasts.
            asked: when it was asked for, on the clock of ``moment``.
            epoch: its number.
            silent: until when holders before may have bought unseen, seconds since the epoch by the server.
            told: told at each renewal what the server's clock shows, seconds since the epoch; by the thread.
        """
        self.batch = batch
        self.epoch = epoch
        self._connection = connection
        self._seconds = seconds
        self._until = asked + seconds
        self._silent = silent
        self._told = told
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease of {batch}", daemon=True)

    def left(self) -> float:
        """Return the seconds for which it surely lasts; 0 or less when it may be another's."""
        return -math.inf if self._lost else self._until - moment()

    def silent_since(self) -> float | None:
        """Return until when a holder before this one may have bought unseen; None if there is none."""
        return self._silent

    @property
    def is_lost(self) -> bool:
        """Whether another run is known to lead the batch."""
        return self._lost

    def begin(self) -> None:
        """Renew it from now on."""
        self._thread.start()

    def end(self) -> None:
        """Give it up: others need not wait for its time."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._lost = True
        try:
            self._connection.execute("SELECT end_lease(?, ?)", (self.batch, self.epoch))
        except BatchgenError:
            return  # its time runs out
        finally:
            self._connection.close()

    def _renew(self) -> None:
        every = self._seconds / _RENEWALS
        while not self._ended.wait(every):
            asked = moment()
            try:
                found = self._connection.execute(
                    "UPDATE leases SET until = clock_timestamp() + make_interval(secs => ?) "
                    "WHERE batch = ? AND epoch = ? AND NOT ended "
                    "RETURNING extract(epoch FROM silent_until)::double precision, "
                    "extract(epoch FROM clock_timestamp())::double precision",
                    (self._seconds, self.batch, self.epoch),
                ).fetchone()
            except FencedError:
                found = None
            except BatchgenError:
                continue  # tried again until the time is over, and after it: nobody may have taken it
            if found is None:
                self._lost = True
                return
            self._until = asked + self._seconds
            self._silent, now = found
            if moment() - asked < _QUICK:
                self._told(now)


def take(
    connection: PostgresConnection,
    batch: str,
    *,
    seconds: float,
    told: Callable[[float], None] = lambda _: None,
) -> Lease:
    """Take the lease of a batch.

    Args:
        connection: of its own.
        batch: its name.
        seconds: how long a lease lasts.
        told: told what the server's clock shows; see ``Lease``.

    Raises:
        BatchLockedError: another run has it.
        JournalError: the server does not take it.
    """
    asked = moment()
    holder = _holder()
    row = connection.execute(
        "SELECT epoch, silent_until, was, was_until FROM take_lease(?, ?, ?, ?)",
        (batch, holder, seconds, _dead(connection, batch)),
    ).fetchone()
    epoch, silent, was, since = row
    if epoch is None:
        raise held(batch, was, since)
    return Lease(connection, batch, seconds=seconds, asked=asked, epoch=int(epoch), silent=silent, told=told)


def held(batch: str, holder: str, since: float | None) -> BatchLockedError:
    """Return the error that says who has the lease of a batch, and since when."""
    who = named(holder)
    if since is not None:
        who += f" since {formatted(since)}"
    text = f"the batch {batch!r} is being run by {who}; wait for it, or stop it there with Ctrl-C"
    return BatchLockedError(text, batch=batch, holder=who)


def _holder() -> str:
    """Return who we are: enough to know on the same machine that this process has ended."""
    return json.dumps(
        {
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "machine": _machine(),
            "began": _began(os.getpid()),
            "nonce": os.urandom(8).hex(),
        }
    )


def _dead(connection: PostgresConnection, batch: str) -> str | None:
    """Return who has a batch's lease if that is a process of this machine which has surely ended."""
    row = connection.execute("SELECT holder FROM leases WHERE batch = ?", (batch,)).fetchone()
    if row is None:
        return None
    try:
        told: dict[str, Any] = json.loads(row[0])
        here = bool(told["machine"]) and told["machine"] == _machine()
        return row[0] if here and _began(int(told["pid"])) != told["began"] else None
    except (ValueError, KeyError, TypeError):
        return None


def _machine() -> str:
    """Return what names this machine since its start, and who sees its processes; empty if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; empty where there is none, or it is dead."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    state, *rest = text.rpartition(")")[2].split()
    return "" if state in {"Z", "X"} else rest[18]
