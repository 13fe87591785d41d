"""``batchgen plan``."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.tables import lines_of
from batchgen.exits import Exit
from batchgen.formats import counted, number, units

_FEW = 5
_SHOWN = 20  # lines of a list; the rest is a number
_WIDEST = 60  # characters of a text from the manifest


@click.command("plan")
@flags.of_a_batch
@flags.limit
@flags.sample
@flags.offline
@click.option("--requote", is_flag=True, help="Ask again for prices that were asked within the day.")
@click.option("--check", "check_only", is_flag=True, help="Exit 8 where there is something to do.")
@flags.as_json
def command(
    *,
    options: "api.Options",
    limit: int | None,
    sample: int | None,
    offline: bool,
    requote: bool,
    check_only: bool,
    as_json: bool,
) -> int:
    """Show what running MANIFEST would do, job by job, why, and at what price.

    Holds the manifest against the journal, and the inputs of what would be submitted against what the
    service says of its models. Prices are the service's own answers, one question for all jobs that
    cost the same; buys nothing.
    """
    options = replace(options, limit=limit, sample=sample)
    return show_plan(options, as_json=as_json, offline=offline, requote=requote, check_only=check_only)


def show_plan(
    options: "api.Options",
    *,
    as_json: bool,
    offline: bool = False,
    requote: bool = False,
    check_only: bool = False,
) -> int:
    """Write the plan to standard output and give the exit status."""
    preview = asyncio.run(api.plan(options, offline=offline, requote=requote))
    batch, outlook, found = preview.batch, preview.outlook, preview.found
    for line in api.shown_problems((), preview.warnings):
        click.echo(line, err=True)
    for note in outlook.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        document = {**_document(batch, outlook, found), "other_slots": list(preview.slots.notes)}
        document["warnings"] = api.problems_document(preview.warnings)
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        for line in (*_lines(batch, outlook), *_notes(batch, outlook, found)):
            click.echo(line)
        for note in preview.slots.notes:
            click.echo(f"  {note}")
        if preview.whole is not None:
            count, quoted = preview.whole
            click.echo(f"  without the limit: {count} jobs, for {total_of(quoted)}")
    return Exit.REMAINS if check_only and preview.has_work else 0


def _document(batch: "api.Batch", outlook: "api.Outlook", found: "api.NamesFound") -> dict[str, object]:
    quoted, account = outlook.quoted, outlook.account
    elsewhere = found.beside[0] if found.beside else None
    return {
        "batch": batch.manifest.batch,
        "origin": batch.scope.origin,
        "counts": {str(standing): count for standing, count in batch.plan.counts().items()},
        "to_submit": len(batch.plan.to_submit),
        "previews": batch.manifest.previews,
        "entries": [
            {
                "preview": one.preview,
                "counts": {str(standing): count for standing, count in one.counts.items()},
                "cost": _range(one.cost),
                "unpriced": one.unpriced,
            }
            for one in outlook.entries
        ],
        "cost": {
            "low": number(quoted.total_low),
            "high": number(quoted.total_high),
            "unpriced": quoted.unknown,
            "questions": quoted.asked,
            "classes": [_class(one) for one in quoted.classes],
        },
        "balance": None if account is None else number(account.left),
        "expected": {"seconds": outlook.forecast.seconds, "at_once": outlook.forecast.at_once},
        "not_recognisable": outlook.unrecognisable,
        "jobs": [
            {
                "id": one.job.id,
                "model": one.job.model,
                "prompt": one.job.prompt,
                "standing": one.standing,
                "accepted": one.accepted,
            }
            for one in batch.plan.entries
        ],
        "changed": [_changed(one, outlook) for one in outlook.changed],
        "stopped": found.stopped or None,
        "goes_on_in": [{"origin": one.origin, "project": one.project or None} for one in found.joined[:1]],
        "done_elsewhere": None
        if elsewhere is None
        else {
            "batch": elsewhere.batch,
            "jobs": elsewhere.jobs,
            "open": elsewhere.open,
            "charged": float(elsewhere.charged),
            "manifest_is_gone": elsewhere.is_gone,
        },
        "removed": [{"id": one.job.id, "standing": one.standing} for one in batch.plan.removed],
    }


def _class(one: "api.QuotedClass") -> dict[str, object]:
    return {
        "model": one.model,
        "inputs": one.moving,
        "jobs": one.jobs,
        "each": None if one.price is None else _range(one.price),
        "quoted": one.is_quote,
        "note": one.note or None,
    }


def _changed(one: "api.Changed", outlook: "api.Outlook") -> dict[str, object]:
    return {
        "id": one.entry.job.id,
        "inputs": {change.name: {"before": change.before, "after": change.after} for change in one.changes},
        "cost": number(outlook.quoted.price(one.entry.job)),
        "charged_before": number(one.before.record.charged),
    }


def _range(price: "api.Price") -> dict[str, object]:
    return {"low": number(price.low), "high": number(price.high)}


def _lines(batch: "api.Batch", outlook: "api.Outlook") -> Iterator[str]:
    plan = batch.plan
    jobs = counted(len(plan.entries), "job")
    yield f"{batch.manifest.batch}: {jobs} at {batch.scope.origin}"
    yield from _entries(outlook)
    for standing, count in plan.counts().items():
        yield f"  {count:>6}  {standing}"
    if plan.removed:
        yield f"  {len(plan.removed):>6}  removed from the manifest: kept, will not be bought again"
    if not plan.to_submit:
        yield "Nothing to submit."
        return
    yield f"Would submit {len(plan.to_submit)}:"
    yield from _prices(outlook)
    for entry in plan.to_submit[:_SHOWN]:
        yield f"  {entry.standing:>17}  {entry.job.id}"
    yield from _rest(len(plan.to_submit), "")


def _entries(outlook: "api.Outlook") -> Iterator[str]:
    """Say of each entry of the manifest what it stands for, and where its jobs stand."""
    for one in outlook.entries[:_SHOWN]:
        counts = ", ".join(f"{count} {standing}" for standing, count in one.counts.items())
        cost = _total(one.cost, one.unpriced)
        yield f"  {_cut(one.preview)}: {counts}{f'; {cost}' if cost else ''}"
    yield from _rest(len(outlook.entries), " entries")


def _prices(outlook: "api.Outlook") -> Iterator[str]:
    """Show what each kind of job costs, and all of them; what is not known is said, and never 0."""
    quoted = outlook.quoted
    rows = [("jobs", "CU each", "CU", "")]
    for one in quoted.classes[:_SHOWN]:
        each, total = (
            ("unknown", "unknown")
            if one.total is None or one.price is None
            else (_span(one.price), _span(one.total))
        )
        note = f" ({one.note})" if one.note else ""
        kind = _cut(one.model + _moving(one.moving), 2 * _WIDEST)
        rows.append((str(one.jobs), each, total, f"{kind}{note}"))
    yield from (f"  {line}" for line in lines_of(rows, right=range(3)))
    yield from _rest(len(quoted.classes), " kinds")
    yield f"  in all {_total(_sum(outlook), quoted.unknown) or '0 CU'}{_balance(outlook)}"
    yield f"  {_time(outlook.forecast)}"


def total_of(quoted: "api.Quoted") -> str:
    """Return what some jobs cost in all; what is not known is said, and never 0."""
    return _total(api.Price(low=quoted.total_low, high=quoted.total_high), quoted.unknown) or "0 CU"


def _notes(batch: "api.Batch", outlook: "api.Outlook", found: "api.NamesFound") -> Iterator[str]:

    yield from (_change_line(one, outlook) for one in outlook.changed[:_SHOWN])
    yield from _rest(len(outlook.changed), " changed jobs")
    if outlook.changed:
        yield "  note: `batchgen accept JOB` keeps the result of a changed job, if the edit needs no new one"
    kept = [one.job.id for one in batch.plan.entries if one.accepted]
    if kept:
        yield f"  note: {_few(kept)} changed, and what was bought before was accepted"
    twice = batch.plan.paid_twice_by_edit()
    for entry, _ in twice[:_SHOWN]:
        yield (
            f"  note: {entry.job.id} was changed while the job before the change is at the service: "
            "both may be paid for"
        )
    yield from _rest(len(twice), " such jobs")
    if outlook.unrecognisable:
        jobs = "1 job has" if outlook.unrecognisable == 1 else f"{outlook.unrecognisable} jobs have"
        yield f"  note: {jobs} no seed: if a reply is lost, identical jobs cannot be told apart"
    yield from (f"  note: {text}" for text in api.told_of_names(found))
    if found.stopped:
        yield f"  note: a run stops: {found.stopped}"


def _few(names: list[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")


def _change_line(one: "api.Changed", outlook: "api.Outlook") -> str:
    named = "; ".join(_change(change) for change in one.changes) or "written in another way"
    known = outlook.quoted.of(one.entry.job)
    cost = "unknown" if known is None or known.price is None else f"{_span(known.price)} CU"
    charged = one.before.record.charged
    before = "" if charged is None else f" ({units(charged)} CU were charged before the change)"
    return f"  changed: {one.entry.job.id}: {named}; costs {cost}{before}"


def _change(change: "api.Change") -> str:
    if change.added:
        return f"{change.name} {_value(change.after)} is new"
    if change.dropped:
        return f"{change.name} {_value(change.before)} is gone"
    return f"{change.name} from {_value(change.before)} to {_value(change.after)}"


def _value(value: "api.Json") -> str:
    return _cut(json.dumps(value, ensure_ascii=False, default=str))


def _moving(moving: "Mapping[str, api.Json]") -> str:
    told = ", ".join(f"{name}={_value(value)}" for name, value in moving.items())
    return f" {told}" if told else ""


def _sum(outlook: "api.Outlook") -> "api.Price":

    return api.Price(low=outlook.quoted.total_low, high=outlook.quoted.total_high)


def _total(price: "api.Price", unpriced: int) -> str:
    """Return what jobs cost together, and of how many that is not known; empty where none would be bought."""
    jobs = "1 job whose price is unknown" if unpriced == 1 else f"{unpriced} jobs whose price is unknown"
    known = f"{_span(price)} CU" if price.high or not unpriced else ""
    if not unpriced:
        return known if price.high else ""
    return f"{known} and {jobs}" if known else jobs


def _balance(outlook: "api.Outlook") -> str:
    left = outlook.account.left if outlook.account is not None else None
    if left is None:
        return ""
    short = " (not enough)" if outlook.quoted.total_low > left else ""
    return f" of {units(left)} CU left{short}"


def _time(expected: "api.Forecast") -> str:
    if expected.seconds is not None:
        return f"about {_duration(expected.seconds)} at {expected.at_once} at once"
    if expected.at_once is None:
        return "time unknown: how many may run at once is found out by a run"
    return f"time unknown: not published for {', '.join(expected.unknown[:3])}"


def _duration(seconds: float) -> str:
    if seconds < 100:  # noqa: PLR2004 - as people count
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 - as above


def _span(price: "api.Price") -> str:
    return units(price.high) if price.low == price.high else f"{units(price.low)}-{units(price.high)}"


def _cut(text: str, widest: int = _WIDEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= widest else f"{line[: widest - 3]}..."


def _rest(count: int, what: str) -> Iterator[str]:
    if count > _SHOWN:
        yield f"  and {count - _SHOWN} more{what}"
