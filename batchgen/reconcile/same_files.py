"""Whether files that go in may be those of a listed row, sent twice: by the sizes that the service shows.

A journal that was lost has lost which file became which asset, so its files are sent again, and have other
ids. Where there is neither prompt nor seed, they are all that a job can be known by. Both assets went the
same way into the service, so other sizes are other files, whatever it makes of a file when it takes one in.
"""

from collections.abc import Mapping

from batchgen.model import Json, RemoteJob
from batchgen.ports import Generator
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.history import Attempt
from batchgen.reconcile.matching import Likeness, assets_in


class SameFiles:
    """Asks for the sizes of assets, of each once."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._wanted: dict[str, None] = {}
        self._sizes: dict[str, int | None] = {}

    def note(self, candidates: Candidates, attempt: Attempt) -> None:
        """Note which sizes have to be known before rows can be told from an attempt."""
        rows = self._but_for_files(candidates, attempt)
        for inputs in (attempt.sent.inputs, *(row.inputs or {} for row in rows)) if rows else ():
            self._wanted.update(dict.fromkeys(assets_in([inputs.get(name) for name in attempt.files])))

    async def read(self) -> None:
        """Ask for the sizes that were noted; of what the service does not show it stays unknown.

        Raises:
            ServiceError: they could not be read.
        """
        wanted = [asset for asset in self._wanted if asset not in self._sizes]
        if wanted:
            shown = await self._generator.assets(wanted)
            self._sizes.update({asset: shown[asset].size if asset in shown else None for asset in wanted})

    def like(self, candidates: Candidates, attempt: Attempt) -> list[tuple[RemoteJob, Likeness]]:
        """Return the rows that are or may be what was sent, each with its likeness.

        Where neither prompt nor seed tells, those are among them that show all of it but its files, and
        files that may be the same.
        """
        found, sent = candidates.like(attempt.sent), attempt.sent.inputs
        known = {row.remote_id for row, _ in found}
        again = (row for row in self._but_for_files(candidates, attempt) if row.remote_id not in known)
        for row in again:
            if all(self._may_be(sent[name], (row.inputs or {}).get(name)) for name in attempt.files):
                found.append((row, Likeness.NEAR))
        return found

    def _may_be(self, one: Json, other: Json) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return one == other or self._may_be_one(one, other)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            return one.keys() == other.keys() and all(self._may_be(one[name], other[name]) for name in one)
        if isinstance(one, list | tuple) and isinstance(other, list | tuple):
            return len(one) == len(other) and all(map(self._may_be, one, other))
        return bool(one == other)

    def _may_be_one(self, one: str, other: str) -> bool:
        if not (one.startswith("asset_") and other.startswith("asset_")):
            return False
        sizes = (self._sizes.get(one), self._sizes.get(other))
        return None in sizes or sizes[0] == sizes[1]

    def _but_for_files(self, candidates: Candidates, attempt: Attempt) -> list[RemoteJob]:
        return candidates.but_for(attempt.files, attempt.sent) if self.tell(attempt) else []

    @staticmethod
    def tell(attempt: Attempt) -> bool:
        """Return whether files are all that an attempt can be known by."""
        return attempt.job.prompt is None and not attempt.derived and bool(attempt.files)
