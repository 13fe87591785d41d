"""Keeping what was bought before a job was changed, and buying it after all. Asks no service."""

from collections.abc import Sequence

from batchgen.errors import InputError
from batchgen.planning.acceptance import Offer, offer, taken_back
from batchgen.planning.selection import ids_of, selected
from batchgen.wiring.opening import OpenBatch


def accept_changes(opened: OpenBatch, names: Sequence[str]) -> tuple[Offer, ...]:
    """Let changed jobs keep what was bought before: all of those that are named, or none.

    Args:
        opened: the batch.
        names: ids or patterns of jobs; those that keep something already are passed over.

    Returns:
        What is kept from now on.

    Raises:
        InputError: one of them has nothing to keep.
        JournalError: the journal cannot be written.
    """
    plan = opened.batch.plan
    chosen = selected(names, ids_of(plan), unfit=lambda name: _text(offer(plan, name)))
    _refuse(chosen.wrong)
    offers = tuple(one for name in chosen.ids if isinstance(one := offer(plan, name), Offer))
    records = opened.file.accepted(opened.batch.scope)
    records.keep({one.acceptance: one.bought for one in offers}, at=opened.now)
    return offers


def forget_acceptances(opened: OpenBatch, names: Sequence[str]) -> tuple[str, ...]:
    """Let changed jobs be bought after all: all of those that are named, or none.

    Args:
        opened: the batch.
        names: ids or patterns of jobs.

    Returns:
        The ids of those that are changed again.

    Raises:
        InputError: nothing was accepted for one of them.
        JournalError: the journal cannot be written.
    """
    plan = opened.batch.plan
    chosen = selected(names, ids_of(plan), unfit=lambda name: _text(taken_back(plan, name)))
    _refuse(chosen.wrong)
    found = (taken_back(plan, name) for name in chosen.ids)
    opened.file.accepted(opened.batch.scope).forget(one for one in found if not isinstance(one, str))
    return chosen.ids


def _text(found: object) -> str | None:
    return found if isinstance(found, str) else None


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise InputError("; ".join(wrong))
