"""How scopes stand in the journal: by four texts, and by a number."""

from collections.abc import Sequence

from batchgen.journal.connection import Connection
from batchgen.model import Scope

NAMES = "origin, project, batch, slot"


def keep_scope(connection: Connection, scope: Scope) -> int:
    """Make a scope known, and give its number."""
    (found,) = connection.execute(
        "INSERT INTO scopes (origin, project, batch, slot) VALUES (?, ?, ?, ?) "
        # another run of the scope may have come first; its row serves
        "ON CONFLICT (origin, project, batch, slot) DO UPDATE SET slot = excluded.slot RETURNING id",
        columns_of(scope),
    ).fetchone()
    return int(found)


def columns_of(scope: Scope) -> tuple[str, str, str, str]:
    """Return what names a scope, in the order of ``NAMES``."""
    return scope.origin, scope.project, scope.batch, scope.slot


def scope_of(row: Sequence[str]) -> Scope:
    """Return the scope that the first columns of a row name, in the order of ``NAMES``."""
    return Scope(origin=row[0], project=row[1], batch=row[2], slot=row[3])
