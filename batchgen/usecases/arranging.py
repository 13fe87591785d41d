"""Bringing the files of a batch to where they belong by the manifest as it stands.

What is renamed is on record before: a run that was cut off is gone on with by the next one. The disk's work
is done in threads, and facts are recorded on the loop's.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from batchgen.errors import BatchgenError, OutputError
from batchgen.exits import Exit
from batchgen.formats import counted
from batchgen.journal.opened import OpenJournal
from batchgen.lifecycle import FilesMoved
from batchgen.model import File, JobKey
from batchgen.output.known_files import KnownFiles
from batchgen.output.links import make_way
from batchgen.output.moving import Landed, carry_out, chunks_of, stamped
from batchgen.planning.arrangement import Arrangement, Blocked, arrange
from batchgen.planning.file_moves import Move
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import EARLIER, under
from batchgen.record import Record
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import Options
from batchgen.wiring.outputs import disk_of, known_files, namer_of

_NAMED = 3  # files that a sentence names
_PAUSE = 5.0  # seconds between two looks for files that arrived

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arranged:
    """What was done.

    Attributes:
        renamed: files of jobs as they stand that have another name now.
        to_earlier: files that went to ``earlier/``.
        noted: files of which only the record changed, as they are not on the disk.
        blocked: files that cannot have their names.
    """

    renamed: int = 0
    to_earlier: int = 0
    noted: int = 0
    blocked: tuple[Blocked, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it was."""
        return not (self.renamed or self.to_earlier or self.noted)

    def __add__(self, other: "Arranged") -> "Arranged":
        """Return both; what is blocked is what the later one says."""
        return Arranged(
            renamed=self.renamed + other.renamed,
            to_earlier=self.to_earlier + other.to_earlier,
            noted=self.noted + other.noted,
            blocked=other.blocked,
        )

    def __str__(self) -> str:
        """Return what was done, for people; empty for nothing."""
        parts = [f"{counted(self.renamed, 'file')} renamed"] if self.renamed else []
        parts += [f"{counted(self.to_earlier, 'file')} moved to {EARLIER}/"] if self.to_earlier else []
        return ", ".join(parts)


def told_of_files(renamed: int, to_earlier: int) -> str:
    """Return what a run does to names of files, for people; empty for nothing."""
    parts = [f"renames {counted(renamed, 'file')}"] if renamed else []
    parts += [f"moves {counted(to_earlier, 'file')} to {EARLIER}/"] if to_earlier else []
    return " and ".join(parts)


class Arranger:
    """What brings the files of one slot to their places."""

    def __init__(self, batch: Batch, file: OpenJournal, known: KnownFiles | None = None) -> None:
        """Take the parts; nothing is looked at before it is asked.

        Args:
            batch: the slot.
            file: its journal.
            known: where the files lie for whoever fetches some meanwhile; None where nobody does.
        """
        self.batch = batch
        self._moves = file.moves(batch.scope)
        self._known = known_files([]) if known is None else known
        self._disk = disk_of(batch)
        self._namer = namer_of(batch)
        self._seen: dict[JobKey, Record] = dict(batch.journal.records())
        self._is_behind = False
        self._left = 0  # files that were fetched when they were to be renamed
        self._keys: defaultdict[str, list[JobKey]] = defaultdict(list)  # whose files are renamed, by path
        self._assets = frozenset[str]()  # that have a rename of their own

    def is_behind(self) -> bool:
        """Return whether files have come that were not looked at, or some were left where they were."""
        records = self.batch.journal.records()
        seen, self._seen = self._seen, dict(records)
        news = any(one.files for key, one in records.items() if seen.get(key) is not one)
        self._is_behind = self._is_behind or news
        return self._is_behind

    async def finish(self) -> Arranged:
        """Go on with what an earlier run had begun.

        Raises:
            OutputError: the disk is at fault; what is on record is true.
            JournalError: the journal is; the next run goes on.
        """
        pending = self._moves.pending()
        if not pending:
            return Arranged()
        self._look_up(pending)
        return await _unbroken(self._carry_out(pending))

    async def arrange(self, *, force: bool = False) -> Arranged:
        """Bring every file to its place, as far as nothing is in the way.

        Args:
            force: let what is in the way go to ``earlier/``, whosever it is.

        Raises:
            OutputError: the disk is at fault; what is on record is true.
            JournalError: the journal is; the next run goes on.
        """
        if not self.batch.manifest.output.download:
            return Arranged()
        before = await self.finish()
        found = await asyncio.to_thread(self._decided, dict(self.batch.journal.records()), force=force)
        done = before + Arranged(noted=self._note(found.absent))
        self._left = 0
        self._look_up(one for group in found.moves for one in group)
        for chunk in chunks_of(found.moves):
            done += await _unbroken(self._begin(chunk))
        self._is_behind = self._left > 0
        return replace(done, blocked=found.blocked)

    def _decided(self, records: Mapping[JobKey, Record], *, force: bool = False) -> Arrangement:
        self._disk.forget()
        batch = self.batch
        return arrange(batch.plan, records, self._namer, self._disk, home=batch.home, force=force)

    def _note(self, absent: Mapping[JobKey, Mapping[str, str]]) -> int:
        """Record where files belong that are not on the disk: their names may be another's by now."""
        count = 0
        for key, paths in absent.items():
            if free := self._known.begin_moving(paths):
                count += self._record(key, {one: paths[one] for one in paths if one in free})
                self._known.end_moving(self._files(key, free), free)
        return count

    async def _begin(self, chunk: Sequence[Move]) -> Arranged:
        """Put renames on record, and make them; those of files that are fetched just now are left out."""
        owners = {one: self._of(one) for one in chunk}
        assets = {file.asset_id for files in owners.values() for _, file in files}
        free = self._known.begin_moving(assets)
        try:
            ready = [
                one
                for one, files in owners.items()
                if not one.asset_id or (files and all(file.asset_id in free for _, file in files))
            ]
            self._left += len(chunk) - len(ready)
            ready = await asyncio.to_thread(stamped, self._disk, ready)
            self._moves.begin(ready)
            return await self._carry_out(ready)
        finally:
            self._known.end_moving((), free)

    async def _carry_out(self, moves: Sequence[Move]) -> Arranged:
        landed = await asyncio.to_thread(carry_out, self._disk, moves)
        done = self._record_all(landed)
        self._moves.end()
        if landed.error is not None:
            raise landed.error
        return done

    def _record_all(self, landed: Landed) -> Arranged:
        """Record where the files are, those first that are copies for one of two jobs."""
        aside = under(self.batch.home, f"{EARLIER}/")
        moved = [(one, place) for one, place in landed.places if place != one.source]
        found: defaultdict[JobKey, dict[str, str]] = defaultdict(dict)
        for one, place in sorted(moved, key=lambda each: each[0].copy_for is not None):
            for key, file in self._of(one):
                found[key][file.asset_id] = place
        for key, paths in found.items():
            self._record(key, paths)
            self._known.end_moving(self._files(key, paths), ())
        to_earlier = sum(place.startswith(aside) for _, place in moved)
        return Arranged(renamed=len(moved) - to_earlier, to_earlier=to_earlier)

    def _record(self, key: JobKey, paths: Mapping[str, str]) -> int:
        if not paths:
            return 0
        moved = FilesMoved(at=self.batch.clock.now(), paths=dict(paths))
        self._seen[key] = self.batch.journal.append(key, moved)
        return len(paths)

    def _files(self, key: JobKey, asset_ids: Iterable[str]) -> list[File]:
        wanted = set(asset_ids)
        return [one for one in self.batch.journal.records()[key].files if one.asset_id in wanted]

    def _look_up(self, moves: Iterable[Move]) -> None:
        """Learn whose the files are that are to be renamed, in one pass over the records."""
        moves = list(moves)
        paths = {one.source for one in moves}
        self._assets = frozenset(one.asset_id for one in moves)
        self._keys = defaultdict(list)
        for key, record in self.batch.journal.records().items():
            for file in record.files:
                if file.path in paths:
                    self._keys[file.path].append(key)

    def _of(self, move: Move) -> list[tuple[JobKey, File]]:
        """Return whose file it is that a move is of, as the records say now."""
        records = self.batch.journal.records()
        there = [
            (key, file)
            for key in dict.fromkeys(self._keys.get(move.source, ()))
            for file in records[key].files
            if (file.path, file.sha256) == (move.source, move.sha256)
        ]
        if move.copy_for is not None:
            return [one for one in there if one[0] == move.copy_for and one[1].asset_id == move.asset_id]
        # one with a rename of its own, and the same bytes, may have come here already
        return [
            one for one in there if one[1].asset_id == move.asset_id or one[1].asset_id not in self._assets
        ]


class InOrder:
    """The names of a run's files: kept right while it goes on, and when it ends.

    Attributes:
        known: where the files lie, for whoever fetches some.
        done: what was renamed.
        findings: why the run ends with another status.
    """

    def __init__(self, opened: OpenBatch, others: Sequence[Batch], known: KnownFiles, done: Arranged) -> None:
        """Take the parts.

        Args:
            opened: the slot that is worked on.
            others: those that are carried.
            known: where the files of all lie.
            done: what was renamed before.
        """
        self.known = known
        self.done = done
        self.findings = blocked_findings(
            opened.options, opened.batch, _by_people(opened.file, opened.batch, done.blocked)
        )
        self._opened = opened
        self._own = Arranger(opened.batch, opened.file, known)
        self._others = [Arranger(one, opened.file, known) for one in others]

    async def keep(self, trouble: Callable[[str], None]) -> None:
        """Bring to their names the files that arrive, at two per cent of the time at most, until it is ended.

        Args:
            trouble: is told what the disk says.
        """
        loop, pause = asyncio.get_running_loop(), _PAUSE
        while True:
            await asyncio.sleep(pause)
            began = loop.time()
            if self._own.is_behind():
                try:
                    self.done += await self._own.arrange()
                except BatchgenError as error:
                    trouble(str(error))  # the records are true; the end of the run tells again
            pause = max(_PAUSE, 50 * (loop.time() - began))

    async def end(self) -> None:
        """Bring all files to their names, once nothing is fetched any more.

        Raises:
            JournalError: where they lie could not be recorded; the next run goes on.
        """
        options, batch = self._opened.options, self._opened.batch
        found: list[tuple[Exit, str]] = []
        try:
            if self._own.is_behind():
                self.done += await self._own.arrange()
            file = self._opened.file
            found = blocked_findings(options, batch, _by_people(file, batch, self.done.blocked))
            for one in self._others:
                if one.is_behind():
                    done = await one.arrange()
                    self.done += replace(done, blocked=self.done.blocked)
                    found += blocked_findings(options, one.batch, _by_people(file, one.batch, done.blocked))
        except OutputError as error:
            found.append((Exit.REMAINS, f"files could not get their names: {error}"))
        self.findings = found


async def files_in_order(opened: OpenBatch) -> tuple[OpenBatch, Arranged]:
    """Bring the files of a batch to their places before a run begins.

    Returns:
        The batch as it is then, and what was done.

    Raises:
        OutputError: the disk is at fault; what is on record is true.
        JournalError: the journal is; the next run goes on.
    """
    batch, done = opened.batch, Arranged()
    if not batch.home:
        make_way(batch.folder)
    for slot in opened.file.moves(batch.scope).slots():
        there = batch if slot == batch.scope.slot else opened.under(replace(batch.scope, slot=slot)).batch
        done += await Arranger(there, opened.file).finish()
    if not done.is_nothing:
        opened = opened.under(batch.scope)
    now = await Arranger(opened.batch, opened.file).arrange()
    return opened if now.is_nothing else opened.under(batch.scope), done + now


def look(batch: Batch) -> Arrangement:
    """Return what the next run would rename; nothing is renamed. Blocks."""
    if not batch.manifest.output.download:
        return Arrangement()
    return arrange(batch.plan, batch.journal.records(), namer_of(batch), disk_of(batch), home=batch.home)


def _by_people(file: OpenJournal, batch: Batch, blocked: Sequence[Blocked]) -> Sequence[Blocked]:
    """Return what people are asked about: no file of a rehearsal, or of another project, of this batch."""
    if not blocked:
        return ()
    others = (one for one in file.scopes() if one.batch == batch.scope.batch and one != batch.scope)
    records = (record for one in others for record in file.batch(one).records().values())
    known = {folded(kept.path) for record in records for kept in record.files}
    return [one for one in blocked if one.edited or folded(one.holder) not in known]


def blocked_findings(options: Options, batch: Batch, blocked: Sequence[Blocked]) -> list[tuple[Exit, str]]:
    """Return why a run ends with another status: files of a person have the names of new ones."""
    command = options.command_line("audit", "--fix", slot=batch.scope.slot or None)
    found = [(Exit.REMAINS, _told(one, command)) for one in blocked[:_NAMED]]
    if more := len(blocked) - len(found):
        have = "has not its name" if more == 1 else "have not their names"
        found.append((Exit.REMAINS, f"{counted(more, 'more file')} {have}, for the same reason"))
    return found


def _told(one: Blocked, command: str) -> str:
    what = "was changed by hand" if one.edited else "is no file of this batch"
    return (
        f"{one.holder} {what} and is left alone; the file of {one.job_id} is {one.lies} until it has its "
        f"name: `{command}` moves the other one to {EARLIER}/, or move it away"
    )


async def _unbroken(work: Coroutine[None, None, T]) -> T:
    """Do the work to its end whoever cancels it: a rename that is under way is recorded."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # the next run meets it too
        raise
