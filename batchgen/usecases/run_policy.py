"""What a run goes by: its patience, the limits and prices that are known, and what it was not asked for."""

import math
from contextlib import suppress
from decimal import Decimal

from batchgen.backoff import Backoff
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.pools import Pools
from batchgen.engine.outcome import LeftOut
from batchgen.engine.policy import Policy
from batchgen.engine.settings import RunSettings
from batchgen.errors import ServiceError
from batchgen.planning.slots import began_at
from batchgen.ports import CeilingMemory
from batchgen.reconcile.absence import DoubtPolicy, OnAbsent
from batchgen.scenario.client import ScenarioClient
from batchgen.wiring.batch import Batch, zone_of
from batchgen.wiring.options import Allow, Options, own_rate_of


def settings_of(batch: Batch, options: Options) -> RunSettings:
    """Return what a run goes by at first: the command line, then the manifest."""
    limits, total = batch.manifest.limits, batch.manifest.budget.total
    return RunSettings(
        in_flight=options.in_flight or limits.in_flight,
        rate=own_rate_of(options, limits.rate),
        budget=total if options.budget is None else options.budget,
    )


async def pools_of(batch: Batch, options: Options, client: ScenarioClient, memory: CeilingMemory) -> Pools:
    """Return what is known of the limits: what earlier runs have learned, else what the service says."""
    most = options.in_flight or batch.manifest.limits.in_flight
    pools = Pools(Ceiling(bound=most), memory=memory, clock=options.clock)
    if pools.limit is None and len(batch.plan.to_submit) > 1:
        with suppress(ServiceError):  # a refusal teaches the same
            account = await client.account()
            if account is not None and account.ceiling is not None:
                pools.expect(account.ceiling)
    return pools


def policy_of(batch: Batch, options: Options, *, speed: float) -> Policy:
    """Return the manifest's patience; a rehearsal settles doubts, and waits for files, in simulated time."""
    manifest = batch.manifest
    doubt, usual = manifest.doubt, Policy()
    return Policy(
        most_failures=most_failures_of(options, batch),
        listings=Allow.NO_LISTING not in options.allow,
        slot_began=began_at(batch.scope.slot, zone_of(manifest)),
        timeout=manifest.timeout,
        files=Backoff(first=usual.files.first / speed, ceiling=usual.files.ceiling / speed),
        last_files=usual.last_files / speed,
        attempts=manifest.attempts,
        doubt=DoubtPolicy(
            then=OnAbsent.RESUBMIT if doubt.resubmit else OnAbsent.HOLD,
            settle=doubt.settle / speed,
            settle_max=doubt.settle_max / speed,
        ),
    )


def most_failures_of(options: Options, batch: Batch) -> int | None:
    """Return how many jobs may fail before no more are bought; a share is of what would be bought."""
    most = options.most_failures
    if isinstance(most, float):
        return max(1, math.ceil(most * len(batch.plan.to_submit)))
    return most


def left_out_of(batch: Batch, purse: BudgetGuard) -> LeftOut | None:
    """Return what is left for another time, at the prices that were asked for this run."""
    jobs = batch.left_out
    if not jobs:
        return None
    prices = [purse.price(job) for job in jobs]
    return LeftOut(
        jobs=len(jobs),
        of=len(batch.plan.entries),
        cost=sum((one for one in prices if one is not None), Decimal(0)),
        unpriced=prices.count(None),
    )
