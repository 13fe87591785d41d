"""When to look at a submission again: what the latest jobs of its model took decides the first look."""

import random
from collections import defaultdict, deque
from collections.abc import Mapping

from batchgen.backoff import Backoff, PollGaps

_REMEMBERED = 50  # durations a model; what it took an hour ago says little about now

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
        self._chance = chance
        self._durations: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def took(self, model: str, seconds: float) -> None:
        """Remember how long a job was seen to take."""
        self._durations[model].append(seconds)

    def longest(self, model: str) -> float | None:
        """Give the longest duration remembered of a model, in seconds; None if there is none."""
        return max(self._durations[model], default=None)

    def first_look(self, model: str) -> float:
        """Give the seconds from acceptance to the first look."""
        published = self._published.get(model)
        usual = self._usual if published is None else max(self._gaps.shortest, _EARLY * published)
        return self._gaps.first_look(tuple(self._durations[model]), usual=usual)

    def gap(self, waited: float) -> float:
        """Give the seconds to the next look."""
        return self._gaps.gap(waited, jitter=self._chance.random())

    def after_failure(self, failures: int, asked: float | None) -> float:
        """Give the seconds to the next look after looks that failed in a row."""
        return self._backoff.wait(failures, jitter=self._chance.random(), asked=asked)
