"""Where a batch goes on whose journal was copied: a mark in the one that it was copied from.

Both have what was paid for until then, and each would buy the rest: so that only one goes on.
"""

import json

from batchgen.journal.connection import Connection

_COPIED = "copied "


def name_of(batch: str, where: str) -> str:
    """Return the name of the mark that says where a batch goes on."""
    return _COPIED + json.dumps([batch, where], ensure_ascii=False)


def is_one(name: str) -> bool:
    """Return whether a mark of an origin is such a one: it is true of its own journal alone."""
    return name.startswith(_COPIED)


def successor_of(connection: Connection, batch: str) -> str | None:
    """Return where a batch goes on, in words; None where it was not copied."""
    if connection.is_empty():
        return None
    rows = connection.execute(f"SELECT name FROM marks WHERE name LIKE '{_COPIED}%'")  # noqa: S608 - our own
    told = [json.loads(name.removeprefix(_COPIED)) for (name,) in rows if is_one(name)]
    return next((str(where) for name, where in told if name == batch), None)
