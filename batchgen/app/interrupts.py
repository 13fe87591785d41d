"""What Ctrl-C and SIGTERM mean: the first asks for a drain, the second leaves at once."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Counts the signals of a run and passes them on."""

    def __init__(self) -> None:
        self._listener: Callable[[int], None] | None = None
        self.received: list[signal.Signals] = []

    @property
    def exit(self) -> int | None:
        """The exit status of a run whose drain was cut short by a second signal: 128 + its number."""
        return 128 + self.received[-1] if len(self.received) > 1 else None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals for as long as the block lasts."""
        loop = asyncio.get_running_loop()
        for one in _SIGNALS:
            loop.add_signal_handler(one, self._take, one)
        try:
            yield
        finally:
            for one in _SIGNALS:
                loop.remove_signal_handler(one)

    def tell(self, listener: Callable[[int], None]) -> None:
        """Tell this one of each signal from now on, and at once of those that came before it."""
        self._listener = listener
        for number in range(len(self.received)):
            listener(number + 1)

    def _take(self, received: signal.Signals) -> None:
        self.received.append(received)
        if self._listener is not None:
            self._listener(len(self.received))
