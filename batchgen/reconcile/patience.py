"""For how long a run has looked for one job in doubt. Pure.

Patience is time under observation: while no listing can be had, nothing is observed, and a listing
that takes minutes to fail proves no more than one that fails at once.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Patience:
    """Counts the looks for one job; times are the loop's clock, in seconds.

    Attributes:
        watched: for how long listings could be read to their ends.
        blind: for how long, until now, none could.
    """

    watched: float = 0.0
    blind: float = 0.0
    _looked: float | None = None
    _seen: float | None = None

    def look(self, begun: float, *, complete: bool, longest: float) -> None:
        """Count a look.

        Args:
            begun: when its listing was begun.
            complete: whether that was read to its end.
            longest: what a look stands for at most, since the one before it.
        """
        since = begun if self._looked is None else self._looked
        if complete:
            self.watched += min(begun - since, longest)
        seen = begun if complete or self._seen is None else self._seen
        self.blind = begun - seen
        self._looked, self._seen = begun, seen
