"""What Ctrl-C and SIGTERM mean: the first asks for a drain, the second leaves at once.

A drain can be ordered from elsewhere too; a signal after that is a first one still.
"""

from collections.abc import Callable

ORDERED = 0  # what a listener is told of a drain without a signal


class Interrupts:
    """Counts the signals of a run and passes them on."""

    def __init__(self) -> None:
        self._listener: Callable[[int], None] | None = None
        self._ordered = False
        self.received: list[int] = []

    @property
    def draining(self) -> bool:
        """Whether no more is to be submitted, by a signal or by an order."""
        return self._ordered or bool(self.received)

    @property
    def exit(self) -> int | None:
        """The exit status of a run whose drain was cut short by a second signal: 128 + its number."""
        return 128 + self.received[-1] if len(self.received) > 1 else None

    def tell(self, listener: Callable[[int], None]) -> None:
        """Tell this one of each signal from now on, and at once of what came before it.

        Args:
            listener: takes the number of the signal, from 1; ``ORDERED`` for a drain without one.
        """
        self._listener = listener
        if self._ordered:
            listener(ORDERED)
        for number in range(len(self.received)):
            listener(number + 1)

    def drain(self) -> None:
        """Ask for a drain as the first signal does, unless one is under way."""
        if self.draining:
            return
        self._ordered = True
        if self._listener is not None:
            self._listener(ORDERED)

    def take(self, received: int) -> None:
        """Count a signal, and pass it on."""
        self.received.append(received)
        if self._listener is not None:
            self._listener(len(self.received))
