"""Ordinals that rows of one scope name, put right when its records get others. Within a transaction."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from batchgen.identity import Reference, references_of, with_references
from batchgen.journal import codec
from batchgen.journal.connection import Connection
from batchgen.lifecycle import Event, Record, RedoAsked, Restored, SubmitStarted
from batchgen.model import Job

_NAMING = (SubmitStarted, RedoAsked, Restored)  # the events that name ordinals of other records


def shift_ordinals(connection: Connection, scope: int, shifts: Mapping[str, int]) -> None:
    """Let records and events name their editions, and the parents of their jobs, by the new ordinals.

    Args:
        connection: to the journal.
        scope: whose rows; the columns have the new ordinals already.
        shifts: what was added to the ordinals of each content.
    """
    rows = connection.execute("SELECT id, content, fields FROM records WHERE scope = ?", (scope,))
    for row, text in _changed(rows, codec.load_record, shifts):
        connection.execute("UPDATE records SET fields = ? WHERE id = ?", (text, row))
    for kind in _NAMING:
        name = kind.__name__
        events = connection.execute(
            "SELECT id, content, fields FROM events WHERE scope = ? AND name = ?", (scope, name)
        )
        for row, text in _changed(events, partial(codec.load_event, name), shifts):
            connection.execute("UPDATE events SET fields = ? WHERE id = ?", (text, row))


def _changed(
    rows: Iterable[tuple[int, str, str]], load: Callable[[str], Record | Event], shifts: Mapping[str, int]
) -> list[tuple[int, str]]:
    """Return the rows that read otherwise now, by their numbers."""
    found = []
    for row, content, text in rows:
        before = load(text)
        after = _shifted(before, shifts.get(content, 0), shifts)
        if after is not before:
            found.append((int(row), codec.dump(after)))
    return found


def _shifted(one: Record | Event, by: int, shifts: Mapping[str, int]) -> Record | Event:
    if isinstance(one, RedoAsked | Restored):
        return replace(one, ordinal=one.ordinal + by) if by else one
    if isinstance(one, Record) and one.editions and by:
        one = replace(one, editions=tuple(ordinal + by for ordinal in one.editions))
    if isinstance(one, Record | SubmitStarted) and one.job is not None:
        job = _fed_by_the_same(one.job, shifts)
        return one if job is one.job else replace(one, job=job)
    return one


def _fed_by_the_same(job: Job, shifts: Mapping[str, int]) -> Job:
    """Return a job with the new ordinals of the parents that it is bound to."""

    def shifted(one: Reference) -> Reference:
        by = shifts.get(one.content, 0)
        return one if one.ordinal is None or not by else one._replace(ordinal=one.ordinal + by)

    is_concerned = any(one.ordinal is not None and one.content in shifts for one in references_of(job))
    return with_references(job, shifted) if is_concerned else job
