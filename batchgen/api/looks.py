"""Looking at where batches stand; no run is disturbed."""

from collections.abc import Mapping, Sequence

from batchgen.model import Scope
from batchgen.planning.chains import ChainCount
from batchgen.usecases.status import BatchStatus, chains_in, status_of_all
from batchgen.wiring.options import Options


def status(options: Options) -> Sequence[BatchStatus]:
    """Sum up every batch of an output folder, in the order of their first events.

    Where jobs are selected it is those of the batch that the options name, by its manifest or its name.

    Raises:
        InputError: words that select jobs mean none, or the manifest is wrong.
        JournalError: the journal cannot be read.
    """
    if options.selection:
        # a manifest may be read for this, and a plan made
        from batchgen.usecases.selected_status import status_of_some  # noqa: PLC0415

        return status_of_some(options)
    return status_of_all(options.journal, options.output, now=options.clock.now())


def chains(options: Options, batch: str | None = None) -> Mapping[Scope, ChainCount]:
    """Return how far the chains of batches are, by their results; see ``usecases.status.chains_in``."""
    return chains_in(options, batch)
