"""A batch that is run under several names: what a person answers, and what must be true of each account.

Whoever buys a job once more must have been let: by the words of a person, by a second manifest that lies
beside the first, or because hardly anything was bought under the other name.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Event, Record, State
from batchgen.model import Job, JobKey, Scope
from batchgen.planning.make_plan import make_plan
from tests.proof.law import MAY_BE_PAID, most_wanted
from tests.proof.names import Name
from tests.proof.scenario import Leg

_UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT})
_APART = 1000  # equals of one scope have fewer ordinals than that
_MANY = 20
_OPEN = MAY_BE_PAID | {State.RUNNING}
_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})
_LEFT = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING, State.SUCCEEDED})


@dataclass
class Line:
    """What one account was asked for under names that stand for the same.

    Attributes:
        manifests: all that were run.
        last: the last of its runs.
    """

    manifests: list[Sequence[Job]] = field(default_factory=list)
    last: Leg | None = None


@dataclass
class Places:
    """The names of one seed.

    Attributes:
        lines: by account and batch.
        turned_away: accounts that a run was not let into: what is paid may be another's.
        let: pairs of batches of which a person said that both are wanted.
        counts: what happened, in numbers that add up over seeds.
    """

    folder: Path
    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    turned_away: set[str] = field(default_factory=set)
    let: set[frozenset[str]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def path_of(self, name: Name) -> Path:
        return self.folder / name.path

    def prepare(self, name: Name) -> None:
        """Put the manifest where it lies, and take away what is removed."""
        for path in name.gone:
            (self.folder / path).unlink(missing_ok=True)
        text = f"version: 1\nbatch: {name.batch}\njobs:\n  - {{prompt: anything, model: model_any}}\n"
        self.path_of(name).write_text(text)

    def written(self, name: Name) -> None:
        """Leave what a run leaves that was not cut."""
        folder = self.folder / name.batch
        folder.mkdir(exist_ok=True)
        told = {"manifest": {"path": str(self.path_of(name))}}
        (folder / "results.json").write_text(json.dumps(told))

    def records(self, account: str) -> dict[JobKey, Record]:
        """Give the records of one account, each with a key that tells its scope too."""
        return {_apart(key, nth): one for nth, _, key, one in self._records(account)}

    def history(self, account: str) -> list[tuple[JobKey, Event]]:
        """Give what happened to them."""
        with JournalFile.open_to_read(self.journal) as file:
            return [
                (_apart(key, nth), event)
                for nth, scope in _scopes(file, account)
                for key, event in file.batch(scope).history()
            ]

    def _records(self, account: str) -> list[tuple[int, Scope, JobKey, Record]]:
        with JournalFile.open_to_read(self.journal) as file:
            return [
                (nth, scope, key, record)
                for nth, scope in _scopes(file, account)
                for key, record in file.batch(scope).records().items()
            ]

    def begin(self, leg: Leg, name: Name) -> list[str]:
        """Count what a run asks for that is about to buy, and say what should have stopped it.

        Args:
            leg: the run.
            name: under which it goes on.
        """
        place, wrong = (name.account, name.batch), []
        left = [one for one in self._obliging(leg.jobs, name) if frozenset({name.batch, one}) not in self.let]
        if place not in self.lines:
            self.lines[place] = self.lines[name.account, left[0]] if left else Line()
        elif any(self.lines[name.account, one] is not self.lines[place] for one in left):
            wrong.append(f"{name.batch} went on, though its jobs may be paid in {', '.join(left)}")
        line = self.lines[place]
        line.manifests.append(leg.jobs)
        line.last = replace(leg, name=name)
        return wrong

    def begin_blindly(self, leg: Leg, name: Name) -> None:
        """Count what an earlier program asks for, once for each project."""
        place = (name.account, f"{name.batch} of {name.project or 'the key'}, blindly")
        self.lines.setdefault(place, Line()).manifests.append(leg.jobs)

    def _obliging(self, jobs: Sequence[Job], name: Name) -> list[str]:
        """Name the batches whose manifests are gone, and that have or may have what would be bought."""
        rows = self._records(name.account)
        own = {_apart(key, nth): one for nth, scope, key, one in rows if scope.batch == name.batch}
        wanted = Counter(one.key.content for one in make_plan(jobs, own).to_submit)
        found = []
        for batch in sorted({scope.batch for _, scope, _, _ in rows} - {name.batch}):
            of_it = [(key, one) for _, scope, key, one in rows if scope.batch == batch]
            is_open = any(one.state in _OPEN and wanted[key.content] for key, one in of_it)
            done = Counter(key.content for key, one in of_it if one.state in _DONE) & wanted
            most = min(_MANY, wanted.total() / 2)
            if not self._lies_there(batch) and wanted and (is_open or done.total() >= most):
                found.append(batch)
        return found

    def unanswered_beside(self, jobs: Sequence[Job], name: Name) -> str:
        """Name another batch that awaits an answer to a job of these: it is settled there first."""
        contents = {entry.key.content for entry in make_plan(jobs, {}).entries}
        found = (
            scope.batch
            for _, scope, key, one in self._records(name.account)
            if one.state in _UNANSWERED and key.content in contents and scope.batch != name.batch
        )
        return next(found, "")

    def _lies_there(self, batch: str) -> bool:
        return any(f"batch: {batch}\n" in path.read_text() for path in self.folder.glob("*.yaml"))

    def wanted(self, account: str) -> Mapping[str, int]:
        """Give by content the most that an account was asked for, over all lines."""
        lines = {id(line): line for (payer, _), line in self.lines.items() if payer == account}
        total: Counter[str] = Counter()
        for line in lines.values():
            total.update(most_wanted(line.manifests))
        return total

    @property
    def accounts(self) -> list[str]:
        return sorted({account for account, _ in self.lines})

    def planned(self) -> Iterable[str]:
        """Say what was asked for last under each name, and was not bought under any."""
        for (account, batch), line in self.lines.items():
            ran = line.last.name if line.last else None
            if line.last is None or ran is None or ran.batch != batch or account in self.turned_away:
                continue
            own = {
                _apart(key, nth): one
                for nth, scope, key, one in self._records(account)
                if scope.batch == batch
            }
            for entry in make_plan(line.last.jobs, own).entries:
                if entry.record.state is State.PLANNED:
                    yield f"{entry.job.id} of {batch} is left planned"

    def left(self) -> Iterable[str]:
        """Say what is paid, or may be, and was left uncollected when the last runs had ended."""
        # where only an earlier program ran, nobody has come to collect
        seen = {place for place, line in self.lines.items() if line.last is not None}
        for account in self.accounts:
            for _, scope, key, one in self._records(account):
                if one.state in _LEFT and (account, scope.batch) in seen:
                    where = f"{scope.origin} {scope.project or '-'} {scope.batch}"
                    yield f"{key} of {where} is left {one.state}"


def scope_of(name: Name) -> Scope:
    return Scope(origin=name.origin, project=name.project, batch=name.batch)


def _scopes(file: JournalFile, account: str) -> list[tuple[int, Scope]]:
    scopes = enumerate(file.scopes())
    return [(nth, one) for nth, one in scopes if Name(project=one.project).account == account]


def _apart(key: JobKey, nth: int) -> JobKey:
    return JobKey(key.content, key.ordinal + _APART * nth)
