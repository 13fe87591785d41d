"""Whether two names of a project, or two addresses of a service, stand for one account.

Records of another name are neither ours nor free: where it is the same account, its jobs are paid for
by us and must be carried on, not bought again; where it is another one, they are nobody's business.
The service's own word decides: whose the jobs are (``ownerId``), and whether one that was bought under
the one name is shown under the other.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from batchgen.errors import NotFoundError, RefusedError
from batchgen.lifecycle import Record
from batchgen.model import RemoteJob, Submission
from batchgen.ports import Clock

ASKED_AT_MOST = 3
_FRESH = 60.0  # seconds in which the service may not show yet what it took
_PAUSE = 5.0


class Relation(StrEnum):
    """What two names are to each other."""

    SAME = "one account"
    OTHER = "two accounts"
    UNKNOWN = "not known"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What a journal knows of one name, which is an address and a project.

    Attributes:
        address: of the service, in the form in which its names are equal.
        project: empty for the key's own.
        owners: who has the jobs that were bought under it, as receipts tell.
    """

    address: str
    project: str
    owners: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Bought:
    """A submission that was paid for under the other name.

    Attributes:
        model: that it was sent to; empty where that is not known.
    """

    submission: Submission
    model: str


class ShowsJobs(Protocol):
    """The part of ``ports.Generator`` that is asked."""

    async def job(self, remote_id: str) -> RemoteJob:
        """Look at one submission."""
        ...


def by_owners(ours: Place, other: Place) -> Relation:
    """Return what two projects of one address are to each other, by what the service has said of their jobs.

    A project's name is the owner of its jobs, but need not be the only one: that the names differ tells
    nothing.
    """
    if ours.project == other.project:
        return Relation.SAME
    if ours.owners & other.owners or ours.project in other.owners or other.project in ours.owners:
        return Relation.SAME
    return Relation.OTHER if ours.owners and other.owners else Relation.UNKNOWN


def worth_asking(records: Iterable[Record]) -> list[Bought]:
    """Return a few submissions to ask for: the newest two, and the oldest, which every view shows by now."""
    paid = [
        Bought(submission=one, model=of.job.model if of.job else "")
        for of in records
        for one in of.submissions
    ]
    paid.sort(key=lambda one: -one.submission.at)
    return [*paid[: ASKED_AT_MOST - 1], *paid[ASKED_AT_MOST - 1 :][-1:]]


async def relation(
    ours: Place, other: Place, bought: Sequence[Bought], service: ShowsJobs | None, clock: Clock
) -> Relation:
    """Return what two names are to each other; the service is asked, by our name, where owners do not tell.

    Between two addresses owners tell nothing, and only a job that is shown is a sign: that none is shows
    two services. That none of a moment ago is shown tells nothing yet.

    Raises:
        StoppedError: the credentials are not accepted.
        TransientError: the service does not answer.
    """
    one_address = ours.address == other.address
    told = by_owners(ours, other) if one_address else Relation.UNKNOWN
    if told is not Relation.UNKNOWN or service is None:
        return told
    while (shown := await _ask(other, bought, service, one_address=one_address)) is None:
        youngest = max((one.submission.at for one in bought), default=0.0)
        if clock.now() - youngest >= _FRESH:
            return Relation.UNKNOWN if one_address else Relation.OTHER
        await asyncio.sleep(_PAUSE)
    return shown


async def _ask(
    other: Place, bought: Sequence[Bought], service: ShowsJobs, *, one_address: bool
) -> Relation | None:
    """Ask for one after the other; None where none is shown."""
    for one in bought:
        try:
            row = await service.job(one.submission.remote_id)
        except (NotFoundError, RefusedError):
            continue
        if not one_address and not _is_that(row, one):
            continue
        known = bool(row.owner and other.owners)
        return Relation.OTHER if known and row.owner not in other.owners else Relation.SAME
    return None


def _is_that(row: RemoteJob, bought: Bought) -> bool:
    """Tell a job from one of another service that happens to have its id."""
    model = (row.inputs or {}).get("modelId")
    return _agree(row.author, bought.submission.author) and _agree(model, bought.model)


def _agree(shown: object, known: str) -> bool:
    return not shown or not known or shown == known
