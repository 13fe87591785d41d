"""Running a batch."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from batchgen.engine.interrupts import Interrupts
from batchgen.manifest.values import Manifest
from batchgen.usecases.audience import Audience
from batchgen.usecases.run import run_batch
from batchgen.usecases.run_end import RunOutcome
from batchgen.wiring.batch import due_since
from batchgen.wiring.file_names import check_file_names
from batchgen.wiring.missed_slots import may_begin
from batchgen.wiring.opening import hold_when_free, open_held
from batchgen.wiring.options import Options
from batchgen.wiring.reading import manifest_of


async def run(options: Options, interrupts: Interrupts, audience: Audience) -> RunOutcome:
    """Carry every job of a manifest to its end, as far as this run may go, and write the results.

    Args:
        options: what to run, and where.
        interrupts: by which it is asked to drain or to leave.
        audience: whom it is shown to.

    Raises:
        InputError: the manifest or a model's name is wrong, or a guard stopped it; nothing was sent.
        BatchLockedError: another run holds the batch, and there was no time to wait for it, or too little.
        StoodByError: it stood by for another run, and was told to stop.
        JournalError, OutputError: the disk is at fault.
        ServiceError: the service could not be asked about the models; nothing was sent.
    """
    options = may_begin(options)

    def read() -> Manifest:
        manifest = check_file_names(options, manifest_of(options))
        audience.warn(manifest.warnings)
        return manifest

    began = options.clock.now()
    with _timed(options, interrupts):
        async with hold_when_free(options, read, interrupts=interrupts, note=audience.note) as held:
            with open_held(due_since(options, held.manifest, began), held) as opened:
                return await run_batch(opened, interrupts, audience)


@contextmanager
def _timed(options: Options, interrupts: Interrupts) -> Iterator[None]:
    """Drain the run when its time is over, which began before its manifest was read."""
    if options.max_duration is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(options.max_duration, interrupts.run_out)
    try:
        yield
    finally:
        timer.cancel()
