"""What stops a run before anything is sent: the signs that its jobs were bought already.

A guard reads and refuses; it changes nothing and asks no service. Every one of them ends in
an ``InputError`` that names the way on.
"""

import shlex
from collections import Counter
from pathlib import Path

from batchgen.app.batch import Batch
from batchgen.app.settings import Options
from batchgen.errors import InputError, OutputError
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import State
from batchgen.output.results import JSON_NAME
from batchgen.plan.recovery import Told, read_told

_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})


def refuse_to_buy_again(options: Options, file: JournalFile, batch: Batch) -> None:
    """Stop a run whose jobs were likely bought under a lost journal or another name.

    Raises:
        InputError: nothing was sent; it names what to do.
        OutputError: the results of an earlier run are there and cannot be read.
    """
    _refuse_a_lost_journal(options, file, batch)
    if not options.buy_again:
        _refuse_another_name(file, batch)


def told_by_results(folder: Path) -> tuple[Told, ...] | None:
    """Read what an earlier run wrote of its jobs; None where it wrote nothing.

    Raises:
        InputError: the file is there and is no results manifest.
        OutputError: the file is there and cannot be read.
    """
    path = folder / JSON_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise InputError(_unreadable(path, str(error))) from error
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return read_told(text)
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
    submitted = [one for one in told or () if one.was_submitted]
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


def _refuse_another_name(file: JournalFile, batch: Batch) -> None:
    """Stop where most of a new batch is done in another one, as after a rename."""
    if batch.journal.records() or not batch.plan.to_submit:
        return
    wanted = Counter(entry.key.content for entry in batch.plan.entries)
    found: Counter[str] = Counter()
    for scope in file.scopes():
        ours = (scope.origin, scope.project) == (batch.scope.origin, batch.scope.project)
        if not ours or scope.batch == batch.scope.batch:
            continue
        records = file.batch(scope).records()
        done = Counter(key.content for key, record in records.items() if record.state in _DONE)
        found[scope.batch] += (wanted & done).total()
    for name, count in found.most_common(1):
        if count * 2 >= wanted.total() and count:
            raise InputError(
                f"batch {batch.scope.batch!r} is new, and {count} of its {wanted.total()} jobs are done in "
                f"batch {name!r} of the same journal. If it was renamed, write `batch: {name}` in the "
                "manifest; to pay for them once more, run it with --buy-again"
            )


def _unreadable(path: Path, why: str) -> str:
    return f"{path} is no results manifest ({why}); move it away if it is not needed"
