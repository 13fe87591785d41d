"""A manifest under the name it is run with: what a run goes on with, and what a look at it tells."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from batchgen.journal.names import NO_FILE
from batchgen.journal.opened import OpenJournal
from batchgen.model import RemoteJob
from batchgen.reconcile.accounts import ShowsJobs
from batchgen.usecases.naming import NamesFound, Naming
from batchgen.usecases.rename_check import whether_it_lies_there
from batchgen.usecases.shared_batch import refuse_a_shared_batch, stopped_by_another_manifest
from batchgen.wiring.batch import Batch, scope_of
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import Options
from batchgen.wiring.service import open_service

if TYPE_CHECKING:
    from batchgen.scenario.client import ScenarioClient


class _WhenAsked:
    """The service, opened for the first question: most runs have none."""

    def __init__(self, options: Options, batch: Batch, stack: AsyncExitStack) -> None:
        self._options = options
        self._batch = batch
        self._stack = stack
        self._client: ScenarioClient | None = None

    async def job(self, remote_id: str) -> RemoteJob:
        """Look at one submission."""
        if self._client is None:
            limit = self._batch.manifest.limits.rate
            opening = open_service(self._options, project=self._batch.project, rate=limit)
            self._client = (await self._stack.enter_async_context(opening)).client
        return await self._client.job(remote_id)


async def go_on_under_one_name(opened: OpenBatch, *, say: Callable[[str], object]) -> OpenBatch:
    """Return the batch with the records that are its own under whatever name; before anything is bought.

    Args:
        opened: as its name alone makes it.
        say: takes sentences for people.

    Raises:
        InputError: it may have been paid for under another name; nothing was sent.
        JournalError: what was found could not be recorded.
        ServiceError: the service could not be asked; nothing was sent.
    """
    options, file = opened.options, opened.file
    refuse_a_shared_batch(options, file, opened.batch.whole, at=opened.now)
    async with _service(options, opened.batch) as service:
        naming = _naming(options, file, service)
        while True:
            scope = opened.batch.scope
            found = await naming.look(scope, opened.batch.plan)
            naming.settle(scope, found)
            for text in told_of_names(found):
                say(text)
            if not found.joined:
                break
            opened = opened.under(scope_of(options, opened.batch.manifest, file, now=opened.now))
    place = str(options.manifest.resolve()) if options.text is None else NO_FILE
    file.names.keep_manifest(opened.batch.scope, place, at=opened.now)
    return opened


async def look_at_names(
    opened: OpenBatch, *, offline: bool = False, beside_alone: bool = False
) -> NamesFound:
    """Return what other names would mean for a run; nothing is changed.

    Args:
        opened: the plan, as it would be run.
        offline: ask nothing.
        beside_alone: leave out other projects and addresses: they were looked at.

    Raises:
        JournalError: the journal cannot be read.
        ServiceError: the service could not be asked.
    """
    options, batch = opened.options, opened.batch
    if why := stopped_by_another_manifest(options, opened.file, batch.whole):
        return NamesFound(stopped=why)
    async with _service(options, batch) as service:
        naming = _naming(options, opened.file, None if offline or options.simulate else service)
        if not beside_alone:
            return await naming.look(batch.scope, batch.plan)
        wanted = Counter(entry.key.content for entry in batch.plan.to_submit)
        return await naming.look_beside(batch.scope, wanted)


def told_of_names(found: NamesFound) -> Iterator[str]:
    """Return what was found that stops nothing."""
    for scope in found.joined:
        project = f"project {scope.project!r}" if scope.project else "the key's own project"
        yield (
            f"batch {scope.batch!r} goes on with what is on record for {project} at {scope.origin}: "
            "it is run for the same account"
        )
    for one in found.beside:
        yield f"{one}; here they are bought once more"


def _naming(options: Options, file: OpenJournal, service: ShowsJobs | None) -> Naming:
    return Naming(
        file,
        service,
        options.clock,
        lies_there=whether_it_lies_there(file, options.output, options.environ),
        allow=options.allow,
        renames=options.text is None,
    )


@asynccontextmanager
async def _service(options: Options, batch: Batch) -> AsyncIterator[ShowsJobs]:
    async with AsyncExitStack() as stack:
        yield _WhenAsked(options, batch, stack)
