"""A manifest under the name it is run with: what a run goes on with, and what a look at it tells."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from batchgen.journal.store import JournalFile
from batchgen.model import RemoteJob
from batchgen.reconcile.accounts import ShowsJobs
from batchgen.scenario.client import ScenarioClient
from batchgen.usecases.elsewhere import whether_it_lies_there
from batchgen.usecases.models import client_to
from batchgen.usecases.naming import Found, Naming
from batchgen.wiring.batch import Batch, scope_of
from batchgen.wiring.options import Options


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
            opening = client_to(self._options, self._batch.project, rate=self._batch.manifest.limits.rate)
            self._client = await self._stack.enter_async_context(opening)
        return await self._client.job(remote_id)


async def go_on_under_one_name(
    options: Options, file: JournalFile, batch: Batch, *, now: float, say: Callable[[str], object]
) -> Batch:
    """Return the batch with the records that are its own under whatever name; before anything is bought.

    Args:
        options: how it is run, and what a person lets pass.
        file: the journal.
        batch: as its name alone makes it.
        now: seconds since the epoch, as its slot was found by.
        say: takes sentences for people.

    Raises:
        InputError: it may have been paid for under another name; nothing was sent.
        JournalError: what was found could not be recorded.
        ServiceError: the service could not be asked; nothing was sent.
    """
    async with _service(options, batch) as service:
        naming = _naming(options, file, service)
        while True:
            found = await naming.look(batch.scope, batch.plan)
            naming.settle(batch.scope, found)
            for text in told(found):
                say(text)
            if not found.joined:
                break
            scope = scope_of(options, batch.manifest, file, now=now)
            batch = Batch.of(options, batch.manifest, scope, file)
    file.names.keep_manifest(batch.scope, str(options.manifest.resolve()), at=now)
    return batch


async def look_at_names(
    options: Options, batch: Batch, *, offline: bool = False, beside_alone: bool = False
) -> Found:
    """Say what other names would mean for a run; nothing is changed.

    Args:
        options: how it would be run.
        batch: the plan.
        offline: ask nothing.
        beside_alone: leave out other projects and addresses: they were looked at.

    Raises:
        JournalError: the journal cannot be read.
        ServiceError: the service could not be asked.
    """
    async with _service(options, batch) as service:
        with JournalFile.open_to_read(options.journal) as file:
            naming = _naming(options, file, None if offline or options.simulate else service)
            if not beside_alone:
                return await naming.look(batch.scope, batch.plan)
            wanted = Counter(entry.key.content for entry in batch.plan.to_submit)
            return await naming.look_beside(batch.scope, wanted)


def told(found: Found) -> Iterator[str]:
    """Say what was found that stops nothing."""
    for scope in found.joined:
        project = f"project {scope.project!r}" if scope.project else "the key's own project"
        yield (
            f"batch {scope.batch!r} goes on with what is on record for {project} at {scope.origin}: "
            "it is run for the same account"
        )
    for one in found.beside:
        yield f"{one}; here they are bought once more"


def _naming(options: Options, file: JournalFile, service: ShowsJobs | None) -> Naming:
    return Naming(
        file,
        service,
        options.clock,
        lies_there=whether_it_lies_there(file, options.output, options.environ),
        allow=options.allow,
    )


@asynccontextmanager
async def _service(options: Options, batch: Batch) -> AsyncIterator[ShowsJobs]:
    async with AsyncExitStack() as stack:
        yield _WhenAsked(options, batch, stack)
