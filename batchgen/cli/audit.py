"""``batchgen audit``."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.cli.plan_chains import outdated_document
from batchgen.formats import counted, moment, not_told, number, units

_NAMED = 20  # jobs like none of ours


@click.command("audit", short_help="Check the journal against the service and the disk.")
@flags.of_a_target
@flags.selecting
@click.option(
    "--fix",
    is_flag=True,
    help="Fetch files again that are missing or damaged, give files their names, and record assets that "
    "came later.",
)
@click.option("--offline", is_flag=True, help="Ask the service nothing: the journal and the disk alone.")
@time_limits.wait_lock
@flags.logging
@flags.as_json
def command(*, options: "api.Options", fix: bool, offline: bool, as_json: bool) -> int:
    """Check the journal of TARGET against the service and the disk.

    Lists what the service has since the batch began, and names all that no record owns: what is
    certainly ours and was likely paid twice or lost, and what may be ours; what others in the project
    have bought is counted. Shows which jobs are held, what ended otherwise than recorded, and which
    files are missing or damaged, or do not have their names. Changes nothing, but for --fix; what has the
    place of a file is then kept in the folder earlier.

    With --offline it holds the journal against its own history, and the files against what is recorded
    of them: no word on what the service has.

    With JOB, or --only and --except, it looks at the records and files of these jobs alone, and names all
    that the service has without a record as ever: `batchgen audit jobs.yaml --only entry:tower --fix`.
    """
    if fix and offline:
        raise click.UsageError("--fix fetches from the service: not with --offline")
    if options.wait_lock and not fix:
        raise click.UsageError("--wait-lock goes with --fix: without it an audit waits for nobody")

    audit = awaited(api.audit(options, fix=fix, offline=offline))
    # another slot may be due when a command that is shown here is typed
    options = replace(options, slot=audit.scope.slot or None, period=None)
    if as_json:
        click.echo(json.dumps(_document(audit, options), ensure_ascii=False))
    else:
        for line in _lines(audit, options):
            click.echo(line)
    return int(audit.verdict.exit)


def _adopt(one: "api.Surplus", options: "api.Options") -> str | None:
    """Return the command that makes the row the job's submission; None where it has to be left."""
    if one.situation is api.Situation.EDITION:
        return options.command_line("journal rebuild")
    if one.situation is not api.Situation.OPEN:
        return None
    return options.command_line("resolve", "--adopt", f"{one.sent.job.id}={one.row.remote_id}")


def _settle(one: "api.Open", options: "api.Options") -> str:
    """Return the command that settles a job that is held, or whose answer is missing."""
    return options.command_line("resolve" if one.state is api.State.HELD else "run")


def _doubtful(one: "api.Doubtful", options: "api.Options") -> dict[str, object]:

    return {
        "job_id": one.row.remote_id,
        "owner": str(one.owner),
        "reason": one.reason,
        "created": moment(one.row.created_at),
        "status": one.row.word,
        "cost": number(one.row.cost),
        "like": one.like.sent.job.id if one.like else None,
        "differs": list(one.like.differs) if one.like else [],
        "adopt": _adopt_near(one, options),
    }


def _adopt_near(one: "api.Doubtful", options: "api.Options") -> str | None:
    if one.like is None or not one.like.waits:
        return None
    return options.command_line("resolve", "--adopt", f"{one.like.sent.job.id}={one.row.remote_id}")


def _document(audit: "api.Audit", options: "api.Options") -> dict[str, object]:

    verdict, sums = audit.verdict, audit.sums
    return {
        "batch": audit.scope.batch,
        "slot": audit.scope.slot or None,
        "origin": audit.scope.origin,
        "project": audit.scope.project or None,
        "exit": int(verdict.exit),
        "reasons": list(verdict.reasons),
        "submissions": audit.submissions,
        "left_out": None
        if audit.left_out is None
        else {"jobs": audit.left_out.jobs, "submissions": audit.left_out.submissions},
        "listed": None if audit.listed is None else len(audit.listed),
        "rows": [
            {
                "job_id": one.row.remote_id,
                "owner": str(one.ownership.owner),
                "reason": one.ownership.reason,
                "created": moment(one.row.created_at),
                "type": one.row.job_type or None,
                "author": one.row.author or None,
                "status": one.row.word,
                "cost": number(one.row.cost),
            }
            for one in audit.listed or ()
        ],
        "troubles": list(audit.troubles),
        "surplus": [
            {
                "id": one.sent.job.id,
                "job_id": one.row.remote_id,
                "created": moment(one.row.created_at),
                "status": one.row.word,
                "cost": number(one.row.cost),
                "situation": str(one.situation),
                "certain": one.certain,
                "differs": list(one.differs),
                "instead_of": one.holder or None,
                "adopt": _adopt(one, options),
            }
            for one in audit.surplus
        ],
        "purchases": [
            {
                "job_id": one.remote_id,
                "id": one.job,
                "model": one.model,
                "at": moment(one.at),
                "charged": number(one.charged),
            }
            for one in audit.purchases
        ],
        "may_be_ours": [_doubtful(one, options) for one in audit.doubtful],
        "unreadable": audit.unreadable,
        "others": {"jobs": audit.others.jobs, "cost": number(audit.others.cost)},
        "open": [
            {
                "id": one.job.id,
                "state": str(one.state),
                "reason": one.reason,
                "made_of": api.made_of(one.job) or None,
                "settle": _settle(one, options),
            }
            for one in audit.open
        ],
        "short": [
            {
                "id": one.job.id,
                "job_id": one.remote_id,
                "assets": one.assets,
                "expected": one.expected,
                "new": list(one.new),
                "recorded": one.recorded,
            }
            for one in audit.short
        ],
        "dearer": [
            {
                "id": one.job.id,
                "job_id": one.paid.remote_id,
                "charged": number(one.paid.charged),
                "shown": number(one.shown),
            }
            for one in audit.dearer
        ],
        "changed": [
            {"id": one.job.id, "job_id": one.remote_id, "recorded": one.recorded, "shown": one.shown}
            for one in audit.changed
        ],
        "files": audit.files,
        "damaged": [
            {
                "id": one.job.id,
                "asset_id": one.file.asset_id,
                "path": one.file.path,
                "found": str(one.found),
                "fixed": one.fixed,
                "told": one.told,
            }
            for one in audit.damaged
        ],
        "blocked": [
            {"id": one.job_id, "name": one.name, "lies": one.lies, "holder": one.holder}
            for one in audit.blocked
        ],
        "sums": {
            "recorded": number(sums.recorded),
            "untold": sums.untold,
            "refunded": number(sums.refunded),
            "shown": number(sums.shown),
            "unseen": sums.unseen,
            "surplus": number(sums.surplus),
            "may_be_ours": number(sums.possible),
            "bought_by_asking": number(sums.asked),
            "difference": number(sums.difference),
            "not_listed": sums.not_listed,
        },
        "outdated": [outdated_document(one) for one in audit.outdated],
        "journal": [{"id": id_, "problem": text} for id_, text in audit.untrue],
    }


def _lines(audit: "api.Audit", options: "api.Options") -> Iterator[str]:
    paid = counted(audit.submissions, "submission")
    yield f"{audit.scope.batch} at {audit.scope.origin}: {paid} on record"
    if audit.left_out is not None:
        jobs = counted(audit.left_out.jobs, "job")
        rest = counted(audit.left_out.submissions, "submission")
        yield f"left out, as not selected: {jobs} on record, with {rest}"
    if audit.listed is None:
        why = "" if audit.submissions else "Nothing was ever submitted: "
        yield f"{why}{'the' if why else 'The'} service was not asked."
    yield from _finding_lines(audit, options)
    for id_, text in audit.untrue:
        yield f"  {id_}: {text}"
    for text in audit.troubles:
        yield f"  {text}"
    if audit.listed is not None:
        yield from _sum_lines(audit)
    elif audit.files:
        yield f"{counted(audit.files, 'file')} on record"
    fixable = bool(audit.blocked) or any(not one.fixed for one in audit.damaged)
    yield from _closing([*audit.verdict.reasons, *_without_a_status(audit)], fixable=fixable)


def _without_a_status(audit: "api.Audit") -> Iterator[str]:
    """Return what does not agree and gives no exit status of its own."""
    if audit.doubtful:
        jobs, cost = counted(len(audit.doubtful), "job"), audit.sums.possible
        yield f"{jobs} of no record may be ours, {units(cost)} compute units"
    if audit.unreadable:
        rows = counted(audit.unreadable, "listed row")
        yield f"{rows} cannot be read, and may be any job's"
    if audit.outdated:
        yield f"{counted(len(audit.outdated), 'job')} made of what is not their parents' any more"


def _finding_lines(audit: "api.Audit", options: "api.Options") -> Iterator[str]:
    for purchase in audit.purchases:
        charge = "" if purchase.charged is None else f", {units(purchase.charged)} compute units"
        yield f"  {purchase.remote_id}{charge}: bought by a price question for {purchase.job}, of no job"
    for one in audit.surplus:
        yield from _surplus_lines(one, options)
    yield from _doubtful_lines(audit.doubtful, options)
    yield from _open_lines(audit.open, options)
    yield from _short_lines(audit)
    for end in audit.changed:
        yield f"  {end.job.id}: {end.remote_id} ended {end.recorded} by the journal, and is {end.shown} now"
    for file in audit.damaged:
        told = f"; {file.told}" if file.told else ""
        yield f"  {file.job.id}: {file.file.path}: {file.found}{told}"
    for one_name in audit.blocked:
        yield f"  {one_name.job_id}: lies at {one_name.lies}, as {one_name.holder} has its name"
    yield from (f"  {child}" for child in audit.outdated)
    if audit.moved:
        yield f"  {audit.moved}"


def _open_lines(open_jobs: "Sequence[api.Open]", options: "api.Options") -> Iterator[str]:
    for one in open_jobs:
        yield f"  {one.job.id}: {one.state}, {one.reason}".rstrip(", ")
        if made_of := api.made_of(one.job):
            yield f"    made of {made_of}"
        yield f"    to settle it: {_settle(one, options)}"


def _surplus_lines(one: "api.Surplus", options: "api.Options") -> Iterator[str]:

    what = (
        f"the same except for how {', '.join(one.differs)} is written"
        if one.differs
        else "equal to what was sent"
    )
    if one.situation is api.Situation.ASKED:
        what = "what the job asks for"
    if one.situation is api.Situation.EDITION:
        what = "another one of the same, with a seed of this batch"
    sure = "certainly ours" if one.certain else "may be ours"
    yield f"  {one.sent.job.id}: {_told(one.row)}: {what}, {sure}"
    match one.situation:
        case api.Situation.OPEN:
            yield f"    the job is in doubt; to adopt it: {_adopt(one, options)}"
        case api.Situation.DUE:
            yield f"    its reply is missing or still to come; this records it: {options.command_line('run')}"
        case api.Situation.UNPAID:
            yield "    the journal knows of no submission of that attempt: it was likely paid for and lost"
        case api.Situation.PAID:
            yield f"    the job already has {one.holder}: this one was likely paid for beside it"
        case api.Situation.EDITION:
            yield f"    made again, and of no record; to adopt it: {_adopt(one, options)}"
        case api.Situation.ASKED:
            yield (
                "    nothing that the journal knows of was sent so: likely bought by asking for its price, "
                "on behalf of a journal that is lost, or by a person with this key"
            )


def _told(row: "api.RemoteJob") -> str:

    cost = "of unknown cost" if row.cost is None else f"{units(row.cost)} compute units"
    return f"{row.remote_id}, {moment(row.created_at) or 'without a date'}, {row.word}, {cost}"


def _doubtful_lines(doubtful: "Sequence[api.Doubtful]", options: "api.Options") -> Iterator[str]:
    """Name what may be ours: all that is like a job, and the first of what is like none."""
    left = [one for one in doubtful if one.like is None]
    for one in (*(each for each in doubtful if each.like is not None), *left[:_NAMED]):
        yield f"  {_told(one.row)}: may be ours ({one.reason}); {_likeness(one)}"
        if adopt := _adopt_near(one, options):
            yield f"    to adopt it: {adopt}"
    if more := left[_NAMED:]:
        cost = sum((one.row.cost for one in more if one.row.cost is not None), Decimal(0))
        yield f"  {len(more)} more that may be ours, {units(cost)} compute units: --json names all"


def _likeness(one: "api.Doubtful") -> str:
    if one.like is None:
        return "like nothing that this batch sent"
    if not one.row.inputs:
        return f"shows no inputs, and is of the time of {one.like.sent.job.id}"
    if not one.like.differs:
        return f"equal to {one.like.sent.job.id}, which another batch or key may have sent"
    return f"like {one.like.sent.job.id}, differs in {', '.join(one.like.differs)}"


def _short_lines(audit: "api.Audit") -> Iterator[str]:
    for one in audit.short:
        if one.new:
            count = counted(len(one.new), "asset")
            then = (
                "on record now, the next run fetches"
                if one.recorded
                else "audit --fix has the next run fetch"
            )
            yield f"  {one.job.id}: {count} of {one.remote_id} appeared after it was collected; {then} them"
        else:
            yield f"  {one.job.id}: {one.remote_id} succeeded with {one.assets} of {one.expected} assets"
    for each in audit.dearer:
        charged, shown = (one or Decimal(0) for one in (each.paid.charged, each.shown))
        yield (
            f"  {each.job.id}: {each.paid.remote_id} cost {units(charged)} compute units by the "
            f"journal, and {units(shown)} by the service"
        )


def _sum_lines(audit: "api.Audit") -> Iterator[str]:

    sums = audit.sums
    untold = f" ({not_told(sums.untold)})" if sums.untold else ""
    unseen = f" ({counted(sums.unseen, 'row')} without a cost)" if sums.unseen else ""
    yield (
        f"charged: {units(sums.recorded)} compute units by the journal{untold}; the service shows "
        f"{units(sums.shown)} for the same{unseen} and {units(sums.beside)} beside them; "
        f"difference {units(sums.difference)}"
    )
    if sums.refunded:
        yield f"refunded: {units(sums.refunded)} compute units by the service's rules, or as it shows"
    if sums.not_listed:
        yield f"{counted(sums.not_listed, 'submission')} on record not in the service's listing"
    if audit.others.jobs:
        jobs, cost = counted(audit.others.jobs, "job"), audit.others.cost
        yield f"others in this project: {jobs}, {units(cost)} compute units"
    yield f"{counted(audit.files, 'file')} on record"


def _closing(reasons: Sequence[str], *, fixable: bool) -> Iterator[str]:
    yield from reasons
    if fixable:
        yield "Files are fetched again with --fix."
    if not reasons:
        yield "All agree."
