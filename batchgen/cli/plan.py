"""``batchgen plan``."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited
from batchgen.exits import Exit

if TYPE_CHECKING:
    from decimal import Decimal


@click.command("plan")
@flags.of_a_batch
@flags.selecting
@flags.limit
@flags.sample
@flags.offline
@click.option("--requote", is_flag=True, help="Ask again for prices that were asked within the day.")
@click.option("--exact", is_flag=True, help="Ask prices of chains with blank pictures, sent for nothing.")
@flags.budget
@flags.show_all
@click.option("--check", "check_only", is_flag=True, help="Exit 8 where there is something to do.")
@flags.as_json
def command(
    *,
    options: "api.Options",
    limit: int | None,
    sample: int | None,
    offline: bool,
    requote: bool,
    exact: bool,
    check_only: bool,
    budget: "Decimal | None",
    show_all: bool,
    as_json: bool,
) -> int:
    """Show what running MANIFEST would do, job by job, why, and at what price.

    Holds the manifest against the journal, and the inputs of what would be submitted against what the
    service says of its models. Prices are the service's own answers, one question for all jobs that
    cost the same; buys nothing. What changed is shown by the words that differ, jobs that changed alike
    together; the price is held against every cap.

    What works on another job's output is priced by an estimate until that output exists: with the output of
    a like job, or, with --exact, with a blank picture of the same size. Estimates are shown apart.

    With JOB, or --only and --except, it shows these jobs, and what the rest would cost:
    `batchgen plan jobs.yaml --only tag:cover,rarity=rare`.
    """
    options = replace(options, limit=limit, sample=sample, budget=budget)
    return show_plan(
        options,
        as_json=as_json,
        offline=offline,
        requote=requote,
        exact=exact,
        check_only=check_only,
        show_all=show_all,
    )


def show_plan(
    options: "api.Options",
    *,
    as_json: bool,
    offline: bool = False,
    requote: bool = False,
    exact: bool = False,
    check_only: bool = False,
    show_all: bool = False,
) -> int:
    """Write the plan to standard output and give the exit status."""
    from batchgen.cli import changes, plan_document, plan_lines  # noqa: PLC0415 - what draws is not for --help

    preview = awaited(api.plan(options, offline=offline, requote=requote, exact=exact))
    click.echo(flags.journal_line(options), err=True)
    for line in api.shown_problems((), preview.warnings):
        click.echo(line, err=True)
    for note in preview.outlook.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        document = {**plan_document.document(preview), "journal": str(options.journal)}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        look = changes.look_at_output(show_all=show_all)
        for line in plan_lines.lines(preview, look):
            click.echo(line, color=look.colours)
    return Exit.REMAINS if check_only and preview.has_work else 0
