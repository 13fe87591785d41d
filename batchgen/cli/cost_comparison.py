"""What came of holding a journal against the service's history, for people and as JSON.

Loaded by ``cost --reconcile`` alone, with all that it shows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from decimal import Decimal

from batchgen import api
from batchgen.formats import clean, moment, number, units


def differences(found: api.BillingDiff) -> dict[str, object]:
    """Return the findings as JSON has them."""

    def ours(one: api.Cost) -> dict[str, object]:
        return {
            "batch": one.scope.batch,
            "slot": one.scope.slot or None,
            "id": one.job_id,
            "job_id": one.remote_id,
            "charged": number(one.sums.charged),
            "refunded": number(one.sums.refunded),
        }

    def both(one: api.Compared) -> dict[str, object]:
        shown = {"charged": number(one.shown.charged), "refunded": number(one.shown.refunded)}
        return {**ours(one.ours), "shown": shown}

    def theirs(one: api.Shown) -> dict[str, object]:
        amounts = {"charged": number(one.charged), "refunded": number(one.refunded)}
        told = {name: value for name, value in asdict(one).items() if name != "at_most"}
        return {**told, "at": moment(one.at), **amounts}

    return {
        "entries": found.entries,
        "unknown": [theirs(one) for one in found.unknown],
        "unclaimed": [theirs(one) for one in found.unclaimed],
        "differing": [both(one) for one in found.differing],
        "missing": [ours(one) for one in found.missing],
        "recent": found.recent,
        "refunds": {
            "confirmed": [both(one) for one in found.confirmed],
            "unconfirmed": [ours(one) for one in found.unconfirmed],
            "unexpected": [both(one) for one in found.unexpected],
        },
    }


def told_of(reckoned: api.CostComparison) -> Iterator[str]:
    """Return a line for each finding, those that wait for a person first."""
    found = reckoned.reckoning
    if found is None:
        yield f"{reckoned.origin} does not show this key its history of usages: {clean(reckoned.trouble)}"
        yield "Use a key that may read it, or look at the usages in the application of the service."
        return
    yield f"Compared with {reckoned.origin}: {found.entries} entries"
    for shown in found.unknown:
        charged = _plain(shown.charged)
        yield f"  {clean(shown.remote_id)}: {charged} charged to this key, and not in this journal"
    if found.unclaimed:
        units = sum((one.charged for one in found.unclaimed), Decimal(0))
        yield f"  {len(found.unclaimed)} charges, {_plain(units)} in all, of no record: cannot tell whose"
    for both in found.differing:
        told = f"{_plain(both.ours.sums.charged)} on record, {_plain(both.shown.charged)} by the service"
        yield f"  {_name(both.ours)}: {told}"
    yield from _each(found.missing, "charged by the record, not shown by the service")
    yield from _refunds(reckoned, found)
    if found.recent:
        yield f"  {found.recent} charges are too recent to be missed: ask again in ten minutes"
    differ = found.unknown or found.unclaimed or found.differing or found.missing
    if not (differ or found.recent or found.unexpected or found.unconfirmed):
        yield "All agree."


def _refunds(reckoned: api.CostComparison, found: api.BillingDiff) -> Iterator[str]:
    for both in found.unexpected:
        told = f"{_plain(both.shown.refunded)} refunded by the service"
        yield f"  {_name(both.ours)}: {told}, {_plain(both.ours.sums.refunded)} on record"
    yield from _each(found.unconfirmed, "assumed to be refunded, not shown by the service")
    if found.confirmed:
        back = sum((one.shown.refunded for one in found.confirmed), Decimal(0))
        yield f"  {len(found.confirmed)} refunds that were assumed are shown: {_plain(back)}"
    if reckoned.refunds.count:
        yield f"  {reckoned.refunds.count} refunds recorded: {_plain(reckoned.refunds.units)}"
    if reckoned.refunds.corrected:
        yield f"  {reckoned.refunds.corrected} charges corrected to what the service shows"
    yield from (f"  {clean(one)}" for one in reckoned.refunds.left)


def _each(rows: Iterable[api.Cost], told: str) -> Iterator[str]:
    for one in rows:
        yield f"  {_name(one)}: {_plain(one.sums.charged)} {told}"


def _name(one: api.Cost) -> str:
    return f"{clean(one.scope.batch)} {clean(one.job_id)} {clean(one.remote_id)}"


def _plain(amount: Decimal) -> str:
    return units(amount)
