"""What people ask of a database that holds a journal: who leads what, and how well it answers."""

import statistics
import time

from batchgen.errors import WrongJournalError
from batchgen.journal.health import Health, Leader
from batchgen.journal.postgres import tables
from batchgen.journal.postgres.checks import Server
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.lease import named

_QUESTIONS = 7  # of which the middle one counts


def health_of(connection: PostgresConnection, server: Server, place: str) -> Health:
    """Return what a server says of itself, and who leads which batch in it.

    Args:
        connection: to it.
        server: what was found when it was connected to.
        place: of the journal, for people.

    Raises:
        JournalAwayError: it does not answer.
    """
    took = []
    for _ in range(_QUESTIONS):
        began = time.perf_counter()
        connection.execute("SELECT 1").fetchone()
        took.append(time.perf_counter() - began)
    rows = connection.execute(
        "SELECT batch, holder, epoch, CASE WHEN ended THEN 0 ELSE "
        "greatest(0, extract(epoch FROM until - clock_timestamp()))::double precision END "
        "FROM leases ORDER BY batch"
    ).fetchall()
    return Health(
        place=place,
        server=server.version,
        tables=tables.VERSION,
        synchronous_commit=server.commits,
        offset=server.offset,
        round_trip=statistics.median(took),
        lease=server.lease or 0.0,
        leaders=[
            Leader(batch=batch, holder=named(holder), epoch=epoch, left=float(left))
            for batch, holder, epoch, left in rows
        ],
    )


def set_lease(connection: PostgresConnection, place: str, seconds: float) -> None:
    """Change how long leases last, for all hosts, while nobody has one.

    Raises:
        WrongJournalError: a run leads a batch: it would go on with the length that it has read.
    """
    with connection.written(durable=True):
        connection.execute("LOCK TABLE leases IN SHARE MODE")  # nobody takes one meanwhile
        row = connection.execute(
            "SELECT batch FROM leases WHERE NOT ended AND until > clock_timestamp() ORDER BY batch LIMIT 1"
        ).fetchone()
        if row is not None:
            raise WrongJournalError(
                f"{place}: a run leads the batch {row[0]!r}: the length of leases is changed while none does"
            )
        connection.execute("UPDATE settings SET lease = ?", (seconds,))
