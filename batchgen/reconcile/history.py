"""What is recorded of a submission that the journal did not see: its events, in order. Pure.

A submission that the service shows, and that no record owns, is given the history that it
would have had: an intent, an answer that was lost, and what was found.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from batchgen.identity import compose_body, derive_seed, files_of, has_file, references_of, seed_for
from batchgen.interpret import after_look, after_row
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    AnswerLost,
    Event,
    Failed,
    Held,
    Record,
    Refused,
    RetryAsked,
    State,
    SubmitStarted,
    apply,
)
from batchgen.model import Job, JobKey, Model, RemoteJob, Scope
from batchgen.planning.yields import kind_of
from batchgen.ports import Uploader
from batchgen.reconcile.matching import Body, seed_in


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt's body, and whether its seed was derived: nobody else sends that one."""

    job: Job
    number: int
    body: str
    seed: float | None
    derived: bool

    @property
    def sent(self) -> Body:
        """What was or would be sent."""
        return Body.of(self.job.model, self.body)

    @property
    def files(self) -> frozenset[str]:
        """The names of the inputs that hold local files: sent again, the same ones have other ids."""
        return frozenset(name for name, value in self.job.params.items() if has_file(value))


BEYOND = 8  # ordinals after the highest that is known or found: some were taken back, and bought nothing
LOOK_AHEAD = 5  # attempts after the last that is known: some may have been refused, and show no row


def is_edition(
    row: RemoteJob, content: str, records: Mapping[JobKey, Record], scope: Scope, model: Model | None
) -> bool:
    """Return whether a row has a seed that was derived for what some jobs of ours ask for.

    Args:
        row: as listed.
        content: what is asked for.
        records: of the scope.
        scope: where jobs and records belong.
        model: as the service describes it; None where it does not.
    """
    declared, seed = model.seed_input if model is not None else None, seed_in(row.inputs or {})
    if declared is None or seed is None:
        return False
    last = max((key.ordinal for key in records if key.content == content), default=0)
    keys = [JobKey(content, ordinal) for ordinal in range(last + BEYOND + 1)]
    attempts = range(1, LOOK_AHEAD + 1)
    return any(derive_seed(scope, key, number, declared) == seed for number in attempts for key in keys)


Price = Callable[[Job], Decimal | None]  # what a job may cost, compute units; None where nothing says


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryBuilder:
    """Composes events for one scope.

    Attributes:
        models: by id; a job of another model has no derived seed.
        skew: seconds by which the service's clock is ahead of ours.
        why: how the answers came to be lost, for people.
        since: before anything that is recorded, seconds since the epoch.
        at: now.
        uploader: knows the asset ids of local files; None where none are known.
        price: what a job may cost: it is held against every cap, be it above them; None where nobody knows.
    """

    scope: Scope
    models: Mapping[str, Model]
    skew: float
    why: str
    since: float
    at: float
    uploader: Uploader | None = None
    price: Price | None = None

    def assets_of(self, job: Job) -> Mapping[str, str] | None:
        """Return the asset ids of a job's files; None as long as its body cannot be composed."""
        files = files_of(job)
        if not all(one.assets for one in references_of(job)):
            return None
        if not files:
            return {}
        return self.uploader.known(files) if self.uploader else None

    def derived_seed(self, key: JobKey, job: Job, number: int) -> float | None:
        """Return the seed that nobody else would send; None where the job or its model has none."""
        model = self.models.get(job.model)
        if model is None or "seed" in job.params:
            return None
        return seed_for(job, model, self.scope, key, number)

    def attempt(self, key: JobKey, job: Job, number: int, record: Record) -> Attempt:
        """Return the body of an attempt: the recorded one, else as it would be made."""
        derived = (seed := self.derived_seed(key, job, number)) is not None
        if seed is None and job.model in self.models:
            seed = seed_for(job, self.models[job.model], self.scope, key, number)
        if number == record.attempt and record.body is not None:
            # a body that left without a seed is named by none, whatever its model takes by now
            derived = derived and record.seed is not None
            return Attempt(job=job, number=number, body=record.body, seed=record.seed, derived=derived)
        body = compose_body(job, seed, self.models.get(job.model), assets=self.assets_of(job))
        return Attempt(job=job, number=number, body=body, seed=seed, derived=derived)

    def started(self, attempt: Attempt, at: float, rows: Sequence[RemoteJob] = ()) -> SubmitStarted:
        """Return the intent, which holds the most that anything says it may have cost.

        Args:
            attempt: what was sent.
            at: when.
            rows: what may be its submission: what they show is a word on its charge.
        """
        words = [row.cost for row in rows]
        if self.price is not None:
            words.append(self.price(attempt.job))
        return SubmitStarted(
            at=at,
            job=attempt.job,
            attempt=attempt.number,
            body=attempt.body,
            seed=attempt.seed,
            reserved=max((one for one in words if one is not None), default=None),
        )

    def adoption(
        self, attempt: Attempt, row: RemoteJob, *, by: str, seen: RemoteJob | None = None
    ) -> list[Event]:
        """Return the history of a submission that is certainly this attempt's.

        Args:
            attempt: what was sent.
            row: as listed.
            by: what proves it.
            seen: the submission itself, where it was asked after: a row may be behind on what came out.
        """
        at = self.created(row)
        end = after_row(row, at=self.at)
        if seen is not None:
            asked = kind_of(attempt.job.model, attempt.body, self.models.get(attempt.job.model)).asked
            end = after_look(seen, at=self.at, expected=asked)
        adopted = Adopted(
            at=at,
            remote_id=row.remote_id,
            charged=row.cost,
            author=row.author,
            owner=row.owner,
            evidence={"by": by, "created_at": row.created_at, "skew": self.skew},
        )
        lost = AnswerLost(at=at, reason=self.why)
        return [self.started(attempt, at, [row]), lost, adopted, *([] if end is None else [end])]

    def hold(self, attempt: Attempt, rows: Sequence[RemoteJob]) -> list[Event]:
        """Return the history of a job that some of these rows may be."""
        at = min(self.created(row) for row in rows)
        names = ", ".join(row.remote_id for row in rows)
        return [
            self.started(attempt, at, rows),
            AnswerLost(at=self.at, reason=self.why),
            Held(at=self.at, reason=f"{self.why}: {names} may be this job or somebody else's"),
        ]

    def earlier(
        self, key: JobKey, job: Job, record: Record, failed: Mapping[int, RemoteJob], *, upto: int
    ) -> list[Event]:
        """Return the attempts before one that is known: as listed, else as refused, which cost nothing.

        Args:
            key: the job's.
            job: as it is wanted.
            record: what the journal has of it.
            failed: the rows of earlier attempts, by number.
            upto: the attempt that is known.
        """
        events: list[Event] = []
        if record.state is not State.PLANNED:
            events.append(RetryAsked(at=self.since))
            record = apply(record, events[0])
        for number in range(record.attempt, upto):
            attempt = self.attempt(key, job, number, record)
            unseen = Refused(at=self.since, reason="no submission of this attempt is known")
            row = failed.get(number)
            ended = [unseen] if row is None else self._failure(row)
            events += [self.started(attempt, self.since), *ended, RetryAsked(at=self.since)]
        return events

    def _failure(self, row: RemoteJob) -> list[Event]:
        accepted = Accepted(
            at=self.created(row),
            remote_id=row.remote_id,
            charged=row.cost,
            author=row.author,
            owner=row.owner,
        )
        end = after_look(row, at=self.at)
        return [accepted, end if end is not None else Failed(at=self.at)]

    def created(self, row: RemoteJob) -> float:
        """Return the row's date by our clock."""
        return self.at if row.created_at is None else min(self.at, row.created_at - self.skew)
