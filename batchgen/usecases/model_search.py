"""Models for people who look for one: a search, and descriptions by id."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from batchgen.errors import InputError, ModelClosedError, NotFoundError, RefusedError
from batchgen.model import Model
from batchgen.wiring.model_source import open_models, rehearsed_models
from batchgen.wiring.options import Options, project_of
from batchgen.wiring.service import open_service


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Which models are wanted.

    Attributes:
        text: words that must all be in the id, the name, the description, a tag or a capability.
        own, public: whose models.
        type: the service's word; empty for any.
        capability: as ``txt2img``; empty for any.
    """

    text: str = ""
    own: bool = True
    public: bool = True
    type: str = ""
    capability: str = ""

    def fits(self, model: Model) -> bool:
        """Return whether a model is wanted: the service itself cannot search by text."""
        if self.type and model.type != self.type:
            return False
        if self.capability and self.capability not in model.capabilities:
            return False
        tags = model.raw.get("tags")
        words = [one for one in tags if isinstance(one, str)] if isinstance(tags, list) else []
        said = " ".join((model.id, model.name, model.description, *model.capabilities, *words)).lower()
        return all(word in said for word in self.text.lower().split())


async def find_models(options: Options, search: Search) -> list[Model]:
    """Search this account's own models and the platform's, own ones first; inputs are left out.

    Raises:
        InputError: the base URL will not do.
        ServiceError: the service did not answer, or does not accept the credentials.
    """
    if options.simulate:
        return [one for one in rehearsed_models() if search.public and search.fits(one)]
    found: dict[str, Model] = {}
    async with open_service(options, project=project_of(options, None)) as service:
        for public in _kinds(search):
            async for model in service.client.models(public=public):
                if search.fits(model):
                    found.setdefault(model.id, model)
    return list(found.values())


def _kinds(search: Search) -> Iterator[bool]:
    if search.own:
        yield False
    if search.public:
        yield True


async def describe_models(options: Options, model_ids: Iterable[str]) -> list[Model]:
    """Describe models by id, in that order.

    Raises:
        InputError: names every id that the service does not show.
        ServiceError: the service did not answer, or does not accept the credentials.
    """
    models, missing = [], []
    async with open_models(options) as catalogue:
        for model_id in dict.fromkeys(model_ids):
            try:
                models.append(await catalogue.ask(model_id))
            except (NotFoundError, ModelClosedError, RefusedError) as error:
                missing.append(f"{model_id}: {error}{await catalogue.guess(model_id)}")
    if missing:
        raise InputError("; ".join(missing))
    return models
