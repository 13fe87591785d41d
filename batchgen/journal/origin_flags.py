"""What is true of an origin as a whole, once and for good: a name in one table, never taken back."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from batchgen.account import DISOWNED, Holder, Known
from batchgen.journal.connection import Connection
from batchgen.model import JobKey, Scope

NAMES_A_QUERY = 500

_HOLDERS = (
    "SELECT submissions.remote_id, project, batch, slot, content, ordinal FROM submissions "
    "JOIN records ON records.id = submissions.record JOIN scopes ON scopes.id = records.scope "
    "WHERE submissions.origin = ? AND submissions.remote_id"
)
_DISTRUST = "a job shown absent turned up"
_AUTHOR = "author "
_DISOWNED = "not ours "
_RECEIPT, _ROW, _UPLOAD = "receipt", "row", "upload"


class Marks:
    """The marks of one origin. Writing is for a caller that is within a transaction."""

    def __init__(self, connection: Connection, origin: str) -> None:
        self._connection = connection
        self._origin = origin
        self.authors = self._read_authors()
        self._known: dict[str, Known] = {}
        self._others = Known(rows=self._read_authors_of(_ROW), uploads=self._read_authors_of(_UPLOAD))

    def add_authors(self, authors: Collection[str]) -> None:
        """Note who our submissions are by; those that are known cost nothing."""
        if new := self.names_of_new(authors):
            self._add(new)

    def names_of_new(self, authors: Collection[str]) -> list[str]:
        """Return under which names authors are kept here, those that are new."""
        return [_AUTHOR + one for one in sorted(frozenset(authors) - self.authors)]

    def new_receipts(self, sender: str, known: Known) -> frozenset[str]:
        """Return who a key is by its receipts, as far as that is new."""
        return known.receipts - self.known(sender).receipts

    def learn(self, authors: Collection[str]) -> None:
        """Take over what was committed."""
        self.authors |= frozenset(authors)

    def known(self, sender: str | None) -> Known:
        """Return who a key is, or all keys are, as far as the service has said."""
        if sender is None:
            return self._others._replace(receipts=self.authors)
        known = self._known.get(sender, Known())
        if not known.receipts:  # a run of another slot may have had one meanwhile
            known = self._known[sender] = known.and_also(self._read_known(sender))
        return known

    def add_known(self, sender: str, known: Known) -> None:
        """Note who a key is; what is known costs nothing."""
        before = self.known(sender)
        new = [
            (self._origin, sender, author, kind)
            for kind, seen, had in (
                (_RECEIPT, known.receipts, before.receipts),
                (_ROW, known.rows, before.rows),
                (_UPLOAD, known.uploads, before.uploads),
            )
            for author in seen - had
        ]
        if new:
            self._connection.executemany(
                "INSERT INTO senders (origin, sender, author, kind) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                new,
            )

    def learn_known(self, sender: str, known: Known) -> None:
        """Take over what was committed."""
        self._known[sender] = self.known(sender).and_also(known)
        self._others = self._others.and_also(known)

    def _read_known(self, sender: str) -> Known:
        if self._connection.is_empty():
            return Known()
        rows = self._connection.execute(
            "SELECT author, kind FROM senders WHERE (origin, sender) = (?, ?)", (self._origin, sender)
        ).fetchall()
        seen = {
            kind: frozenset(author for author, found in rows if found == kind)
            for kind in (_RECEIPT, _ROW, _UPLOAD)
        }
        return Known(receipts=seen[_RECEIPT], rows=seen[_ROW], uploads=seen[_UPLOAD])

    def _read_authors_of(self, kind: str) -> frozenset[str]:
        if self._connection.is_empty():
            return frozenset()
        rows = self._connection.execute(
            "SELECT author FROM senders WHERE origin = ? AND kind = ?", (self._origin, kind)
        )
        return frozenset(author for (author,) in rows)

    def disown(self, remote_ids: Collection[str]) -> None:
        """Note that these are no jobs of ours."""
        self._add(_DISOWNED + one for one in remote_ids)

    def disowned(self, remote_ids: Collection[str]) -> set[str]:
        """Return those of the ids that were disowned."""
        names = {_DISOWNED + one: one for one in remote_ids}
        query = "SELECT name FROM marks WHERE origin = ? AND name"
        return {names[name] for (name,) in named_rows(self._connection, query, self._origin, names)}

    def holders(self, remote_ids: Collection[str], scope: Scope) -> dict[str, Holder]:
        """Return who has each of the ids, in whatever scope of the origin of this one."""
        found: dict[str, Holder] = dict.fromkeys(self.disowned(remote_ids), DISOWNED)
        rows = named_rows(self._connection, _HOLDERS, self._origin, remote_ids)
        for remote_id, project, batch, slot, content, ordinal in rows:
            place = replace(scope, project=project, batch=batch, slot=slot)
            found[remote_id] = Holder(place, JobKey(content, ordinal))
        return found

    def distrust_absence(self) -> None:
        """Note that a submission that was shown absent turned up."""
        self._add([_DISTRUST])

    @property
    def trusts_absence(self) -> bool:
        """Whether none ever did."""
        row = self._connection.execute(
            "SELECT 1 FROM marks WHERE origin = ? AND name = ?", (self._origin, _DISTRUST)
        ).fetchone()
        return row is None

    def _add(self, names: Iterable[str]) -> None:
        self._connection.executemany(
            "INSERT INTO marks (origin, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(self._origin, name) for name in names],
        )

    def _read_authors(self) -> frozenset[str]:
        if self._connection.is_empty():
            return frozenset()  # a reader came before the first writer
        rows = self._connection.execute(
            "SELECT name FROM marks WHERE origin = ? AND name >= ? AND name < ?",
            (self._origin, _AUTHOR, f"{_AUTHOR[:-1]}!"),
        )
        return frozenset(name.removeprefix(_AUTHOR) for (name,) in rows)


def named_rows(
    connection: Connection, query: str, origin: str, names: Collection[str]
) -> list[tuple[Any, ...]]:
    """Return the rows that a query finds for an origin's names, so many names at a time."""
    found: list[tuple[Any, ...]] = []
    wanted = list(names)
    for start in range(0, len(wanted), NAMES_A_QUERY):
        some = wanted[start : start + NAMES_A_QUERY]
        places = ", ".join("?" * len(some))
        found += connection.execute(f"{query} IN ({places})", (origin, *some))
    return found
