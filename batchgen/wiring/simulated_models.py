"""The models of a rehearsal, read from the package: no socket is needed to look at them."""

import json
from collections.abc import AsyncIterator

from batchgen.errors import NotFoundError
from batchgen.model import Model
from batchgen.scenario.fields import parse_object
from batchgen.scenario.wire import parse_model
from batchgen.simulator.models import Catalogue, ModelRecord


class SimulatedModels:
    """Describes models as the simulator would."""

    def __init__(self) -> None:
        """Read what is recorded."""
        self._catalogue = Catalogue.recorded()

    async def model(self, model_id: str) -> Model:
        """Describe a model.

        Raises:
            NotFoundError: there is none of that name.
        """
        found = self._catalogue.get(model_id)
        if found is None:
            raise NotFoundError("Model not found")
        return _read(found)

    async def plan(self) -> str:
        """Leave the plan open: a rehearsal allows every model."""
        return ""

    async def models(self, *, public: bool) -> AsyncIterator[Model]:
        """Go through the platform's models; a rehearsal's account has none of its own."""
        for one in self.all() if public else ():
            yield one

    def all(self) -> list[Model]:
        """Return every model."""
        return [_read(one) for one in self._catalogue]


def _read(record: ModelRecord) -> Model:
    return parse_model(parse_object(json.dumps(record.data).encode()))
