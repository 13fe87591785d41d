"""What is known of a journal on a server as a place: how well it answers, and who leads what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_OFFSET = 2.0  # seconds between two clocks that are worth a word: every stamp is by the server's
MOST_ROUND_TRIP = 0.02  # seconds that are worth one: a run stands still for so long twice a job


@dataclass(frozen=True, kw_only=True, slots=True)
class Leader:
    """Who leads a batch, or was the last to do so.

    Attributes:
        batch: its name.
        holder: who it is, in words.
        epoch: the number of the lease.
        left: seconds until it ends by the server's clock; 0 where it has ended.
    """

    batch: str
    holder: str
    epoch: int
    left: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What a server says of itself that can be relied on: of any other there is an error instead.

    Attributes:
        place: its address without a password.
        server: its version.
        tables: the version of the journal's tables.
        synchronous_commit: when a commit is answered, in its own word.
        offset: seconds by which its clock is ahead of this machine's.
        round_trip: seconds that one question takes, the middle of several.
        lease: seconds that a lease lasts.
        leaders: who leads which batch.
    """

    place: str
    server: str
    tables: int
    synchronous_commit: str
    offset: float
    round_trip: float
    lease: float
    leaders: Sequence[Leader]

    def warnings(self) -> Iterator[str]:
        """Return what is worth a word and stops nothing, a sentence each."""
        if abs(self.offset) > MOST_OFFSET:
            side = "ahead of" if self.offset > 0 else "behind"
            yield (
                f"its clock is {abs(self.offset):.1f} s {side} this machine's: all times are by its clock. "
                "Let both be set by NTP"
            )
        if self.round_trip > MOST_ROUND_TRIP:
            took = f"{self.round_trip * 1000:.0f} ms"
            yield f"a question takes {took}: a run stands still for so long twice a job"
