"""What running a batch would do, at what price and for how long; nothing is bought, made or changed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from batchgen.engine.limits.pools import limit_now
from batchgen.errors import Problem, ServiceError
from batchgen.journal.uploads import UploadRecords
from batchgen.model import Job, Model
from batchgen.planning.caps import Fit
from batchgen.planning.changes import Changed, changed_jobs
from batchgen.planning.forecast import Forecast, forecast, unrecognisable
from batchgen.planning.plan import Entry, Standing
from batchgen.planning.pricing import NOTHING, Price
from batchgen.planning.renames import changed_under_new_ids, renamed
from batchgen.price_ports import Quoter
from batchgen.scenario.account import Account
from batchgen.scenario.client import ScenarioClient
from batchgen.usecases.chains import ChainOutlook, look_at_chains
from batchgen.usecases.manifest_check import check_manifest
from batchgen.usecases.models import to_submit
from batchgen.usecases.purchases import Purchases
from batchgen.usecases.quotes import NOT_ESTIMATED, Estimated, Quoted, quote_jobs
from batchgen.usecases.run_policy import fit_of, guard_of
from batchgen.usecases.stand_ins import stand_ins_of
from batchgen.wiring.batch import Batch
from batchgen.wiring.blanks import Blank, blank_pictures
from batchgen.wiring.model_source import lately_described, rehearsed_prices
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import Options, project_of, rate_of
from batchgen.wiring.service import open_service
from batchgen.wiring.uploads import Uploads, uploading


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryOutlook:
    """One entry under jobs.

    Attributes:
        preview: what it stands for, as a sentence.
        counts: how many of its jobs stand where.
        cost: of those that would be bought and whose price is known, estimates included.
        unpriced: how many would be bought whose price is not.
        estimated: the part of the cost that is an estimate.
    """

    preview: str
    counts: Mapping[Standing, int]
    cost: Price
    unpriced: int
    estimated: Estimated = NOT_ESTIMATED


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What a run would do.

    Attributes:
        quoted: what the jobs cost that would be bought.
        entries: by entry of the manifest, in its order.
        changed: jobs that were bought in another form.
        moved: new jobs that look like one that is gone from the manifest, with what differs.
        renamed: the old and the new id of jobs that have another one, and are the same in all else.
        forecast: how long it takes.
        unrecognisable: how many jobs could not be told from their equals after a lost answer.
        fit: what of it the caps let through.
        account: None where the credentials may not see it, or it was not asked for.
        notes: sentences for people.
        warnings: what is probably a mistake by what the models declare.
        chains: their steps, what waits, and what is out of date.
    """

    quoted: Quoted
    entries: tuple[EntryOutlook, ...]
    changed: tuple[Changed, ...]
    moved: tuple[Changed, ...]
    renamed: tuple[tuple[str, str], ...]
    forecast: Forecast
    unrecognisable: int
    fit: Fit
    account: Account | None
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...]
    chains: ChainOutlook


async def look_ahead(
    opened: OpenBatch, *, offline: bool, requote: bool = False, exact: bool = False
) -> Outlook:
    """Check the jobs that would be bought, and ask what they cost.

    Args:
        opened: the plan.
        offline: ask nothing; models and prices that were looked at lately still count.
        requote: ask again for prices that were asked within the day.
        exact: send blank pictures, which is free, to ask with in place of those that do not exist yet.

    Raises:
        InputError: names every model that cannot be used, or every input that is wrong.
        ServiceError: the service did not answer, or does not accept the credentials.
        BoughtByQuoteError: a question after a price was taken for an order.
    """
    options, batch = opened.options, opened.batch
    checked = await check_manifest(options, batch.manifest, offline=offline, indices=to_submit(batch))
    jobs = [entry.job for entry in batch.plan.to_submit]
    models, account = checked.models, None
    lacks: tuple[str, ...] = ()
    if checked.skipped:
        models = _lately_seen(options, batch, jobs)
        quoted = await _quoted(options, batch, jobs, models, None)
    elif options.simulate or not jobs:
        prices = rehearsed_prices(partial(_size_of, batch))
        quoted = await _quoted(options, batch, jobs, models, prices, requote=requote, blank=prices.blank)
    else:
        project, pace = project_of(options, batch.manifest.project), batch.manifest.limits.rate
        async with AsyncExitStack() as stack:
            service = await stack.enter_async_context(open_service(options, project=project, rate=pace))
            client, uploads = service.client, None
            if exact:
                client, uploads = await stack.enter_async_context(uploading(batch, options, service))
            account = await _account(client)
            quoted = await _quoted(options, batch, jobs, models, client, requote=requote, uploads=uploads)
            lacks = client.rights.sentences
    given = options.in_flight or batch.manifest.limits.in_flight
    learned = _learned(opened) or (account.ceiling if account else None)
    ceilings = [one for one in (given, learned) if one is not None]
    rate = rate_of(options, batch.manifest.limits.rate)
    return Outlook(
        quoted=quoted,
        entries=_by_entry(batch, quoted),
        changed=tuple(one for one in changed_jobs(batch.plan, gone=opened.gone) if one.entry.is_asked),
        moved=tuple(one for one in changed_under_new_ids(batch.plan) if one.entry.is_asked),
        renamed=tuple(pair for pair in renamed(batch.plan) if batch.plan.by_id[pair[1]].is_asked),
        forecast=forecast(jobs, models, at_once=min(ceilings, default=None), rate=rate),
        unrecognisable=unrecognisable(jobs, models),
        fit=fit_of(batch, guard_of(batch, options, quoted), left=account.left if account else None),
        account=account,
        notes=(*checked.notes, *([checked.skipped] if checked.skipped else []), *lacks),
        warnings=checked.warnings,
        chains=look_at_chains(options, batch),
    )


def _learned(opened: OpenBatch) -> int | None:
    """Return how many jobs earlier runs could have in flight, of all models; None where none was refused."""
    kept = [one for one in opened.file.ceilings(opened.batch.scope).ceilings() if not one.models]
    return min((limit_now(one, now=opened.options.clock.now()) for one in kept), default=None)


async def _account(client: ScenarioClient) -> Account | None:
    """Look at the account, which is worth no failure: the plan is what was asked for."""
    try:
        return await client.account()
    except ServiceError:
        return None


def _lately_seen(options: Options, batch: Batch, jobs: Sequence[Job]) -> Mapping[str, Model]:
    shelf = lately_described(batch)
    now = options.clock.now()
    found = ((name, shelf.get(name, now=now)) for name in {job.model for job in jobs})
    return {name: model for name, model in found if model is not None}


async def _quoted(
    options: Options,
    batch: Batch,
    jobs: Sequence[Job],
    models: Mapping[str, Model],
    quoter: Quoter | None,
    *,
    requote: bool = False,
    uploads: Uploads | None = None,
    blank: Blank | None = None,
) -> Quoted:
    origin, project = batch.scope.origin, batch.project
    with ExitStack() as stack:
        records: UploadRecords | None = None
        if batch.manifest.files or not batch.plan.lineage.is_empty:
            records = stack.enter_context(options.journal.uploads_to_read(origin=origin, project=project))

        def known(files: Sequence[str]) -> Mapping[str, str]:
            found = records.find(files) if records is not None else {}
            return {name: one.asset_id for name, one in found.items() if one.asset_id}

        return await quote_jobs(
            quoter,
            jobs,
            models,
            store=options.journal.quotes(origin=origin, project=project),
            clock=options.clock,
            uploads_known=known,
            requote=requote,
            purchases=Purchases(options, batch, writing=False),
            stand_ins=stand_ins_of(batch, options, models, known, blank or blank_pictures(known, uploads)),
        )


def _size_of(batch: Batch, asset: str) -> tuple[int, int] | None:
    """Return the pixels of an asset that lies on the disk; None for another one."""
    records = batch.journal.records().values()
    found = next((file for one in records for file in one.files if file.asset_id == asset), None)
    return (found.width, found.height) if found is not None and found.width and found.height else None


def _by_entry(batch: Batch, quoted: Quoted) -> tuple[EntryOutlook, ...]:
    """Sum up by the entries of the manifest; an entry without a job is left out."""
    manifest, plan = batch.manifest, batch.plan
    bought = {entry.key for entry in plan.to_submit}
    members: dict[int, list[Entry]] = {}
    for index, entry in enumerate(plan.entries):
        members.setdefault(id(manifest.origins[index]), []).append(entry)
    previews = manifest.previews if len(manifest.previews) == len(members) else ()
    return tuple(
        _entry_outlook(
            previews[number] if previews else entries[0].job.id,
            entries,
            [one.job for one in entries if one.key in bought],
            quoted,
        )
        for number, entries in enumerate(members.values())
        if any(one.is_asked for one in entries)
    )


def _entry_outlook(
    preview: str, entries: Sequence[Entry], bought: Sequence[Job], quoted: Quoted
) -> EntryOutlook:
    sums = summed(bought, quoted)
    return EntryOutlook(
        preview=preview,
        counts=Counter(one.standing for one in entries if one.is_asked),
        cost=sums.cost,
        unpriced=sums.unpriced,
        estimated=sums.estimated,
    )


class Summed(NamedTuple):
    """What some jobs cost together.

    Attributes:
        cost: of those whose price is known, estimates included.
        unpriced: how many have none that is.
        estimated: the part of the cost that is an estimate.
    """

    cost: Price
    unpriced: int
    estimated: Estimated


def summed(jobs: Iterable[Job], quoted: Quoted) -> Summed:
    """Return what jobs cost together."""
    counts = Counter(id(found) if (found := quoted.of(job)) is not None else None for job in jobs)
    cost, unpriced, estimated = NOTHING, counts.pop(None, 0), NOT_ESTIMATED
    for one in quoted.classes:
        count = counts.get(id(one), 0)
        if not count:
            continue
        if one.price is None:
            unpriced += count
            continue
        cost += (total := one.price.times(count))
        if one.is_estimate:
            estimated += Estimated(jobs=count, price=total)
    return Summed(cost, unpriced, estimated)
