"""Histories of jobs that are made again, drawn at random, with what must hold after each step."""

import asyncio
import random
from pathlib import Path

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.planning.editions import Shelf, has_arrived
from batchgen.record import DONE, State
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Outcomes, Settings
from batchgen.wiring.opening import look_at
from tests.support.place import quiet
from tests.support.redone import Redone
from tests.support.virtual import Earth

SEEDED, SEEDLESS, TOOL = "model_bfl-flux-1-dev", "model_imagen4-ultra", "model_birefnet-background-removal"
LINES = {
    "seeded": "- {id: NAME, prompt: a house NAME, model: SEEDED}",
    "equal": "- {id: NAME, prompt: the same, model: SEEDED}",
    "seedless": "- {id: NAME, prompt: a hut NAME, model: SEEDLESS}",
    "child": "- {id: NAME, model: TOOL, params: {image: {job: PARENT}}}",
}


def manifest_of(kinds: list[str]) -> str:
    lines, parent = [], "job-0"
    for number, kind in enumerate(kinds):
        line = LINES[kind].replace("NAME", f"job-{number}").replace("PARENT", parent)
        lines.append(
            "  " + line.replace("SEEDED", SEEDED).replace("SEEDLESS", SEEDLESS).replace("TOOL", TOOL)
        )
    return "version: 1\nbatch: spring\noutput: {download: false}\njobs:\n" + "\n".join(lines) + "\n"


class History:
    """One installation, and what a person asked of it."""

    def __init__(self, folder: Path, kinds: list[str], *, failures: float = 0.0) -> None:
        service = Service(Settings(outcomes=Outcomes(failures=failures)))
        (folder / "jobs.yaml").write_text(manifest_of(kinds))
        self.place: Redone = Redone(folder, Earth(service=service))
        self.names = [f"job-{number}" for number in range(len(kinds))]
        self.kinds = kinds
        self.asked = len(kinds)
        self.copies: list[Path] = []
        self.told: list[str] = []

    def run(self, until: float | None = None) -> None:
        """Run to the end, or be cut off."""
        place, before = self.place, self.place.bought
        work = api.run(place.options(unattended=False), Interrupts(), quiet())

        async def cut() -> None:
            task = asyncio.ensure_future(work)
            done, _ = await asyncio.wait([task], timeout=until)
            if not done:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            else:
                task.result()

        place.play(cut())
        self.told.append(f"run({until}) bought {place.bought - before}")

    def may_redo(self) -> list[str]:
        with look_at(self.place.options()) as opened:
            return [
                one.job.id
                for one in opened.batch.plan.entries
                if one.stands is None and one.record.state in DONE and not one.accepted
            ]

    def redo(self, name: str) -> None:
        self.place.redo(name)
        self.asked += 1
        self.told.append(f"redo {name}")

    def restore(self, chance: random.Random) -> None:
        with look_at(self.place.options()) as opened:
            shelf, records = Shelf(opened.batch.journal.records()), opened.batch.journal.records()
            choices = [
                (one.job.id, key.ordinal)
                for one in opened.batch.plan.entries
                if one.stands is None
                for key in shelf.of(one.key).all
                if key != one.key and key in records and has_arrived(records[key])
            ]
        if choices:
            name, ordinal = chance.choice(choices)
            self.place.restore(name, ordinal)
            self.told.append(f"restore {name} {ordinal}")

    def copy(self) -> None:
        self.copies.append(self.place.copied(f"copy-{len(self.copies)}"))
        self.told.append("copy")

    def current(self) -> dict[str, str]:
        """Return the submission that each job has as its own."""
        with look_at(self.place.options()) as opened:
            return {one.job.id: one.current.record.remote_id or "" for one in opened.batch.plan.entries}

    def check(self) -> None:
        """Hold what must be true after whatever happened."""
        place = self.place
        assert place.bought <= self.asked, ("paid twice", self.told)
        audit = place.play(api.audit(place.options()))
        assert not audit.untrue, (audit.untrue, self.told)
        named = {one.row.remote_id for one in audit.surplus} | {one.row.remote_id for one in audit.doubtful}
        lost = set(place.paid()) - set(place.owned()) - named
        assert not lost, ("paid and of nobody", lost, self.told)

    def lose(self, chance: random.Random, way: str) -> None:
        """Lose the journal in one of the ways, and get back what can be got back."""
        place = self.place
        self.told.append(f"lose: {way}")
        if way == "put back" and self.copies:
            place.put_all_back(chance.choice(self.copies))
            return
        place.lose_the_journal()
        if way == "stale" and self.copies:
            place.put_back(chance.choice(self.copies), results=True)
        elif way in {"listing", "blind"}:
            place.lose_the_results()
        if way != "blind":
            place.rebuild()

    @property
    def is_known_by_seed(self) -> bool:
        return all(one in {"seeded", "equal"} for one in self.kinds)

    def is_held(self) -> bool:
        return any(one.state is State.HELD for one in self.place.records().values())


def play(folder: Path, chance: random.Random, *, kinds: list[str] | None = None, steps: int = 8) -> list[str]:
    """Play one history and hold the law at its end, and at each loss."""
    if kinds is None:
        kinds = [chance.choice(["seeded", "seeded", "equal"]) for _ in range(chance.randint(1, 3))]
    if kinds[0] == "child":
        kinds = ["seeded", *kinds]
    history = History(folder, kinds, failures=chance.choice([0.0, 0.0, 0.3]))
    history.run()
    try:
        for _ in range(steps):
            _step(history, chance)
        _end(history)
    except Exception as error:
        raise AssertionError((type(error), str(error), history.told)) from error
    return history.told


def _step(history: History, chance: random.Random) -> None:
    what = chance.choice(["redo", "redo", "run", "run", "cut", "restore", "copy", "lose"])
    if what == "redo" and (names := history.may_redo()):
        history.redo(chance.choice(names))
    elif what == "run":
        history.run()
    elif what == "cut":
        history.run(until=chance.uniform(0.5, 40.0))
    elif what == "restore":
        history.restore(chance)
    elif what == "copy":
        history.copy()
    elif what == "lose":
        way = chance.choice(["fresh", "fresh", "stale", "listing", "blind", "put back"])
        fresh = history.current() if way == "fresh" else {}
        is_written = way == "fresh" and _results_are_fresh(history)
        history.lose(chance, way)
        history.run()
        history.check()
        if is_written:
            now = history.current()
            assert {one: now[one] for one in fresh if fresh[one]} == {
                one: fresh[one] for one in fresh if fresh[one]
            }


def _results_are_fresh(history: History) -> bool:
    """Return whether the results and the journal know all that was bought, and say the same of it."""
    if history.place.owned() != history.place.paid():
        return False
    told = {name: history.place.row(name)["job_id"] or "" for name in history.names}
    with look_at(history.place.options()) as opened:
        return told == history.current() and all(one.stands is None for one in opened.batch.plan.entries)


def _end(history: History) -> None:
    history.run()
    history.check()
    bought = history.place.bought
    history.run()
    assert history.place.bought == bought, ("a second run bought", history.told)
