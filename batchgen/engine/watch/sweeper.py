"""When to sweep, and what a sweep means for what is watched.

What a sweep shows running counts as looked at; what it should have shown and has not is left
to polls, and so is everything once listings turn out to be no good.
"""

from typing import Protocol

from batchgen.engine.errands import Errands
from batchgen.engine.limits.flow import Flow
from batchgen.engine.watch.listing_trust import ListingTrust
from batchgen.engine.watch.schedule import LookSchedule
from batchgen.engine.watch.strategy import LookStrategy, SweepGaps, WatchState, choose
from batchgen.engine.watch.sweep import Sweep, Sweeper
from batchgen.engine.watch.watchlist import Watched, WatchList
from batchgen.errors import ServiceError
from batchgen.ledger import Ledger
from batchgen.loop_clock import DUST, loop_time
from batchgen.model import RemoteJob, RemoteStatus
from batchgen.planning.yields import Kind, Worth, Yields
from batchgen.ports import Generator, PacedGate

GRACE = 5.0  # seconds that a sweep may take before polls are made in its place
_CHECKED = 16  # one sweep in so many is followed by a poll that holds it to its word
_UNHEARD = 3  # polls in a row without an answer, after which a listing's word will do
_RECENT = 60.0  # seconds for which the size of a listing is remembered


class Looks(Protocol):
    """What a sweep leads to; each returns at once."""

    def end(self, row: Watched, remote: RemoteJob) -> None:
        """Take what is shown as the end of a submission."""
        ...

    def poll(self, row: Watched) -> None:
        """Ask about a submission that no poll is under way for."""
        ...

    def look(self) -> None:
        """Look again at what is due."""
        ...


class Sweeping:
    """Sweeps a watch list, one sweep at a time."""

    def __init__(
        self,
        *,
        watched: WatchList,
        generator: Generator,
        ledger: Ledger,
        schedule: LookSchedule,
        gate: PacedGate,
        flow: Flow,
        errands: Errands,
        looks: Looks,
        yields: Yields,
        allowed: bool,
        gaps: SweepGaps,
    ) -> None:
        """See ``Watcher``."""
        self._list = watched
        self._ledger = ledger
        self._schedule = schedule
        self._gate = gate
        self._flow = flow
        self._errands = errands
        self._looks = looks
        self._yields = yields
        self._asked: dict[Kind, Watched] = {}  # those that tell what their kind gives
        self._checked = False  # whether what the latest sweep showed is asked about anyway
        self._put_off: list[tuple[Watched, RemoteJob]] = []  # those that wait for it
        self._gaps = gaps
        self._sweeper = Sweeper(generator, ledger)
        self._trust = ListingTrust()
        self._allowed = allowed
        self._way = LookStrategy.CREATED if allowed else LookStrategy.POLL
        self._gap = gaps.shortest
        self._under_way = False
        self._next = 0.0
        self._failures = 0
        self._count = 0
        self._others = 0  # rows of other people in the latest listing by date of creation
        self._crowd: tuple[float, int] | None = None  # when, and rows of the latest one by date of update
        self._accepted: list[float] = []  # what was accepted since the oldest that is watched

    def __repr__(self) -> str:
        return f"<Sweeping [by {self._way.name.lower()}, {self._trust!r}]>"

    def covers(self, row: Watched) -> None:
        """Take note of a row that is about to be watched: the next sweeps count as looks at it."""
        self._accepted.append(row.accepted)
        if self._way is not LookStrategy.POLL:
            row.covered_until = row.ripe_at + 2 * self._gap + GRACE

    def next_at(self) -> float | None:
        """Return when the next sweep is due, by the loop's clock; None if none is."""
        if not self._allowed or self._under_way or not len(self._list):
            return None
        ripe = loop_time() if self._list.ripe(loop_time() + DUST) else self._list.next_ripe()
        return None if ripe is None else max(self._next, ripe)

    def ended(self, row: Watched, took: float | None) -> None:
        """Check an end against what sweeps have shown.

        Args:
            row: what ended.
            took: seconds by the service's clock; None where it does not say.
        """
        if self._allowed:
            unseen = row.swept_at is not None and took is not None
            late = (row.swept_at or 0.0) - (row.accepted + (took or 0.0)) if unseen else 0.0
            self._trust.ended(late=late)
        self._take_what_was_put_off()

    def sweep_if_due(self, now: float) -> None:
        """Start a sweep if it is time and one is the way to look."""
        if not self._allowed or self._under_way or now < self._next:
            return
        ripe = len(self._list.ripe(now))
        if not ripe:
            return
        way = choose(
            WatchState(
                watched=len(self._list),
                ripe=ripe,
                created=self._others + self._accepted_since_oldest(),
                updated=self._crowd[1] if self._crowd and now - self._crowd[0] < _RECENT else None,
                sweeping=self._count > 0 and self._way is not LookStrategy.POLL,
            )
        )
        if way is LookStrategy.POLL:
            self._leave_to_polls(until=now + self._gap)
            return
        self._way = way
        self._under_way = True
        self._errands.spawn(lambda: self._sweep(way), "sweep")

    def _accepted_since_oldest(self) -> int:
        oldest = min(row.accepted for row in self._list)
        self._accepted = [one for one in self._accepted if one >= oldest]
        return len(self._accepted)

    async def _sweep(self, way: LookStrategy) -> None:
        begun = loop_time()
        since = min(row.intended_at for row in self._list)
        try:
            sweep = await self._sweeper.sweep(way, since=since, lag=self._trust.lag)
        finally:
            self._under_way = False
        self._count += 1
        self._remember_size(sweep)
        self._take(sweep, begun)
        self._gap = self._gaps.gap(
            self._quickest(), interval=self._gate.interval, pressed=self._flow.is_rate_bound
        )
        self._next = begun + self._gap
        if sweep.error is not None:
            self._sweep_failed(sweep.error, for_good=sweep.refused)
        elif self._trust.lost:
            self._give_up("the service's listing is behind what it says of single jobs")
        else:
            self._failures = 0
            self._check(begun)
        self._looks.look()

    def _remember_size(self, sweep: Sweep) -> None:
        if sweep.way is LookStrategy.UPDATED:
            self._crowd = (loop_time(), sweep.count + sweep.crowded)
        else:
            known = min(len(self._accepted), sweep.count)
            self._others = max(0, sweep.count + sweep.crowded - known)

    def _take(self, sweep: Sweep, begun: float) -> None:
        """Act on what a sweep showed of what is watched."""
        self._put_off.clear()  # they are shown again, or polled
        self._checked = False
        for row in self._list:
            remote = sweep.rows.get(row.remote_id)
            if remote is not None and remote.status is not RemoteStatus.RUNNING:
                self._believe(row, remote)
            elif remote is not None:
                self._ledger.observer.polled(row.entry.job, remote)
                row.missing = 0
                self._cover(row, begun, complete=sweep.complete)
            elif sweep.complete and row.ripe_at <= begun:
                row.missing += sweep.way is LookStrategy.CREATED
                self._cover(row, begun, complete=True)

    def _cover(self, row: Watched, begun: float, *, complete: bool) -> None:
        """Count a sweep as a look, unless it should have shown the row and has not, twice."""
        if complete:
            row.swept_at = begun
        if row.missing > 1:
            row.covered_until = 0.0
            self._list.queue(row)
        else:
            # from the answer on: where answers are slow the next one is so too, and polls would delay it more
            row.covered_until = loop_time() + 2 * self._gap + GRACE

    def _believe(self, row: Watched, remote: RemoteJob) -> None:
        """Take an end as it is shown; a success that may show less than there is, the job itself must tell.

        Where that is not to be had, something that is shown is better than an end that is never found.
        """
        if row not in self._list:
            return  # what another one taught has ended it
        unheard = row.failures + row.unseen >= _UNHEARD and remote.asset_ids
        worth = Worth.FINAL
        if remote.status is RemoteStatus.SUCCEEDED and not unheard:
            worth = self._yields.worth(row.entry.record, remote, now=self._ledger.now())
        if worth is Worth.FINAL:
            self._looks.end(row, remote)
        elif worth is Worth.UNKNOWN and self._is_being_found_out(row):
            self._put_off.append((row, remote))
            row.covered_until = loop_time() + 2 * self._gap + GRACE
        elif not (row.polled or row.doubted) and row.rests_until <= loop_time():
            row.doubted = True
            row.covered_until = 0.0
            self._checked = True
            self._looks.poll(row)

    def _is_being_found_out(self, row: Watched) -> bool:
        """Return whether another one of its kind is being asked: one after the other is soon enough."""
        kind = self._yields.kind(row.entry.record)
        asked = self._asked.get(kind)
        if asked is not None and asked is not row and asked.polled and asked in self._list:
            return True
        self._asked[kind] = row
        return False

    def _take_what_was_put_off(self) -> None:
        """Look at those again that waited for what others of their kind tell."""
        waiting, self._put_off = self._put_off, []
        for row, remote in waiting:
            self._believe(row, remote)

    def _check(self, begun: float) -> None:
        """Hold a sweep to its word: poll the one that is most likely to have ended without its showing."""
        if self._checked or (not self._trust.young and self._count % _CHECKED):
            return
        now = loop_time()
        free = (one for one in self._list.ripe(begun) if not one.polled and one.rests_until <= now)
        row = next((one for one in free if one.swept_at == begun), None)
        if row is not None:
            self._looks.poll(row)

    def _sweep_failed(self, error: ServiceError, *, for_good: bool) -> None:
        if for_good:
            self._give_up(str(error))
            return
        self._failures += 1
        self._ledger.observer.warned(f"the listing of jobs: {error}")
        wait = self._schedule.after_failure(self._failures, getattr(error, "retry_after", None))
        self._leave_to_polls(until=loop_time() + wait)

    def _give_up(self, why: str) -> None:
        self._ledger.observer.warned(f"polling each job by itself from now on: {why}")
        self._allowed = False
        self._leave_to_polls(until=0.0)

    def _leave_to_polls(self, *, until: float) -> None:
        """Let polls cover everything, sweeps having nothing to add before the moment given."""
        self._next = until
        if self._way is LookStrategy.POLL:
            return
        self._way = LookStrategy.POLL
        for row in self._list:
            row.covered_until = 0.0
            self._list.queue(row)
        self._looks.look()

    def _quickest(self) -> float:
        """Return what the quickest model in flight takes, in seconds; else for how long it runs."""
        now = loop_time()
        oldest: dict[str, float] = {}
        for row in self._list:
            oldest.setdefault(row.entry.job.model, now - row.accepted)
        known = (self._schedule.middle(model) or waited for model, waited in oldest.items())
        return min(known, default=self._gaps.longest)
