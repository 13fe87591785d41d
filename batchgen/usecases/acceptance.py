"""Keeping what was bought before a job was changed, and buying it after all. Asks no service."""

from collections.abc import Sequence

from batchgen.errors import InputError
from batchgen.plan.acceptance import Offer, offer, taken_back
from batchgen.wiring.opening import OpenBatch


def accept_changes(opened: OpenBatch, names: Sequence[str]) -> tuple[Offer, ...]:
    """Let changed jobs keep what was bought before: all of those that are named, or none.

    Args:
        opened: the batch.
        names: the jobs' ids; those that keep something already are passed over.

    Returns:
        What is kept from now on.

    Raises:
        InputError: one of them has nothing to keep.
        JournalError: the journal cannot be written.
    """
    found = {name: offer(opened.batch.plan, name) for name in dict.fromkeys(names)}
    _refuse([one for one in found.values() if isinstance(one, str)])
    offers = tuple(one for one in found.values() if isinstance(one, Offer))
    records = opened.file.accepted(opened.batch.scope)
    records.keep({one.acceptance: one.bought for one in offers}, at=opened.now)
    return offers


def forget_acceptances(opened: OpenBatch, names: Sequence[str]) -> tuple[str, ...]:
    """Let changed jobs be bought after all: all of those that are named, or none.

    Args:
        opened: the batch.
        names: the jobs' ids.

    Returns:
        The ids of those that are changed again.

    Raises:
        InputError: nothing was accepted for one of them.
        JournalError: the journal cannot be written.
    """
    found = {name: taken_back(opened.batch.plan, name) for name in dict.fromkeys(names)}
    _refuse([one for one in found.values() if isinstance(one, str)])
    opened.file.accepted(opened.batch.scope).forget(one for one in found.values() if not isinstance(one, str))
    return tuple(found)


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise InputError("; ".join(wrong))
