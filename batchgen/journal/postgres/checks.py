"""What has to be true of a database before anything is bought under a journal in it."""

import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from batchgen.errors import InputError
from batchgen.journal import schema
from batchgen.journal.health import Health, Leader
from batchgen.journal.postgres import tables
from batchgen.journal.postgres.connection import PostgresConnection

_APPLICATION: Final = "batchgen"
_KNOWN: Final = f"{schema.VERSION}.{tables.VERSION}"
_QUESTIONS: Final = 5  # of which the middle one says how long one takes


def looked_at(
    connection: PostgresConnection,
    place: str,
    *,
    tables_made: bool = True,
    wall: Callable[[], float] = time.time,
) -> Health:
    """Ask a server what it is, and refuse one that would lose what it says it has kept.

    Args:
        connection: to it.
        place: of the journal, for people.
        tables_made: whether the tables have to be there.
        wall: this machine's clock, seconds since the epoch.

    Raises:
        InputError: it does not keep what it commits, cannot be written, is too old, or its tables are of
            another version, or another program's.
        JournalError: it cannot be asked.
    """
    found = _facts(connection, place, wall=wall)
    problems = found.problems() if tables_made or found.tables is not None else found.problems_of_server()
    for one in problems:
        raise InputError(f"{place}: {one}")
    return found


def health_of(connection: PostgresConnection, place: str, *, wall: Callable[[], float] = time.time) -> Health:
    """Ask a server what it is, how quickly it answers, and who leads which batch.

    Raises:
        InputError: its tables are another program's.
        JournalError: it cannot be asked.
    """
    found = _facts(connection, place, wall=wall)
    took = []
    for _ in range(_QUESTIONS):
        began = time.perf_counter()
        connection.execute("SELECT 1").fetchone()
        took.append(time.perf_counter() - began)
    leaders = _leaders(connection) if found.tables is not None else []
    return dataclasses.replace(found, round_trip=statistics.median(took), leaders=leaders)


def _facts(connection: PostgresConnection, place: str, *, wall: Callable[[], float] = time.time) -> Health:
    asked, began = wall(), time.perf_counter()
    row = connection.execute(
        "SELECT extract(epoch FROM clock_timestamp())::double precision, current_setting('fsync'), "
        "current_setting('full_page_writes'), current_setting('synchronous_commit'), "
        "pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on', "
        "current_setting('server_version_num')::int, current_setting('server_version'), "
        "current_setting('server_encoding'), to_regclass('settings') IS NOT NULL, "
        "current_setting('default_transaction_isolation')"
    ).fetchone()
    took = time.perf_counter() - began
    now, fsync, whole_pages, commits, read_only, number, version, encoding, has_tables, isolation = row
    made, lease, identity = _settings(connection, place) if has_tables else (None, None, "")
    return Health(
        place=place,
        server=version.split()[0],
        number=number,
        tables=made,
        known=_KNOWN,
        fsync=fsync,
        full_page_writes=whole_pages,
        synchronous_commit=commits,
        encoding=encoding,
        isolation=isolation,
        read_only=read_only,
        offset=now - (asked + took / 2),
        round_trip=took,
        lease=lease,
        identity=identity,
    )


def _settings(connection: PostgresConnection, place: str) -> tuple[str, float, str]:
    """Return of which version the tables are, how long leases last, and whose they are.

    Raises:
        InputError: the tables are another program's.
    """
    other = InputError(
        f"{place}: has a table named settings of another program; give batchgen a database of its own"
    )
    # not information_schema: that hides the columns which this user may not read
    columns = connection.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass('settings') AND attnum > 0 "
        "AND NOT attisdropped"
    ).fetchall()
    if not {"application", "version", "journal_version", "lease", "identity"} <= {
        name for (name,) in columns
    }:
        raise other
    row = connection.execute(
        "SELECT application, version, journal_version, lease, identity FROM settings"
    ).fetchone()
    if row is None or row[0] != _APPLICATION:
        raise other
    return f"{row[2]}.{row[1]}", float(row[3]), str(row[4])


def _leaders(connection: PostgresConnection) -> list[Leader]:
    rows = connection.execute(
        "SELECT batch, holder, epoch, ended, "
        "greatest(0, extract(epoch FROM until - clock_timestamp()))::double precision, "
        "coalesce(waiting_until > clock_timestamp(), false) FROM leases ORDER BY batch"
    )
    return [
        Leader(batch=batch, holder=named(holder), epoch=epoch, left=0.0 if ended else left, stands_by=waits)
        for batch, holder, epoch, ended, left, waits in rows
    ]


def named(holder: str) -> str:
    """Return a holder of a lease for people."""
    try:
        told: dict[str, Any] = json.loads(holder)
        return f"process {int(told['pid'])} on {told['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def make_tables(connection: PostgresConnection, place: str, *, lease: float) -> bool:
    """Make the tables in a database that has none; return False where they were there.

    Args:
        connection: to it.
        place: of the journal, for people.
        lease: how long leases last, seconds.

    Raises:
        InputError: the server will not do.
        JournalError: the user may not make tables, or others have these names.
    """
    if looked_at(connection, place, tables_made=False).tables is not None:
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


def set_lease(connection: PostgresConnection, place: str, seconds: float) -> None:
    """Change how long leases last, for all hosts, while nobody has one.

    Raises:
        InputError: a run leads a batch: it would go on with the length that it has read.
        JournalError: it cannot be written.
    """
    with connection.written(durable=True):
        connection.execute("LOCK TABLE leases IN SHARE MODE")  # nobody takes one meanwhile
        row = connection.execute(
            "SELECT batch FROM leases WHERE NOT ended AND until > clock_timestamp() ORDER BY batch LIMIT 1"
        ).fetchone()
        if row is not None:
            raise InputError(
                f"{place}: a run leads the batch {row[0]!r}: the length of leases is changed while none does"
            )
        connection.execute("UPDATE settings SET lease = ?", (seconds,))
