"""Whose a submission at the service is: the only place that answers it. Pure.

The journal answers first (a record owns it, or a person said that it is not ours), then what
the service shows of it. A key's submissions are by ``apiu_...`` and a person's by ``user_...``;
which of them we are is known from receipts alone, so neither form proves anything by itself.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from batchgen.model import Holder, RemoteJob

GENERATION = frozenset({"custom", ""})  # the types of what we submit; empty where a row shows none


class Owner(StrEnum):
    """Who a submission belongs to."""

    OURS = "ours"
    MAYBE_OURS = "may be ours"
    ANOTHERS = "another's"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ownership:
    """Whose a row is, and why.

    Attributes:
        owner: whose.
        reason: for people.
        holder: the record that has it, in whatever batch; None for a row without a record.
        decisive: whether a row that echoes the whole body may be adopted: False where its
            author may be somebody else because no receipt has said yet who we are.
    """

    owner: Owner
    reason: str
    holder: Holder | None = None
    decisive: bool = True

    @property
    def is_free(self) -> bool:
        """Whether it may stand for a job that has no submission."""
        return self.holder is None and self.owner is not Owner.ANOTHERS


def owner_of(row: RemoteJob, *, authors: Collection[str], holder: Holder | None = None) -> Ownership:
    """Say whose a row is.

    Args:
        row: as the service shows it.
        authors: who we are by our receipts; empty as long as none has said.
        holder: what the journal knows of its id, in whatever batch; None where it knows nothing.
    """
    if holder is not None:
        return _held(holder)
    if row.job_type not in GENERATION:
        return Ownership(
            owner=Owner.ANOTHERS, reason=f"a job of type {row.job_type}, which is never submitted"
        )
    return owner_by_author(row.author, authors)


def owner_by_author(author: str, authors: Collection[str]) -> Ownership:
    """Say whose something is by its author alone.

    Args:
        author: as the service shows it; empty where it shows none.
        authors: who we are by our receipts; empty as long as none has said.
    """
    if not author:
        return Ownership(owner=Owner.MAYBE_OURS, reason="the service shows no author")
    if not authors:
        return Ownership(
            owner=Owner.MAYBE_OURS, reason=f"by {author}; no reply has said yet who we are", decisive=False
        )
    if author in authors:
        return Ownership(owner=Owner.OURS, reason=f"by our author {author}")
    return Ownership(owner=Owner.ANOTHERS, reason=f"by {author}, who is not us")


def _held(holder: Holder) -> Ownership:
    if holder.scope is None:
        return Ownership(owner=Owner.ANOTHERS, reason="a person said that it is not ours", holder=holder)
    slot = f", slot {holder.scope.slot}" if holder.scope.slot else ""
    reason = f"recorded in batch {holder.scope.batch}{slot}"
    return Ownership(owner=Owner.OURS, reason=reason, holder=holder)


Owners = Mapping[str, Ownership]
"""Whose each row of a listing is, by remote id."""
