"""The listed rows that no record owns: which are ours for certain, which may be, and which are others'.

Pure: what a row is like was compared before. A row that equals what was sent for a job is a
``Surplus`` (``audit``); every other one that is ours or may be is named here with what it is most
like, and what is known to be somebody else's is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from batchgen.identity import has_file
from batchgen.model import Job, RemoteJob
from batchgen.reconcile.audit import Sent
from batchgen.reconcile.candidates import Listed
from batchgen.reconcile.matching import Body, Likeness, Window, differences, may_be_bought
from batchgen.reconcile.ownership import Owner


@dataclass(frozen=True, kw_only=True, slots=True)
class Like:
    """What a row is to one body that was sent.

    Attributes:
        sent: the body.
        likeness: by what the row echoes.
        differs: the inputs that it shows otherwise.
        same: whether it is what was sent, as far as a service changes nothing but how it is written.
        waits: whether the answer to that body is missing, and the row is of its time.
    """

    sent: Sent
    likeness: Likeness
    differs: tuple[str, ...] = ()
    same: bool = False
    waits: bool = False


def like_of(sent: Sent, body: Body, row: RemoteJob, likeness: Likeness, window: Window | None) -> Like | None:
    """Return what a comparison came to; None where a row that shows nothing could be any job's.

    Args:
        sent: what left.
        body: the same, read.
        row: as listed.
        likeness: by what it echoes.
        window: when it would have been accepted; None where its answer is not missing.
    """
    waits = window is not None and window.has(row)
    if "modelId" not in (row.inputs or {}) and not waits:
        return None
    return Like(
        sent=sent,
        likeness=likeness,
        differs=differences(body, row) if likeness is not Likeness.MATCH else (),
        same=may_be_bought(body, row, likeness, files_in(sent.job)),
        waits=waits,
    )


def files_in(job: Job) -> frozenset[str]:
    """Return the inputs of a job that hold local files: sent again, they have other ids."""
    return frozenset(name for name, value in job.params.items() if has_file(value))


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubtful:
    """A row without a record that is or may be ours, and equals nothing that was sent.

    Attributes:
        row: as listed.
        owner, reason: whose it is by what is known, and why.
        like: the job that it is most like; None where it is like none.
    """

    row: RemoteJob
    owner: Owner
    reason: str
    like: Like | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Others:
    """The rows of the project that are known to be somebody else's.

    Attributes:
        jobs: how many.
        cost: compute units that they show.
    """

    jobs: int = 0
    cost: Decimal = Decimal(0)


def same_as(likes: Iterable[Like]) -> list[Sent]:
    """Return what a row is the same as: by all it echoes, else but for how it is written.

    What was sent goes before what was only asked for, and a job that misses its answer before a question.
    """
    found = list(likes)
    sent = [one for one in found if not one.sent.asked]
    whole = [one.sent for one in sent if one.likeness is Likeness.MATCH]
    if same := whole or [one.sent for one in sent if one.same]:
        return same
    return [] if any(one.waits for one in sent) else [one.sent for one in found if one.same]


def find_doubtful(
    listed: Iterable[Listed], likes: Mapping[str, Sequence[Like]], surplus: Iterable[str]
) -> tuple[list[Doubtful], Others]:
    """Part the rows without a record that are no surplus: those that may be ours, and those of others.

    Args:
        listed: every row with whose it is.
        likes: what each is like, by remote id.
        surplus: ids of rows that are told otherwise.
    """
    told = frozenset(surplus)
    doubtful: list[Doubtful] = []
    jobs, cost = 0, Decimal(0)
    for row, whose in ((one.row, one.ownership) for one in listed):
        recorded = whose.holder is not None and whose.holder.scope is not None
        if recorded or row.remote_id in told:
            continue
        like = _most_like(likes.get(row.remote_id, ()))
        by_another = whose.owner is Owner.OTHERS and like is None
        # uploads and the like are listed too, and cost nothing
        free_of_charge = whose.unusual and not row.cost and like is None
        if by_another or free_of_charge:
            jobs, cost = jobs + 1, cost + (row.cost or Decimal(0))
            continue
        owner = Owner.MAYBE_OURS if whose.owner is Owner.OTHERS else whose.owner
        doubtful.append(Doubtful(row=row, owner=owner, reason=whose.reason, like=like))
    return doubtful, Others(jobs=jobs, cost=cost)


def _most_like(likes: Sequence[Like]) -> Like | None:
    """Return the job that misses its answer before all others, else the one that differs least."""
    return min(likes, key=lambda one: (not one.waits, not one.same, len(one.differs)), default=None)
