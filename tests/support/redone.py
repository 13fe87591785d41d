"""A whole installation whose jobs are made again, and whose journal is lost, put back or rebuilt."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batchgen import api
from batchgen.engine.outcome import EngineOutcome
from batchgen.lifecycle import Record, RedoAsked, Restored
from batchgen.model import JobKey
from batchgen.output.results import write_results
from batchgen.planning.editions import Editions, Shelf, free_ordinal
from batchgen.wiring.opening import OpenBatch, look_at, open_batch
from tests.support.place import Place


class Redone(Place):
    """A place where a person makes jobs again."""

    def redo(self, *names: str) -> None:
        """Ask for another one of each of these jobs, as the command does."""
        with open_batch(self.options()) as opened:
            for name in names:
                head, shelf = _head(opened, name)
                ordinal = free_ordinal(head.content, [one.key for one in opened.batch.plan.carried], shelf)
                opened.batch.journal.append(head, RedoAsked(at=self.earth.now(), ordinal=ordinal))

    def restore(self, name: str, ordinal: int) -> None:
        """Make an edition that a job has had its own again."""
        with open_batch(self.options()) as opened:
            head, _ = _head(opened, name)
            opened.batch.journal.append(head, Restored(at=self.earth.now(), ordinal=ordinal))

    def lose_the_journal(self) -> None:
        for path in (self.folder / "output").glob("journal.db*"):
            path.unlink()

    def lose_the_results(self) -> None:
        shutil.rmtree(self.folder / "output" / "spring", ignore_errors=True)

    def copied(self, name: str) -> Path:
        """Keep a copy of all that is on the disk."""
        copy = self.folder / name
        shutil.copytree(self.folder / "output", copy)
        return copy

    def put_back(self, copy: Path, *, results: bool = False) -> None:
        """Put the journal of a copy in the place of the one that is there, or the results."""
        if not results:
            self.lose_the_journal()
        for path in copy.rglob("*"):
            is_journal = path.name.startswith("journal.db")
            if path.is_file() and is_journal is not results:
                there = self.folder / "output" / path.relative_to(copy)
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, there)

    def put_all_back(self, copy: Path) -> None:
        """Put journal and results of a copy in the place of those that are there, as a backup does."""
        self.put_back(copy)
        self.put_back(copy, results=True)

    def write_results(self) -> None:
        """Write the results as a run does that goes on."""
        with look_at(self.options()) as opened:
            results = opened.batch.results(at=self.earth.now(), ending=EngineOutcome())
            write_results(opened.batch.folder, results)

    def add_a_job(self) -> None:
        """Let the manifest ask for one more."""
        manifest = self.folder / "jobs.yaml"
        manifest.write_text(manifest.read_text() + "\n  - {id: new, prompt: a mill}\n")

    def rebuild(self) -> api.Recovery:
        return self.play(api.rebuild(self.options()))

    def row(self, name: str) -> dict[str, Any]:
        """Return what the results say of a job."""
        text = (self.folder / "output" / "spring" / "results.json").read_text()
        return next(one for one in json.loads(text)["jobs"] if one["id"] == name)

    def write_as_under_way(self, name: str, status: str, *, answered: bool, tells_seed: bool = True) -> None:
        """Write the results as they were before the newest edition of a job had arrived."""
        path = self.folder / "output" / "spring" / "results.json"
        document = json.loads(path.read_text())
        row = next(one for one in document["jobs"] if one["id"] == name)
        newest, before = dict(row), row["earlier"].pop(0)
        for key in ("job_id", "asset_ids", "files", "cost", "seed"):
            row[key] = before[key]
        if row["seed"] is not None:
            row["params"]["seed"] = row["seed"]
        row["redo"] = {
            "status": status,
            "job_id": newest["job_id"] if answered else None,
            "cost": newest["cost"],
            "seed": newest["seed"],
            "error": None,
        }
        if not tells_seed:
            del row["redo"]["seed"]
        path.write_text(json.dumps(document))

    def records(self) -> Mapping[JobKey, Record]:
        with look_at(self.options()) as opened:
            return dict(opened.batch.journal.records())

    def editions(self, name: str) -> Editions:
        """Return the editions of a job."""
        with look_at(self.options()) as opened:
            head, shelf = _head(opened, name)
            return shelf.of(head)

    def owned(self) -> list[str]:
        """Return the submissions that records have."""
        return sorted(paid.remote_id for one in self.records().values() for paid in one.submissions)

    def paid(self) -> list[str]:
        """Return all submissions at the service."""
        return sorted(one.remote_id for one in self.earth.service.submissions)


def _head(opened: OpenBatch, name: str) -> tuple[JobKey, Shelf]:
    shelf = Shelf(opened.batch.journal.records())
    entry = next(one for one in opened.batch.plan.entries if one.job.id == name)
    return shelf.head(entry.key), shelf
