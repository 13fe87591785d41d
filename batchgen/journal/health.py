"""What is known of a journal on PostgreSQL as a place: whether it can be relied on, and who leads what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OLDEST = 130000  # as ``server_version_num`` has it: what is older is not mended any more
READ_COMMITTED = "read committed"
MOST_OFFSET = 2.0  # seconds between two clocks that are worth a word: every stamp is by the server's
MOST_ROUND_TRIP = 0.02  # seconds that are worth one: a run stands still for so long twice a job


@dataclass(frozen=True, kw_only=True, slots=True)
class Leader:
    """Who leads a batch, or was the last to do so.

    Attributes:
        batch: its name.
        holder: who it is, in words.
        epoch: how often the lease was taken.
        left: seconds until it ends by the server's clock; 0 where it has ended.
        stands_by: whether another run waits for it.
    """

    batch: str
    holder: str
    epoch: int
    left: float
    stands_by: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What a server says of itself.

    Attributes:
        place: its address without a password.
        server: its version, in its own words.
        tables: the version of the journal's tables; None where there are none.
        known: the version that this program knows.
        number: its version as a number, ``server_version_num``.
        fsync, full_page_writes, synchronous_commit: its settings of these names, for our sessions.
        encoding: of the database.
        isolation: of a transaction that does not ask for another one.
        read_only: whether it takes no writes: a standby, or one that was told so.
        offset: seconds by which its clock is ahead of this machine's.
        round_trip: seconds that one question takes, the middle of several.
        lease: seconds that a lease lasts; None without tables.
        identity: of the journal, whatever address leads to it; empty where there is none.
        leaders: who leads which batch.
    """

    place: str
    server: str
    tables: str | None
    known: str
    number: int = OLDEST
    fsync: str
    full_page_writes: str = "on"
    synchronous_commit: str
    encoding: str = "UTF8"
    isolation: str = READ_COMMITTED
    read_only: bool
    offset: float
    round_trip: float
    lease: float | None
    identity: str = ""
    leaders: Sequence[Leader] = ()

    def problems(self) -> Iterator[str]:
        """Return why nothing may be bought with it, a sentence each, with what helps."""
        if self.tables is None:
            yield f"there are no tables of a journal: batchgen journal init --journal {self.place}"
        elif self.tables != self.known:
            yield (
                f"its tables are of version {self.tables}, and this program knows {self.known}: {self._mend}"
            )
        yield from self.problems_of_server()

    def problems_of_server(self) -> Iterator[str]:
        """Return why no journal may be in it, with or without tables."""
        if self.number < OLDEST:
            yield f"PostgreSQL {self.server} is too old: {OLDEST // 10000} or newer is needed"
        if self.fsync != "on":
            yield "fsync is off: a power cut there takes what was paid for out of the journal. Turn it on"
        if self.full_page_writes != "on":
            yield "full_page_writes is off: a power cut there may damage it. Turn it on"
        if self.synchronous_commit not in {"on", "remote_apply"}:
            yield (
                f"synchronous_commit is {self.synchronous_commit}: a commit is answered before it is on the "
                "disk. Set it on"
            )
        if self.read_only:
            yield "it takes no writes: it is a standby, or read-only. Name the primary"
        if self.encoding != "UTF8":
            yield f"the database is in {self.encoding}: make one in UTF8"
        if self.isolation != READ_COMMITTED:  # a cap would be held against what was there before its lock
            yield (
                f"default_transaction_isolation is {self.isolation}: it must be {READ_COMMITTED}, for the "
                "server or for this user"
            )

    @property
    def _mend(self) -> str:
        """What helps where the tables are of another version."""
        if _numbers(self.tables or "") > _numbers(self.known):
            return "update it"
        return (
            "they were made by an older one. Make a new database (batchgen journal init), and copy this one "
            "into it with the version that made it (batchgen journal copy)"
        )

    def warnings(self) -> Iterator[str]:
        """Return what is worth a word and stops nothing."""
        if abs(self.offset) > MOST_OFFSET:
            side = "ahead of" if self.offset > 0 else "behind"
            yield (
                f"its clock is {abs(self.offset):.1f} s {side} this machine's: all times are by its clock. "
                "Let both be set by NTP"
            )
        if self.round_trip > MOST_ROUND_TRIP:
            took = f"{self.round_trip * 1000:.0f} ms"
            yield f"a question takes {took}: a run stands still for so long twice a job"


def _numbers(version: str) -> list[int]:
    return [int(one) for one in version.split(".") if one.isdecimal()]
