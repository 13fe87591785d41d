"""What a run goes by: its patience, the limits and prices that are known, and what it was not asked for."""

import math
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from batchgen.backoff import Backoff
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.pools import Pools
from batchgen.engine.policy import Policy
from batchgen.engine.settings import RunSettings
from batchgen.errors import ServiceError
from batchgen.journal.opened import OpenJournal
from batchgen.manifest.values import Budget
from batchgen.planning.caps import Chains, Fit
from batchgen.planning.chain_order import chains_to_buy, one_by_one
from batchgen.planning.slots import began_at
from batchgen.price_ports import PriceQuestions, Prices
from batchgen.reconcile.absence import AFTER_LEASE, DoubtPolicy, OnAbsent
from batchgen.reconcile.look_back import BLIND
from batchgen.scenario.client import ScenarioClient
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Allow, Options, own_rate_of
from batchgen.wiring.slots import zone_of


def settings_of(batch: Batch, options: Options) -> RunSettings:
    """Return what a run goes by at first: the command line, then the manifest."""
    limits = batch.manifest.limits
    return RunSettings(
        in_flight=options.in_flight or limits.in_flight,
        rate=own_rate_of(options, limits.rate),
        budget=budget_of(batch, options).total,
    )


def budget_of(batch: Batch, options: Options) -> Budget:
    """Return the caps: the manifest's, and for the batch the command line's in its place."""
    budget = batch.manifest.budget
    return budget if options.budget is None else replace(budget, total=options.budget)


def guard_of(
    batch: Batch, options: Options, prices: Prices, questions: PriceQuestions | None = None
) -> BudgetGuard:
    """Return what holds jobs under the caps, with what earlier runs were charged.

    Args:
        batch: the jobs, and what is on record of them.
        options: the command line's cap.
        prices: what the service says that they cost.
        questions: the same prices, where they can be asked for anew; None where they cannot.
    """
    guard = BudgetGuard(
        budget=budget_of(batch, options),
        prices=prices,
        questions=questions,
        zone=zone_of(batch.manifest),
        by_flag=options.budget is not None,
    )
    guard.remember(batch.journal.records().values())
    return guard


def fit_of(batch: Batch, guard: BudgetGuard, *, left: Decimal | None = None) -> Fit:
    """Return what of the jobs that would be bought fits under the caps, now.

    Args:
        batch: the jobs.
        guard: with their prices.
        left: compute units that the account has left; None where that is not known.

    Raises:
        JournalError: what is spent cannot be read.
    """
    # without a cap nothing has to fit, and the order of 100,000 steps takes its time
    is_bound = guard.is_capped or left is not None
    chains = chains_to_buy(batch.plan) if is_bound else one_by_one(batch.plan)
    return guard.fit(
        [one.job for steps in chains.chains for one in steps],
        batch.journal,
        now=batch.clock.now(),
        left=left,
        chains=Chains([len(steps) for steps in chains.chains], chains.begun),
        kept=batch.journal.reservations().values(),
    )


async def pools_of(batch: Batch, options: Options, client: ScenarioClient, journal: OpenJournal) -> Pools:
    """Return what is known of the limits: what earlier runs have learned, else what the service says."""
    most = options.in_flight or batch.manifest.limits.in_flight
    memory, room = journal.ceilings(batch.scope), journal.room(batch.scope)
    pools = Pools(Ceiling(bound=most), memory=memory, clock=options.clock, room=room)
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
        slot_began=_slot_began(batch, options),
        timeout=manifest.timeout,
        files=Backoff(first=usual.files.first / speed, ceiling=usual.files.ceiling / speed),
        last_files=usual.last_files / speed,
        attempts=manifest.attempts,
        doubt=DoubtPolicy(
            then=OnAbsent.RESUBMIT if doubt.resubmit else OnAbsent.HOLD,
            settle=doubt.settle / speed,
            settle_max=doubt.settle_max / speed,
            after_lease=AFTER_LEASE / speed,
        ),
    )


def _slot_began(batch: Batch, options: Options) -> float | None:
    """Return a time before which nothing of the slot was bought; None where its name does not tell.

    A period of one's own may have a name as the calendar has, and be bought before that begins.
    """
    slot = batch.scope.slot
    began = began_at(slot, zone_of(batch.manifest))
    if began is None or (options.period or batch.manifest.period) != slot:
        return began
    return min(began, batch.clock.now() - BLIND)


def most_failures_of(options: Options, batch: Batch) -> int | None:
    """Return how many jobs may fail before no more are bought; a share is of what would be bought."""
    most = options.most_failures
    if isinstance(most, float):
        return max(1, math.ceil(most * len(batch.plan.to_submit)))
    return most
