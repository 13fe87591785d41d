"""The engine as a run puts it together, over the parts that a test gives: the only place in tests that does.

What a test does not name is as quiet as it can be: no cap, no known limit, and the same jitter every time.
"""

import random
from collections.abc import Iterable, Mapping

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.flow import Flow
from batchgen.engine.limits.pools import Pools
from batchgen.engine.policy import Policy, World
from batchgen.engine.runner import Runner
from batchgen.engine.settings import RunSettings
from batchgen.model import Job, Model, Scope
from batchgen.planning.plan import Plan
from batchgen.ports import (
    Clock,
    Collector,
    Generator,
    Journal,
    Lease,
    LifelongLease,
    Observer,
    PacedGate,
    Uploader,
)
from batchgen.service_clock import ServiceClock


def make_flow(gate: PacedGate, *, in_flight: int | None = None, chance: random.Random | None = None) -> Flow:
    """Make what counts the jobs in flight.

    Args:
        gate: whose submit lane is held back.
        in_flight: the user's bound; None for none.
        chance: where the jitter comes from.
    """
    return Flow(pools=Pools(Ceiling(bound=in_flight)), gate=gate, chance=chance or random.Random(0))


def make_runner(
    plan: Plan,
    *,
    scope: Scope,
    generator: Generator,
    journal: Journal,
    collector: Collector,
    gate: PacedGate,
    clock: Clock,
    observer: Observer,
    flow: Flow,
    models: Mapping[str, Model] | None = None,
    chance: random.Random | None = None,
    purse: BudgetGuard | None = None,
    sender: str = "",
    service_clock: ServiceClock | None = None,
    policy: Policy | None = None,
    closed: Mapping[str, str] | None = None,
    settings: RunSettings | None = None,
    uploader: Uploader | None = None,
    lease: Lease | None = None,
) -> Runner:
    """Make a run of one batch; nothing starts before its ``run``.

    Args:
        plan: what there is to do.
        scope: where the records belong.
        generator, journal, collector, gate, clock, observer: its ports.
        flow: how much may be in flight; see ``make_flow``.
        models: every model of a job that may be submitted; None where nothing is bought.
        chance: where jitter comes from.
        purse: what may be spent; None for no cap.
        sender: the key that submits.
        service_clock: how far the service's clock is from ours; None where nobody measures it.
        policy: how patient the run is.
        closed: models that may not be used, and why.
        settings: what the run goes by at first; None for what flow and purse were made with.
        uploader: sends local files; None where no job has any.
        lease: the right to buy; None for one that never ends.
    """
    return Runner(
        plan=plan,
        scope=scope,
        models=models or {},
        world=World(
            generator=generator,
            journal=journal,
            collector=collector,
            gate=gate,
            clock=clock,
            observer=observer,
            chance=chance or random.Random(0),
            purse=purse or BudgetGuard(),
            sender=sender,
            service_clock=service_clock,
            uploader=uploader,
            lease=lease or LifelongLease(),
        ),
        flow=flow,
        policy=policy or Policy(),
        closed=closed,
        settings=settings,
    )


async def models_of(jobs: Iterable[Job], generator: Generator) -> dict[str, Model]:
    """Return the models of the jobs, each as the service describes it."""
    return {name: await generator.model(name) for name in sorted({job.model for job in jobs})}
