"""The rows of one listing, each with whose it is, found by what they echo.

One index serves whoever asks which row stands for a job: a run that lost an answer, the look
before buying, a recovery, a person who decides, an audit. No row is dropped: what is recorded
or another's is kept with the reason, and only left out of what a job may be given.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from batchgen.account import Known
from batchgen.model import RemoteJob
from batchgen.ports import Journal
from batchgen.reconcile.lessons import Lessons
from batchgen.reconcile.matching import (
    EVER,
    Body,
    Likeness,
    Window,
    asset_prompt,
    assets_in,
    compare,
    differences,
    loosely,
    seed_in,
)
from batchgen.reconcile.ownership import Ownership, owner_of
from batchgen.reconcile.prompts import Prompts


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A row of a listing, and whose it is."""

    row: RemoteJob
    ownership: Ownership


class Candidates:
    """The rows of one listing; ``refresh`` learns what the journal has come to know since."""

    def __init__(
        self,
        rows: Iterable[RemoteJob],
        journal: Journal,
        prompts: Prompts,
        lessons: Lessons | None = None,
        *,
        sender: str = "",
    ) -> None:
        """Take the rows in any order; the same row may come twice.

        Args:
            rows: of one listing.
            journal: what is recorded, in whatever batch, and who we are.
            prompts: those that became assets.
            lessons: what listings have taught so far, and this one may; None to begin with nothing.
            sender: fingerprint of the key in use; empty where that is not known. As long as nothing has
                said who it is, a row by somebody unknown may be ours.
        """
        self._journal = journal
        self._prompts = prompts
        self._lessons = Lessons() if lessons is None else lessons
        self._sender = sender
        self._unshown: set[str] = set()
        ordered = sorted(rows, key=lambda row: (row.created_at or 0.0, row.remote_id))
        self._rows = {row.remote_id: row for row in ordered}
        self._taken: set[str] = set()
        self._index(self._rows.values())
        self.refresh()

    def _index(self, rows: Iterable[RemoteJob]) -> None:
        self._bare: list[str] = []  # they echo nothing
        self._by_seed: dict[tuple[str, float], list[str]] = defaultdict(list)
        self._by_prompt: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._by_asset: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._by_model: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            inputs = row.inputs or {}
            model = inputs.get("modelId")
            if not isinstance(model, str):
                self._bare.append(row.remote_id)
                continue
            self._by_model[model].append(row.remote_id)
            seed, prompt = seed_in(inputs), inputs.get("prompt")
            if seed is not None:
                self._by_seed[model, seed].append(row.remote_id)
            if isinstance(prompt, str):
                self._by_prompt[model, _ASSET if asset_prompt(row) else loosely(prompt)].append(row.remote_id)
            for asset in dict.fromkeys(assets_in(inputs)):
                self._by_asset[model, asset].append(row.remote_id)

    def refresh(self) -> None:
        """Ask the journal again who has which row, and who we are.

        Raises:
            JournalError: it cannot be read.
        """
        self._free: dict[str, list[RemoteJob]] = {}
        self._holders = self._journal.holders(list(self._rows))
        self._lessons.learn(self._rows, self._holders, self._journal)
        if self._sender:
            self._lessons.learn_name(self._rows.values(), self._sender, self._journal)
        known = self._journal.known()
        is_all = not self._sender or bool(self._journal.known(self._sender).receipts)
        rows = known.rows.union(self._lessons.authors)
        self._known = known._replace(rows=rows, is_all=is_all)

    @property
    def by_id(self) -> Mapping[str, RemoteJob]:
        """Every row, by remote id."""
        return self._rows

    @property
    def types(self) -> Collection[str]:
        """The types that rows of ours have."""
        return self._lessons.types

    def listed(self) -> list[Listed]:
        """Return every row with whose it is, oldest first."""
        return [Listed(row=row, ownership=self.ownership(row)) for row in self._rows.values()]

    def ownership(self, row: RemoteJob, known: Known | None = None) -> Ownership:
        """Say whose a row of this listing is.

        Args:
            row: of this listing.
            known: who sent what is looked for; None for any key of ours.
        """
        return owner_of(
            row,
            self._known if known is None else known,
            types=self._lessons.types,
            holder=self._holders.get(row.remote_id),
        )

    def compare(self, sent: Body, row: RemoteJob) -> Likeness:
        """Return what a row is to a body by what it echoes, with all that is known of how rows echo."""
        return compare(sent, row, self._prompts.texts, self._lessons.changes)

    def free(self, known: Known | None = None) -> list[RemoteJob]:
        """Return the rows that may still be given to a job, oldest first."""
        return [row for row in self._rows.values() if self._is_free(row, known)]

    def take(self, *remote_ids: str) -> None:
        """Leave rows out from now on: they were given to a job."""
        self._taken.update(remote_ids)

    def _is_free(self, row: RemoteJob, known: Known | None) -> bool:
        return row.remote_id not in self._taken and self.ownership(row, known).is_free

    def has_seed(self, model: str, seed: float) -> bool:
        """Return whether some row shows a seed."""
        return (model, seed) in self._by_seed

    def but_for(self, names: frozenset[str], sent: Body) -> list[RemoteJob]:
        """Return the free rows that show all of a body but some inputs, oldest first."""
        rows = self._free_of(sent.model)
        return [
            row for row in rows if row.remote_id not in self._taken and names >= {*differences(sent, row)}
        ]

    def _free_of(self, model: str) -> list[RemoteJob]:
        if model not in self._free:  # asked for every job there is
            rows = (self._rows[one] for one in self._by_model.get(model, ()))
            self._free[model] = [row for row in rows if self._is_free(row, None)]
        return self._free[model]

    def has_prompt(self, model: str, prompt: str | None) -> bool:
        """Return whether some row shows a prompt, or one that has to be fetched first.

        Without a prompt, whether some row of the model may still be given to a job.
        """
        if prompt is None:
            return bool(self._free_of(model))
        return (model, loosely(prompt)) in self._by_prompt or (model, _ASSET) in self._by_prompt

    async def read(self, sent: Body, *, within: Window = EVER, known: Known | None = None) -> Sequence[str]:
        """Fetch the prompts without which some row could not be compared with a body.

        Args:
            sent: the body.
            within: dates of rows that matter.
            known: who sent it; None for any key of ours.

        Returns:
            The ids of those that the service does not show.

        Raises:
            ServiceError: one could not be read.
        """
        unread = (row for row, likeness in self.like(sent, known) if likeness is Likeness.UNREAD)
        wanted = [row for row in unread if within.has(row) and asset_prompt(row) not in self._unshown]
        if not wanted:
            return ()
        unshown = await self._prompts.fetch(wanted)
        self._unshown.update(unshown)
        return unshown

    async def read_recorded(self, sent: Iterable[tuple[str, Body]]) -> None:
        """Fetch prompts of recorded rows until one of them echoes all that was sent, or a few do not.

        Args:
            sent: remote ids and bodies, the best to prove something first.

        Raises:
            ServiceError: one could not be read.
        """
        listed = [(self._rows[one], body) for one, body in sent if one in self._rows]
        for row, body in listed[:_MOST_READ]:
            if self.compare(body, row) is Likeness.UNREAD and asset_prompt(row) not in self._unshown:
                self._unshown.update(await self._prompts.fetch([row]))
            if self.compare(body, row) is Likeness.MATCH:
                return

    def like(self, sent: Body, known: Known | None = None) -> list[tuple[RemoteJob, Likeness]]:
        """Return the free rows that are or may be what was sent, oldest first, each with its likeness.

        Args:
            sent: the body.
            known: who sent it; None for any key of ours.
        """
        places = dict.fromkeys(self._places(sent))
        rows = (self._rows[remote_id] for remote_id in places)
        compared = ((row, self.compare(sent, row)) for row in rows if self._is_free(row, known))
        like = [(row, likeness) for row, likeness in compared if likeness is not Likeness.OTHER]
        return sorted(like, key=lambda pair: (pair[0].created_at or 0.0, pair[0].remote_id))

    def _places(self, sent: Body) -> Iterable[str]:
        yield from self._bare
        if sent.seed is not None:
            yield from self._by_seed.get((sent.model, sent.seed), ())
        if sent.prompt is not None:
            yield from self._by_prompt.get((sent.model, loosely(sent.prompt)), ())
            yield from self._by_prompt.get((sent.model, _ASSET), ())
        elif sent.assets:
            for asset in sent.assets:
                yield from self._by_asset.get((sent.model, asset), ())
        else:
            yield from self._by_model.get(sent.model, ())


_MOST_READ = 5  # recorded rows whose prompts are fetched in one look: one that is shown whole is enough
_ASSET = "asset_"  # stands for every prompt that became an asset
