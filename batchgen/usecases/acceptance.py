"""Keeping what was bought before a job was changed, and buying it after all. Asks no service."""

from dataclasses import dataclass

from batchgen.errors import InputError
from batchgen.planning.acceptance import Offer, offer, taken_back
from batchgen.planning.selection import Unfit, selected
from batchgen.wiring.opening import OpenBatch


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What changed jobs keep.

    Attributes:
        offers: what is kept from now on.
        before: the ids of those that kept something already.
    """

    offers: tuple[Offer, ...]
    before: tuple[str, ...]


def accept_changes(opened: OpenBatch) -> Kept:
    """Let changed jobs keep what was bought before: all of those that are selected, or none.

    Args:
        opened: the batch, with the words that select jobs.

    Raises:
        InputError: one of those that are named has nothing to keep.
        JournalError: the journal cannot be written.
    """
    plan, gone = opened.batch.plan, opened.gone
    names = _chosen(opened, lambda name: _text(offer(plan, name, gone=gone)))
    found = {name: offer(plan, name, gone=gone) for name in names}
    offers = tuple(one for one in found.values() if isinstance(one, Offer))
    records = opened.file.accepted(opened.batch.scope)
    records.keep({one.acceptance: one.bought for one in offers}, at=opened.now)
    return Kept(offers=offers, before=tuple(name for name, one in found.items() if one is None))


def forget_acceptances(opened: OpenBatch) -> tuple[str, ...]:
    """Let changed jobs be bought after all: all of those that are selected, or none.

    Args:
        opened: the batch, with the words that select jobs.

    Returns:
        The ids of those that are changed again.

    Raises:
        InputError: nothing was accepted for one of those that are named.
        JournalError: the journal cannot be written.
    """
    plan = opened.batch.plan
    names = _chosen(opened, lambda name: _text(taken_back(plan, name)))
    found = (taken_back(plan, name) for name in names)
    opened.file.accepted(opened.batch.scope).forget(one for one in found if not isinstance(one, str))
    return names


def _chosen(opened: OpenBatch, unfit: Unfit) -> tuple[str, ...]:
    batch, words = opened.batch, opened.options.selection
    known = batch.known(now=opened.now)
    ids, wrong = selected(words, known, unfit=unfit)[1:]
    if wrong:
        raise InputError("\n".join(wrong))
    return ids


def _text(found: object) -> str | None:
    return found if isinstance(found, str) else None
