"""``batchgen run``."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchgen import api
from batchgen.cli import enqueue, flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.cli.events import events_to
from batchgen.cli.log import current
from batchgen.cli.plan import show_plan
from batchgen.cli.plan_chains import along_line
from batchgen.cli.plan_money import all_of
from batchgen.cli.signals import caught
from batchgen.errors import Problem, StoodByError
from batchgen.exits import Exit
from batchgen.formats import counted, number

if TYPE_CHECKING:
    from decimal import Decimal


ASK_ABOVE = 20  # jobs: fewer are what somebody tries a manifest with
ASK_ABOVE_UNITS = 200  # compute units: less is what that costs


@click.command("run", short_help="Generate what a manifest lists; run it again to continue.")
@flags.of_a_batch
@flags.selecting
@click.option("--rate", type=flags.RateType(), help="Requests to the API, such as 100/min or 5/s, or none.")
@click.option(
    "--in-flight", type=click.IntRange(min=1), metavar="N", help="Most jobs at the service at once."
)
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@time_limits.of_a_run
@time_limits.standby
@enqueue.of_a_run
@flags.budget
@click.option(
    "--max-failures",
    type=flags.FailuresType(),
    help="Buy no more after so many failed jobs, or such a share.",
)
@flags.limit
@flags.sample
@click.option("--collect-only", is_flag=True, help="Buy nothing: collect what is paid for, and end.")
@click.option("--fresh", is_flag=True, help="Buy everything anew, in a slot that begins now.")
@click.option("--abandon", is_flag=True, hidden=True, help="Today: --allow unfinished-slot.")
@click.option("--retry-failed", is_flag=True, help="Try again what failed; each may be charged again.")
@click.option("--buy-again", is_flag=True, hidden=True, help="Today: --allow renamed.")
@flags.allow
@click.option(
    "-y",
    "--yes",
    is_flag=True,
    help=f"Do not ask to confirm. A terminal asks above {ASK_ABOVE} jobs or {ASK_ABOVE_UNITS} compute units; "
    "without one, buying needs --yes or a budget.",
)
@flags.quiet
@flags.logging
@flags.events
@flags.as_json
def command(
    *,
    options: "api.Options",
    asked: "enqueue.Asked",
    rate: "api.Rate | None",
    in_flight: int | None,
    dry_run: bool,
    budget: "Decimal | None",
    max_failures: "int | float | None",
    limit: int | None,
    sample: int | None,
    collect_only: bool,
    fresh: bool,
    abandon: bool,
    retry_failed: bool,
    buy_again: bool,
    allow: frozenset[str],
    yes: bool,
    quiet: bool,
    events: Path | None,
    as_json: bool,
) -> int:
    """Generate every job of MANIFEST and write the results.

    Submits under the rate, watches what runs, downloads what comes out, and writes
    OUTPUT/BATCH/results.json, results.csv and report.html. The journal beside them knows what
    is paid for: after Ctrl-C, a crash or a power cut, the same command goes on where it was.

    With JOB, or --only and --except, it buys these jobs alone, and collects all that is paid for:
    `batchgen run jobs.yaml 'tower-*' --except tag:draft`.

    Ctrl-C once, or a closed terminal: submit no more and collect what is paid for. Ctrl-C twice: leave
    that to the next run.
    """
    allowed = {api.Allow(one) for one in allow}
    allowed |= {api.Allow.RENAMED} if buy_again else set()
    allowed |= {api.Allow.UNFINISHED_SLOT} if abandon else set()
    if api.Allow.UNFINISHED_SLOT in allowed and not fresh:
        raise click.UsageError("--allow unfinished-slot goes with --fresh")
    if fresh and options.slot is not None:
        raise click.UsageError("--slot and --fresh cannot be given together: --fresh begins a new slot")
    buys_some = limit is not None or sample is not None or fresh or retry_failed or bool(options.selection)
    if collect_only and buys_some:
        raise click.UsageError(
            "--collect-only buys nothing: not with JOB, --only, --except, --limit, --sample, --fresh or "
            "--retry-failed"
        )
    on_terminal = sys.stderr.isatty()
    options = replace(
        options,
        rate=rate,
        in_flight=in_flight,
        budget=budget,
        most_failures=max_failures,
        limit=0 if collect_only else limit,
        sample=sample,
        fresh=fresh,
        retry_failed=retry_failed,
        allow=frozenset(allowed),
    )
    if asked.is_asked:
        enqueue.refuse_what_a_queue_cannot(options, dry_run=dry_run, collect_only=collect_only)
    if dry_run:
        return show_plan(options, as_json=as_json)
    agreed = yes or options.simulate
    attended = on_terminal and sys.stdin.isatty() and not current().is_json
    seen: Sequence[Problem] = ()
    shown = None
    attended = attended and not asked.every  # the price of now is not that of every night
    if attended and not agreed:
        preview = awaited(api.plan(options))
        if not agree_to(preview, ask=True):
            return Exit.REMAINS
        seen = preview.warnings
        shown = frozenset(one.key for one in preview.batch.plan.to_submit)
    options = replace(options, unattended=not (attended or agreed), shown=shown)
    if asked.is_asked:
        return enqueue.enqueue(options, asked, as_json=as_json, quiet=quiet)
    return carry(options, quiet=quiet, as_json=as_json, events=events, seen=seen)


def carry(
    options: "api.Options",
    *,
    quiet: bool,
    as_json: bool,
    events: Path | None = None,
    seen: Sequence[Problem] = (),
) -> int:
    """Run the batch, show how it ended, and give the exit status.

    Args:
        options: which batch, and how.
        quiet: show problems alone.
        as_json: write a summary to standard output.
        events: where each event goes as a line of JSON; ``-`` is standard output.
        seen: warnings that were shown already.
    """
    interrupts, log = api.Interrupts(), current()
    log.is_quiet = quiet
    mode = log.mode(options.environ)
    with events_to(events, log) as tell:
        kept = log.tell if log.is_kept else None
        audience = api.Audience(log.stream(mode), mode, tell, seen=seen, log=kept, run_id=log.run_id)
        try:
            outcome = awaited(_until_told(options, interrupts, audience))
        except StoodByError as stopped:
            log.say(str(stopped))
            return 128 + stopped.received
    status = interrupts.exit or int(outcome.verdict.exit)
    if as_json:
        summary = {
            **_summary(outcome, status),
            "warnings": api.problems_document(audience.warnings),
            "journal": str(options.journal),
        }
        click.echo(json.dumps(summary, ensure_ascii=False))
    _say_how_it_ended(outcome, quiet=quiet)
    return status


async def _until_told(
    options: "api.Options", interrupts: "api.Interrupts", audience: "api.Audience"
) -> "api.RunOutcome":
    with caught(interrupts):
        return await api.run(options, interrupts, audience)


def _summary(outcome: "api.RunOutcome", status: int) -> dict[str, object]:
    return {
        "batch": outcome.document["batch"],
        "slot": outcome.document.get("slot"),
        "exit": status,
        "reasons": list(outcome.verdict.reasons),
        "left_out": _left_out(outcome),
        "summary": outcome.document["summary"],
        "notes": list(outcome.notes),
        "results": str(outcome.results),
        "report": None if outcome.report is None else str(outcome.report),
    }


def _left_out(outcome: "api.RunOutcome") -> dict[str, object] | None:

    left = outcome.left_out
    if left is None:
        return None
    estimated = {"jobs": left.estimated, "cost": number(left.estimate)}
    told = {"jobs": left.jobs, "of": left.of, "cost": number(left.cost), "unpriced": left.unpriced}
    return {**told, "estimated": estimated}


def _say_how_it_ended(outcome: "api.RunOutcome", *, quiet: bool) -> None:
    say = current().say
    summary = outcome.document["summary"]
    if not (outcome.asked or quiet):
        say(f"{outcome.document['batch']}: nothing to do; {_counted(summary)}")
    for reason in outcome.verdict.reasons:
        say(f"  {reason}")
    if outcome.left_out is not None:
        say(f"  {outcome.left_out}")
    for note in outcome.notes:
        say(f"  {note}")
    if not quiet:
        say(f"results: {outcome.results}")
    if not quiet and outcome.report is not None:
        say(f"report:  {outcome.report}")


def _counted(summary: Mapping[str, Any]) -> str:
    counts = {stage: summary["counts"][stage.replace(" ", "_")] for stage in api.Stage}
    return api.told_with_chains(counts, api.ChainCount(**summary.get("chains", {})))


def agree_to(preview: "api.Preview", *, ask: bool, quiet: bool = False) -> bool:
    """Show what it costs, and return whether it is agreed to.

    Args:
        preview: what would be bought.
        ask: ask a person at a terminal before much is bought.
        quiet: show nothing where nobody is asked.
    """
    log = current()
    count, quoted = len(preview.batch.plan.to_submit), preview.outlook.quoted
    if quiet and not ask:
        return True
    for line in api.shown_problems((), preview.warnings):
        log.say(line, "warning")
    if count == 0:
        return True
    again = len(preview.batch.redone)
    what = f"{counted(again, 'job')} to make again" if again == count else f"{counted(count, 'job')} to buy"
    log.say(f"{preview.batch.manifest.batch}: {what}, for {all_of(quoted)}.")
    if kept := preview.kept_again:
        are = "1 of them is" if kept == 1 else f"{kept} of them are"
        log.say(f"  {are} kept; what is made has no mark until you give it one")
    for text in along_line(preview):
        log.say(text)
    for text in preview.outlook.fit.warnings():
        log.say(f"warning: {text}", "warning")
    if not ask or (count <= ASK_ABOVE and not quoted.unknown and quoted.total_high <= ASK_ABOVE_UNITS):
        return True
    return click.confirm("Go on?", err=True)
