"""What has to be true of a database before anything is bought under a journal in it."""

import time
from dataclasses import dataclass

from batchgen.errors import WrongJournalError
from batchgen.journal import schema
from batchgen.journal.postgres import tables
from batchgen.journal.postgres.connection import PostgresConnection

_APPLICATION = "batchgen"
_OLDEST = 130000  # as ``server_version_num`` has it: what is older gets no mending any more
_NOT_DURABLE = frozenset(
    {"off", "local"}
)  # ``local`` does not wait for a standby that is meant to be waited for


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """What a server says of itself.

    Attributes:
        version: of PostgreSQL, as people write it.
        lease: how long leases last, seconds; None where there are no tables of ours.
        offset: seconds by which its clock is ahead of this machine's.
        round_trip: seconds for one question and its answer.
        commits: when a commit is answered, in its own word (``synchronous_commit``).
    """

    version: str
    lease: float | None
    offset: float
    round_trip: float
    commits: str


def looked_at(connection: PostgresConnection, place: str) -> Server:
    """Ask a server what it is, and refuse one that would lose what it says it has kept.

    Args:
        connection: to it.
        place: of the journal, for people.

    Raises:
        WrongJournalError: it does not keep what it commits, cannot be written, is too old, or its tables
            are of another version.
    """
    asked, began = time.time(), time.perf_counter()
    row = connection.execute(
        "SELECT extract(epoch FROM clock_timestamp())::double precision, current_setting('fsync'), "
        "current_setting('synchronous_commit'), pg_is_in_recovery(), "
        "current_setting('server_version_num')::int, "
        "current_setting('server_version'), current_setting('server_encoding'), "
        "to_regclass('settings') IS NOT NULL, current_setting('full_page_writes')"
    ).fetchone()
    took = time.perf_counter() - began
    now, fsync, commits, standby, number, version, encoding, has_tables, whole_pages = row
    if number < _OLDEST:
        raise WrongJournalError(f"{place}: PostgreSQL {version} is too old; 13 or newer is needed")
    if standby:
        raise WrongJournalError(
            f"{place}: is a standby, which cannot be written; give the address of the primary"
        )
    if fsync == "off" or whole_pages == "off":
        what = "fsync" if fsync == "off" else "full_page_writes"
        raise WrongJournalError(
            f"{place}: the server does not keep what it commits ({what} is off): what was paid for would "
            "be lost with its power. Set it on, and start the server again"
        )
    if commits in _NOT_DURABLE:
        raise WrongJournalError(
            f"{place}: a commit is answered before it is on the disk (synchronous_commit is {commits}): "
            "set it on, for the server or for this user (ALTER ROLE ... SET synchronous_commit = on)"
        )
    if encoding != "UTF8":
        raise WrongJournalError(f"{place}: the database is in {encoding}; make one in UTF8")
    lease = _lease(connection, place) if has_tables else None
    return Server(
        version=version.split()[0],
        lease=lease,
        offset=now - (asked + took / 2),
        round_trip=took,
        commits=commits,
    )


def make_tables(connection: PostgresConnection, place: str, *, lease: float) -> bool:
    """Make the tables in a database that has none; return False where they were there.

    Args:
        connection: to it.
        place: of the journal, for people.
        lease: how long leases last, seconds.

    Raises:
        WrongJournalError: the server will not do, the user may not make tables, or others have these names.
    """
    if looked_at(connection, place).lease is not None:
        return False
    with connection.written(durable=True):
        # of two that come at once the second finds what the first has made
        connection.execute("SELECT pg_advisory_xact_lock(1650943342)")
        (there,) = connection.execute("SELECT to_regclass('settings') IS NOT NULL").fetchone()
        if there:
            return False
        for statement in tables.statements():
            connection.execute_script(statement)
        connection.execute(
            "INSERT INTO settings (application, version, journal_version, lease) VALUES (?, ?, ?, ?)",
            (_APPLICATION, tables.VERSION, schema.VERSION, lease),
        )
    return True


def _lease(connection: PostgresConnection, place: str) -> float:
    other = WrongJournalError(
        f"{place}: has a table named settings of another program; give batchgen a database of its own"
    )
    (ours,) = connection.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_name = 'settings' AND table_schema = "
        "ANY (current_schemas(false)) AND column_name IN ('application', 'journal_version', 'lease')"
    ).fetchone()
    if ours != 3:  # noqa: PLR2004 - the three that are named
        raise other
    row = connection.execute("SELECT application, version, journal_version, lease FROM settings").fetchone()
    if row is None or row[0] != _APPLICATION:
        raise other
    _, version, journal_version, lease = row
    if (version, journal_version) > (tables.VERSION, schema.VERSION):
        raise WrongJournalError(f"{place}: its tables are of a newer batchgen; update batchgen on this host")
    return float(lease)
