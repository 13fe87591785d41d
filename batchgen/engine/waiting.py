"""The jobs that wait to be submitted, in the order in which they leave: one queue a model.

A model whose slots are all taken keeps nobody else waiting. What another job's output goes into leaves before
what begins a chain: chains end early, and what is wrong with a later step is seen after one job of it.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import merge
from typing import NamedTuple

from batchgen.identity import references_of
from batchgen.model import JobKey
from batchgen.planning.plan import Entry


class _Queue(NamedTuple):
    """The name of one queue.

    Attributes:
        begins: whether its jobs begin chains, or are of none: these come behind.
    """

    begins: bool
    model: str


class Waiting:
    """A queue that skips models without room."""

    def __init__(self) -> None:
        self._queues: dict[_Queue, deque[tuple[int, Entry]]] = {}
        self._first = self._last = 0
        self._count = 0
        self._preferred: set[JobKey] = set()

    def __len__(self) -> int:
        """Count them."""
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        """Go through them in their order."""
        for begins in (False, True):
            queues = (queue for name, queue in self._queues.items() if name.begins is begins)
            yield from (entry for _, entry in merge(*queues, key=lambda one: one[0]))

    def append(self, entry: Entry) -> None:
        """Put one at the end."""
        self._last += 1
        self._queue(entry).append((self._last, entry))

    def appendleft(self, entry: Entry) -> None:
        """Put one at the beginning."""
        self._first -= 1
        self._queue(entry).appendleft((self._first, entry))

    def extend(self, entries: Iterable[Entry]) -> None:
        """Put some at the end."""
        for entry in entries:
            self.append(entry)

    def replace(self, entries: Iterable[Entry]) -> None:
        """Let these wait in their order, and nobody else."""
        self._queues.clear()
        self._count = 0
        self.extend(entries)

    def return_all(self, entries: Iterable[Entry]) -> None:
        """Put some at the beginning, in their order."""
        for entry in reversed(list(entries)):
            self.appendleft(entry)

    @property
    def models(self) -> Iterable[str]:
        """The models of those that wait."""
        return [name.model for name in self._queues]

    @property
    def models_of_steps(self) -> Iterable[str]:
        """The models of those that go on with chains that have begun."""
        return [name.model for name in self._queues if not name.begins]

    def first(self, may: Callable[[str], bool], *, steps_only: bool = False) -> Entry | None:
        """Return the first of those whose model may; None if there is none.

        Args:
            may: says of a model whether there is room for one more of it.
            steps_only: leave out what begins a chain, or is of none.
        """
        names = (name for name in self._queues if not (steps_only and name.begins))
        heads = ((name.begins, self._queues[name][0][0], name) for name in names)
        found = min((one for one in heads if may(one[2].model)), default=None)
        return None if found is None else self._queues[found[2]][0][1]

    def goes_on(self, entry: Entry) -> bool:
        """Return whether a job goes on with a chain that has begun."""
        return entry.key in self._preferred or bool(references_of(entry.job))

    def prefer(self, keys: Collection[JobKey]) -> None:
        """Let some leave with those that go on with chains that have begun: later steps need them."""
        if self._preferred.issuperset(keys):
            return
        moved = [one for one in self if one.key in keys and not self.goes_on(one)]
        for name in {self._name(one) for one in moved}:
            left = deque(one for one in self._queues.pop(name) if one[1].key not in keys)
            if left:
                self._queues[name] = left
        self._count -= len(moved)
        self._preferred.update(keys)
        self.extend(moved)

    def remove(self, entry: Entry) -> None:
        """Take out what ``first`` gave."""
        name = self._name(entry)
        queue = self._queues[name]
        assert queue[0][1] is entry
        queue.popleft()
        self._count -= 1
        if not queue:
            del self._queues[name]

    def drop(self, model: str) -> None:
        """Let those of a model wait no longer."""
        for name in [one for one in self._queues if one.model == model]:
            self._count -= len(self._queues.pop(name))

    def _queue(self, entry: Entry) -> deque[tuple[int, Entry]]:
        self._count += 1
        return self._queues.setdefault(self._name(entry), deque())

    def _name(self, entry: Entry) -> _Queue:
        return _Queue(not self.goes_on(entry), entry.job.model)
