"""The small things that many tests are built from: jobs, models, rows of the service, events, an earth.

What only one test needs, it makes itself. What two tests make alike is made here, so that a new field has
one place to be filled in.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.verdict import Verdict, judge
from batchgen.lifecycle import Event, Record, State, SubmitStarted, replay
from batchgen.manifest.values import Budget
from batchgen.model import Job, JobKey, Json, Model, ModelInput, RemoteJob, RemoteStatus
from batchgen.scenario.transport import Answer, Call
from batchgen.scenario.wire import parse_model
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run, Twist

E = TypeVar("E", bound=Event)

RECORDED = Path(__file__).parent.parent.parent / "batchgen" / "simulator" / "models"
FLUX, GPT = SEEDED, "model_openai-gpt-image-2"  # models of which a recorded description is at hand
PRICES = {SEEDED: Decimal(4), SEEDLESS: Decimal(8)}  # as the simulator has them
BODY = '{"prompt":"a tower"}'  # what is sent of the job that make_job makes by default
WORDS = {
    RemoteStatus.RUNNING: "queued",
    RemoteStatus.SUCCEEDED: "success",
    RemoteStatus.FAILED: "failure",
    RemoteStatus.CANCELED: "canceled",
}


# --- jobs and models


def make_job(name: str = "tower", *, prompt: str = "a tower", model: str = "m", **params: Json) -> Job:
    """Make one job, which belongs to no model of the simulator unless the test names one.

    Args:
        name: its id.
        prompt: its prompt.
        model: the id of its model.
        params: its other inputs.
    """
    return Job(id=name, prompt=prompt, model=model, params=params)


def make_jobs(
    count: int, *, model: str = SEEDED, name: str = "job", prompt: str = "a house, number {n}", **params: Json
) -> list[Job]:
    """Make as many jobs of one model of the simulator.

    Args:
        count: how many.
        model: the id of their model.
        name: what their ids begin with; a number follows.
        prompt: their prompts, with ``{n}`` where the number goes; without it they are all equal.
        params: their other inputs.
    """
    return [
        Job(id=f"{name}-{n}", prompt=prompt.format(n=n), model=model, params=params) for n in range(count)
    ]


def priced_job(number: int = 0, *, model: str = FLUX, prompt: str = "a castle", **params: Json) -> Job:
    """Make one job of a model whose recorded description says what moves its price.

    Args:
        number: which one, for its id.
        model: the id of its model.
        prompt: its prompt.
        params: its other inputs.
    """
    return make_job(f"j{number}", prompt=prompt, model=model, **params)


def make_model(name: str = "m", *inputs: Mapping[str, Any], **fields: Any) -> Model:
    """Make a model.

    Args:
        name: its id, and its name.
        inputs: what it declares of each input, in the words of the service.
        fields: any other field of the model.
    """
    declared = (ModelInput(name=one["name"], type=one["type"], raw=one) for one in inputs)
    return Model(id=name, name=name, inputs=tuple(declared), **fields)


def recorded_models(*names: str) -> dict[str, Model]:
    """Return the models of these ids as the service described them when they were recorded."""
    return {name: parse_model(json.loads((RECORDED / f"{name}.json").read_text())) for name in names}


# --- what the service shows


def make_remote_job(
    remote_id: str = "job_1", *, status: RemoteStatus = RemoteStatus.RUNNING, **fields: Any
) -> RemoteJob:
    """Make a job as the service shows it: a generation by our key, unless the fields say otherwise.

    Args:
        remote_id: its id.
        status: how it stands; the service's own word follows from it.
        fields: any other field of the row.
    """
    known = {"word": WORDS[status], "job_type": "custom", "author": "apiu_us", **fields}
    return RemoteJob(remote_id=remote_id, status=status, **known)


def listed_as(alter: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Twist:
    """Return a twist that lets listings show each job in another way.

    Args:
        alter: gives a row as it is to be shown; None leaves it out.
    """

    def twist(call: Call, answer: Answer) -> Answer:
        if (call.method, call.path) != ("GET", "/jobs") or answer.status != 200:
            return answer
        page = json.loads(answer.body)
        altered = (alter(row) for row in page["jobs"])
        page["jobs"] = [row for row in altered if row is not None]
        return replace(answer, body=json.dumps(page).encode())

    return twist


# --- events and records


def make_intent(
    *, at: float = 1.0, job: Job | None = None, attempt: int = 1, body: str = BODY, **fields: Any
) -> SubmitStarted:
    """Make the event with which a submission begins.

    Args:
        at: when, seconds since the epoch.
        job: of which job; None for the one that ``make_job`` makes by default.
        attempt: the number of the attempt.
        body: what is sent.
        fields: any other field of the event.
    """
    return SubmitStarted(at=at, job=job or make_job(), attempt=attempt, body=body, **fields)


def record_of(*events: Event) -> Record:
    """Return the record of one job that lived through these events."""
    return replay(("a", one) for one in events)["a"]


# --- an earth, and what a run leaves on it


def make_earth(**settings: Any) -> Earth:
    """Make an earth whose service has these settings, by name; the others are the usual ones."""
    return Earth(service=Service(Settings(**settings)))


def service_of_another(wanted: Sequence[Job]) -> Service:
    """Return a service where a key that is not ours has bought these jobs."""
    earth = make_earth(key="somebody-else", seed=9)
    Run(earth, wanted, key="somebody-else").go()
    return earth.service


def records_of(earth: Earth) -> dict[JobKey, Record]:
    """Return the record of each job, as the events on the disk tell it."""
    return replay(earth.disk.events)


def states_of(earth: Earth) -> Counter[State]:
    """Return how many jobs are in each state."""
    return Counter(record.state for record in records_of(earth).values())


def verdict_of(run: Run) -> Verdict:
    """Return what a run that came to its end has to say of itself and of all records."""
    assert run.ending is not None
    return judge(run.ending, list(records_of(run.earth).values()))


def events_of(run: Run, kind: type[E]) -> list[E]:
    """Return the events of one kind that a run recorded, in their order."""
    return [event for _, event in run.watching.events if isinstance(event, kind)]


# --- money


class FixedPrices:
    """Prices that never change and that nobody has to ask for."""

    def __init__(self, prices: Mapping[str, Decimal]) -> None:
        self._prices = prices

    def price(self, job: Job) -> Decimal | None:
        """Return the price of a job of this model; None for a model without a price."""
        return self._prices.get(job.model)

    def kind(self, job: Job) -> str:
        """Return the model, because every job of a model has the same price here."""
        return job.model


def make_purse(
    total: Decimal | int | str | None = None, *, prices: Mapping[str, Decimal] = PRICES, **rest: Any
) -> BudgetGuard:
    """Make what watches over the money of a run, with prices that are known beforehand.

    Args:
        total: the cap; None for no cap on all together.
        prices: what one job costs, by model.
        rest: any other field of the budget.
    """
    budget = Budget(total=None if total is None else Decimal(total), **rest)
    return BudgetGuard(budget=budget, prices=FixedPrices(prices))
