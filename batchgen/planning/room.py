"""Whether there is room for one more job at the service, where several batches share what it takes at once.

Pure. The journal asks it in the transaction of an intent, and the engine before that. PostgreSQL decides the
same in a function of its own; tests hold the two against each other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

WAITS_FOR = 8.0  # seconds after which a batch that says no more that it waits is passed over
MAY_RUN_FOR = 1800.0  # seconds for which a job counts that no run watches: so long one run watches at least


class Taken(NamedTuple):
    """Jobs of another batch that run or may run.

    Attributes:
        batch: its name.
        model: the service's id.
        jobs: how many.
    """

    batch: str
    model: str
    jobs: int


class Waiting(NamedTuple):
    """Another batch that waits for room.

    Attributes:
        batch: its name.
        model: of a job that waits.
        since: when it bought last, or began to wait; seconds since the epoch.
    """

    batch: str
    model: str
    since: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """What the other batches of an account have and want.

    Attributes:
        taken: what they have in flight.
        waiting: which of them wait for room.
        since: since when our own batch waits, as others see it; None where it does not.
    """

    taken: Sequence[Taken] = ()
    waiting: Sequence[Waiting] = ()
    since: float | None = None

    def count(self, limit: "Limit") -> int:
        """Return how many of their jobs count against a limit."""
        return sum(one.jobs for one in self.taken if limit.counts(one.model))


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """What the service lets run at once, of some models.

    Attributes:
        most: jobs of all batches of the account together.
        models: whose jobs count.
        but: whether all others count instead.
        mine: how many of them our own batch has in flight, without the job in question.
    """

    most: int
    models: frozenset[str] = frozenset()
    but: bool = True
    mine: int = 0

    def counts(self, model: str) -> bool:
        """Return whether jobs of a model count."""
        return (model in self.models) is not self.but

    def has_room(self, elsewhere: Elsewhere) -> bool:
        """Return whether one more job may be bought.

        While others wait nobody goes beyond its share, rounded up, nor beyond the share rounded down before
        all of them have so much. Where not each of them can have one, who bought last waits for the others.
        """
        theirs: Counter[str] = Counter()
        for one in elsewhere.taken:
            if self.counts(one.model):
                theirs[one.batch] += one.jobs
        free = self.most - self.mine - theirs.total()
        waiting = [one for one in elsewhere.waiting if self.counts(one.model)]
        if free <= 0 or not waiting:
            return free > 0
        among = 1 + len(waiting)
        if self.mine >= -(-self.most // among):
            return False
        least = max(1, self.most // among)
        before = sum(
            theirs[one.batch] < least
            and (self.mine >= least or elsewhere.since is None or one.since < elsewhere.since)
            for one in waiting
        )
        return free > before


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What an intent takes of the room at the service, and by which limits.

    Attributes:
        limits: that its job counts against, as far as they are known.
        learned_at: of the latest of what is kept of limits, seconds since the epoch; 0 for none. Where
            another run has learned more since then, the limits are not those any more.
    """

    limits: Sequence[Limit] = ()
    learned_at: float = 0.0

    def has_room(self, elsewhere: Elsewhere) -> bool:
        """Return whether one more job may be bought."""
        return all(one.has_room(elsewhere) for one in self.limits)
