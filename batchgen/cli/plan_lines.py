"""A plan as lines for people: where everything stands, what changed, what it costs and what waits.

However many jobs there are it is about one screen, unless all of them are asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from batchgen import api
from batchgen.cli.cells import cut
from batchgen.cli.changes import Look, drawn, value_of
from batchgen.cli.plan_chains import along_line, chain_lines, undecided_line
from batchgen.cli.plan_money import all_of, span_of, total_of
from batchgen.cli.tables import lines_of
from batchgen.formats import clean, stamp, units

T = TypeVar("T")

_SHOWN = 6  # lines of a list; the rest is a number
_FEW = 5  # names in a line
_WIDEST = 60  # cells of a text from the manifest
_ENDLESS = 10**9


def lines(preview: "api.Preview", look: Look) -> Iterator[str]:
    """Return the whole plan."""
    batch, outlook = preview.batch, preview.outlook
    plan, of = batch.plan.asked, len(batch.plan.entries)
    part = f"{len(plan.entries):,} of " if len(plan.entries) < of else ""
    yield f"{batch.manifest.batch}: {part}{_many(of, 'job')} at {batch.scope.origin}"
    yield from _entries(outlook, look)
    for standing, count in plan.counts().items():
        yield f"  {count:>6,}  {standing}"
    gone = len(gone_of(preview))
    if gone:
        yield f"  {gone:>6,}  removed from the manifest: kept, will not be bought again"
    if len(plan.removed) > gone:
        former = len(plan.removed) - gone
        yield f"  {former:>6,}  earlier forms of changed jobs: kept, will not be bought again"
    yield from undecided_line(preview)
    if plan.to_submit:
        yield f"Would submit {len(plan.to_submit):,}:"
        yield from along_line(preview)
        yield from _prices(outlook, look)
    else:
        yield "Nothing to submit."
    yield from _headed("Chains:", chain_lines(preview, show_all=look.all))
    yield from _headed("Changes:", _changes(preview, look))
    if files := api.told_of_files(preview.files.renamed, preview.files.to_earlier):
        yield f"Files: the next run {files}"
    yield from _headed("Waits:", _waits(preview, look))
    yield from _headed("Budget:", _caps(outlook))
    yield from _notes(preview, look)
    yield summary(preview)


def _headed(head: str, under: Iterator[str]) -> Iterator[str]:
    first = next(under, None)
    if first is not None:
        yield from (head, first)
        yield from under


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _cut_list(rows: Sequence[T], what: str, look: Look, line: Callable[[T], str]) -> Iterator[str]:
    """Return a line each, or of a long list the first ones and a number."""
    most = _ENDLESS if look.all or len(rows) <= _SHOWN + 1 else _SHOWN
    yield from map(line, rows[:most])
    if len(rows) > most:
        yield f"  and {len(rows) - most:,} more{what} (--all shows each)"


def _entries(outlook: "api.Outlook", look: Look) -> Iterator[str]:
    """Say of each entry of the manifest what it stands for, and where its jobs stand."""

    def line(one: "api.EntryOutlook") -> str:
        counts = ", ".join(f"{count:,} {standing}" for standing, count in one.counts.items())
        cost = total_of(one.cost, one.unpriced, one.estimated)
        return f"  {cut(one.preview, _WIDEST)}: {counts}{f'; {cost}' if cost else ''}"

    return _cut_list(outlook.entries, " entries", look, line)


def _prices(outlook: "api.Outlook", look: Look) -> Iterator[str]:
    """Show what each kind of job costs, and all of them; what is not known is said, and never 0."""
    quoted = outlook.quoted
    rows = [("jobs", "CU each", "CU", "")]
    most = _ENDLESS if look.all or len(quoted.classes) <= _SHOWN + 1 else _SHOWN
    for one in quoted.classes[:most]:
        each, total = (
            ("unknown", "unknown")
            if one.total is None or one.price is None
            else (_about(span_of(one.price), one), _about(span_of(one.total), one))
        )
        note = f" ({one.note})" if one.note else ""
        moving = ", ".join(f"{name}={cut(value_of(value), _WIDEST)}" for name, value in one.moving.items())
        kind = cut(" ".join(part for part in (one.model, moving) if part), 2 * _WIDEST)
        rows.append((str(one.jobs), each, total, f"{kind}{note}"))
    yield from (f"  {line}" for line in lines_of(rows, right=range(3)))
    if len(quoted.classes) > most:
        yield f"  and {len(quoted.classes) - most:,} more kinds (--all shows each)"
    yield f"  in all {all_of(quoted)}{_balance(outlook)}"
    yield f"  {_time(outlook.forecast)}"


def _about(amount: str, one: "api.QuotedClass") -> str:
    return f"about {amount}" if one.is_estimate else amount


def _changes(preview: "api.Preview", look: Look) -> Iterator[str]:
    """Say what differs from what was bought: changed, new, gone and renamed."""
    plan, outlook = preview.batch.plan.asked, preview.outlook
    changed = (*outlook.changed, *outlook.moved)
    groups = [group for one in changed for group in api.changed_alike([one])] if look.all else None
    yield from drawn(groups or api.changed_alike(changed, most=_SHOWN), outlook.quoted, look)
    if outlook.changed:
        yield "    `batchgen restore JOB` keeps the result of a changed job, if the edit needs no new one"
    if outlook.moved:
        yield "    old => new: an edit of the prompt changed the id too; write an id to keep it"
    moved = {one.entry.key for one in outlook.moved}
    for standing in (api.Standing.NEW, api.Standing.AGAIN, api.Standing.RETRY):
        names = [one.job.id for one in plan.to_submit if one.standing is standing and one.key not in moved]
        yield from _names("+", names, standing, look)
    yield from _names("-", [one.job.id for one in gone_of(preview)], "removed", look)
    yield from _names(
        ">", [f"{old} => {new}" for old, new in outlook.renamed], "renamed, and the same in all else", look
    )


def gone_of(preview: "api.Preview") -> "list[api.Entry]":
    """Return what the manifest no longer has, without the earlier forms of what it has."""
    ids = {one.job.id for one in preview.batch.plan.entries}
    moved = {one.before.key for one in preview.outlook.moved}
    return [one for one in preview.batch.plan.asked.removed if one.job.id not in ids and one.key not in moved]


def _names(sign: str, names: Sequence[str], what: str, look: Look) -> Iterator[str]:
    if not names:
        return
    if look.all:
        yield from (f"  {sign} {what}: {name}" for name in names)
        return
    yield f"  {sign} {len(names):,} {what}: {_few(names)}"


def _few(names: Sequence[str]) -> str:
    more = len(names) - _FEW
    named = ", ".join(cut(one, 2 * _WIDEST // _FEW) for one in names[:_FEW])
    return named + (f" and {more:,} more" if more > 0 else "")


def _waits(preview: "api.Preview", look: Look) -> Iterator[str]:
    """Say what a run would not buy or end, and why."""
    plan, quoted = preview.batch.plan.asked, preview.outlook.quoted
    entries = plan.carried
    held = [one.job.id for one in entries if one.record.state is api.State.HELD]
    yield from _names("!", held, "need your decision (batchgen resolve)", look)
    doubt = [one for one in entries if one.standing is api.Standing.IN_DOUBT]
    lost = [one.job.id for one in doubt if one.record.state is not api.State.HELD]
    yield from _names("?", lost, "in doubt: a run looks for them at the service first", look)
    for model, why in quoted.closed.items():
        jobs = sum(1 for one in plan.to_submit if one.job.model == model)
        yield f"  {_many(jobs, 'job')} of {model}: this account may not run the model: {clean(why)}"
    left = sum(1 for one in plan.entries if not one.wanted and one.standing in _BUYABLE)
    if preview.rest is not None and preview.whole is None:
        yield f"  the rest: {_rest(preview.rest)}"
    elif left:
        whole = preview.whole
        rest = "" if whole is None else f"; without the limit: {whole[0]:,} jobs, for {all_of(whole[1])}"
        yield f"  {_many(left, 'job')} left out as asked{rest}"
    yield from (f"  {note}" for note in preview.slots.notes)


def _rest(rest: "api.Rest") -> str:
    cost = total_of(rest.cost, rest.unpriced, rest.estimated) or "0 CU"
    if rest.unpriced == rest.jobs:
        return cost
    about = "" if rest.estimated.jobs else "about "  # which then stands where it belongs
    return f"{_many(rest.jobs, 'job')}, {about}{cost}"


_BUYABLE = frozenset({api.Standing.NEW, api.Standing.CHANGED, api.Standing.AGAIN})


def _caps(outlook: "api.Outlook") -> Iterator[str]:
    """Hold the quote against each cap: what is used, and what fits."""
    fit, quoted = outlook.fit, outlook.quoted.total_high
    if not fit.jobs:
        return
    if fit.caps and fit.worth > quoted:
        told = f"{units(fit.worth)} CU are reserved for them, and {units(quoted)} quoted"
        yield f"  earlier jobs of the same price were charged more than quoted: {told}"
    if fit.per_job is not None:
        dear = f"{_many(fit.dear, 'job')} above it" if fit.dear else "no job is above it"
        yield f"  one job (per_job): {units(fit.per_job)} CU; {dear}"
    for one in fit.caps:
        fits = (
            f"all {_many(fit.jobs, 'job')} fit"
            if one.holds_all
            else f"{one.fits:,} of {_many(fit.jobs, 'job')} fit"
        )
        until = "" if one.window.until is None else f", until {stamp(one.window.until)}"
        yield f"  {one}{until}; {units(one.worth)} CU more: {fits}"
    yield from (f"  warning: {text}" for text in fit.warnings())


def _notes(preview: "api.Preview", look: Look) -> Iterator[str]:
    batch, outlook, found = preview.batch, preview.outlook, preview.found
    kept = [one.job.id for one in batch.plan.asked.entries if one.accepted]
    if kept:
        yield f"  note: {_few(kept)} changed, and what was bought before was accepted"
    twice = batch.plan.paid_twice_by_edit()
    yield from _cut_list(
        twice,
        " such jobs",
        look,
        lambda one: (
            f"  note: {one[0].job.id} was changed while the job before the change is at the service: "
            "both may be paid for"
        ),
    )
    if outlook.unrecognisable:
        jobs = "1 job has" if outlook.unrecognisable == 1 else f"{outlook.unrecognisable:,} jobs have"
        yield f"  note: {jobs} no seed: if a reply is lost, identical jobs cannot be told apart"
    yield from (f"  note: {text}" for text in api.told_of_names(found))
    if found.stopped:
        yield f"  note: a run stops: {found.stopped}"


def summary(preview: "api.Preview") -> str:
    """Return the last line: all of it in a few numbers."""
    plan, outlook = preview.batch.plan.asked, preview.outlook
    counts = plan.counts()
    changed = len(outlook.changed) + len(outlook.moved)
    gone = len(gone_of(preview))
    parts = [f"{len(plan.to_submit):,} to buy"]
    parts += [f"{changed:,} changed"] if changed else []
    blocked = outlook.chains.count.blocked
    parts += [f"{blocked:,} blocked"] if blocked else []
    parts += [f"{gone:,} removed"] if gone else []
    parts += [f"{counts[one]:,} {one}" for one in _TOLD if counts.get(one)]
    parts += [all_of(outlook.quoted)] if plan.to_submit else []
    fit = outlook.fit
    short = f"; {fit.fits:,} of them fit the budget" if fit.jobs and fit.fits < fit.jobs else ""
    return f"Plan: {', '.join(parts)}{short}."


_TOLD = (
    api.Standing.DONE,
    api.Standing.COLLECT,
    api.Standing.RUNNING,
    api.Standing.IN_DOUBT,
    api.Standing.FAILED,
)


def _balance(outlook: "api.Outlook") -> str:
    left = outlook.account.left if outlook.account is not None else None
    if left is None:
        return ""
    short = " (not enough)" if outlook.quoted.total_low > left else ""
    apart = outlook.quoted.estimated.jobs or outlook.quoted.unknown
    return f"; {units(left)} CU left{short}" if apart else f" of {units(left)} CU left{short}"


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
