"""``batchgen retry``."""

from dataclasses import replace
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.run import carry


@click.command("retry", short_help="Try jobs again that failed, each for a new charge.")
@flags.of_a_batch
@flags.selecting
@time_limits.of_a_run
@flags.quiet
@flags.logging
@flags.events
@flags.as_json
def command(
    *,
    options: "api.Options",
    quiet: bool,
    events: Path | None,
    as_json: bool,
) -> int:
    """Try each failed JOB of MANIFEST once more.

    A job that failed, was refused or was canceled is submitted once more, with a new seed where
    its model takes one; if it is accepted, it is charged again. The jobs that waited for its output go
    on in the same run. No other job is bought, but what is paid for already is collected. What moderation
    stopped is not tried again: change its prompt.

    `batchgen run MANIFEST --retry-failed` tries all that failed.

    JOB is the id of a job, or a pattern of ids such as 'tower-*', or any word that --only takes:
    `batchgen retry jobs.yaml status:failed --except tag:draft`.
    """
    if not options.selection.names_any:
        raise click.UsageError(flags.NO_JOBS)
    options = replace(options, retry=True)
    return carry(options, quiet=quiet, as_json=as_json, events=events)
