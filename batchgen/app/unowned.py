"""The listed submissions that no record owns, found by the seed or the prompt that they echo.

Finds and compares; what becomes of a row is the caller's to decide.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from batchgen.engine.likeness import Likeness, compare
from batchgen.model import RemoteJob, Text
from batchgen.ports import Generator


class UnownedRows:
    """The listed submissions that belong to no record and may be ours, oldest first."""

    def __init__(self, generator: Generator, rows: Iterable[RemoteJob]) -> None:
        self._generator = generator
        self._texts: dict[str, Text | None] = {}
        self._rows = {row.remote_id: row for row in sorted(rows, key=lambda row: row.created_at or 0.0)}
        self._by_seed: dict[tuple[str, float], list[str]] = defaultdict(list)
        self._by_prompt: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in self._rows.values():
            inputs = row.inputs or {}
            model, seed, prompt = str(inputs.get("modelId")), inputs.get("seed"), str(inputs.get("prompt"))
            if isinstance(seed, int | float):
                self._by_seed[model, float(seed)].append(row.remote_id)
            self._by_prompt[model, "asset_" if prompt.startswith("asset_") else prompt].append(row.remote_id)

    def take(self, remote_id: str) -> None:
        """Give a row to a record."""
        self._rows.pop(remote_id, None)

    async def with_seed(
        self, model: str, body: str, seed: float | None
    ) -> tuple[list[RemoteJob], list[RemoteJob]]:
        """Give the rows that echo the body, and those that only share its seed.

        Raises:
            ServiceError: a prompt that became an asset could not be read.
        """
        if seed is None:
            return [], []
        rows = [self._rows[one] for one in self._by_seed[model, float(seed)] if one in self._rows]
        likeness = [await self._likeness(model, body, row) for row in rows]
        pairs = list(zip(rows, likeness, strict=True))
        return (
            [row for row, one in pairs if one is Likeness.MATCH],
            [row for row, one in pairs if one in {Likeness.NEAR, Likeness.UNREAD}],
        )

    async def with_prompt(self, model: str, body: str, prompt: str) -> list[RemoteJob]:
        """Give the rows that echo the body.

        Raises:
            ServiceError: a prompt that became an asset could not be read.
        """
        names = (*self._by_prompt[model, prompt], *self._by_prompt[model, "asset_"])
        rows = [self._rows[one] for one in names if one in self._rows]
        return [row for row in rows if await self._likeness(model, body, row) is Likeness.MATCH]

    async def _likeness(self, model: str, body: str, row: RemoteJob) -> Likeness:
        likeness = compare(body, model, row, self._read)
        if likeness is not Likeness.UNREAD:
            return likeness
        prompt = str((row.inputs or {}).get("prompt"))
        if prompt not in self._texts:
            self._texts[prompt] = await self._generator.text(prompt)
        return compare(body, model, row, self._read)

    @property
    def _read(self) -> Mapping[str, Text]:
        return {name: text for name, text in self._texts.items() if text is not None}
