"""``batchgen redo``."""

import asyncio
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.cli.control import done_or_ordered
from batchgen.cli.log import current
from batchgen.cli.plan import show_plan
from batchgen.cli.run import agree_to, carry
from batchgen.exits import Exit


@click.command("redo", short_help="Make another one of what is there, for a new charge.")
@flags.of_a_batch
@flags.selecting
@click.option("--children", is_flag=True, help="Make again, too, what was made of these jobs' outputs.")
@click.option("--dry-run", is_flag=True, help="Show the plan with the price, and stop.")
@time_limits.of_a_run
@flags.budget
@click.option(
    "-y",
    "--yes",
    is_flag=True,
    help="Do not ask to confirm. Without a terminal, buying needs --yes or a budget.",
)
@flags.quiet
@flags.logging
@flags.events
@flags.as_json
def command(
    *,
    options: "api.Options",
    children: bool,
    dry_run: bool,
    budget: Decimal | None,
    yes: bool,
    quiet: bool,
    events: Path | None,
    as_json: bool,
) -> int:
    """Make another one of each JOB of MANIFEST, with a new seed, and show the price first.

    What a job has stays its own, in files and results and for what is made of it, until the new one has
    arrived; then it lies in earlier/, and `batchgen restore` gives it back for nothing. If the new one fails
    or meets the budget, the job keeps what it has. No other job is bought. What was made of a job's output
    is made again with --children alone.

    Only jobs that are done: `batchgen retry` tries again what failed. A run that goes on takes this as an
    order and makes them when its own jobs are done.

    JOB is the id of a job, or a pattern of ids such as 'tower-*', or any word that --only takes:
    `batchgen redo jobs.yaml --only mark:rejected`.
    """
    if not options.selection.names_any:
        raise click.UsageError(flags.NO_JOBS)
    on_terminal = sys.stderr.isatty()
    options = replace(
        options,
        budget=budget,
        redo=True,
        children=children,
    )
    if dry_run:
        return show_plan(options, as_json=as_json)
    attended = on_terminal and sys.stdin.isatty() and not current().is_json
    agreed = yes or options.simulate
    asks, began = attended and not agreed, time.monotonic()
    preview = awaited(_preview(options, within=None if asks else options.max_duration))
    if preview is None:
        current().say(_TOO_LATE, "error")
        return Exit.REMAINS
    if not agree_to(preview, ask=asks, quiet=quiet):
        return Exit.REMAINS
    again = {one.job: one.ordinal for one in preview.batch.redone}
    options = replace(
        options,
        unattended=not (attended or agreed),
        shown=frozenset(one.head for one in preview.batch.redone),
        agreed=frozenset(again.items()),
    )
    if options.max_duration is not None and not asks:  # a person takes as long as a person takes
        options = replace(options, max_duration=max(0.0, options.max_duration - time.monotonic() + began))

    def do() -> int:
        return carry(options, quiet=quiet, as_json=as_json, events=events, seen=preview.warnings)

    if budget is not None:  # a run that goes on has a budget of its own
        return do()
    orders = [api.order_to_redo(again, slot=preview.batch.scope.slot)]
    return done_or_ordered(do, options, lambda: orders, as_json=as_json)


_TOO_LATE = "batchgen: the time was over (--max-duration) before the price was known: nothing was bought"


async def _preview(options: "api.Options", *, within: float | None) -> "api.Preview | None":
    """Return what it would do, None where that takes longer than it may."""
    try:
        async with asyncio.timeout(within):
            return await api.plan(options)
    except TimeoutError:
        return None
