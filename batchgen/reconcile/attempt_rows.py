"""Which listed rows are attempts at a job, by the seeds that were derived for it and nobody else sends."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from batchgen.errors import RemoteIdTakenError
from batchgen.interpret import after_look
from batchgen.lifecycle import TRANSITIONS, Event, Failed, Record, RetryAsked, State
from batchgen.model import RemoteJob
from batchgen.planning.plan import Entry
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.history import LOOK_AHEAD, Attempt, HistoryBuilder
from batchgen.reconcile.matching import Likeness, Window, seed_in, stands_for
from batchgen.reconcile.ownership import Owner


class Recorder(Protocol):
    """Records events of one job, all or none, and gives the job as it stands after them."""

    def __call__(self, entry: Entry, *events: Event) -> Entry:
        """Record them.

        Raises:
            RemoteIdTakenError: a submission in them belongs to another job.
            JournalError: nothing was recorded.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenIn:
    """A job that was planned, and is bought already or may be.

    Attributes:
        entry: with its new record.
        rows: its submission, or those that may be it.
    """

    entry: Entry
    rows: tuple[RemoteJob, ...]

    @property
    def held(self) -> bool:
        """Whether only a person can say."""
        return self.entry.record.state is State.HELD


class Seeds:
    """Adopts or holds what seeds name.

    Attributes:
        seen: what the service says of submissions themselves, whose rows may be behind, by id.
    """

    def __init__(
        self,
        *,
        candidates: Candidates,
        history: HistoryBuilder,
        record: Recorder,
        window: Window,
        blank: bool,
    ) -> None:
        """Take the rows of one listing.

        Args:
            candidates: the rows.
            history: composes what is recorded.
            record: records it.
            window: dates of rows that may be ours.
            blank: whether the journal had nothing before.
        """
        self.seen: dict[str, RemoteJob] = {}
        self._record = record
        self._candidates = candidates
        self._history = history
        self._window = window
        self._blank = blank

    def failed_rows(self, entry: Entry, *, upto: int) -> dict[int, RemoteJob]:
        """Return the failed submissions of attempts before one that is known, by number."""
        found = {}
        for number in range(entry.record.attempt, upto):
            attempt = self._history.attempt(entry.key, entry.job, number, entry.record)
            matches, _ = self._with_seed(attempt)
            if matches and isinstance(after_look(matches[0], at=self._history.at), Failed):
                found[number] = matches[0]
        return found

    def numbers(self, record: Record) -> range:
        """Return the attempts of a job that the journal may not know."""
        if record.state is not State.PLANNED and RetryAsked not in TRANSITIONS[record.state]:
            return range(0)
        first = record.attempt + (record.state is not State.PLANNED)
        return range(first, first + LOOK_AHEAD)

    def attempts(self, entry: Entry) -> Iterable[Attempt]:
        """Return the attempts that the service may have and the journal may not know."""
        for number in self.numbers(entry.record):
            yield (attempt := self._history.attempt(entry.key, entry.job, number, entry.record))
            if not attempt.derived:
                return  # every attempt has the same body

    def adopt(self, entry: Entry, *, certain: bool = False) -> list[TakenIn]:
        """Adopt the attempts of one job that its seeds name; hold it where only the seed agrees.

        Args:
            entry: the job.
            certain: leave out what does not agree in all: nobody is about to buy the job.
        """
        taken: list[TakenIn] = []
        while (one := self._next_by_seed(entry, certain=certain)) is not None:
            taken.append(one)
            entry = one.entry
        return taken

    def _next_by_seed(self, entry: Entry, *, certain: bool) -> TakenIn | None:
        for attempt in self.attempts(entry):
            matches, near = self._with_seed(attempt)
            matches = [row for row in matches if self._is_proven(row)] or matches
            if len({row.author for row in matches}) > 1:
                near, matches = matches, []  # another key with a batch of this name derives the same seed
            if not (matches or (near and not certain)):
                continue
            failed = self.failed_rows(entry, upto=attempt.number)
            life = self._history.earlier(entry.key, entry.job, entry.record, failed, upto=attempt.number)
            rows = tuple(matches[:1] or near)
            life += (
                self._history.adoption(attempt, rows[0], by="seed", seen=self.seen.get(rows[0].remote_id))
                if matches
                else self._history.hold(attempt, rows)
            )
            try:
                recorded = self._record(entry, *life)
            except RemoteIdTakenError:  # another batch's run was quicker
                self._candidates.take(*(row.remote_id for row in rows))
                return self._next_by_seed(entry, certain=certain)
            self._candidates.take(*(row.remote_id for row in (*rows[: len(matches)], *failed.values())))
            return TakenIn(entry=recorded, rows=rows)
        return None

    def _is_proven(self, row: RemoteJob) -> bool:
        """Return whether the service has named its author as ours: rows by others may be another key's."""
        return self._candidates.ownership(row).owner is Owner.OURS

    def _with_seed(self, attempt: Attempt) -> tuple[list[RemoteJob], list[RemoteJob]]:
        """Return the rows that are an attempt's submission, and those that only share its seed."""
        matches, near = [], []
        for row, alike in self._candidates.like(attempt.sent):
            if not attempt.derived or seed_in(row.inputs or {}) != attempt.seed:
                continue
            likeness = stands_for(alike, row, self._candidates.ownership(row), self._window)
            # in an empty journal no receipt is left that could say who we are: a derived seed has to
            match = alike is Likeness.MATCH and self._blank
            if likeness is Likeness.MATCH or match:
                matches.append(row)
            else:
                near.append(row)
        return matches, near
