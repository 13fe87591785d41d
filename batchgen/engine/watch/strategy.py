"""How to look: which way is the cheapest that is early enough, and how long to wait between sweeps.

Pure: what was seen comes in as numbers. A sweep is one listing that shows many submissions; a
poll asks for one.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto

ROWS_A_PAGE = 100  # the most the service gives

MOST_CREATED_PAGES = 2
MOST_UPDATED_PAGES = 5  # read one after another: more of them would be older than polls are

_POLLS_SAVED = 0.375  # polls that one sweep spares a submission that is due: its gap over theirs


class LookStrategy(Enum):
    """How to find out which submissions have ended."""

    POLL = auto()
    CREATED = auto()
    UPDATED = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchState:
    """What is known before the next look.

    Attributes:
        watched: submissions that run.
        ripe: those of them that may have ended.
        created: rows that a listing by date of creation is expected to show.
        updated: rows that the latest listing by date of update had to show; None if there was none lately.
        sweeping: whether the latest look was a sweep.
    """

    watched: int
    ripe: int
    created: int
    updated: int | None
    sweeping: bool = False


def choose(sight: WatchState) -> LookStrategy:
    """Return how to look next.

    A sweep of one page costs what a poll costs and shows everything. More pages must spare more
    polls than they are. One submission alone is polled, unless it is the last of many.
    """
    if sight.watched < 1 + (not sight.sweeping):
        return LookStrategy.POLL
    worth = max(1.0, _POLLS_SAVED * sight.ripe)
    if _pages(sight.created) <= min(MOST_CREATED_PAGES, worth):
        return LookStrategy.CREATED
    if _pages(sight.updated or 0) <= min(MOST_UPDATED_PAGES, worth):
        return LookStrategy.UPDATED
    return LookStrategy.POLL


def _pages(rows: int) -> int:
    return max(1, math.ceil(rows / ROWS_A_PAGE))


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepGaps:
    """How long between the beginnings of two sweeps, in seconds.

    What is found late leaves a slot empty for half a gap on average, so that the gap is a small
    share of what a job takes. Beyond ``longest`` there is nothing to save: a look every few
    seconds is little of any rate.

    Attributes:
        share: of what a job takes.
        paced_share: the same where a rate is set: what submits leave of it is there to be used.
        shortest, longest: bounds.
        turns: of the rate, at least.
        pressed_turns: of the rate, at least, where submits wait for it: a slot is free already then.
    """

    share: float = 0.085
    paced_share: float = 0.03
    shortest: float = 0.1
    longest: float = 5.0
    turns: int = 2
    pressed_turns: int = 10

    def gap(self, duration: float, *, interval: float = 0.0, pressed: bool = False) -> float:
        """Return the seconds from the beginning of one sweep to the next.

        Args:
            duration: what the quickest of the models in flight takes, in seconds.
            interval: between two requests, as the rate has it; 0.0 where there is none.
            pressed: whether submits wait for the rate.
        """
        if not interval:
            return min(self.longest, max(self.shortest, self.share * duration))
        own = min(self.longest, max(self.shortest, self.paced_share * duration))
        return max(own, interval * (self.pressed_turns if pressed else self.turns))
