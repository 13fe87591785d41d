"""The prompts that the service shows as assets, each fetched once for whoever compares."""

from collections.abc import Iterable, Mapping

from batchgen.model import RemoteJob, Text
from batchgen.ports import Generator
from batchgen.reconcile.matching import asset_prompt


class Prompts:
    """Fetches prompts that became assets, and keeps what they say.

    Attributes:
        generator: the service.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self._texts: dict[str, Text] = {}

    @property
    def texts(self) -> Mapping[str, Text]:
        """What they say, by asset id, as far as they were fetched."""
        return self._texts

    async def fetch(self, rows: Iterable[RemoteJob]) -> list[str]:
        """Fetch the prompts of rows.

        Returns:
            The ids of those that the service does not show.

        Raises:
            ServiceError: one could not be read; those before it are kept.
        """
        unshown = []
        wanted = (asset for row in rows if (asset := asset_prompt(row)) is not None)
        for asset in dict.fromkeys(wanted):
            if asset in self._texts:
                continue
            text = await self.generator.text(asset)
            if text is None:
                unshown.append(asset)
            else:
                self._texts[asset] = text
        return unshown
