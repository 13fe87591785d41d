"""What Ctrl-C and SIGTERM mean: the first asks for a drain, the second leaves at once.

A drain can be ordered from elsewhere too, or come because the time of the run is over; a signal after that
is a first one still.
"""

from collections.abc import Callable

ORDERED = 0  # what a listener is told of a drain without a signal
OUT_OF_TIME = -1  # the same, of one that came because the run has had its time


class Interrupts:
    """Counts the signals of a run and passes them on.

    Attributes:
        received: the signals, by their numbers.
        is_late: whether a drain has had all of its time: whoever asked for it may kill the run any moment.
    """

    def __init__(self) -> None:
        self._listener: Callable[[int], None] | None = None
        self._ordered = False
        self._out_of_time = False
        self.received: list[int] = []
        self.is_late = False

    @property
    def draining(self) -> bool:
        """Whether no more is to be submitted, by a signal, by an order or by the clock."""
        return self._ordered or self._out_of_time or bool(self.received)

    @property
    def out_of_time(self) -> bool:
        """Whether it was the clock that asked first: what is left is left for want of time."""
        return self._out_of_time and not self._ordered

    @property
    def exit(self) -> int | None:
        """The exit status of a run whose drain was cut short by a second signal: 128 + its number."""
        return 128 + self.received[-1] if len(self.received) > 1 else None

    def tell(self, listener: Callable[[int], None]) -> None:
        """Tell this one of each signal from now on, and at once of what came before it.

        Args:
            listener: takes the number of the signal, from 1; of a drain without one ``ORDERED`` or
                ``OUT_OF_TIME``.
        """
        self._listener = listener
        if self._ordered:
            listener(ORDERED)
        if self._out_of_time:
            listener(OUT_OF_TIME)
        for number in range(len(self.received)):
            listener(number + 1)

    def drain(self) -> None:
        """Ask for a drain as the first signal does, unless one is under way."""
        if self.draining:
            return
        self._ordered = True
        if self._listener is not None:
            self._listener(ORDERED)

    def run_out(self) -> None:
        """Ask for a drain because the run has had its time; one that was ordered is bounded from now on."""
        if self.received or self._out_of_time:
            return
        self._out_of_time = True
        if self._listener is not None:
            self._listener(OUT_OF_TIME)

    def take(self, received: int) -> None:
        """Count a signal, and pass it on."""
        self.received.append(received)
        if self._listener is not None:
            self._listener(len(self.received))
