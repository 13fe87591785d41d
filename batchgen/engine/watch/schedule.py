"""When to look at a submission again: what the latest jobs of its model took decides the first look."""

import random
import statistics
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from batchgen.backoff import Backoff, PollGaps
from batchgen.record import Record

_REMEMBERED = 50  # durations a model; what it took an hour ago says little about now

LONGEST_UNSEEN = 300.0  # seconds between two questions after an id that is not found
_UNSEEN_SHARE = 0.5  # of its age: what doubling has come to by then
_EARLY_SHARE = 0.5  # of the time waited: looks at 0.3, 0.6, 0.9, 1.35 and 2 seconds
_EARLY = 0.5  # of the published p75: few jobs of a model take less than half of it


class LookSchedule:
    """Learns how long a model takes, and says when to look."""

    def __init__(
        self,
        *,
        gaps: PollGaps,
        backoff: Backoff,
        usual: float,
        published: Mapping[str, float],
        chance: random.Random,
    ) -> None:
        """Start with what is published.

        Args:
            gaps: how looks follow each other.
            backoff: how long to wait after looks that failed.
            usual: seconds to the first look at a model nothing is known of.
            published: by model, the seconds that three of four jobs stay under.
            chance: where the jitter comes from.
        """
        self._published = published
        self._gaps = gaps
        self._backoff = backoff
        self._usual = usual
        self._unseen = Backoff(first=backoff.first, ceiling=LONGEST_UNSEEN)
        self._chance = chance
        self._durations: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._first: dict[str, float] = {}

    def remember(self, records: Iterable[Record]) -> None:
        """Learn from what earlier runs recorded, oldest first.

        Both dates are the service's, so that the clocks' difference does not matter; what a job
        waited there before it began is not in them, and a first look is early rather than late.
        """
        for record in records:
            if record.job is None or record.started_at is None or record.finished_at is None:
                continue
            if record.finished_at > record.started_at:
                self.took(record.job.model, record.finished_at - record.started_at)

    def took(self, model: str, seconds: float) -> None:
        """Remember how long a job was seen to take."""
        self._durations[model].append(seconds)
        self._first.pop(model, None)

    def longest(self, model: str) -> float | None:
        """Return the longest duration remembered of a model, in seconds; None if there is none."""
        return max(self._durations[model], default=None)

    def middle(self, model: str) -> float | None:
        """Return what a job of the model takes, in seconds: seen, else published; None if unknown."""
        seen = self._durations[model]
        return statistics.median(seen) if seen else self._published.get(model)

    def earliest(self, model: str) -> float:
        """Return the seconds before which hardly a job of the model ends."""
        seen = self._durations[model]
        return min(seen) if seen else self._early(model)

    def is_known(self, model: str) -> bool:
        """Return whether anything tells how long the model takes: what was seen, or what is published."""
        return bool(self._durations[model]) or model in self._published

    def early_gap(self, waited: float, *, least: float) -> float:
        """Return the seconds to the next look at the one job that tells how long its model takes.

        It is looked at from the shortest gap on, ever later by a share, until a first look would come
        that knows nothing; from then on as any other.

        Args:
            waited: seconds since it was accepted.
            least: seconds between two requests.
        """
        if waited >= self._usual:
            return self.gap(waited)
        return max(least, self._gaps.shortest, min(_EARLY_SHARE * waited, self._usual - waited))

    def first_look(self, model: str) -> float:
        """Return the seconds from acceptance to the first look at one submission alone."""
        known = self._first.get(model)
        if known is None:
            known = self._gaps.first_look(tuple(self._durations[model]), usual=self._early(model))
            self._first[model] = known
        return known

    def gap(self, waited: float) -> float:
        """Return the seconds to the next look."""
        return self._gaps.gap(waited, jitter=self._chance.random())

    def after_failure(self, failures: int, asked: float | None) -> float:
        """Return the seconds to the next look after looks that failed in a row."""
        return self._backoff.wait(failures, jitter=self._chance.random(), asked=asked)

    def after_unseen(self, times: int, waited: float) -> float:
        """Return the seconds for which an id is left alone that the service has said it does not know.

        They double each time, and are never short for one that is old: a run that takes it up again goes
        on where the last one was.

        Args:
            times: how often it has said so.
            waited: seconds since it was accepted.
        """
        gap = self._unseen.delay(times, jitter=0.0)
        return min(self._unseen.ceiling, max(gap, _UNSEEN_SHARE * waited)) * (
            1.0 - 0.2 * self._chance.random()
        )

    def _early(self, model: str) -> float:
        published = self._published.get(model)
        return self._usual if published is None else max(self._gaps.shortest, _EARLY * published)
