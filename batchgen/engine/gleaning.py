"""Asking after what a success did not show: for two minutes, and once in each later run for a day.

Of one kind of job three are asked at first. Where one of them turns out to have more, so may the
others; where none does within two minutes, that is what the model gives.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from batchgen.engine.errands import Errands
from batchgen.engine.moves import Moves
from batchgen.errors import ServiceError, StoppedError
from batchgen.ledger import Ledger
from batchgen.lifecycle import OutputsGrew
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey, RemoteStatus
from batchgen.planning.plan import Entry
from batchgen.planning.yields import KNOWN_AFTER, WAITED, Kind, Yields, is_young
from batchgen.ports import Generator

_FIRST = 2.0  # seconds after an end: the first look; each further one is at twice that age
_OLD_AT_ONCE = 20  # of one kind, where each is asked once
_SAMPLES = 20  # of one kind in a run, where giving few is the model's way
_FAILURES = 3  # looks in a row without an answer, after which the next run asks
_AT_ONCE = 8  # requests


@dataclass(slots=True)
class _Group:
    """The short ones of one kind.

    Attributes:
        asked: those that are being asked.
        waiting: those that wait for what these tell.
        grew: whether one of them had more.
        samples: how many were asked though giving so few is their model's way.
    """

    asked: set[JobKey] = field(default_factory=set)
    waiting: deque[Entry] = field(default_factory=deque)
    grew: bool = False
    samples: int = 0

    @property
    def is_sampled(self) -> bool:
        """Whether enough of those that are not known to lack anything were asked, and none had more."""
        return self.samples >= _SAMPLES and not self.asked and not self.grew


class Gleaner:
    """Asks short successes again."""

    def __init__(
        self, *, generator: Generator, ledger: Ledger, yields: Yields, moves: Moves, errands: Errands
    ) -> None:
        """Ask nobody yet.

        Args:
            generator: the service.
            ledger: where what came later is recorded.
            yields: how many assets jobs give.
            moves: how jobs go on.
            errands: starts pieces of work.
        """
        self._generator = generator
        self._ledger = ledger
        self._yields = yields
        self._moves = moves
        self._errands = errands
        self._groups: dict[Kind, _Group] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._given_up: set[JobKey] = set()
        self._began = ledger.now()

    def wants(self, entry: Entry) -> bool:
        """Return whether a success is to be asked again by this run."""
        if entry.key in self._given_up or not is_young(entry.record, now=self._ledger.now()):
            return False
        return self._lacks(entry) or self._is_a_sample(entry)

    def _lacks(self, entry: Entry) -> bool:
        return self._yields.lacks(entry.record, now=self._ledger.now())

    def _is_a_sample(self, entry: Entry) -> bool:
        """Return whether it taught in an earlier run how few its model gives: does that still hold?"""
        record = entry.record
        return record.is_short and record.ended_at is not None and record.ended_at < self._began

    def add(self, entry: Entry) -> None:
        """Take one in; it is asked as soon as its turn comes."""
        kind = self._yields.kind(entry.record)
        group = self._groups.setdefault(kind, _Group())
        group.waiting.append(entry)
        self._refill(group)

    def _age(self, entry: Entry) -> float:
        ended = entry.record.ended_at
        return WAITED if ended is None else max(0.0, self._ledger.now() - ended)

    def _refill(self, group: _Group) -> None:
        """Start as many as may be asked at once; the others wait for them."""
        while group.waiting:
            entry = group.waiting[0]
            lacks = self._lacks(entry)
            if not self.wants(entry) or (not lacks and group.is_sampled):
                self._moves.close(group.waiting.popleft())
                continue
            most = _OLD_AT_ONCE if self._age(entry) >= WAITED else KNOWN_AFTER
            if not group.grew and (len(group.asked) >= most or (not lacks and group.samples >= _SAMPLES)):
                return
            group.waiting.popleft()
            group.asked.add(entry.key)
            group.samples += not lacks
            self._start(group, entry)

    def _start(self, group: _Group, entry: Entry) -> None:
        self._errands.spawn(lambda: self._glean(group, entry), f"glean:{entry.job.id}")

    async def _glean(self, group: _Group, entry: Entry) -> None:
        """Ask one until it has more, or the time for that is over.

        Raises:
            StoppedError: the service does not let us look.
            JournalError: what came later could not be recorded; the next run asks again.
        """
        began, age, failures = loop_time(), self._age(entry), 0
        due = age if age >= WAITED else max(_FIRST, age)
        while True:
            await asyncio.sleep(max(0.0, began + due - age - loop_time()))
            try:
                async with self._slots:
                    grown = await self._look(entry)
            except StoppedError:
                raise
            except ServiceError as error:
                failures += 1
                self._ledger.observer.warned(f"{entry.job.id}: {error}")
                grown, again = None, due + _FIRST * 2**failures if failures < _FAILURES else None
            else:
                failures = 0
                again = None if due >= WAITED else min(WAITED, 2 * due)
            if grown is not None or again is None:
                break
            due = again
        self._end(group, entry, grown)

    async def _look(self, entry: Entry) -> Entry | None:
        """Return the job with what it has now, recorded; None where that is what it had."""
        remote = await self._generator.job(entry.record.remote_id or "")
        new = set(remote.asset_ids) - set(entry.record.asset_ids)
        if remote.status is not RemoteStatus.SUCCEEDED or not new:
            return None
        return self._ledger.record(
            entry,
            OutputsGrew(at=self._ledger.now(), remote_id=remote.remote_id, asset_ids=remote.asset_ids),
        )

    def _end(self, group: _Group, entry: Entry, grown: Entry | None) -> None:
        group.asked.discard(entry.key)
        if grown is not None:
            group.grew = True
            self._yields.learn(grown.key, grown.record)
            self._moves.route(grown)
        else:
            self._given_up.add(entry.key)
            self._moves.close(entry)
        self._refill(group)
