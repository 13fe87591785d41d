"""What must be true of money after a run: what was charged, what was left, and whether it was said why."""

from collections.abc import Iterator
from decimal import Decimal

from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.verdict import judge
from batchgen.exits import Exit
from batchgen.identity import compose_body
from batchgen.lifecycle import Record, State, SubmitStarted
from batchgen.manifest.values import Budget
from batchgen.model import Job
from batchgen.planning.make_plan import make_plan
from batchgen.simulator.exchange import Call
from tests.proof.law import MAY_BE_PAID, Order
from tests.proof.ledger_oracle import windows
from tests.proof.one_run import Run
from tests.proof.scenario import Leg

_SAY_SO = frozenset({Exit.CREDENTIALS, Exit.DOUBT, Exit.BUDGET})  # what comes before a budget, and it
_FRESH = 23 * 3600.0  # seconds for which a price is certainly kept


def breaches_of_money(run: Run) -> list[str]:
    """Say what is wrong with what a run bought or left, a sentence each."""
    earth, leg = run.earth, run.leg
    if earth.scenario.market is None:
        return []
    return [
        *earth.till.settle(earth.charged, run.records.values(), now=earth.passed, late=earth.late),
        *_over_the_limit(run),
        *(_left(run.ending, run, leg) if run.ending is not None else ()),
    ]


def _over_the_limit(run: Run) -> Iterator[str]:
    limit = run.leg.spending.limit if run.leg.spending else None
    bought = {key for key, event in run.witness.events if isinstance(event, SubmitStarted)}
    new = [key for key in bought if run.before.get(key, Record()).state is State.PLANNED]
    if limit is not None and len(new) > limit:
        yield f"{len(new)} jobs bought, where {limit} were asked for"


def _left(ending: EngineOutcome, run: Run, leg: Leg) -> Iterator[str]:
    """What is left is planned, and the run says so; what would have fitted is not left."""
    entries = make_plan(leg.jobs, run.records).entries
    planned = [one.job for one in entries if one.record.state is State.PLANNED]
    limited = leg.spending is not None and leg.spending.limit is not None
    if ending.over_budget:
        verdict = judge(ending, list(run.records.values()))
        if verdict.exit not in _SAY_SO:
            yield f"stopped by a budget, and it ends with {verdict.exit}"
        if not planned:
            yield f"stopped by a budget, and nothing is left: {ending.over_budget}"
    said_otherwise = (
        ending.over_budget or ending.failures or ending.stopped or ending.unreachable or ending.out_of_sight
    )
    said = said_otherwise or ending.unpriced or all(job.model in ending.closed for job in planned)
    if planned and not (said or limited or run.life.full):
        yield f"{len(planned)} jobs are left planned, and nobody says why"
    mute = run.earth.till.market.mute
    asked = run.earth.scenario.settings.faults.chances.get(Call.QUOTE)
    if ending.unpriced and not (said_otherwise or limited or run.life.full or asked):
        yield from (f"waits for another's price: {one.id}" for one in planned if one.model not in mute)
    if ending.over_budget and leg.spending is not None and not (limited or run.life.full):
        yield from _fitted(run, leg.spending.budget, planned)


def _fitted(run: Run, budget: Budget, planned: list[Job]) -> Iterator[str]:
    """Hold the most that may be held, nothing that came back taken off, against the caps."""
    earth, zone = run.earth, run.earth.till.market.zone
    if run.ending is not None and any("its price is not known" in one for one in run.ending.over_budget):
        return
    caps = windows(budget, run.began, zone)
    doubtful = [one.job for one in run.records.values() if one.state in MAY_BE_PAID and one.job]
    prices, held = ([_price(run, job) for job in jobs] for jobs in (planned, doubtful))
    if budget.per_job is not None or None in (*prices, *held) or caps != windows(budget, run.ended, zone):
        return
    dearest = max((one for one in prices if one is not None), default=Decimal(0))
    in_doubt = sum((one for one in held if one is not None), Decimal(0))
    room = [cap - in_doubt - earth.till.most_held(earth.charged, since) for _, cap, since in caps]
    if planned and min(room) >= dearest:
        yield f"left by {budget}, under which there is room for {min(room)} and more"


def _price(run: Run, job: Job) -> Decimal | None:
    """Give the most that may have to be held for a job; None where it was not told in the day before."""
    earth = run.earth
    model = earth.models.get(job.model)
    order = Order(job.model, compose_body(job, None, model))
    told = earth.till.told(order, run.began - _FRESH)
    return None if told is None else earth.till.dearest(order, earth.charged)
