"""Jobs that a run would buy, and that another batch of the journal has or may have, as after a rename.

Finds and counts; whether it stops a run is the guards' to say.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from batchgen.errors import InputError
from batchgen.journal.names import NO_FILE
from batchgen.journal.opened import OpenJournal
from batchgen.lifecycle import Record, State
from batchgen.manifest.reading import read_heading
from batchgen.model import Scope
from batchgen.output.results import JSON_NAME
from batchgen.plain_files import FileFaultError, parse_json, read_text

MANY = 20  # jobs that are worth a question, however many more a manifest has

_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})
_OPEN = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD, State.RUNNING})

LiesThere = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """Jobs that would be bought, and that another batch of the same journal has or may have.

    Attributes:
        batch: the other one's name.
        project: the other one's.
        jobs: how many of them are done there.
        open: how many of them are paid for there, or may be, and not done.
        of: how many would be bought.
        charged: what those that are done cost there, compute units.
        is_gone: whether its manifest is no longer where it was, as after a rename.
        scopes: where these jobs are on record.
    """

    batch: str
    project: str
    jobs: int
    open: int
    of: int
    charged: Decimal
    is_gone: bool
    scopes: tuple[Scope, ...] = field(default=(), repr=False)

    @property
    def stops_a_run(self) -> bool:
        """Whether it looks like a rename: one job that may be lost is enough, of those done it takes many."""
        return self.is_gone and (self.open > 0 or self.jobs >= min(MANY, self.of / 2))

    def __str__(self) -> str:
        """Return what is there."""
        parts = [f"{self.jobs} done"] if self.jobs or not self.open else []
        parts += [f"{self.open} paid for, or possibly so, and not done"] if self.open else []
        project = f" of project {self.project!r}" if self.project else ""
        return f"batch {self.batch!r}{project} of the same journal has {' and '.join(parts)}"


def found_elsewhere(
    file: OpenJournal, ours: Scope, wanted: Counter[str], lies_there: LiesThere
) -> list[Elsewhere]:
    """Find the other batches that have, or may have, what would be bought; those that stop a run come first.

    Args:
        file: the journal.
        ours: the scope that buys.
        wanted: how many jobs of each content it would buy.
        lies_there: whether the manifest of a batch of this name is still where it was.
    """
    found: dict[tuple[str, str, str], dict[Scope, list[tuple[str, Record]]]] = {}
    for scope, key, record in file.names.alike(wanted.keys(), batch=ours.batch):
        if record.state in _DONE | _OPEN:
            place = found.setdefault((scope.origin, scope.project, scope.batch), {})
            place.setdefault(scope, []).append((key.content, record))
    gone = {batch: not lies_there(batch) for batch in {batch for _, _, batch in found}}
    told = [_told(wanted, slots, is_gone=gone[batch]) for (_, _, batch), slots in found.items()]
    return sorted(told, key=lambda one: (not one.stops_a_run, not one.is_gone, -one.open, -one.jobs))


def _told(
    wanted: Counter[str], slots: Mapping[Scope, list[tuple[str, Record]]], *, is_gone: bool
) -> Elsewhere:
    """Sum up one batch; each of its slots may have bought the same."""
    counted = [_shared(wanted, records) for records in slots.values()]
    scopes = tuple(slots)
    return Elsewhere(
        batch=scopes[0].batch,
        project=scopes[0].project,
        jobs=max(done for done, _, _ in counted),
        open=sum(open_ for _, open_, _ in counted),
        of=wanted.total(),
        charged=max(charged for _, _, charged in counted),
        is_gone=is_gone,
        scopes=scopes,
    )


def _shared(wanted: Counter[str], records: Iterable[tuple[str, Record]]) -> tuple[int, int, Decimal]:
    """Count the wanted jobs that are done among the records, those that may be, and what the former cost."""
    left, done, open_, charged = Counter(wanted), 0, 0, Decimal(0)
    for content, record in records:
        if left[content] <= 0:
            continue
        left[content] -= 1
        if record.state in _DONE:
            done += 1
            charged += record.charged or 0
        else:
            open_ += 1
    return done, open_, charged


def whether_it_lies_there(file: OpenJournal, output: Path, environ: Mapping[str, str]) -> LiesThere:
    """Return what tells whether a batch's manifest is still at one of the places where it was run.

    A file that is there now for another batch is not its manifest; one that cannot be read may be.
    """

    def lies_there(batch: str) -> bool:
        known = file.names.manifests_of(batch)
        if NO_FILE in known:  # made in Python: there is no file that could be gone
            return True
        paths = known or named_by_results(output / batch / JSON_NAME)
        return any(is_of_batch(Path(path), batch, environ) for path in paths)

    return lies_there


def is_of_batch(path: Path, batch: str, environ: Mapping[str, str]) -> bool:
    """Return whether a file is a manifest of this batch; one that cannot be read as a manifest may be."""
    try:
        return path.is_file() and read_heading(path, environ=environ).batch == batch
    except InputError:
        return True
    except OSError:
        return False


def named_by_results(path: Path) -> list[str]:
    """Return where results tell that their manifest was; none where they do not."""
    try:
        return [str(parse_json(read_text(path, largest=None), path)["manifest"]["path"])]
    except (FileFaultError, KeyError, TypeError):
        return []
