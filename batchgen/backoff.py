"""How long to wait: pure arithmetic on attempts and elapsed time.

Nothing here sleeps or draws a random number. Jitter is a number in [0, 1) that the
caller draws, so every test of this module is one line.
"""

from dataclasses import dataclass

_LARGEST_EXPONENT = 62  # 2.0**1024 raises OverflowError, and a poller reaches four-digit counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """Delays that double from ``first`` to ``ceiling``, both in seconds."""

    first: float = 0.5
    ceiling: float = 30.0

    def delay(self, failures: int, *, jitter: float) -> float:
        """Return the wait after the ``failures``-th failure in a row (counted from 1), in seconds.

        The jitter takes up to half away, so that clients that failed together do not return together.
        """
        exponent = min(max(failures, 1) - 1, _LARGEST_EXPONENT)
        return min(self.ceiling, self.first * 2.0**exponent) * (1.0 - 0.5 * jitter)

    def wait(self, failures: int, *, jitter: float, asked: float | None) -> float:
        """Return the wait after a failure for which the service may have asked for a pause.

        What the service asks for is never cut short; the jitter goes on top, so that those
        who were told the same second do not all return in it.
        """
        own = self.delay(failures, jitter=jitter)
        return own if asked is None else max(0.0, asked) + min(own, 1.0) * jitter


@dataclass(frozen=True, kw_only=True, slots=True)
class PollGaps:
    """When to look again at a submission that was still running.

    The numbers are where polls alone cost the least for what they find late: jobs of 2.1 to
    4.5 s are found with 2.4 polls each, a tenth of their duration late.

    Attributes:
        share: of the time waited so far, as the next gap: a look is at most this much too late.
        shortest, longest: bounds of a gap in seconds.
        quantile: of what such jobs took lately, as the first look.
        stretch: the first look is at most so many times the shortest of them.
    """

    share: float = 0.19
    shortest: float = 0.3
    longest: float = 60.0
    quantile: float = 0.3
    stretch: float = 1.35

    def gap(self, waited: float, *, jitter: float) -> float:
        """Return the seconds to the next look after ``waited`` seconds; the jitter moves it by a tenth."""
        return min(self.longest, max(self.shortest, self.share * waited)) * (0.9 + 0.2 * jitter)

    def first_look(self, durations: tuple[float, ...], *, usual: float) -> float:
        """Return the seconds to the first look: a low quantile of what such jobs took lately.

        Args:
            durations: seconds from acceptance to end of the latest jobs of the same model.
            usual: the first look where nothing is known yet, in seconds.
        """
        if not durations:
            return usual
        ordered = sorted(durations)
        early = min(ordered[int(len(ordered) * self.quantile)], self.stretch * ordered[0])
        return max(self.shortest, early)
