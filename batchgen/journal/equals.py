"""Jobs of a journal that ask for the same and whose answer is not known: what may be bought twice otherwise.

Of every batch, so far as it is one account: by whichever name of a project it is meant.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import replace

from batchgen.identity import ASSET
from batchgen.journal import codec
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey, Scope

_UNANSWERED = (State.SUBMITTING, State.IN_DOUBT)
_UNANSWERED_EQUALS = f"""
    WITH us (name) AS (
        SELECT :project WHERE :project <> ''
        UNION SELECT owner FROM scopes WHERE origin = :origin AND project = :project AND owner <> ''
    )
    SELECT records.fields FROM records JOIN scopes ON scopes.id = records.scope
    WHERE {{which}} AND state IN ('{State.SUBMITTING}', '{State.IN_DOUBT}')
    AND origin = :origin AND (project = :project OR owner IN us OR project IN us)
"""  # noqa: S608 - our own words
_BY_CONTENT = _UNANSWERED_EQUALS.format(
    which="content = :content AND NOT (scope = :scope AND ordinal = :ordinal)"
)
_BY_BODY = _UNANSWERED_EQUALS.format(
    which="content <> :content AND json_extract(records.fields, '$.body') = :body"
)


class Equals:
    """What equals the jobs of one scope."""

    def __init__(self, connection: sqlite3.Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def unanswered(self, key: JobKey, body: str, scope_id: int) -> list[Record]:
        """Return the records of other jobs that ask for the same and are submitting or in doubt.

        Where assets go in, one body may be asked for in different words.
        """
        wanted = {
            "content": key.content,
            "ordinal": key.ordinal,
            "scope": scope_id,
            "origin": self._scope.origin,
            "project": self._scope.project,
            "body": body,
        }
        queries = (_BY_CONTENT, _BY_BODY) if ASSET in body else (_BY_CONTENT,)
        rows = [row for query in queries for row in self._connection.execute(query, wanted)]
        return [codec.load_record(text) for (text,) in rows]

    def neighbours(self, contents: Collection[str], scope_id: int) -> list[tuple[Scope, JobKey]]:
        """Return the jobs of other scopes that ask for one of these and are submitting or in doubt."""
        rows = self._connection.execute(
            "SELECT project, batch, slot, content, ordinal FROM records "
            "JOIN scopes ON scopes.id = records.scope "
            "WHERE state IN (?, ?) AND origin = ? AND scopes.id <> ?",
            (*_UNANSWERED, self._scope.origin, scope_id),
        )
        return [
            (replace(self._scope, project=project, batch=batch, slot=slot), JobKey(content, ordinal))
            for project, batch, slot, content, ordinal in rows
            if content in contents
        ]
