"""What an audit found, the exit status for it, and what a question for a price may have said. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from batchgen.engine.verdict import Verdict
from batchgen.exits import Exit
from batchgen.identity import compose_body, content_key, files_of
from batchgen.lifecycle import State
from batchgen.model import Job, JobKey, Purchase, Scope, Submission
from batchgen.output.repair import Damaged
from batchgen.planning.arrangement import Blocked
from batchgen.planning.chains import Outdated
from batchgen.reconcile.audit import BatchHistory, Sent, Situation, Sums, Surplus
from batchgen.reconcile.candidates import Listed
from batchgen.reconcile.unowned import Doubtful, Others
from batchgen.usecases.questions import STAND_IN, with_stand_ins


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A submission that ended one way by the journal and stands otherwise at the service."""

    job: Job
    remote_id: str
    recorded: str
    shown: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """A job that is held, or whose answer is missing.

    Attributes:
        key, job: whose it is.
        state: where it stands.
        reason: why, in the record's words.
    """

    key: JobKey
    job: Job
    state: State
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Short:
    """A success with fewer assets on record than it was to have, or than the service shows by now.

    Attributes:
        key, job, remote_id: which one.
        assets, expected: how many are on record, and how many it was to have.
        new, shown: those that are not on record, and all that the service shows.
        young: whether runs ask it again.
        recorded: whether the new ones were put on record.
    """

    key: JobKey
    job: Job
    remote_id: str
    assets: int
    expected: int
    new: tuple[str, ...]
    shown: tuple[str, ...]
    young: bool
    recorded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Dearer:
    """A submission of which the service shows more than was charged by the journal."""

    job: Job
    paid: Submission
    shown: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """What is on record and was not looked at, for it was not selected.

    Attributes:
        jobs, submissions: how many.
    """

    jobs: int
    submissions: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """All that an audit found.

    Attributes:
        scope: whose records were held against the service.
        submissions: paid for by the journal.
        listed: every row that the service listed, with whose it is; None where nothing was ever
            submitted and none was asked for.
        troubles: why the service could not be read to the end; empty if it was.
        surplus: rows of ours without a record that are equal to a job of ours.
        doubtful: the other rows without a record that are or may be ours.
        others: what is known to be somebody else's.
        unreadable: listed rows that nobody can read, and that may be any job's.
        open: jobs that are held, or whose answer is missing.
        short: successes with fewer assets than they were to have, or than the service shows by now.
        dearer: submissions of which the service shows more than was charged by the journal.
        changed: submissions whose end changed.
        files: how many are on record.
        damaged: those that are not on the disk as they are on record.
        sums: what was charged.
        untrue: jobs whose record is not what the history tells, by id, and how.
        purchases: submissions that were bought by asking for a price, and belong to no job.
        left_out: records of jobs that were not selected; None where all were looked at.
        blocked: files that cannot have their names, as something else has them.
        moved: which files were given their names, for people; empty for none.
        outdated: the children that were bought with what is not their parents' any more.
    """

    scope: Scope
    submissions: int = 0
    listed: tuple[Listed, ...] | None = None
    troubles: tuple[str, ...] = ()
    surplus: tuple[Surplus, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()
    others: Others = field(default_factory=Others)
    unreadable: int = 0
    open: tuple[Open, ...] = ()
    short: tuple[Short, ...] = ()
    dearer: tuple[Dearer, ...] = ()
    changed: tuple[Changed, ...] = ()
    files: int = 0
    damaged: tuple[Damaged, ...] = ()
    sums: Sums = field(default_factory=Sums)
    untrue: tuple[tuple[str, str], ...] = ()
    purchases: tuple[Purchase, ...] = ()
    left_out: LeftOut | None = None
    blocked: tuple[Blocked, ...] = ()
    moved: str = ""
    outdated: tuple[Outdated, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The exit status and every reason there is for one."""
        broken = sum(not (one.fixed or one.gone) for one in self.damaged)
        lost = sum(one.gone and not one.fixed for one in self.damaged)
        due = sum(one.situation is Situation.DUE for one in self.surplus)
        held = sum(one.state is State.HELD for one in self.open)
        grown = sum(bool(one.new) for one in self.short)
        bare = sum(not one.new and not one.assets and not one.young for one in self.short)
        young = sum(not one.new and one.young for one in self.short)
        reasons = [
            (Exit.BUG, len(self.untrue), "{} of which record and history differ: keep a copy of the journal"),
            (Exit.DOUBT, len(self.purchases), "{} bought by a price question, belonging to no job"),
            (Exit.DOUBT, len(self.surplus) - due, "{} likely paid twice or lost"),
            (Exit.DOUBT, len(self.changed), "{} ended otherwise than the journal says"),
            (Exit.DOUBT, held, "{} waiting for your decision"),
            (Exit.FAILED, bare, "{} succeeded without any asset"),
            (Exit.FAILED, lost, "{} lost: not on the disk, and no longer at the service"),
            (Exit.REMAINS, due, "{} whose reply is still to come: the next run records it"),
            (Exit.REMAINS, len(self.open) - held, "{} whose reply is missing: the next run settles it"),
            (Exit.REMAINS, grown, "{} with assets that appeared after it was collected"),
            (Exit.REMAINS, young, "{} with fewer assets than it was to have: the next run asks again"),
            (
                Exit.REMAINS,
                len(self.dearer),
                "{} that cost more than the journal says: `batchgen cost --reconcile`",
            ),
            (Exit.REMAINS, broken, "{} missing or damaged"),
            (Exit.REMAINS, len(self.blocked), "{} without its name, which another one has"),
        ]
        nouns = (
            "job",
            *["submission"] * 3,
            "job",
            "job",
            "file",
            "submission",
            *["job"] * 3,
            "submission",
            *["file"] * 2,
        )
        said = [
            (status, text.format(f"{number} {noun}{'s' * (number != 1)}"))
            for (status, number, text), noun in zip(reasons, nouns, strict=True)
            if number
        ]
        if self.troubles:
            said.append((Exit.REMAINS, "the service could not be read to the end"))
        return Verdict(exit=said[0][0] if said else Exit.DONE, reasons=tuple(text for _, text in said))


def asked_of(history: BatchHistory, jobs: Iterable[Job]) -> Iterator[Sent]:
    """Return what a question for the price of each job may have said: no derived seed is in it."""
    known = set[str]()
    for sent in history.sent:
        content = sent.key.content
        if content not in known and "seed" not in sent.job.params:
            inputs = {name: one for name, one in json.loads(sent.body).items() if name != "seed"}
            yield replace(sent, body=json.dumps(inputs), asked=True)
        known.add(content)
    for job in jobs:
        content = content_key(job)
        if content not in known:
            known.add(content)
            body = compose_body(with_stand_ins(job), None, assets=dict.fromkeys(files_of(job), STAND_IN))
            yield Sent(key=JobKey(content), job=job, attempt=1, body=body, asked=True)
