"""The tables of a journal on PostgreSQL: those of the file, put in its words, and what many hosts need."""

import re
from importlib.resources import files
from typing import Final

from batchgen.journal import enqueued, schema
from batchgen.journal.later_tables import LATER

VERSION: Final = 1  # of what is made here; of the tables of the file it has the version too
USUAL_LEASE: Final = 30.0  # seconds

# Text is compared byte by byte, as in the file, whatever the language of the database.
_WORDS: Final = (
    (
        re.compile(r"\bINTEGER PRIMARY KEY(?: AUTOINCREMENT)?"),
        "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    ),
    (re.compile(r"\bINTEGER\b"), "bigint"),
    (re.compile(r"\bTEXT\b"), 'text COLLATE "C"'),
    (re.compile(r"\bREAL\b"), "double precision"),
    (re.compile(r"\)\s*STRICT(?:, WITHOUT ROWID)?\s*$"), ")"),
)
_BY_THE_FILE_ALONE: Final = ("CREATE TRIGGER", "PRAGMA", "CREATE INDEX records_by_scope ")

_OURS: Final = (
    # version is that of this program's tables, lease the length of every lease: all hosts have to agree on
    # it. The identity is this journal's, whatever address leads to it.
    """
    CREATE TABLE settings (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        application text NOT NULL, version int NOT NULL, journal_version int NOT NULL,
        lease double precision NOT NULL, identity uuid NOT NULL DEFAULT gen_random_uuid()
    )
    """,
    """
    CREATE TABLE leases (
        batch text COLLATE "C" PRIMARY KEY,
        epoch bigint NOT NULL,
        holder text NOT NULL,                     -- who, for people and for the same machine
        since timestamptz NOT NULL,
        until timestamptz NOT NULL,
        ended boolean NOT NULL DEFAULT false,     -- by its holder's own word
        waiting_until timestamptz,                -- somebody stands by
        -- until when holders before this one may have bought, who neither ended nor are known to be dead
        silent_until timestamptz,
        silent_epochs bigint[] NOT NULL DEFAULT '{}'
    ) WITH (fillfactor = 50)
    """,
    # written for each turn, and locked by whoever commits money of an origin
    "ALTER TABLE accounts SET (fillfactor = 50)",
    "ALTER TABLE records ADD COLUMN epoch bigint NOT NULL DEFAULT 0",
    # of the append that wrote it last: one whose answer was lost is asked about by it, never guessed
    "ALTER TABLE records ADD COLUMN token uuid",
    "ALTER TABLE records SET (fillfactor = 70)",
    # a scope's records in their order, so many at a time; the file's rows have their number in every index
    "CREATE INDEX records_by_scope ON records (scope, id)",
    "ALTER TABLE events ADD COLUMN epoch bigint NOT NULL DEFAULT 0",
    # what those say whose lease another one has by now; refuses nothing
    """
    CREATE TABLE testimony (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        origin text COLLATE "C" NOT NULL, project text COLLATE "C" NOT NULL,
        batch text COLLATE "C" NOT NULL, slot text COLLATE "C" NOT NULL,
        content text COLLATE "C" NOT NULL, ordinal bigint NOT NULL,
        epoch bigint NOT NULL, name text NOT NULL, fields text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        heard_at timestamptz
    )
    """,
    # one saying is kept once, however often it is sent; a digest, because an index has no place for long text
    """
    CREATE UNIQUE INDEX testimony_once ON testimony
    (origin, project, batch, slot, content, ordinal, name, md5(fields))
    """,
    "CREATE INDEX testimony_unheard ON testimony (batch) WHERE heard_at IS NULL",
    # batches of which a rebuild has begun and not ended
    """CREATE TABLE rebuilds (batch text COLLATE "C" PRIMARY KEY)""",
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND current_setting('batchgen.events_may_move', true) = 'on' THEN
        RETURN NEW;  -- to another scope: when two names are joined
      END IF;
      RAISE EXCEPTION 'events are never changed or deleted';
    END $$
    """,
    """
    CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER events_remain BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    *enqueued.TABLES,
)


def statements() -> list[str]:
    """Return what makes all tables and functions in an empty database, in order."""
    of_the_file = [
        translated(one) for one in (*schema.TABLES, *LATER) if not one.strip().startswith(_BY_THE_FILE_ALONE)
    ]
    functions = files(__package__).joinpath("functions.sql").read_text(encoding="utf-8")
    return [*of_the_file, *_OURS, functions]


def translated(statement: str) -> str:
    """Return a statement that makes a table or index of the file, in the words of PostgreSQL."""
    text = re.sub(r"--.*", "", statement)
    for pattern, word in _WORDS:
        text = pattern.sub(word, text)
    return text.strip()
