"""Opening what describes models: from the copies of the last hour, and from the service otherwise."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from batchgen.errors import NoRightError, ServiceError
from batchgen.manifest.source.problems import meant
from batchgen.model import Model, Rate
from batchgen.ports import Clock
from batchgen.price_ports import Quoter
from batchgen.wiring.batch import Batch
from batchgen.wiring.model_cache import ModelCache
from batchgen.wiring.options import Options, project_of
from batchgen.wiring.service import address_of, open_service

# What models a plan allows: measured for this one alone. Of others the service decides when it runs one.
# source: docs/service.md plans
_RANKS: Mapping[str, int] = {"cu-basic": 25}


class Describes(Protocol):
    """What is asked of the service about models."""

    async def model(self, model_id: str) -> Model:
        """Describe a model; raises as ``ports.Generator.model`` does."""
        ...

    async def plan(self) -> str:
        """Name the plan of this account; empty where that is not known."""
        ...

    def models(self, *, public: bool) -> AsyncIterator[Model]:
        """Go through the platform's models or this account's own; raises what a service raises."""
        ...


class Catalogue:
    """Describes models: from the shelf where that is fresh, from the service otherwise.

    Args:
        generator: the service.
        shelf: what was asked for lately.
        clock: ours.
    """

    def __init__(self, generator: Describes, shelf: ModelCache, clock: Clock) -> None:
        self._generator = generator
        self._shelf = shelf
        self._clock = clock
        self.from_shelf: set[str] = set()
        self._ids: list[str] | None = None
        self.may_read = False  # whether one was described by the service itself

    async def describe(self, model_id: str) -> Model:
        """Describe a model; raises as ``ports.Generator.model`` does."""
        kept = self._shelf.get(model_id, now=self._clock.now())
        if kept is not None:
            self.from_shelf.add(model_id)
            return kept
        return await self.ask(model_id)

    async def guess(self, model_id: str) -> str:
        """Return ``; did you mean X?`` for a model that is not there; nothing where no other is like it.

        All models are listed for it, once.
        """
        if self._ids is None:
            self._ids = []
            with suppress(ServiceError):  # a guess is worth no failure
                for public in (False, True):
                    async for one in self._generator.models(public=public):
                        self._ids.append(one.id)
        return meant(model_id, self._ids)

    async def rank(self) -> int | None:
        """Return what models this account's plan allows; None where only the service can tell."""
        return _RANKS.get(await self._generator.plan())

    async def ask(self, model_id: str) -> Model:
        """Describe a model as it is now; raises as ``ports.Generator.model`` does.

        Where this key may not read models, it is described as it was last.
        """
        try:
            model = await self._generator.model(model_id)
        except NoRightError:
            last = self._shelf.last(model_id)
            if last is None:
                raise
            return last
        self.may_read = True
        self._shelf.put(model, now=self._clock.now())
        self.from_shelf.discard(model_id)
        return model


def models_of(batch: Batch, generator: Describes, clock: Clock) -> Catalogue:
    """Return what describes the models of a batch.

    Args:
        batch: whose they are.
        generator: the service, open as its project.
        clock: ours.
    """
    return Catalogue(generator, lately_described(batch), clock)


def lately_described(batch: Batch) -> ModelCache:
    """Return the descriptions that were asked for lately on behalf of a batch's project."""
    return ModelCache(batch.folder.parent, origin=batch.scope.origin, project=batch.project)


@asynccontextmanager
async def open_models(
    options: Options, manifest_project: str | None = None, *, rate: Rate | None = None
) -> AsyncIterator[Catalogue]:
    """Open what describes models.

    Args:
        options: of which service.
        manifest_project: what the manifest says, if there is one.
        rate: the manifest's.

    Raises:
        InputError: the base URL will not do.
        StoppedError: there are no credentials.
    """
    project = project_of(options, manifest_project)
    shelf = ModelCache(options.output, origin=address_of(options).origin, project=project)
    if options.simulate and options.transport is None:
        from batchgen.wiring.simulated_models import SimulatedModels  # noqa: PLC0415 - only a rehearsal pays for it

        yield Catalogue(SimulatedModels(), shelf, options.clock)
        return
    async with open_service(options, project=project, rate=rate) as service:
        yield Catalogue(service.client, shelf, options.clock)


def rehearsed_models() -> list[Model]:
    """Return the models of the service that rehearsals have."""
    from batchgen.wiring.simulated_models import SimulatedModels  # noqa: PLC0415

    return SimulatedModels().all()


class RehearsedPrices(Quoter, Protocol):
    """Prices of the service that rehearsals have, which has a blank picture of every size."""

    async def blank(self, width: int, height: int) -> str | None:
        """Return the asset id of a blank picture."""
        ...


def rehearsed_prices(size: Callable[[str], tuple[int, int] | None]) -> RehearsedPrices:
    """Return the prices of the service that rehearsals have.

    Args:
        size: gives the pixels of an asset that is on record; None for another one.
    """
    from batchgen.wiring.simulated_prices import SimulatedPrices  # noqa: PLC0415

    return SimulatedPrices(size)
