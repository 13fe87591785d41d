"""Whether listings may be believed: what they overlooked is counted, and too much of it is the end of sweeps.

A listing is read from an index that may lag behind, and nothing says how far.
"""

from collections import deque

REMEMBERED = 20  # ends
MOST_OVERLOOKED = 2  # of those; one more, and sweeps are off
SLACK = 0.5  # seconds: an end that a sweep so soon after it did not show is not held against it
SURE_AFTER = 10  # ends that were held against listings before these are trusted


class ListingTrust:
    """Counts what sweeps overlooked."""

    def __init__(self) -> None:
        self._ends: deque[bool] = deque(maxlen=REMEMBERED)
        self._checked = 0
        self.lag = 0.0  # the longest seen, in seconds

    def __repr__(self) -> str:
        return f"<ListingTrust [{sum(self._ends)} of {len(self._ends)} overlooked, lag {self.lag:.1f} s]>"

    @property
    def lost(self) -> bool:
        """Whether sweeps are to be given up."""
        return sum(self._ends) > MOST_OVERLOOKED

    @property
    def young(self) -> bool:
        """Whether too little has been seen yet to do without checks."""
        return self._checked < SURE_AFTER

    def ended(self, *, late: float) -> None:
        """Learn of an end.

        Args:
            late: seconds from the end to the beginning of the latest sweep that did not show it;
                zero or less where every sweep was before the end.
        """
        overlooked = late > SLACK
        self._ends.append(overlooked)
        self._checked += 1
        if overlooked:
            self.lag = max(self.lag, late)
