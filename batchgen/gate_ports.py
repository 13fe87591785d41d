"""The one way out to the API, and what shares it: the part of ports about that."""

from enum import StrEnum
from typing import NamedTuple, Protocol

from batchgen.model import Rate


class Lane(StrEnum):
    """What a request is for; the gate shares the rate out by it."""

    SUBMIT = "submit"
    WATCH = "watch"
    ASSETS = "assets"


class Gate(Protocol):
    """The one way out to the API: every request takes its turn here."""

    async def turn(self, lane: Lane) -> None:
        """Return when the request may start.

        Raises:
            JournalError: the turns that runs of an account share cannot be had.
        """
        ...

    def pause(self, lane: Lane, seconds: float) -> None:
        """Let nobody of this lane through for so long."""
        ...

    def hold(self, seconds: float) -> None:
        """Let nobody submit for so long, in no run of the account: the service has asked for that."""
        ...

    def is_paused(self, lane: Lane) -> bool:
        """Return whether nobody of this lane is let through at the moment."""
        ...


class PacedGate(Gate, Protocol):
    """A gate that says how fast it is, and can be made faster or slower."""

    def set_rate(self, rate: Rate | None) -> None:
        """Change the pace while requests wait; None lets every request through at once."""
        ...

    def share(self, pace: "Pace") -> None:
        """Take turns from here from now on, beside the other runs of the account."""
        ...

    @property
    def interval(self) -> float:
        """Seconds from one request to the next, as other runs leave it; 0.0 where there is no limit."""
        ...


class Turn(NamedTuple):
    """A turn of an account, and what is known of that.

    Attributes:
        wait: seconds until it comes; where it was not taken, until it is to be asked for again.
        held: seconds for which nobody of the account may submit; 0.0 or less where anybody may.
        taken: whether it is this run's now.
    """

    wait: float
    held: float
    taken: bool


class Pace(Protocol):
    """The turns of an account, which all of its runs take one after the other. No method waits for anything.

    Two turns are as far apart as the quickest run has it; each run keeps its own rate by itself. Whoever asks
    first has the first; a turn that is not used when it comes is lost.
    """

    def turn(self, interval: float, *, submit: bool) -> Turn | None:
        """Take the next turn that is free, unless it is far ahead.

        Args:
            interval: seconds from one request to the next, as this run has it.
            submit: whether only submits wait for it: while nobody may submit, none is taken then.

        Returns:
            The turn; None where nothing is known at this moment, and it is to be asked again soon.

        Raises:
            JournalError: none can be had at all.
        """
        ...

    def held(self) -> float:
        """Return the seconds for which nobody may submit, as far as it is known; 0.0 where anybody may."""
        ...

    def hold(self, seconds: float) -> None:
        """Let nobody of the account submit for so long; never shortens what was said before."""
        ...


class OwnPace:
    """The pace of a process that shares its rate with nobody: each turn is now, for it is alone."""

    _NOW = Turn(0.0, 0.0, taken=True)

    def turn(self, interval: float, *, submit: bool) -> Turn:  # noqa: ARG002 - of the port
        """Return that it is now; see ``Pace``."""
        return self._NOW

    def held(self) -> float:
        """Return that anybody may submit: who is alone has its own pauses; see ``Pace``."""
        return 0.0

    def hold(self, seconds: float) -> None:
        """Do nothing: there is nobody else; see ``Pace``."""
