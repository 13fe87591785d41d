"""Keeping what was bought before a job was changed, and buying it after all. Asks no service."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from batchgen.errors import InputError
from batchgen.journal.accepted import AcceptedRecords
from batchgen.journal.lock import hold_batch
from batchgen.journal.store import JournalFile
from batchgen.manifest.reading import read_manifest
from batchgen.plan.acceptance import Offer, offer, taken_back
from batchgen.wiring.batch import Batch, scope_of
from batchgen.wiring.options import Options


def accept_changes(options: Options, names: Sequence[str]) -> tuple[Offer, ...]:
    """Let changed jobs keep what was bought before: all of those that are named, or none.

    Args:
        options: which batch.
        names: the jobs' ids; those that keep something already are passed over.

    Returns:
        What is kept from now on.

    Raises:
        InputError: the manifest is wrong, or one of them has nothing to keep.
        BatchHeldError: a run holds the batch.
        JournalError: the journal cannot be opened or written.
    """
    with _at(options) as (batch, records):
        found = {name: offer(batch.plan, name) for name in dict.fromkeys(names)}
        _refuse([one for one in found.values() if isinstance(one, str)])
        offers = tuple(one for one in found.values() if isinstance(one, Offer))
        records.keep({one.acceptance: one.bought for one in offers}, at=options.clock.now())
        return offers


def forget_acceptances(options: Options, names: Sequence[str]) -> tuple[str, ...]:
    """Let changed jobs be bought after all: all of those that are named, or none.

    Args:
        options: which batch.
        names: the jobs' ids.

    Returns:
        The ids of those that are changed again.

    Raises:
        InputError: the manifest is wrong, or nothing was accepted for one of them.
        BatchHeldError: a run holds the batch.
        JournalError: the journal cannot be opened or written.
    """
    with _at(options) as (batch, records):
        found = {name: taken_back(batch.plan, name) for name in dict.fromkeys(names)}
        _refuse([one for one in found.values() if isinstance(one, str)])
        records.forget(one for one in found.values() if not isinstance(one, str))
        return tuple(found)


@contextmanager
def _at(options: Options) -> Iterator[tuple[Batch, AcceptedRecords]]:
    """Hold a batch, as its only writer."""
    manifest = read_manifest(options.manifest, environ=options.environ, max_jobs=options.max_jobs)
    now = options.clock.now()
    with hold_batch(options.lock_of(manifest.batch), stamp=now), JournalFile.open(options.journal) as file:
        scope = scope_of(options, manifest, file, now=now)
        yield Batch.of(options, manifest, scope, file), file.accepted(scope)


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise InputError("; ".join(wrong))
