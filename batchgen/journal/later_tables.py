"""The tables that came later than the first version of a journal, and what is looked for by."""

# what came later and nothing paid for hangs on: made in a file of this version that has it not
LATER: tuple[str, ...] = (
    # how the last run of each slot began and ended
    """
    CREATE TABLE IF NOT EXISTS last_runs (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        began_at REAL NOT NULL,
        ended_at REAL,
        exit INTEGER,
        reasons TEXT NOT NULL,
        jobs INTEGER NOT NULL,
        removed TEXT NOT NULL,
        PRIMARY KEY (origin, project, batch, slot)
    ) STRICT, WITHOUT ROWID
    """,
    # renames of files that have begun, in their order; struck off when the records have their new names
    """
    CREATE TABLE IF NOT EXISTS moves (
        id INTEGER PRIMARY KEY,
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        asset TEXT NOT NULL,
        source TEXT NOT NULL,
        via TEXT NOT NULL,
        target TEXT NOT NULL,
        -- of the one job that gets a copy of a file that two have; empty where the file itself moves
        content TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        stamp TEXT NOT NULL
    ) STRICT
    """,
    # what is kept for later steps of chains, in billionths of a compute unit; it counts in the totals, and
    # none is left when a run has ended
    """
    CREATE TABLE IF NOT EXISTS reservations (
        scope INTEGER NOT NULL REFERENCES scopes (id),
        content TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        amount INTEGER NOT NULL,
        at REAL NOT NULL,
        -- the key of the job whose intent made it
        parent_content TEXT NOT NULL,
        parent_ordinal INTEGER NOT NULL,
        PRIMARY KEY (scope, content, ordinal)
    ) STRICT, WITHOUT ROWID
    """,
    # what a person says of assets: kept or rejected, with a note
    """
    CREATE TABLE IF NOT EXISTS asset_marks (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        slot TEXT NOT NULL,
        asset TEXT NOT NULL,
        mark TEXT NOT NULL,
        note TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, project, batch, slot, asset)
    ) STRICT, WITHOUT ROWID
    """,
    # the turns of each account, which all of its runs take one after the other (``pacing``); on a server who
    # commits money of an origin locks its rows
    """
    CREATE TABLE IF NOT EXISTS accounts (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        last_turn REAL NOT NULL DEFAULT 0,
        gap REAL NOT NULL DEFAULT 0,
        gap_until REAL NOT NULL DEFAULT 0,
        submit_after REAL NOT NULL DEFAULT 0,
        PRIMARY KEY (origin, project)
    ) STRICT, WITHOUT ROWID
    """,
    # asked before every submit, whose equals may be thousands; written for none but those in doubt
    "CREATE INDEX IF NOT EXISTS records_in_doubt ON records (content) WHERE state = 'in_doubt'",
    # asked with each intent: what all batches have at the service, from the index alone
    """
    CREATE INDEX IF NOT EXISTS records_at_service ON records (scope, model, intent_at, state)
    WHERE state IN ('submitting', 'in_doubt', 'running')
    """,
    # batches for whose next job there is no room; one that does not say so again counts as gone
    """
    CREATE TABLE IF NOT EXISTS waiting (
        origin TEXT NOT NULL,
        project TEXT NOT NULL,
        batch TEXT NOT NULL,
        model TEXT NOT NULL,
        since REAL NOT NULL,
        seen_at REAL NOT NULL,
        PRIMARY KEY (origin, project, batch)
    ) STRICT, WITHOUT ROWID
    """,
)

FILL = """
    UPDATE records SET model = coalesce(json_extract(fields, '$.job.model'), ''),
        intent_at = json_extract(fields, '$.intent_at')
    WHERE state IN ('submitting', 'in_doubt', 'held', 'running')
"""
