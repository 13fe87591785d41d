"""Jobs of a batch that is new, and that are done in another one: a rename, or the same work twice.

Finds and counts; whether it stops a run is the guards' to say.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from batchgen.app.batch import Batch
from batchgen.app.settings import Options
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey
from batchgen.output.results import JSON_NAME

_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})


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

    def stops_a_run(self, total: int) -> bool:
        """Tell whether it looks like a rename of a batch of so many jobs."""
        return self.is_gone and self.jobs * 2 >= total


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
    # one that was renamed comes before one that only shares jobs
    name = max(
        found, key=lambda one: (bool(found[one][0]) and _is_gone(options, one), found[one]), default=None
    )
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
