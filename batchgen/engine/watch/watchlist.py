"""The submissions that are watched: a row each, and one heap that says whose time comes next.

A row waits without a task or a timer of its own. Nothing here asks the service anything.
"""

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from batchgen.planning.plan import Entry

_LONGEST_BLIND = 60.0  # seconds: so long, or a quarter of its age, a submission is left to sweeps


@dataclass(slots=True)
class Watched:
    """One submission that runs. All times are of the loop's clock.

    Attributes:
        entry: the job.
        remote_id: the service's id.
        accepted: when the service took it.
        intended_at: the wall clock's time just before; no submission was created earlier.
        deadline: when it is left out of sight.
        ripe_at: before this it can hardly have ended.
        next_poll: when it is polled, unless a sweep shows it.
        backstop: when it is polled, whatever sweeps show.
        covered_until: as long as the latest sweep counts as a look.
        swept_at: when the latest complete sweep began that did not show it ended.
        missing: complete sweeps in a row that did not show it at all.
        failures: polls in a row that brought no answer.
        unseen: polls that the service answered with not knowing it, since it knew it last.
        rests_until: it is not polled before, whatever sweeps show or leave out: it was not found.
        polled: whether a poll is under way.
        doubted: whether a poll was asked to confirm what a sweep showed.
    """

    entry: Entry
    remote_id: str
    accepted: float
    intended_at: float
    deadline: float
    ripe_at: float
    next_poll: float
    backstop: float = 0.0
    covered_until: float = 0.0
    swept_at: float | None = None
    missing: int = 0
    failures: int = 0
    unseen: int = 0
    rests_until: float = 0.0
    polled: bool = False
    doubted: bool = False
    queued_for: float = -1.0

    def __post_init__(self) -> None:
        self.was_seen(self.accepted)

    @property
    def due(self) -> float:
        """When it is to be polled."""
        soon = min(self.backstop, max(self.next_poll, self.covered_until))
        return min(self.deadline, max(soon, self.rests_until))

    def was_seen(self, now: float) -> None:
        """Put the backstop off: the service was asked about it."""
        self.backstop = max(now, self.ripe_at) + max(_LONGEST_BLIND, (now - self.accepted) / 4)


class WatchList:
    """All that is watched. One entry of the heap counts for each row; older ones are passed over."""

    def __init__(self) -> None:
        self._rows: dict[str, Watched] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._ripening: list[tuple[float, str]] = []
        self._ripe: dict[str, Watched] = {}
        self._number = 0

    def __len__(self) -> int:
        """Count them."""
        return len(self._rows)

    def __iter__(self) -> Iterator[Watched]:
        """Go through them, those added first first."""
        return iter(tuple(self._rows.values()))

    def __contains__(self, row: Watched) -> bool:
        """Return whether it is watched still."""
        return self._rows.get(row.remote_id) is row

    def add(self, row: Watched) -> None:
        """Take one in."""
        self._rows[row.remote_id] = row
        heapq.heappush(self._ripening, (row.ripe_at, row.remote_id))
        self.queue(row)

    def remove(self, row: Watched) -> None:
        """Let one go."""
        del self._rows[row.remote_id]
        self._ripe.pop(row.remote_id, None)

    def hasten(self, row: Watched) -> None:
        """Take note that one may end, and is due, sooner than it was thought."""
        heapq.heappush(self._ripening, (row.ripe_at, row.remote_id))
        self.queue(row)

    def queue(self, row: Watched) -> None:
        """Take note of when it is due."""
        if row.queued_for == row.due:
            return
        self._number += 1
        row.queued_for = row.due
        heapq.heappush(self._heap, (row.queued_for, self._number, row.remote_id))

    def due(self, now: float) -> Iterator[Watched]:
        """Take out those that are due; each is queued again by whoever has polled it."""
        while self._heap and self._heap[0][0] <= now:
            time, _, remote_id = heapq.heappop(self._heap)
            row = self._rows.get(remote_id)
            if row is None or row.queued_for != time:
                continue
            row.queued_for = -1.0
            if row.polled:
                continue
            if row.due > now:
                self.queue(row)
            else:
                yield row

    def next_due(self) -> float | None:
        """Return when the next may be due; None if nothing is watched."""
        return self._heap[0][0] if self._heap else None

    def ripe(self, now: float) -> Collection[Watched]:
        """Return those that may have ended, the longest ripe first."""
        while self._ripening and self._ripening[0][0] <= now:
            _, remote_id = heapq.heappop(self._ripening)
            row = self._rows.get(remote_id)
            if row is not None:
                self._ripe[remote_id] = row
        return self._ripe.values()

    def next_ripe(self) -> float | None:
        """Return when the next may have ended that could not have before; None if there is none."""
        while self._ripening and self._ripening[0][1] not in self._rows:
            heapq.heappop(self._ripening)
        return self._ripening[0][0] if self._ripening else None
