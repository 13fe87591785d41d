"""What a service denies for a while: a model, the listing of jobs, or to show an id; and what must hold then.

Each kind has a source of chance of its own. What is denied is denied from one run on until an undisturbed
run has been judged under it; the calm runs after that are as in every seed.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.verdict import judge
from batchgen.exits import Exit
from batchgen.lifecycle import Event, Record, ShownAbsent, State
from batchgen.model import Job, JobKey
from batchgen.planning.plan import Plan
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.exchange import Call as Asked
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import OF_A_MODEL, Denied

if TYPE_CHECKING:
    from tests.proof.scenario import Scenario

_CLOSED, _UNLISTED, _UNSEEN = 0.06, 0.06, 0.04  # shares of the seeds
_LONGEST_UNSEEN = 1500.0  # seconds: half an hour is what a run watches
_UNSETTLED = frozenset({State.SUBMITTING, State.RUNNING, State.SUCCEEDED})


@dataclass(frozen=True, kw_only=True)
class Denial:
    """What is denied, from one run of a seed on.

    Attributes:
        denied: by the service, as its settings have it.
        broken: whether every listing fails with 500 instead.
        allowed: whether the runs are told to go on without a listing.
        since: the first run that meets it, from 0.
    """

    denied: Denied = field(default_factory=Denied)
    broken: bool = False
    allowed: bool = False
    since: int = 0

    @property
    def unlisted(self) -> bool:
        """Whether jobs cannot be listed."""
        return self.broken or self.denied.listing


def with_denials(seed: int, scenario: "Scenario") -> "Scenario":
    """Let some of the seeds that lose no journal be denied something."""
    chance = random.Random(f"batchgen proof {seed}, what is denied")
    share = chance.random()
    if scenario.loses_journals or share >= _CLOSED + _UNLISTED + _UNSEEN:
        return scenario
    if share < _CLOSED:
        models = sorted({job.model for leg in scenario.legs for job in leg.jobs})
        calls = chance.choice([OF_A_MODEL, frozenset({Asked.SUBMIT}), frozenset({Asked.SUBMIT}),
                               frozenset({Asked.SUBMIT, Asked.QUOTE}), frozenset({Asked.MODEL})])  # fmt: skip
        denied = Denied(models=frozenset([chance.choice(models)]), calls=calls, named=chance.random() < 0.5)
        return replace(scenario, denial=Denial(denied=denied, since=chance.choice([0, 1])))
    if share < _CLOSED + _UNLISTED:
        broken = chance.random() < 0.5
        denial = Denial(
            denied=Denied(listing=not broken),
            broken=broken,
            allowed=chance.random() < 0.6,
            since=chance.choice([0, 1, 1]),
        )
        return replace(scenario, denial=denial)
    views = replace(scenario.settings.views, job_lag=chance.uniform(60, _LONGEST_UNSEEN))
    policy = replace(scenario.policy, sweeps=chance.random() < 0.5)
    return replace(scenario, policy=policy, settings=replace(scenario.settings, views=views))


def without_listings(faults: FaultPlan) -> FaultPlan:
    """Let every listing fail."""
    script = {**faults.script, Asked.JOBS: ()}
    return FaultPlan(chances={**faults.chances, Asked.JOBS: {Fault.ERROR_BEFORE: 1.0}}, script=script)


class Requests:
    """What one run asked for, and what it was told that it had to remember."""

    def __init__(self) -> None:
        self.posts = self.listings = 0
        self._closed: set[str] = set()
        self._unseen: Counter[str] = Counter()

    def leaves(self, model: str) -> list[str]:
        """Say what is wrong with a POST that leaves now."""
        self.posts += 1
        return [f"sent to {model}, which this run knew to be closed"] if model in self._closed else []

    def saw(self, call: Call, answer: Answer) -> None:
        """Take note of an answer that was read."""
        name = call.path.rsplit("/", 1)[-1]
        self.listings += call.path == "/jobs"
        if answer.status == 403 and ("/custom/" in call.path or "/models/" in call.path):
            self._closed.add(name)
        if answer.status == 404 and call.path.startswith("/jobs/"):
            self._unseen[name] += 1

    def too_many(self, took: float) -> list[str]:
        """Say which id was asked for too often although it is not shown: gaps double, up to minutes."""
        most = 14 + took / 140 + math.log2(took + 1)
        return [
            f"{name} was asked for {count} times in {took:.0f} s, and never found"
            for name, count in self._unseen.items()
            if count > most
        ]


@dataclass(frozen=True, kw_only=True)
class Left:
    """What an undisturbed run left while something was denied."""

    denial: Denial
    plan: Plan
    records: Mapping[JobKey, Record]
    ending: EngineOutcome | None
    events: Sequence[tuple[JobKey, Event]]
    requests: Requests

    def wrong(self) -> Iterator[str]:
        """Say what should have been done all the same, and what not."""
        for key, record in self.records.items():
            if record.state in _UNSETTLED:
                yield f"{key} is left {record.state}, and nothing kept it from its end"
        if self.denial.unlisted and self.denial.allowed:
            yield from self._blind()
        elif self.denial.unlisted:
            yield from self._stopped()
        else:
            yield from self._closed()

    def _planned(self, models: frozenset[str] | None = None) -> list[Job]:
        return [
            one.job
            for one in self.plan.entries
            if self.records.get(one.key, Record()).state is State.PLANNED
            and (models is None or one.job.model in models)
        ]

    def _closed(self) -> Iterator[str]:
        closed = self.denial.denied.models
        for job in self._planned():
            if job.model not in closed:
                yield f"{job.id} is left planned, and its model is open"
        unpriced = self.ending is not None and bool(self.ending.over_budget)  # told first
        if self._planned(closed) and not unpriced and not self._says(Exit.CREDENTIALS, *closed):
            yield "jobs of a closed model are left, and the run does not say so"

    def _stopped(self) -> Iterator[str]:
        if self.requests.posts:
            yield "bought without a look, unasked"
        status = Exit.REMAINS if self.denial.broken else Exit.CREDENTIALS
        if self._planned() and not self._says(status, "--allow no-listing"):
            yield "nothing could be listed, and the run does not say the way on"

    def _blind(self) -> Iterator[str]:
        for job in self._planned():
            yield f"{job.id} is left planned by a run that went on without listings"
        if any(record.state is State.IN_DOUBT for record in self.records.values()):
            yield "a doubt is left that nothing can settle, and nobody is asked"
        if any(isinstance(event, ShownAbsent) for _, event in self.events):
            yield "shown absent without a listing"
        if self.requests.listings:
            yield "listed, although it was told not to"

    def _says(self, status: Exit, *words: str) -> bool:
        if self.ending is None:
            return False
        verdict = judge(self.ending, [self.records.get(one.key, Record()) for one in self.plan.entries])
        told = "; ".join(verdict.reasons)
        return verdict.exit in {status, Exit.DOUBT} and all(one in told for one in words)
