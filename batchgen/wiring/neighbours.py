"""Opening the journals of other batches, whose jobs in doubt ask for the same as those of a run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from batchgen.errors import BatchLockedError
from batchgen.model import Scope
from batchgen.ports import Generator, Observer
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.reconcile.neighbours import Neighbours, Opened
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Options
from batchgen.wiring.service import sender_of


def neighbours_of(
    batch: Batch,
    options: Options,
    *,
    generator: Generator,
    observer: Observer,
    policy: DoubtPolicy,
) -> Neighbours:
    """Return what settles doubts of other batches that stand in this one's way.

    Args:
        batch: that is run, under its lock.
        options: where the journal and the locks are.
        generator: the service.
        observer: is told of troubles.
        policy: how patient it is.

    Raises:
        StoppedError: there are no credentials.
    """

    @contextmanager
    def open_batch(scope: Scope) -> Iterator[Opened | None]:
        with ExitStack() as stack:
            try:
                lease = stack.enter_context(options.journal.hold(scope.batch, stamp=options.clock.now()))
            except BatchLockedError:
                yield None
            else:
                file = stack.enter_context(options.journal.opened(checked=True))
                yield Opened(file.batch(scope), lease)

    return Neighbours(
        generator=generator,
        batch=batch.scope.batch,
        journal=batch.journal,
        clock=options.clock,
        observer=observer,
        policy=policy,
        sender=sender_of(options),
        open_batch=open_batch,
    )
