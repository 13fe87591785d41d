"""The tables, and how an older file is brought up to them.

``user_version`` counts the migrations that a file has had. A file with more of them than
this program knows is refused, never guessed at.
"""

import sqlite3

from batchgen.errors import JournalError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE scopes (
            id INTEGER PRIMARY KEY,
            origin TEXT NOT NULL,
            project TEXT NOT NULL,
            batch TEXT NOT NULL,
            slot TEXT NOT NULL,
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
        "CREATE INDEX records_by_content ON records (content, state)",
        # an event is a fact: whoever changes one is refused by the file itself
        """
        CREATE TRIGGER events_stay BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never changed'); END
        """,
        """
        CREATE TRIGGER events_remain BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END
        """,
    ),
    (
        # what is true of an origin as a whole, once and for good
        """
        CREATE TABLE marks (
            origin TEXT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (origin, name)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    (
        # who our accepted submissions are by: known to every batch of the origin from its first run on
        """
        INSERT INTO marks (origin, name)
        SELECT DISTINCT origin, 'author ' || json_extract(fields, '$.author')
        FROM events JOIN scopes ON scopes.id = events.scope
        WHERE events.name = 'Accepted' AND json_extract(fields, '$.author') <> ''
        """,
    ),
    (
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
    ),
    (
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
    ),
    (
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
        """
        INSERT INTO totals (scope, quarter, gross, assumed, confirmed)
        SELECT records.scope,
               CAST(json_extract(records.fields, '$.intent_at') / 900 AS INTEGER),
               SUM(CAST(ROUND(COALESCE(json_extract(paid.value, '$.charged'), 0) * 1e9) AS INTEGER)),
               SUM(CASE json_extract(paid.value, '$.refund') WHEN 'assumed'
                   THEN CAST(ROUND(COALESCE(json_extract(paid.value, '$.refunded'), 0) * 1e9) AS INTEGER)
                   ELSE 0 END),
               SUM(CASE json_extract(paid.value, '$.refund') WHEN 'confirmed'
                   THEN CAST(ROUND(COALESCE(json_extract(paid.value, '$.refunded'), 0) * 1e9) AS INTEGER)
                   ELSE 0 END)
        FROM records, json_each(records.fields, '$.submissions') AS paid
        WHERE json_extract(records.fields, '$.intent_at') IS NOT NULL
        GROUP BY 1, 2
        """,
    ),
    (
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
    ),
    (
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
        # by content alone: with the state in it every step of a job was written twice
        "DROP INDEX records_by_content",
        "CREATE INDEX records_by_content ON records (content)",
    ),
    (
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
    ),
    (
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
    ),
    # submissions keep what they were quoted, and refunds that were shown are events: a program that
    # knows neither is told why it stops
    (),
    (
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
    ),
    # a scope's records in their order, without sorting a hundred thousand texts
    ("CREATE INDEX records_by_scope ON records (scope)",),
    (
        # whose a scope is in the service's eyes: tells two names of one account from two accounts
        "ALTER TABLE scopes ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
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
    ),
)

VERSION = len(MIGRATIONS)
UPLOADS_SINCE = 4  # the migration that made their table
QUOTES_SINCE = 7
CEILINGS_SINCE = 8
ACCEPTED_SINCE = 9
RUNS_SINCE = 10
PURCHASES_SINCE = 12
OWNERS_SINCE = 14


def version_of(connection: sqlite3.Connection) -> int:
    """Give the number of migrations the file has had."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection, *, path: str) -> None:
    """Bring the file up to this program, each step in a transaction with its number.

    Raises:
        JournalError: the file is newer than this program.
    """
    refuse_newer(connection, path=path)
    connection.execute("BEGIN IMMEDIATE")
    try:
        # read again under the lock: another process may have migrated in the meantime
        for number in range(version_of(connection), VERSION):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def refuse_newer(connection: sqlite3.Connection, *, path: str) -> None:
    """Refuse a file that a newer program wrote.

    Raises:
        JournalError: it is newer.
    """
    found = version_of(connection)
    if found > VERSION:
        raise JournalError(
            f"{path}: written by a newer batchgen (journal version {found}, this one knows {VERSION}); "
            "update batchgen, or give another output folder with -o"
        )
