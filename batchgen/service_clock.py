"""How far the service's clock is from ours, by the ``Date`` of its answers.

Our clock may be wrong when a machine boots, and be set while a run goes on; so the difference
is measured with every answer, and an intent keeps the one of its moment.
"""

from batchgen.ports import Clock

_QUICK = 5.0  # seconds: when a slower answer was dated is not known well enough
_RESOLUTION = 2.0  # seconds: a ``Date`` header is in whole ones, and takes a moment to travel


class ServiceClock:
    """Measures the difference; whoever speaks with the service tells it what answers say.

    Attributes:
        skew: seconds by which the service's clock is ahead of ours; None as long as none was measured.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.skew: float | None = None

    def now(self) -> float:
        """Return our own clock, seconds since the epoch."""
        return self._clock.now()

    def answered(self, served_at: float | None, *, asked_at: float) -> None:
        """Learn from an answer that has just arrived.

        Args:
            served_at: the service's clock, in whole seconds; None where it does not say.
            asked_at: ours when the request left.
        """
        if served_at is not None and self._clock.now() - asked_at <= _QUICK:
            self.skew = skew_of(served_at, asked_at, self._clock.now())


def skew_of(served_at: float, asked_at: float, answered_at: float) -> float:
    """Return the seconds by which the service's clock is ahead of ours.

    What is below the resolution of a ``Date`` header counts as none.
    """
    skew = served_at + 0.5 - (asked_at + answered_at) / 2
    return skew if abs(skew) > max(_RESOLUTION, answered_at - asked_at) else 0.0
