"""Whose files are fetched next: new ones first, those that were tried in vain at growing gaps.

Where tries fail one after another the file server itself is in trouble: then one at a time is
tried, at gaps that all share, until something arrives.
"""

import asyncio
import random
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from batchgen.backoff import Backoff
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey
from batchgen.planning.plan import Entry

_IN_A_ROW = 2  # failures, each of a try that began after the one before: no longer the file's own trouble


@dataclass(frozen=True, slots=True)
class _Late:
    entry: Entry
    due: float  # by the loop's clock


class FileQueue:
    """The jobs whose files are to be fetched."""

    def __init__(self, backoff: Backoff, chance: random.Random) -> None:
        """Begin with none.

        Args:
            backoff: between tries in vain.
            chance: where jitter comes from.
        """
        self._backoff = backoff
        self._chance = chance
        self._new: deque[Entry] = deque()
        self._late: dict[JobKey, _Late] = {}
        self._failures: dict[JobKey, int] = {}
        self._begun: dict[JobKey, float] = {}  # of those under way
        self._in_a_row = 0
        self._since = float("-inf")  # the last failure that counted
        self._pause_until = float("-inf")
        self._wake = asyncio.Event()

    @property
    def in_trouble(self) -> bool:
        """Whether the file server itself seems to be at fault: the new ones wait for it as well."""
        return self._in_a_row >= _IN_A_ROW

    @property
    def untried(self) -> tuple[Entry, ...]:
        """The new ones that wait for their turn."""
        return tuple(self._new)

    def add(self, entry: Entry) -> None:
        """Take in one that was not tried yet."""
        self._new.append(entry)
        self._wake.set()

    async def next(self) -> Entry:
        """Return the next one when its turn has come; it is under way until ``failed`` or ``ended``."""
        while (wait := self._wait()) is None or wait > 0:
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
        entry = self._new.popleft() if self._new else self._due_first().entry
        self._late.pop(entry.key, None)
        self._begun[entry.key] = loop_time()
        return entry

    def failed(self, entry: Entry, *, answered: bool) -> bool:
        """Take one back that was tried in vain; return whether that was its first time.

        Args:
            entry: under way.
            answered: whether the service said that it has it no more: then nobody is in trouble.
        """
        now, begun = loop_time(), self._begun.pop(entry.key)
        failures = self._failures[entry.key] = self._failures.get(entry.key, 0) + 1
        self._late[entry.key] = _Late(entry, now + self._gap(failures))
        if not answered and begun >= self._since:
            self._in_a_row, self._since = self._in_a_row + 1, now
            self._pause_until = now + self._gap(self._in_a_row + 1 - _IN_A_ROW)
        self._wake.set()
        return failures == 1

    def arrived(self, entry: Entry) -> None:
        """Let one go whose files are there: who waits for the same server may try at once."""
        if self.in_trouble:
            now = loop_time()
            self._late = {key: _Late(one.entry, min(one.due, now)) for key, one in self._late.items()}
        self._in_a_row, self._since = 0, loop_time()
        self.ended(entry)

    def ended(self, entry: Entry) -> None:
        """Let one go."""
        self._begun.pop(entry.key, None)
        self._failures.pop(entry.key, None)
        self._wake.set()

    def drop(self, keys: Iterable[JobKey]) -> None:
        """Try these no more."""
        for key in keys:
            self._late.pop(key, None)

    def empty(self) -> list[Entry]:
        """Give up all that are not under way."""
        left = [*self._new, *(one.entry for one in self._late.values())]
        self._new.clear()
        self._late.clear()
        return left

    def _gap(self, failures: int) -> float:
        return self._backoff.delay(failures, jitter=self._chance.random())

    def _wait(self) -> float | None:
        """Return the seconds until the next may begin; None until something changes."""
        if not (self._new or self._late) or (self.in_trouble and self._begun):
            return None
        now = loop_time()
        due = now if self._new else self._due_first().due
        return max(due, self._pause_until if self.in_trouble else now) - now

    def _due_first(self) -> _Late:
        return min(self._late.values(), key=lambda one: one.due)
