"""Finding out when submissions end. Only the service's word ends one.

Two ways, and every submission is always covered by one of them: a poll asks about one id, a
sweep reads one listing for all. What a sweep shows running counts as looked at; what it does
not show is polled, and once in a while so is what it shows. A listing that lags, fails or
lies costs a little time and never a result.
"""

import asyncio
from itertools import islice

from batchgen.engine.board import Board
from batchgen.engine.errands import Errands
from batchgen.engine.limits.flow import Flow
from batchgen.engine.moves import Moves
from batchgen.engine.watch.schedule import LookSchedule
from batchgen.engine.watch.strategy import SweepGaps
from batchgen.engine.watch.sweeper import GRACE, Sweeping
from batchgen.engine.watch.watchlist import Watched, WatchList
from batchgen.errors import NotFoundError, ServiceError, StoppedError
from batchgen.interpret import after_look
from batchgen.ledger import Ledger
from batchgen.loop_clock import DUST, loop_time, wait_until
from batchgen.model import RemoteJob, RemoteStatus
from batchgen.planning.plan import Entry
from batchgen.planning.yields import Yields
from batchgen.ports import Generator, PacedGate

_MOST_POLLS = 100
_MOST_SLOW_POLLS = 8
_SLOW = 0.1  # seconds between requests


class Watcher:
    """Watches all that runs. ``run`` must be a child of the run's TaskGroup."""

    def __init__(
        self,
        *,
        generator: Generator,
        ledger: Ledger,
        schedule: LookSchedule,
        gate: PacedGate,
        flow: Flow,
        yields: Yields,
        board: Board,
        moves: Moves,
        errands: Errands,
        sweeps: bool = True,
        gaps: SweepGaps | None = None,
    ) -> None:
        """Watch nothing yet.

        Args:
            generator: the service.
            ledger: where ends are recorded.
            schedule: when to poll.
            gate: how far apart requests are.
            flow: whether submits wait for the rate.
            yields: how many assets jobs give.
            board: remembers what has not ended by its timeout.
            moves: how jobs go on.
            errands: starts pieces of work.
            sweeps: whether listings may be used.
            gaps: how far apart sweeps are.
        """
        self._generator = generator
        self._ledger = ledger
        self._schedule = schedule
        self._gate = gate
        self._board = board
        self._moves = moves
        self._errands = errands
        self._yields = yields
        self._list = WatchList()
        self._changed = asyncio.Event()
        self._wakes_at: float | None = None
        self._polls = 0
        self._scouts: dict[str, Watched] = {}  # by model: the one that is to tell how long it takes
        self._sweeping = Sweeping(
            watched=self._list,
            generator=generator,
            ledger=ledger,
            schedule=schedule,
            gate=gate,
            flow=flow,
            errands=errands,
            looks=self,
            yields=yields,
            allowed=sweeps,
            gaps=gaps or SweepGaps(),
        )

    def __repr__(self) -> str:
        return f"<Watcher [{len(self._list)}, {self._polls} polls under way, {self._sweeping!r}]>"

    def add(self, entry: Entry, *, timeout_after: float) -> None:
        """Watch a submission until it ends; it is left alone after the timeout, in seconds.

        An id the service does not show, or will not, is asked about again: it is paid for.
        """
        submission = entry.record.submission
        if submission is None:
            raise AssertionError(f"{entry.job.id} runs without a submission")
        now, model = loop_time(), entry.job.model
        waited = max(0.0, self._ledger.now() - submission.at)  # a resumed run begins in the middle
        row = Watched(
            entry=entry,
            remote_id=submission.remote_id,
            accepted=now - waited,
            intended_at=min(submission.at, entry.record.intent_at or submission.at),
            deadline=now + timeout_after,
            ripe_at=now + max(0.0, self._schedule.earliest(model) - waited),
            next_poll=now + max(0.0, self._schedule.first_look(model) - waited),
        )
        self._sweeping.covers(row)
        self._may_scout(row, waited)
        self._list.add(row)
        self._wake_by(min(row.due, row.ripe_at))

    def _may_scout(self, row: Watched, waited: float) -> None:
        """Let one job of an unknown model be looked at early; the others wait for what it tells."""
        model = row.entry.job.model
        scout = self._scouts.get(model)
        if self._schedule.is_known(model) or (scout is not None and scout in self._list):
            return
        self._scouts[model] = row
        row.covered_until = 0.0  # sweeps begin when jobs may have ended, and of that nothing is known
        row.next_poll = loop_time() + self._early_gap(waited)

    def _early_gap(self, waited: float) -> float:
        return self._schedule.early_gap(waited, least=self._gate.interval)

    def _gap(self, row: Watched, waited: float) -> float:
        model = row.entry.job.model
        is_scout = self._scouts.get(model) is row and not self._schedule.is_known(model)
        return self._early_gap(waited) if is_scout else self._schedule.gap(waited)

    def _took_first(self, model: str) -> None:
        """Look sooner at the others of a model, now that it is known how long it takes."""
        for row in self._list:
            if row.entry.job.model != model:
                continue
            row.ripe_at = min(row.ripe_at, row.accepted + self._schedule.earliest(model))
            if not row.failures:
                row.next_poll = min(row.next_poll, row.accepted + self._schedule.first_look(model))
            self._list.hasten(row)
        self._changed.set()

    def longest_left(self) -> float | None:
        """Estimate the seconds until the last of them has ended; None if nothing is known."""
        longest = ((row.accepted, self._schedule.longest(row.entry.job.model)) for row in self._list)
        left = [accepted + one - loop_time() for accepted, one in longest if one is not None]
        return max(0.0, *left) if left else None

    async def run(self) -> None:
        """Look when it is time, until cancelled.

        Raises:
            JournalError: an end could not be recorded.
        """
        while True:
            self._changed.clear()
            now = loop_time() + DUST
            for row in islice(self._list.due(now), max(0, self._most_polls - self._polls)):
                self.poll(row)
            self._sweeping.sweep_if_due(now)
            self._wakes_at = self._wake_at()
            await wait_until(self._changed, self._wakes_at)

    def look(self) -> None:
        """Look again at what is due."""
        self._changed.set()

    def _wake_by(self, due: float) -> None:
        """Wake up in time for something that is due."""
        if self._wakes_at is None or due < self._wakes_at:
            self._changed.set()

    @property
    def _most_polls(self) -> int:
        """How many may be under way: those that wait for the rate would be old when their turn comes."""
        return _MOST_POLLS if self._gate.interval < _SLOW else _MOST_SLOW_POLLS

    def _wake_at(self) -> float | None:
        polls = self._list.next_due() if self._polls < self._most_polls else None
        times = (polls, self._sweeping.next_at())
        return min((one for one in times if one is not None), default=None)

    # polls

    def poll(self, row: Watched) -> None:
        """Ask about a submission that no poll is under way for."""
        row.polled = True
        self._polls += 1
        self._errands.spawn(lambda: self._poll(row), f"poll:{row.entry.job.id}")

    async def _poll(self, row: Watched) -> None:
        """Ask about one.

        Raises:
            StoppedError: the service does not let us look.
        """
        try:
            remote = await self._generator.job(row.remote_id)
        except StoppedError:
            raise
        except ServiceError as error:  # whatever it says of the call, the submission is paid for
            if row in self._list:
                self._failed(row, error)
        else:
            if row in self._list:
                self._polled(row, remote)
        finally:
            row.polled = False
            if self._polls >= self._most_polls:
                self._changed.set()
            self._polls -= 1
        if row in self._list:
            self._go_on(row)

    def _failed(self, row: Watched, error: ServiceError) -> None:
        """Ask again later; what is not found is left alone for longer each time, by sweeps too."""
        self._ledger.observer.warned(f"{row.entry.job.id}: {error}")
        now = loop_time()
        if isinstance(error, NotFoundError):
            row.unseen += 1
            row.rests_until = now + self._schedule.after_unseen(row.unseen, now - row.accepted)
            return
        row.failures += 1
        asked = getattr(error, "retry_after", None)
        row.next_poll = now + self._schedule.after_failure(row.failures, asked)

    def _polled(self, row: Watched, remote: RemoteJob) -> None:
        if remote.status is not RemoteStatus.RUNNING:
            self.end(row, remote)
            return
        self._ledger.observer.polled(row.entry.job, remote)
        now = loop_time()
        row.failures = row.unseen = 0
        row.next_poll = now + self._gap(row, now - row.accepted)
        row.was_seen(now)

    def _go_on(self, row: Watched) -> None:
        if loop_time() >= row.deadline - DUST:
            self._list.remove(row)
            self._board.out_of_sight(row.entry.key)  # the next run watches it
            self._moves.close(row.entry)
        else:
            self._list.queue(row)
            self._wake_by(row.due)

    def end(self, row: Watched, remote: RemoteJob) -> None:
        """Take what is shown as the end of a submission."""
        expected = self._yields.expected(row.entry.record)
        event = after_look(remote, at=self._ledger.now(), expected=expected)
        assert event is not None
        entry = self._ledger.record(row.entry, event)
        if remote.status is RemoteStatus.SUCCEEDED:
            self._yields.learn(entry.key, entry.record)
        self._list.remove(row)
        took, model = self._took(row, remote), row.entry.job.model
        was_known = self._schedule.is_known(model)
        self._schedule.took(model, loop_time() - row.accepted if took is None else took)
        if not was_known:
            self._took_first(model)
        self._sweeping.ended(row, took)
        self._moves.route(entry)

    def _took(self, row: Watched, remote: RemoteJob) -> float | None:
        """Return what it took by the service's clock, in seconds; None where that tells nothing."""
        if remote.created_at is None or remote.finished_at is None:
            return None
        took = remote.finished_at - remote.created_at
        return took if 0 <= took <= loop_time() - row.accepted + GRACE else None
