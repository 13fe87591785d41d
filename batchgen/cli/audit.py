"""``batchgen audit``."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from batchgen.cli import flags

if TYPE_CHECKING:
    from batchgen.app.audit import Audit
    from batchgen.app.settings import Options
    from batchgen.reconcile.audit import Surplus


@click.command("audit", short_help="Hold the journal of a manifest against the service and the disk.")
@flags.of_a_batch
@click.option("--fix", is_flag=True, help="Fetch files again that are missing or damaged.")
@flags.as_json
def command(*, options: "Options", fix: bool, as_json: bool) -> int:
    """Hold the journal of MANIFEST against the service and the disk.

    Lists what the service has of ours since the batch began, and shows what was likely paid
    twice or lost, what ended otherwise than recorded, and which files are missing or damaged.
    Changes nothing, but for --fix; a file that --fix replaces is kept beside its place.
    """
    import asyncio  # noqa: PLC0415 - not for --help

    from batchgen.app.audit import audit_batch  # noqa: PLC0415 - not for --help

    audit = asyncio.run(audit_batch(options, fix=fix))
    # another slot may be due when a command that is shown here is typed
    options = replace(options, slot=audit.scope.slot or None, period=None)
    if as_json:
        click.echo(json.dumps(_document(audit, options), ensure_ascii=False))
    else:
        for line in _lines(audit, options):
            click.echo(line)
    return int(audit.verdict.exit)


def _adopt(one: "Surplus", options: "Options") -> str | None:
    """Give the command that makes the row the job's submission; None where it has to be left."""
    from batchgen.reconcile.audit import Situation  # noqa: PLC0415 - not for --help

    if one.situation is not Situation.OPEN:
        return None
    return options.command_line("resolve", "--adopt", f"{one.sent.job.id}={one.row.remote_id}")


def _document(audit: "Audit", options: "Options") -> dict[str, object]:
    from batchgen.output.entries import moment, number  # noqa: PLC0415 - not for --help

    verdict, sums = audit.verdict, audit.sums
    return {
        "batch": audit.scope.batch,
        "origin": audit.scope.origin,
        "project": audit.scope.project or None,
        "exit": int(verdict.exit),
        "reasons": list(verdict.reasons),
        "submissions": audit.submissions,
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
        "others": audit.others,
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
        "sums": {
            "recorded": number(sums.recorded),
            "refunded": number(sums.refunded),
            "shown": number(sums.shown),
            "surplus": number(sums.surplus),
            "difference": number(sums.difference),
            "not_listed": sums.not_listed,
        },
        "journal": [{"id": id_, "problem": text} for id_, text in audit.untrue],
    }


def _lines(audit: "Audit", options: "Options") -> Iterator[str]:
    paid = _counted(audit.submissions, "submission")
    yield f"{audit.scope.batch} at {audit.scope.origin}: {paid} on record"
    if audit.listed is None:
        yield "Nothing was ever submitted: the service was not asked."
    for purchase in audit.purchases:
        cost = "" if purchase.charged is None else f", {purchase.charged.normalize():f} compute units"
        yield f"  {purchase.remote_id}{cost}: bought by asking for the price of {purchase.job}, of no job"
    for one in audit.surplus:
        yield from _surplus_lines(one, options)
    for end in audit.changed:
        yield f"  {end.job.id}: {end.remote_id} ended {end.recorded} by the journal, and is {end.shown} now"
    for file in audit.damaged:
        told = f"; {file.told}" if file.told else ""
        yield f"  {file.job.id}: {file.file.path}: {file.found}{told}"
    for id_, text in audit.untrue:
        yield f"  {id_}: {text}"
    for text in audit.troubles:
        yield f"  {text}"
    if audit.listed is not None:
        yield from _sum_lines(audit)
    yield from _closing(audit.verdict.reasons, fixable=any(not one.fixed for one in audit.damaged))


def _surplus_lines(one: "Surplus", options: "Options") -> Iterator[str]:
    from batchgen.output.entries import moment  # noqa: PLC0415 - not for --help
    from batchgen.reconcile.audit import Situation  # noqa: PLC0415 - not for --help

    cost = "of unknown cost" if one.row.cost is None else f"{one.row.cost.normalize():f} compute units"
    date = moment(one.row.created_at) or "without a date"
    yield f"  {one.sent.job.id}: {one.row.remote_id}, {date}, {one.row.word}, {cost}: equal to what was sent"
    match one.situation:
        case Situation.OPEN:
            yield f"    the job is in doubt; to adopt it: {_adopt(one, options)}"
        case Situation.DUE:
            yield f"    its answer is due or was lost; this takes it in: {options.command_line('run')}"
        case Situation.UNPAID:
            yield "    the journal knows of no submission of that attempt: it was likely paid for and lost"
        case Situation.PAID:
            yield f"    the job already has {one.holder}: this one was likely paid for beside it"


def _sum_lines(audit: "Audit") -> Iterator[str]:
    sums = audit.sums
    yield (
        f"charged: {sums.recorded.normalize():f} compute units by the journal; the service shows "
        f"{sums.shown.normalize():f} for the same and {sums.surplus.normalize():f} beside them; "
        f"difference {sums.difference.normalize():f}"
    )
    if sums.refunded:
        yield f"refunded: {sums.refunded.normalize():f} compute units by the service's rules, or as it shows"
    if sums.not_listed:
        yield f"{_counted(sums.not_listed, 'submission')} on record not in the service's listing"
    if audit.others:
        yield f"{_counted(audit.others, 'other job')} by the same key, of no record and equal to none of ours"
    yield f"{_counted(audit.files, 'file')} on record"


def _closing(reasons: Sequence[str], *, fixable: bool) -> Iterator[str]:
    yield from reasons
    if fixable:
        yield "Files are fetched again with --fix."
    if not reasons:
        yield "All agree."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
