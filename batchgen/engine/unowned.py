"""The listed submissions that no record owns, found by the seed or the prompt that they echo.

Finds and compares; what becomes of a row is the caller's to decide. Prompts that became
assets are read first, so that nothing waits between a comparison and what is made of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batchgen.engine.likeness import Likeness, compare, differences
from batchgen.model import RemoteJob, Text
from batchgen.ports import Generator


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A body that was sent, or would be, and what tells it from others.

    Attributes:
        seed: None where the body has none that nobody else would send.
        files: inputs that hold local files: sent again, the same ones have other ids.
    """

    model: str
    body: str
    prompt: str
    seed: float | None = None
    files: frozenset[str] = frozenset()


class UnownedRows:
    """The listed submissions that belong to no record and may be ours, oldest first."""

    def __init__(self, generator: Generator, rows: Iterable[RemoteJob]) -> None:
        self._generator = generator
        self._texts: dict[str, Text] = {}
        self._unread: set[str] = set()
        self._rows = {row.remote_id: row for row in sorted(rows, key=lambda row: row.created_at or 0.0)}
        self._by_seed: dict[tuple[str, float], list[str]] = defaultdict(list)
        self._by_prompt: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in self._rows.values():
            inputs = row.inputs or {}
            model, seed, prompt = str(inputs.get("modelId")), inputs.get("seed"), str(inputs.get("prompt"))
            if isinstance(seed, int | float):
                self._by_seed[model, float(seed)].append(row.remote_id)
            self._by_prompt[model, "asset_" if prompt.startswith("asset_") else prompt].append(row.remote_id)

    def __bool__(self) -> bool:
        return bool(self._rows)

    @property
    def texts(self) -> Mapping[str, Text]:
        """The prompts that became assets, as far as they were fetched."""
        return self._texts

    def left(self) -> list[RemoteJob]:
        """Give the rows that were not given to a record."""
        return list(self._rows.values())

    def take(self, *remote_ids: str) -> None:
        """Give rows to a record."""
        for remote_id in remote_ids:
            self._rows.pop(remote_id, None)

    def has_seed(self, model: str, seed: float) -> bool:
        """Tell whether some row shows the seed."""
        return (model, float(seed)) in self._by_seed

    def has_prompt(self, model: str, prompt: str) -> bool:
        """Tell whether some row shows the prompt, or one that has to be read first."""
        return (model, prompt) in self._by_prompt or (model, "asset_") in self._by_prompt

    async def read(self, wanted: Wanted) -> None:
        """Fetch the prompts without which some row could not be told from what is wanted.

        Raises:
            ServiceError: one could not be read.
        """
        for row in (*self._of_seed(wanted), *self._of_prompt(wanted)):
            if compare(wanted.body, wanted.model, row, self._texts) is not Likeness.UNREAD:
                continue
            prompt = str((row.inputs or {}).get("prompt"))
            if prompt in self._unread:
                continue
            text = await self._generator.text(prompt)
            if text is None:
                self._unread.add(prompt)
            else:
                self._texts[prompt] = text

    def with_seed(self, wanted: Wanted) -> tuple[list[RemoteJob], list[RemoteJob]]:
        """Give the rows that echo the body, and those that only share its seed."""
        likeness = [(row, self._likeness(wanted, row)) for row in self._of_seed(wanted)]
        return (
            [row for row, one in likeness if one is Likeness.MATCH],
            [row for row, one in likeness if one in {Likeness.NEAR, Likeness.UNREAD}],
        )

    def with_prompt(self, wanted: Wanted) -> list[RemoteJob]:
        """Give the rows that echo the body, or may: of a long prompt the service may show the beginning."""
        return [row for row in self._of_prompt(wanted) if self._may_be(wanted, row)]

    def _may_be(self, wanted: Wanted, row: RemoteJob) -> bool:
        likeness = self._likeness(wanted, row)
        if likeness not in {Likeness.NEAR, Likeness.UNREAD}:
            return likeness is Likeness.MATCH
        different = set(differences(wanted.body, row)) - wanted.files
        cut = different == {"prompt"} and str((row.inputs or {}).get("prompt")).startswith("asset_")
        return cut or (bool(wanted.files) and not different)

    def _of_seed(self, wanted: Wanted) -> list[RemoteJob]:
        if wanted.seed is None:
            return []
        names = self._by_seed.get((wanted.model, float(wanted.seed)), ())
        return [self._rows[one] for one in names if one in self._rows]

    def _of_prompt(self, wanted: Wanted) -> list[RemoteJob]:
        named = ((wanted.model, wanted.prompt), (wanted.model, "asset_"))
        names = [name for key in named for name in self._by_prompt.get(key, ())]
        return [self._rows[one] for one in names if one in self._rows]

    def _likeness(self, wanted: Wanted, row: RemoteJob) -> Likeness:
        return compare(wanted.body, wanted.model, row, self._texts)
