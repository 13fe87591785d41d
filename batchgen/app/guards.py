"""What stops a run before anything is sent: the signs that its jobs were bought already.

A guard reads and refuses; it changes nothing and asks no service. Every one of them ends in
an ``InputError`` that names the way on.
"""

import json
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from batchgen.app.batch import Batch
from batchgen.app.settings import Options
from batchgen.errors import InputError, OutputError
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey
from batchgen.output.results import JSON_NAME, place_of_slot
from batchgen.plan.plan import wrong_with_retry
from batchgen.plan.recovery import Told, read_slot, read_told

_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})


def refuse_to_buy_again(options: Options, file: JournalFile, batch: Batch) -> None:
    """Stop a run whose jobs were likely bought under a lost journal or another name.

    Raises:
        InputError: nothing was sent; it names what to do.
        OutputError: the results of an earlier run are there and cannot be read.
    """
    _refuse_a_lost_journal(options, file, batch)
    if not options.buy_again:
        _refuse_another_name(options, file, batch)


def refuse_to_leave_unfinished(options: Options, batch: Batch) -> None:
    """Stop before a fresh slot while the last one still has something to come.

    Raises:
        InputError: nothing was sent; it names both ways on.
    """
    if options.abandon or not batch.unfinished:
        return
    jobs = "1 job" if batch.unfinished == 1 else f"{batch.unfinished} jobs"
    last = f"the last slot, {batch.scope.slot!r}," if batch.scope.slot else "the batch"
    raise InputError(
        f"{last} is not finished: {jobs} to go. Run it without --fresh to finish it, "
        "or add --abandon to leave it"
    )


def refuse_wrong_retries(options: Options, batch: Batch) -> None:
    """Stop before a retry that names what has not failed.

    Raises:
        InputError: nothing was sent; it says of each name what is wrong.
    """
    wrong = [text for name in options.retry_only if (text := wrong_with_retry(batch.plan, name))]
    if wrong:
        raise InputError("; ".join(wrong))


@dataclass(frozen=True, kw_only=True, slots=True)
class Tale:
    """What an earlier run wrote of its jobs.

    Attributes:
        slot: whose they are; empty for a batch that does not repeat.
    """

    slot: str
    jobs: tuple[Told, ...]


def told_by_results(folder: Path, slot: str | None = None) -> Tale | None:
    """Read what an earlier run wrote; None where it wrote nothing.

    Args:
        folder: the batch's.
        slot: which one's; None for the last that was run.

    Raises:
        InputError: the file is there and is no results manifest.
        OutputError: the file is there and cannot be read.
    """
    path = place_of_slot(folder, slot or "")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise InputError(_unreadable(path, str(error))) from error
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return Tale(slot=read_slot(text), jobs=read_told(text))
    except ValueError as error:
        raise InputError(_unreadable(path, str(error))) from error


def mark_of(options: Options, batch: str) -> Path:
    """Where it is marked that a recovery of the batch has begun and not ended."""
    return options.lock_of(batch).with_suffix(".recovering")


def _refuse_a_lost_journal(options: Options, file: JournalFile, batch: Batch) -> None:
    name = batch.manifest.batch
    way_on = _recover(options)
    if mark_of(options, name).exists():
        raise InputError(f"a recovery of batch {name!r} was cut short; end it first: {way_on}")
    if any(scope.batch == name for scope in file.scopes()):
        return
    told = told_by_results(batch.folder)
    submitted = [one for one in told.jobs if one.was_submitted] if told else []
    if submitted:
        jobs = "1 job" if len(submitted) == 1 else f"{len(submitted)} jobs"
        raise InputError(
            f"{batch.folder / JSON_NAME} tells of {jobs} submitted, and {options.journal} knows nothing of "
            f"the batch: the journal was lost or replaced, and a run would buy them again. "
            f"Rebuild it first: {way_on}"
        )


def _recover(options: Options) -> str:
    project = ["--project", options.project] if options.project else []
    simulate = ["--simulate"] if options.simulate else []
    where = ["-o", str(options.output)]
    return shlex.join(["batchgen", "recover", str(options.manifest), *where, *project, *simulate])


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """Jobs of a batch that is new, done in another batch of the same journal.

    Attributes:
        batch: the other one's name.
        jobs: how many of the new one's are done there.
        charged: what they cost there, compute units.
        is_gone: whether its manifest is no longer where it was, as after a rename.
    """

    batch: str
    jobs: int
    charged: Decimal
    is_gone: bool


def done_elsewhere(options: Options, file: JournalFile, batch: Batch) -> Elsewhere | None:
    """Find the batch in which most of a new one's jobs are done; None where none are."""
    if batch.journal.records() or not batch.plan.to_submit:
        return None
    wanted = Counter(entry.key.content for entry in batch.plan.entries)
    found: dict[str, tuple[int, Decimal]] = {}
    for scope in file.scopes():
        ours = (scope.origin, scope.project) == (batch.scope.origin, batch.scope.project)
        if not ours or scope.batch == batch.scope.batch:
            continue
        count, charged = _shared(wanted, file.batch(scope).records())
        found[scope.batch] = max(found.get(scope.batch, (0, Decimal(0))), (count, charged))
    name = max(found, key=lambda one: found[one], default=None)
    if name is None or not found[name][0]:
        return None
    count, charged = found[name]
    gone = _is_gone(options, name)
    return Elsewhere(batch=name, jobs=count, charged=charged, is_gone=gone)


def _shared(wanted: Counter[str], records: Mapping[JobKey, Record]) -> tuple[int, Decimal]:
    """Count the wanted jobs that are done among the records, and what they cost."""
    left, count, charged = Counter(wanted), 0, Decimal(0)
    for key, record in records.items():
        if record.state in _DONE and left[key.content] > 0:
            left[key.content] -= 1
            count += 1
            charged += record.charged or 0
    return count, charged


def _is_gone(options: Options, name: str) -> bool:
    """Tell whether a batch's manifest is no longer at the path that its results name."""
    try:
        text = (options.output / name / JSON_NAME).read_text(encoding="utf-8")
        path = Path(json.loads(text)["manifest"]["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return not path.is_file() or path.samefile(options.manifest)


def _refuse_another_name(options: Options, file: JournalFile, batch: Batch) -> None:
    """Stop where most of a new batch is done in another one whose manifest is gone: a rename."""
    other = done_elsewhere(options, file, batch)
    total = len(batch.plan.entries)
    if other is None or not other.is_gone or other.jobs * 2 < total:
        return
    raise InputError(
        f"batch {batch.scope.batch!r} is new, and {other.jobs} of its {total} jobs are done in "
        f"batch {other.batch!r} of the same journal, whose manifest is gone. If it was renamed, write "
        f"`batch: {other.batch}` in the manifest; to pay for them once more "
        f"({other.charged.normalize():f} compute units the last time), run it with --buy-again"
    )


def _unreadable(path: Path, why: str) -> str:
    return f"{path} is no results manifest ({why}); move it away if it is not needed"
