"""The door to a journal that is in a database."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from batchgen.journal.connection import Connection, Opener
from batchgen.journal.health import Health
from batchgen.journal.postgres.batch import keep_sayings
from batchgen.journal.postgres.checks import health_of, looked_at, make_tables, set_lease
from batchgen.journal.postgres.connection import PATIENCE, PostgresConnection
from batchgen.journal.postgres.journal import PostgresJournal
from batchgen.journal.postgres.lease import Lease, take
from batchgen.journal.postgres.outage import Outage
from batchgen.journal.postgres.spool import Saying, Spool
from batchgen.journal.postgres.tables import USUAL_LEASE
from batchgen.journal.runs import RunRecords
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.store import ServerStore
from batchgen.journal.uploads import UploadRecords
from batchgen.redaction import without_password

if TYPE_CHECKING:
    from batchgen.ports import Clock

_LONG = 900.0  # seconds: for which a lease is taken that nobody renews


@dataclass(frozen=True, slots=True)
class ServerClock:
    """The clock of the database's server, as far as this machine knows it; implements ``ports.Clock``.

    Slots and stamps of many hosts go by this one: their own clocks differ.
    """

    base: "Clock"
    offset: Callable[[], float]

    def now(self) -> float:
        """Return the seconds since the epoch, UTC."""
        return self.base.now() + self.offset()


class PostgresStore(ServerStore):
    """The journals of all batches of one database."""

    def __init__(self, url: str, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        """Name the place; nothing is opened before it is asked.

        Args:
            url: of the database.
            folder: the output folder of this host, where receipts wait that the database does not take.
            wall: this machine's clock, seconds since the epoch.
        """
        self._wall = wall
        self._url = url
        self._place = without_password(url)
        self._spool = Spool(folder, self._identity)
        self._leases: dict[str, Lease] = {}
        self._server: Health | None = None
        self._outage = Outage()

    def __str__(self) -> str:
        """Name the place for people, without a password."""
        return self._place

    def exists(self) -> bool:
        """Return True: a database without a journal is refused when it is opened."""
        return True

    def clock(self, base: "Clock") -> "Clock":
        """Return the server's clock, as measured at every connection."""
        return ServerClock(base, self._offset)

    @contextmanager
    def hold(self, batch: str, *, stamp: float) -> Iterator[Lease]:  # noqa: ARG002 - the server's clock says since when
        """Lead a batch for as long as the block lasts, and what a run on this host left is heard.

        Raises:
            BatchLockedError: another run leads it; says who and since when.
            JournalError: the database does not take it.
        """
        server = self._known_server()
        seconds = server.lease or 0.0
        # asked by a thread, which has to go on asking whatever others know
        connection = self._connect(patience=min(PATIENCE, seconds / 3), by_itself=True)
        try:
            lease = take(connection, batch, seconds=seconds, told=self._measure)
        except BaseException:
            connection.close()
            raise
        self._leases[batch] = lease
        try:
            lease.begin()
            self._hear_the_spool()
            yield lease
        finally:
            del self._leases[batch]
            lease.end()

    @contextmanager
    def hold_all(self, batches: Collection[str], *, stamp: float) -> Iterator[Sequence[Lease]]:  # noqa: ARG002 - as above
        """Lead several batches over one connection, by long leases that nobody renews; see ``hold``."""
        self._hear_the_spool()
        with self._once() as connection, ExitStack() as held:
            leases = []
            for one in batches:
                lease = take(connection, one, seconds=max(_LONG, self._known_server().lease or 0.0))
                held.callback(lease.end)
                leases.append(lease)
            yield leases

    def is_held(self, batch: str) -> bool:
        """Return whether a run leads a batch, or may."""
        with self._once() as connection:
            row = connection.execute(
                "SELECT 1 FROM leases WHERE batch = ? AND NOT ended AND until > clock_timestamp()", (batch,)
            ).fetchone()
        return row is not None

    def is_being_rebuilt(self, batch: str) -> bool:
        """Return whether a rebuild of a batch has begun and not ended."""
        with self._once() as connection:
            return (
                connection.execute("SELECT 1 FROM rebuilds WHERE batch = ?", (batch,)).fetchone() is not None
            )

    @contextmanager
    def rebuilding(self, batch: str) -> Iterator[None]:
        """Mark a batch as being rebuilt until all is recorded; a rebuild that is cut off leaves the mark."""
        with self._once() as connection:
            connection.execute("INSERT INTO rebuilds (batch) VALUES (?) ON CONFLICT DO NOTHING", (batch,))
        yield
        with self._once() as connection:
            connection.execute("DELETE FROM rebuilds WHERE batch = ?", (batch,))

    def opened(self, *, checked: bool = False) -> PostgresJournal:  # noqa: ARG002 - the server looks for damage
        """Open it to write what this process holds.

        Raises:
            JournalError: the database cannot be reached, or has no journal.
        """
        self._known_server()
        return PostgresJournal(self._connect_checked, self._place, self._leases.get, self._spool)

    def read(self) -> PostgresJournal:
        """Open it to look; who leads a batch is not disturbed.

        Raises:
            JournalError: the database cannot be reached, or has no journal.
        """
        return self.opened()

    def runs(self) -> RunRecords:
        """Open what is known of the runs under way.

        Raises:
            JournalError: the database cannot be reached, or has no journal.
        """
        self._known_server()
        return RunRecords(self._connect(by_itself=True), self._place)

    def uploads(self, *, origin: str, project: str) -> UploadRecords:
        """Open what is known of uploads."""
        self._known_server()
        return UploadRecords(self._connect(), self._place, origin=origin, project=project)

    def uploads_to_read(self, *, origin: str, project: str) -> UploadRecords:
        """Open what is known of uploads."""
        return self.uploads(origin=origin, project=project)

    def prepare(self, *, lease: float | None = None) -> None:
        """Make the tables where they are not there yet; see ``ServerStore``."""
        with self._bare() as connection:
            made = make_tables(connection, self._place, lease=lease or USUAL_LEASE)
            if not made and lease is not None:
                set_lease(connection, self._place, lease)

    def health(self) -> Health:
        """Return what the server says of itself; see ``ServerStore``."""
        with self._bare() as connection:
            return health_of(connection, self._place, wall=self._wall)

    @property
    def _existing(self) -> Opener:
        return self._opened_to

    @contextmanager
    def _opened_to(self, how: str, /) -> Iterator[Connection | None]:  # noqa: ARG002 - one connection does both
        with explained(self._place), self._once() as connection:
            yield connection

    @contextmanager
    def _bare(self) -> Iterator[PostgresConnection]:
        """Give a connection behind which nothing has to be there yet."""
        connection = PostgresConnection(self._url, place=self._place)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _once(self) -> Iterator[PostgresConnection]:
        """Give a connection for a statement or two."""
        self._known_server()
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    def _connect(self, *, patience: float = PATIENCE, by_itself: bool = False) -> PostgresConnection:
        return PostgresConnection(
            self._url,
            place=self._place,
            patience=patience,
            opened=self._check,
            outage=Outage() if by_itself else self._outage,
            declares=not by_itself,
        )

    def _connect_checked(self, also: Callable[[PostgresConnection], None]) -> PostgresConnection:
        def opened(connection: PostgresConnection) -> None:
            self._check(connection)
            also(connection)

        return PostgresConnection(self._url, place=self._place, opened=opened, outage=self._outage)

    def _check(self, connection: PostgresConnection) -> None:
        """Look at the server behind a new connection, for it may be another one than before."""
        self._server = looked_at(connection, self._place, wall=self._wall)

    def _known_server(self) -> Health:
        if self._server is None:
            connection = self._connect()
            try:
                connection.execute("SELECT 1")
            finally:
                connection.close()
        assert self._server is not None
        return self._server

    def _identity(self) -> str:
        return self._known_server().identity

    def _offset(self) -> float:
        return self._known_server().offset

    def _measure(self, now: float) -> None:
        """Take over what the server's clock shows at this moment."""
        if self._server is not None:
            self._server = replace(self._server, offset=now - self._wall())

    def _hear_the_spool(self) -> None:
        """Give the database what an earlier run on this host could not.

        Raises:
            JournalError: it does not take it: it stays where it is.
        """

        def hear(said: Sequence[Saying]) -> None:
            with self._once() as connection:
                connection.tried(lambda wire: keep_sayings(wire, said))

        self._spool.replay(hear)
