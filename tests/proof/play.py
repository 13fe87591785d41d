"""Plays a scenario: its runs with their accidents, then calm runs until nothing is left to do."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchgen.engine.verdict import Verdict, judge
from batchgen.lifecycle import RedoAsked, Restored
from batchgen.planning.make_plan import make_plan
from batchgen.planning.yields import shortage
from tests.proof import holds
from tests.proof.arranged import NamesWorld, is_of_names
from tests.proof.audits import audited
from tests.proof.caps import breaches_of_money
from tests.proof.chain_law import behind_new_parents, breaches_of_chains, may_stay, mixed_up
from tests.proof.chain_money import ChainMoney, is_of_chain_money
from tests.proof.chains import contents_bought, has_chains
from tests.proof.denials import Denial, Left
from tests.proof.law import Books, Tally, breaches, most_wanted, unfinished, unnamed
from tests.proof.one_run import Run
from tests.proof.outputs import left_behind, not_asked_again, silent_ends
from tests.proof.rare import draw
from tests.proof.redo_law import Families, breaches_of_redos, planned_wrong, results_wrong
from tests.proof.redos import has_redos
from tests.proof.scenario import Accident, JournalFate, Leg, Scenario
from tests.proof.slots import wanted_by_slot
from tests.proof.tools import has_tools
from tests.proof.world import Earth

_MOST_CALM_RUNS = 6  # a night's cron, and again: no accident is left that a further one would help against
_NO_ACCIDENT = frozenset({Accident.NONE, JournalFate.KEPT})
LARGEST = "largest"  # begins the names of what is compared over seeds, and not added up
_MEMORY = Path("/dev/shm")  # the file's own behaviour is the point, not the disk's speed


@dataclass
class Report:
    """What became of a seed.

    Attributes:
        wrong: what must not have happened, a sentence each; empty for a seed that holds.
        log: what each run came to.
    """

    scenario: Scenario
    wrong: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Give what a person needs to see it happen again."""
        seed = self.scenario.seed
        again = f"play it again: make prove SEEDS={seed}-{seed}"
        return "\n".join([f"seed {seed}:", *self.wrong, str(self.scenario), *self.log, again])


def play(seed: int) -> Report:
    """Play a seed from beginning to end."""
    try:
        return play_out(draw(seed))
    except BaseException as error:
        error.add_note(f"in seed {seed}; play it again: make prove SEEDS={seed}-{seed}")
        raise


def play_out(scenario: Scenario) -> Report:
    """Play a scenario, judge every run, and count what happened."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        return _Play(scenario, Path(folder)).go()


def add_up(tally: Counter[str], more: Counter[str]) -> None:
    """Count what happened in further seeds too."""
    for name, count in more.items():
        tally[name] = max(tally[name], count) if name.startswith(LARGEST) else tally[name] + count


class _Play:
    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self._scenario = scenario
        self._earth = Earth(scenario, folder)
        self._folder = folder
        self._wanted = wanted_by_slot(scenario.legs, most_wanted)
        self._report = Report(scenario)
        self._troubles: list[str] = []
        self._excused = False
        self._left: Run | None = None
        self._bound = False
        self._retries = 0
        self._rebuilt = False

    def go(self) -> Report:
        self._play()
        self._count_money()
        self._play_names()
        self._play_chain_money()
        return self._report

    def _play_names(self) -> None:
        """Play the names of files over many nights too, in a folder of their own."""
        if self._report.wrong or not is_of_names(self._scenario.seed):
            return
        folder = self._folder / "names"
        folder.mkdir()
        world = NamesWorld(folder, self._scenario.seed)
        self._report.wrong += world.play()
        self._report.tally.update(world.tally)

    def _play_chain_money(self) -> None:
        """Play chains under a cap too."""
        if not self._report.wrong and is_of_chain_money(self._scenario.seed):
            world = ChainMoney(self._scenario.seed)
            self._report.wrong += world.play()
            self._report.tally.update(world.tally)

    def _play(self) -> None:
        """Play every run and judge it, as long as nothing is wrong."""
        report, scenario = self._report, self._scenario
        for nth, leg in enumerate(scenario.legs):
            if scenario.denial is not None and nth == min(scenario.denial.since, len(scenario.legs) - 1):
                self._earth.deny(scenario.denial)
            self._run(leg)
            if report.wrong:
                return
        if scenario.market is not None:
            self._calm_under_a_cap()
        if not report.wrong and scenario.denial is not None:
            self._calm_under_a_denial(scenario.denial)
        if not report.wrong:
            self._calm()
        if report.wrong:
            return
        self._earth.let_a_day_pass()
        books = self._books()
        report.wrong += [*self._judge(books), *self._unnamed(books)]
        report.wrong += left_behind(self._earth, books.records.values())
        if not scenario.legs[-1].name:  # jobs under another name are other jobs to what tells holds apart
            all_paid = replace(books, charged=self._earth.charged_in_all)  # what a question bought too
            report.wrong += holds.needless(scenario, all_paid)
            report.tally.update(holds.count(scenario, all_paid))
        self._count_all(books)

    def _count_all(self, books: Books) -> None:
        """Count what happened in a seed that is at its end."""
        report, scenario, tally = self._report, self._scenario, Tally()
        tally.add(books, self._troubles)
        report.tally.update(self._earth.places.counts)
        report.tally["seeds in which names change"] += bool(scenario.legs[-1].name)
        report.tally["seeds with jobs without a prompt"] += has_tools(scenario)
        report.tally["seeds with chains"] += has_chains(scenario)
        report.tally.update(self._made_again(books))
        report.tally.update(tally.counts)
        report.tally["seeds"] += 1
        report.tally["posts"] += self._earth.posts

    def _made_again(self, books: Books) -> Counter[str]:
        """Count what was made again, and given back."""
        asked, later = Counter[str](), Families(books.records).keys
        asked["seeds with redos"] = has_redos(self._scenario)
        asked["redos asked"] = len(books.of(RedoAsked))
        asked["restored"] = len(books.of(Restored))
        bought = [one for one in later if one not in books.records or not books.records[one].submissions]
        asked["redos taken back unpaid, or blocked"] = len(bought)
        return asked

    def _unnamed(self, books: Books) -> list[str]:
        """Ask an audit after every charge, whatever it was made by."""
        if self._scenario.legs[-1].name is not None:
            return []
        charged = replace(books, charged=self._earth.charged_in_all)
        told = audited(self._earth)
        tally, unowned = self._report.tally, {one.remote_id for one in charged.unowned()}
        tally["of no record: certain in an audit"] += len(unowned & told.certain)
        tally["of no record: possible in an audit"] += len(unowned & told.possible)
        tally["others' jobs that an audit names"] += len(books.others & (told.certain | told.possible))
        return unnamed(charged, self._scenario, told, self._earth.till.by_question)

    def _calm_under_a_cap(self) -> None:
        """Run undisturbed with the last cap, which may leave some jobs: those that it says."""
        last = self._scenario.legs[-1]
        spending = last.spending and replace(last.spending, most_failures=None, limit=None)
        self._run(Leg(jobs=last.jobs, pause=600.0, spending=spending, key=self._scenario.last_key))

    def _calm_under_a_denial(self, denial: Denial) -> None:
        """Run undisturbed while something is denied, see that all else is done, and deny nothing more."""
        jobs = self._scenario.last_manifest
        leg = Leg(jobs=jobs, pause=600.0, spending=self._scenario.raised, key=self._scenario.last_key)
        for left_to_try in reversed(range(_MOST_CALM_RUNS)):
            books = self._run(leg)
            assert self._left is not None
            left = Left(
                denial=denial,
                plan=make_plan(jobs, books.records),
                records=books.records,
                ending=self._left.ending,
                events=self._left.witness.events,
                requests=self._left.witness.requests,
            )
            wrong = list(left.wrong())
            if self._report.wrong or not wrong:
                break
            if not (self._excused and left_to_try):
                self._report.wrong.extend(wrong)
        self._earth.deny(None)

    def _calm_under_all_names(self) -> None:
        """Run undisturbed what each name stands for, until nothing is left under any."""
        places, left, last = self._earth.places, list[str](), self._scenario.legs[-1]
        if last.name is not None:  # which may have been cut before it began
            self._run(
                Leg(jobs=last.jobs, pause=600.0, name=replace(last.name, gone=(), allows=True, blind=False))
            )
        for _ in range(_MOST_CALM_RUNS):
            for line in list({id(one): one for one in places.lines.values()}.values()):
                if line.last is None or line.last.name is None:
                    continue
                name = replace(line.last.name, gone=(), allows=True, blind=False)
                self._run(Leg(jobs=line.last.jobs, pause=600.0, name=name))
                if self._report.wrong:
                    return
            left = [*places.left(), *places.planned()]
            if not left:
                return
        self._report.wrong.extend(left)

    def _calm(self) -> None:
        """Run undisturbed until nothing is left; a service that stays away may take several runs."""
        if self._scenario.legs[-1].name is not None:
            self._calm_under_all_names()
            return
        leg = Leg(
            jobs=self._scenario.last_manifest,
            pause=600.0,
            spending=self._scenario.raised,
            key=self._scenario.last_key,
            slot=self._scenario.legs[-1].slot,
        )
        left_to_try = _MOST_CALM_RUNS
        while True:
            books, left_to_try = self._run(leg), left_to_try - 1
            assert self._left is not None
            entries = self._earth.plan(leg, self._left.own).entries
            stay = may_stay(entries)
            keys = [self._left.key_of(one.key) for one in entries if one.key not in stay]
            left = unfinished(books, keys)
            self._report.wrong += mixed_up(entries, self._left.own)
            self._report.tally["jobs of chains that must stay"] += len(stay)
            if not left or self._report.wrong:
                self._ask_again(leg, books)
                return
            if not (self._excused and left_to_try):
                self._report.wrong.extend(left)
                return

    def _ask_again(self, leg: Leg, books: Books) -> None:
        """Run once more where outputs are late: what the service shows by then is fetched."""
        if not self._scenario.settings.views.late_outputs or self._report.wrong:
            return
        self._report.wrong += left_behind(self._earth, books.records.values())
        began = self._earth.passed
        books = self._run(leg)
        self._report.wrong += not_asked_again(self._earth, books.records.values(), began)

    def _run(self, leg: Leg) -> Books:
        began = self._earth.passed
        self._earth.shelves.begin(calm=leg not in self._scenario.legs)
        self._retries += leg.retry
        self._rebuilt |= leg.journal is JournalFate.REBUILT
        run = Run(self._earth, leg).go()
        self._left = run
        books = self._books()
        self._excused = run.ending is None or run.ending.unreachable
        self._troubles += run.witness.troubles
        self._count(run)
        self._report.wrong += [*breaches_of_money(run), *run.witness.requests.too_many(run.took)]
        if run.ending is not None:
            records = books.records.values()
            self._report.wrong += silent_ends(self._earth, verdict_of(run), records, began)
        self._report.wrong += self._out_of_order(run)
        self._report.log += _told(run)
        self._report.wrong += self._judge(books)
        return books

    def _out_of_order(self, run: Run) -> list[str]:
        """Hold the order in which jobs left against chains, where nothing else keeps any from leaving."""
        late = self._scenario.settings.views.late_outputs  # which are waited for
        if run.plan is None or late or run.leg.slot or not has_chains(self._scenario):
            return []
        return behind_new_parents(run.witness.events, run.plan.entries, run.before)

    def _books(self) -> Books:
        """Lay open both sides as they are now; the journal has been read after the run."""
        assert self._left is not None
        return self._earth.books(self._left.records, self._left.history)

    def _judge(self, books: Books) -> list[str]:
        if self._scenario.legs[-1].name is not None:
            return self._judge_by_account()
        wanted = self._wanted_now()
        return [
            *self._earth.wrong,
            *breaches(books, self._scenario, wanted, retries=self._retries),
            *breaches_of_chains(books, wanted, rebuilt=self._rebuilt),
            *self._judge_redos(books),
        ]

    def _judge_redos(self, books: Books) -> Iterator[str]:
        """Hold what was made again against its own law, and the plan and the results against the records."""
        if self._left is None or not has_redos(self._scenario):
            return
        asked_at, lost = self._earth.asked_at, self._scenario.loses_journals
        yield from breaches_of_redos(books.records, books.history, asked_at, lost=lost)
        yield from planned_wrong(self._earth.plan(self._left.leg, self._left.own).entries, self._left.own)
        if self._left.results is not None:
            entries = make_plan(self._left.leg.jobs, self._left.own).entries
            yield from results_wrong(json.loads(self._left.results), entries, self._left.own)

    def _wanted_now(self) -> Mapping[str, int]:
        """Return by content the most that was asked for, where changed jobs keep what was bought too."""
        accepted = self._earth.accepted
        if not accepted or self._left is None:
            return self._wanted
        asked = contents_bought(self._left.own)
        kept = {one: (key, asked.get(key, key.content)) for one, key in accepted.items()}
        more = most_wanted((leg.jobs for leg in self._scenario.legs), kept)
        return {one: max(self._wanted.get(one, 0), more.get(one, 0)) for one in {*self._wanted, *more}}

    def _judge_by_account(self) -> list[str]:
        earth, places = self._earth, self._earth.places
        told = (
            f"{account}: {one}"
            for account in places.accounts
            for one in breaches(earth.books_of(account), self._scenario, places.wanted(account))
        )
        return [*earth.wrong, *told]

    def _count(self, run: Run) -> None:
        tally = self._report.tally
        tally["runs"] += 1
        tally["cuts"] += run.life.dead
        tally["full disks"] += run.life.full
        tally["power lost"] += run.leg.power
        tally["on a slow disk"] += run.leg.disk is not None
        tally["failed syncs"] += run.life.facts.has_failed
        tally["journals lost"] += run.leg.journal is JournalFate.LOST
        tally["journals rebuilt from results"] += run.leg.journal is JournalFate.REBUILT
        tally["journals put back from a copy"] += run.leg.journal is JournalFate.OLDER
        tally["on SQLite"] += self._scenario.file
        tally["unreachable"] += bool(run.ending and run.ending.unreachable)
        tally["stopped by a budget"] += bool(run.ending and run.ending.over_budget)
        tally["stopped by failures"] += bool(run.ending and run.ending.failures)
        self._bound |= bool(run.ending and run.ending.over_budget)
        tally["virtual seconds"] += int(run.took)

    def _count_money(self) -> None:
        if self._scenario.market is None:
            return
        tally, earth = self._report.tally, self._earth
        budgets = [leg.spending.budget for leg in self._scenario.legs if leg.spending]
        above = earth.till.above_quotes(earth.charged)
        tally["seeds with a budget"] += any(one.is_set for one in budgets)
        tally["seeds with a budget that bound"] += self._bound
        tally["questions after a price"] += earth.till.questions
        tally["bought by a question"] += len(earth.till.by_question)
        tally["charges above their quotes"] += len(above)
        tally["CU by which those are above"] += int(sum(above))
        tally[f"{LARGEST} overshoot of a budget, in 1/1000 CU"] = int(earth.till.overshoot * 1000)
        tally[f"{LARGEST} number in flight under a budget"] = earth.most_in_flight


def verdict_of(run: Run) -> Verdict:
    """Judge a run that came to its end, as the command does."""
    assert run.ending is not None
    short = shortage(run.records, now=run.ended)
    return judge(run.ending, list(run.records.values()), shortage=short)


def _told(run: Run) -> list[str]:
    came_to = run.broken or "cut"
    if run.ending is not None:
        verdict = verdict_of(run)
        came_to = f"exit {verdict.exit:d}: {'; '.join(verdict.reasons)}"
    accidents = [one for one in (run.leg.journal, run.leg.accident) if one not in _NO_ACCIDENT]
    accident = f" ({', '.join(accidents)})" if accidents else ""
    began = run.witness.events[0][1].at if run.witness.events else 0.0
    lines = [
        f"  {event.at - began:9.3f} {str(key)[3:9]}#{key.ordinal} {event}"
        for key, event in run.witness.events
    ]
    return [
        f"a run of {run.took:.1f} s{accident}: {came_to}",
        *lines,
        *(f"  ! {one}" for one in run.witness.troubles),
    ]
