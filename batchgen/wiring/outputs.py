"""Opening what puts results on the disk and on the terminal.

What fetches files is loaded when it is opened: a run with nothing to fetch has no use for it.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from batchgen.model import JobKey, Rate
from batchgen.output.asset_store import AssetStore
from batchgen.output.disk import BatchDisk
from batchgen.output.export_disk import ExportDisk
from batchgen.output.known_files import KnownFiles
from batchgen.output.links import make_way
from batchgen.output.mapping import MappingFile
from batchgen.output.progress import Mode, Progress
from batchgen.output.urls import spacing_at
from batchgen.output.wording import Gauges
from batchgen.planning.budget import committed
from batchgen.planning.chains import steps_of
from batchgen.planning.file_places import Namer
from batchgen.planning.plan import Plan
from batchgen.ports import Collector
from batchgen.wiring.batch import Batch, is_open
from batchgen.wiring.file_names import manifest_namer

if TYPE_CHECKING:
    from batchgen.engine.limits.budget import BudgetGuard
    from batchgen.engine.limits.flow import Flow
    from batchgen.output.downloads import Downloader
    from batchgen.scenario.client import ScenarioClient


@asynccontextmanager
async def open_downloads(
    batches: Sequence[Batch], client: "ScenarioClient", rate: Rate | None, known: KnownFiles
) -> AsyncIterator[Sequence[Collector | None]]:
    """Open what fetches the files of a batch's slots, one for each; None where its manifest wants no files.

    Args:
        batches: the slots of one batch, the one that is worked on first.
        client: asked for the addresses of files.
        rate: at which it may be asked.
        known: where their files lie.

    Raises:
        OutputError: the first one's folder cannot be made.
    """
    from batchgen.output.downloads import Downloader  # noqa: PLC0415 - see above

    first = batches[0]
    if not first.manifest.output.download:
        yield [None] * len(batches)
        return
    if not all(one.home for one in batches):
        make_way(first.folder)  # or files of the slot without a name would be put among another's
    edited = {file.asset_id for one in batches for file in one.files.edited}
    async with Downloader(
        client,
        first.folder,
        namer=namer_of(first),
        home=first.home,
        known=known,
        edited=edited,
        spacing=spacing_at(rate),
    ) as downloader:
        yield [downloader, *(downloader.into(files_on_disk(one)) for one in batches[1:])]


def known_files(batches: Sequence[Batch]) -> KnownFiles:
    """Return where the files of a batch's slots lie."""
    records = (record for one in batches for record in one.journal.records().values())
    return KnownFiles(file for record in records for file in record.files)


def namer_of(batch: Batch) -> Namer:
    """Return what the files of a batch are called."""
    return manifest_namer(batch.manifest, slot=batch.scope.slot)


def disk_of(batch: Batch) -> BatchDisk:
    """Return the files of a batch, to be renamed."""
    return BatchDisk(batch.folder, home=batch.home)


def export_disk(folder: Path) -> ExportDisk:
    """Return a folder that files are exported into; it need not be there."""
    return ExportDisk(folder)


def mapping_file(path: Path, folder: Path, chunks: Callable[[], Iterator[bytes]]) -> MappingFile:
    """Return the file that says of what is exported into a folder whose it is."""
    return MappingFile(path, folder, chunks)


def open_downloads_beside(client: "ScenarioClient", folder: Path, rate: Rate | None) -> "Downloader":
    """Open what fetches files under the names of their assets into a folder of its own."""
    from batchgen.output.downloads import Downloader  # noqa: PLC0415 - see above

    return Downloader(client, folder, template="{asset_id}", spacing=spacing_at(rate))


def files_on_disk(batch: Batch) -> AssetStore:
    """Return what tells which files of a batch are on the disk."""
    return AssetStore(batch.folder, namer=namer_of(batch), home=batch.home)


def open_progress(
    batch: Batch, flow: "Flow", purse: "BudgetGuard", notes: Callable[[], str], stream: TextIO, mode: Mode
) -> Progress:
    """Open what shows a person how far a run is.

    Args:
        batch: that is run.
        flow: knows what is in flight.
        purse: knows the cap.
        notes: says what a person should keep in sight.
        stream: where it is shown.
        mode: how much of it.
    """
    entries = batch.plan.carried
    beside = (*batch.plan.removed, *batch.plan.earlier)
    over = frozenset(one.key for one in beside if not is_open(one.record))
    return Progress(
        stream,
        mode=mode,
        total=len(entries) - len(over),
        records={entry.key: entry.record for entry in entries},
        aside=over,
        steps=_steps(batch.plan),
        gauges=lambda: Gauges(
            in_flight=len(flow.in_flight),
            ceiling=flow.pools.limit,
            reserved=_reserved(batch, flow),
            cap=purse.cap,
            note=notes(),
        ),
    )


def _steps(plan: Plan) -> dict[JobKey, bool]:
    """Return the jobs that are in chains, each with whether it is the last of one."""
    last = frozenset(plan.lineage.last)
    return {plan.entries[place].key: place in last for place in steps_of(plan.lineage)}


def _reserved(batch: Batch, flow: "Flow") -> Decimal:
    """Return what is held for jobs whose charge is not known."""
    records = batch.journal.records()
    held = (committed(records[key]).reserved for key in flow.in_flight if key in records)
    return sum(held, Decimal(0))
