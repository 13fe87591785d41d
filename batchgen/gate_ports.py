"""The one way out to the API, and what shares it: the part of ports about that."""

from enum import StrEnum
from typing import Protocol

from batchgen.model import Rate


class Lane(StrEnum):
    """What a request is for; the gate shares the rate out by it."""

    SUBMIT = "submit"
    WATCH = "watch"
    ASSETS = "assets"


class Gate(Protocol):
    """The one way out to the API: every request takes its turn here."""

    async def turn(self, lane: Lane) -> None:
        """Return when the request may start."""
        ...

    def pause(self, lane: Lane, seconds: float) -> None:
        """Let nobody of this lane through for so long."""
        ...

    def is_paused(self, lane: Lane) -> bool:
        """Return whether nobody of this lane is let through at the moment."""
        ...


class PacedGate(Gate, Protocol):
    """A gate that says how fast it is, and can be made faster or slower."""

    def set_rate(self, rate: Rate | None) -> None:
        """Change the pace while requests wait; None lets every request through at once."""
        ...

    @property
    def interval(self) -> float:
        """Seconds from one request to the next; 0.0 where there is no limit."""
        ...
