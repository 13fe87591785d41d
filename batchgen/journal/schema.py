"""The tables of a journal, made in one step.

``application_id`` says that a file is a journal, and ``user_version`` of which version. A file of
another one is refused, never guessed at.
"""

from batchgen.errors import JournalError
from batchgen.journal.file_connection import FileConnection
from batchgen.journal.later_tables import FILL, LATER

VERSION = 1
APPLICATION = 0x6267_656E  # "bgen"

TABLES: tuple[str, ...] = (
    """
    CREATE TABLE scopes (
        id INTEGER PRIMARY KEY,
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        -- whose it is in the service's eyes: tells two names of one account from two accounts
        owner TEXT NOT NULL DEFAULT '',
        UNIQUE (origin, project, batch, slot)
    ) STRICT
    """,
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        scope INTEGER NOT NULL REFERENCES scopes (id),
        content TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        name TEXT NOT NULL,
        fields TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        scope INTEGER NOT NULL REFERENCES scopes (id),
        content TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        state TEXT NOT NULL,
        fields TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1,
        -- of its latest intent, for what is counted without reading the fields
        model TEXT NOT NULL DEFAULT '',
        intent_at REAL,
        UNIQUE (scope, content, ordinal)
    ) STRICT
    """,
    """
    CREATE TABLE submissions (
        origin TEXT NOT NULL,
        remote_id TEXT NOT NULL,
        record INTEGER NOT NULL REFERENCES records (id),
        PRIMARY KEY (origin, remote_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX events_by_scope ON events (scope, id)",
    # by content alone: with the state in it every step of a job would be written twice
    "CREATE INDEX records_by_content ON records (content)",
    # an event is a fact: whoever changes one is refused by the file itself
    """
    CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END
    """,
    """
    CREATE TRIGGER events_remain BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END
    """,
    # what is true of an origin as a whole, once and for good
    """
    CREATE TABLE marks (
        origin TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (origin, name)
    ) STRICT, WITHOUT ROWID
    """,
    # local files that the service has, or gets: by content, for every batch of the project
    """
    CREATE TABLE uploads (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        asset_id TEXT NOT NULL,
        upload_id TEXT NOT NULL,
        name TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, project, sha256)
    ) STRICT, WITHOUT ROWID
    """,
    # looks before buying that have begun and not ended, and how far back they were to go
    """
    CREATE TABLE looks (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        since REAL NOT NULL,
        PRIMARY KEY (origin, project, batch, slot)
    ) STRICT, WITHOUT ROWID
    """,
    # what is charged or reserved, in billionths of a compute unit, by the quarter hour of its intent
    """
    CREATE TABLE totals (
        scope INTEGER NOT NULL REFERENCES scopes (id),
        quarter INTEGER NOT NULL,
        gross INTEGER NOT NULL,
        assumed INTEGER NOT NULL,
        confirmed INTEGER NOT NULL,
        PRIMARY KEY (scope, quarter)
    ) STRICT, WITHOUT ROWID
    """,
    # what the service said that jobs of a price class cost; asked again when it is old
    """
    CREATE TABLE quotes (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        class TEXT NOT NULL,
        low TEXT NOT NULL,
        high TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, project, class)
    ) STRICT, WITHOUT ROWID
    """,
    # how many jobs the service lets run at once, as refusals have taught it
    """
    CREATE TABLE ceilings (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        action TEXT NOT NULL,
        models TEXT NOT NULL,
        ceiling INTEGER NOT NULL,
        told INTEGER,
        refused_at REAL NOT NULL,
        quiet REAL NOT NULL,
        PRIMARY KEY (origin, project, action)
    ) STRICT, WITHOUT ROWID
    """,
    # jobs that were changed, and keep what was bought before the change
    """
    CREATE TABLE accepted (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        job TEXT NOT NULL,
        content TEXT NOT NULL,
        bought_content TEXT NOT NULL,
        bought_ordinal INTEGER NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, project, batch, slot, job, content)
    ) STRICT, WITHOUT ROWID
    """,
    # the runs that are under way, and what they are ordered to do; struck off when they end
    """
    CREATE TABLE runs (
        token TEXT PRIMARY KEY,
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        pid INTEGER NOT NULL,
        host TEXT NOT NULL,
        began_at REAL NOT NULL,
        seen_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # a number is never given twice: who waits for an answer must not read another's
    """
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        at REAL NOT NULL,
        taken_at REAL,
        met INTEGER,
        answer TEXT
    ) STRICT
    """,
    # submissions that were bought by asking for a price, whatever became of them
    """
    CREATE TABLE purchases (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        remote_id TEXT NOT NULL,
        model TEXT NOT NULL,
        job TEXT NOT NULL,
        charged TEXT,
        at REAL NOT NULL,
        PRIMARY KEY (origin, remote_id)
    ) STRICT, WITHOUT ROWID
    """,
    # a scope's records in their order, without sorting a hundred thousand texts
    "CREATE INDEX records_by_scope ON records (scope)",
    # by which key a submission was sent, and who that key is: fingerprints, never keys
    """
    CREATE TABLE senders (
        origin TEXT NOT NULL,
        sender TEXT NOT NULL,
        author TEXT NOT NULL,
        kind TEXT NOT NULL,  -- where it was seen: receipt or row
        PRIMARY KEY (origin, sender, author, kind)
    ) STRICT, WITHOUT ROWID
    """,
    # where the manifests of a batch were, from before its first intent on
    """
    CREATE TABLE manifests (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        path TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, project, batch, path)
    ) STRICT, WITHOUT ROWID
    """,
    # what a person has chosen between two batches or projects, once and for good
    """
    CREATE TABLE choices (
        name TEXT NOT NULL,
        one TEXT NOT NULL,
        other TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (name, one, other)
    ) STRICT, WITHOUT ROWID
    """,
    # what is paid for, or may be, and not collected: found in every slot without reading all of them
    """
    CREATE INDEX records_open ON records (scope, state)
    WHERE state IN ('submitting', 'in_doubt', 'held', 'running', 'succeeded')
    """,
    # held jobs of a slot that a run of another one has ended with a word on: it does so once
    """
    CREATE TABLE told (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        content TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        PRIMARY KEY (origin, project, batch, slot, content, ordinal)
    ) STRICT, WITHOUT ROWID
    """,
    # names of a batch whose records are kept under another name of the same account, in all slots
    """
    CREATE TABLE aliases (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        kept_origin TEXT NOT NULL,
        kept_project TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, project, batch)
    ) STRICT, WITHOUT ROWID
    """,
)


def create(connection: FileConnection, *, path: str) -> None:
    """Make the tables where they are not there yet, in one transaction.

    Raises:
        JournalError: the file is of another version.
    """
    refuse_others(connection, path=path)
    with connection.written():
        # read again under the lock: another process may have made them in the meantime
        if connection.is_empty():
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        add_later(connection)


def add_later(connection: FileConnection) -> None:
    """Make what came later, where it is not there yet; within a transaction."""
    columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('records')")}
    if "model" not in columns:
        connection.execute("ALTER TABLE records ADD COLUMN model TEXT NOT NULL DEFAULT ''")
        connection.execute("ALTER TABLE records ADD COLUMN intent_at REAL")
        connection.execute(FILL)
    for statement in LATER:
        connection.execute(statement)


def refuse_others(connection: FileConnection, *, path: str) -> None:
    """Refuse a file that a newer program wrote, or one from before the first release.

    Raises:
        JournalError: it is such a file.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if found and application != APPLICATION:
        raise JournalError(
            f"{path}: written by a development version of batchgen from before its first release, which this "
            "one cannot read; use that version to finish the batch, or give another output folder with -o"
        )
    if found > VERSION:
        raise JournalError(
            f"{path}: written by a newer batchgen (journal version {found}, this one knows {VERSION}); "
            "update batchgen, or give another output folder with -o"
        )
