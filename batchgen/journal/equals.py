"""Jobs of a journal that ask for the same and whose answer is not known: what may be bought twice otherwise.

Of every batch, so far as it is one account: by whichever name of a project it is meant.
"""

from collections.abc import Collection
from dataclasses import replace

from batchgen.identity import ASSET
from batchgen.journal import codec
from batchgen.journal.connection import Connection
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey, Scope

_UNANSWERED = (State.SUBMITTING, State.IN_DOUBT)
# a plus: records come first, for those in doubt have an index and are few; a scope has thousands
_UNANSWERED_EQUALS = """
    WITH us (name) AS (
        SELECT :project WHERE :project <> ''
        UNION SELECT owner FROM scopes WHERE origin = :origin AND project = :project AND owner <> ''
    )
    SELECT {what} FROM records JOIN scopes ON scopes.id = +records.scope
    WHERE {which} AND ({states})
    AND origin = :origin
    AND (project = :project OR owner IN (SELECT name FROM us) OR project IN (SELECT name FROM us))
"""
_BODY = "json_extract(records.fields, '$.body')"
_BY_CONTENT = "content = :content AND NOT (scope = :scope AND ordinal = :ordinal)"
_BY_BODY = f"content <> :content AND {_BODY} = :body"


class Equals:
    """What equals the jobs of one scope."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def unanswered(self, key: JobKey, body: str, scope_id: int) -> list[Record]:
        """Return the records of other jobs that ask for the same and are submitting or in doubt.

        Where assets go in, one body may be asked for in different words.
        """
        texts = self._select("records.fields", _UNANSWERED, key, body, scope_id)
        return [codec.load_record(text) for text in texts]

    def bodies_in_doubt(self, key: JobKey, body: str, scope_id: int) -> frozenset[str]:
        """Return the bodies of those of them that are in doubt."""
        some = self._connection.execute(f"SELECT 1 FROM records WHERE state = '{State.IN_DOUBT}' LIMIT 1")  # noqa: S608 - our own
        if some.fetchone() is None:  # as good as always, and asked twice for every job
            return frozenset()
        return frozenset(self._select(_BODY, (State.IN_DOUBT,), key, body, scope_id))

    def _select(
        self, what: str, states: Collection[State], key: JobKey, body: str, scope_id: int
    ) -> list[str]:
        wanted = {
            "content": key.content,
            "ordinal": key.ordinal,
            "scope": scope_id,
            "origin": self._scope.origin,
            "project": self._scope.project,
            "body": body,
        }
        words = " OR ".join(f"state = '{one}'" for one in states)  # one alone as its index has it
        queries = (
            _UNANSWERED_EQUALS.format(what=what, which=which, states=words)
            for which in ((_BY_CONTENT, _BY_BODY) if ASSET in body else (_BY_CONTENT,))
        )
        return [text for query in queries for (text,) in self._connection.execute(query, wanted)]

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
