"""Whose a submission at the service is: the only place that answers it. Pure.

The journal answers first (a record owns it, or a person said that it is not ours), then what
the service shows of it. A key's submissions are by ``apiu_...`` and a person's by ``user_...``;
which of them we are is known from receipts, and from listed rows of what receipts named, so
neither form proves anything by itself. An upload names us too, but jobs may name us otherwise: it
proves rows to be ours, and none to be another's.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from batchgen.account import Holder, Known
from batchgen.model import RemoteJob

GENERATION = frozenset({"custom", ""})  # the types of what we submit; empty where a row shows none
# Types of what is no generation by a model (`jobType` in resources/jobs.py of the service's SDK).
OTHER_WORK = frozenset(
    {
        *("assets-download", "model-training", "flux-model-training", "musubi-model-training", "embed"),
        *("canvas-export", "caption", "caption-llava", "generate-prompt", "describe-style", "translate"),
        *("detection", "upload", "mesh-preview-rendering", "workflow", "model-download", "model-import"),
    }
)


class Owner(StrEnum):
    """Who a submission belongs to."""

    OURS = "ours"
    MAYBE_OURS = "may be ours"
    OTHERS = "another's"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ownership:
    """Whose a row is, and why.

    Attributes:
        owner: whose.
        reason: for people.
        holder: the record that has it, in whatever batch; None for a row without a record.
        decisive: whether a row that echoes the whole body may be adopted: False where its
            author may be somebody else because nothing has said yet who we are.
        unusual: whether it is of a type that no row of ours is known to have.
        is_other_work: whether that type is known to be no generation: nothing less than the whole body
            makes it worth a thought.
    """

    owner: Owner
    reason: str
    holder: Holder | None = None
    decisive: bool = True
    unusual: bool = False
    is_other_work: bool = False

    @property
    def is_free(self) -> bool:
        """Whether it may stand for a job that has no submission."""
        return self.holder is None and self.owner is not Owner.OTHERS


def owner_of(
    row: RemoteJob,
    known: Known,
    *,
    types: Collection[str] = GENERATION,
    holder: Holder | None = None,
) -> Ownership:
    """Say whose a row is.

    Args:
        row: as the service shows it.
        known: who we are, or the key that sent what is looked for.
        types: of rows that we have.
        holder: what the journal knows of its id, in whatever batch; None where it knows nothing.
    """
    if holder is not None:
        return _held(holder)
    by_author = owner_by_author(row.author, known)
    if row.job_type in types or by_author.owner is Owner.OTHERS:
        return by_author
    reason = f"{by_author.reason}; of type {row.job_type}, which no job of ours is known to have"
    other = row.job_type in OTHER_WORK
    return replace(by_author, reason=reason, decisive=False, unusual=True, is_other_work=other)


def owner_by_author(author: str, known: Known) -> Ownership:
    """Say whose something is by its author alone.

    Args:
        author: as the service shows it; empty where it shows none.
        known: who we are.
    """
    if not author:
        return Ownership(owner=Owner.MAYBE_OURS, reason="the service shows no author")
    if author in known.ours:
        return Ownership(owner=Owner.OURS, reason=f"by our author {author}")
    if not (known.is_all and (known.receipts or known.rows)):
        reason = f"by {author}; no reply has said yet who we are"
        return Ownership(owner=Owner.MAYBE_OURS, reason=reason, decisive=False)
    if known.rows or _kind(author) in map(_kind, known.receipts):
        return Ownership(owner=Owner.OTHERS, reason=f"by {author}, who is not us")
    # replies may name a key by its own id, and listings by the person whose key it is
    reason = (
        f"by {author}; replies call us {', '.join(sorted(known.receipts))}, and rows may call us otherwise"
    )
    return Ownership(owner=Owner.MAYBE_OURS, reason=reason, decisive=False)


def _kind(author: str) -> str:
    return author.partition("_")[0]


def _held(holder: Holder) -> Ownership:
    if holder.scope is None:
        return Ownership(owner=Owner.OTHERS, reason="a person said that it is not ours", holder=holder)
    slot = f", slot {holder.scope.slot}" if holder.scope.slot else ""
    reason = f"recorded in batch {holder.scope.batch}{slot}"
    return Ownership(owner=Owner.OURS, reason=reason, holder=holder)
