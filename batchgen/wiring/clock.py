"""The wall clock behind ``ports.Clock``."""

import time


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        """Return the seconds since the epoch, UTC."""
        return time.time()
