"""``batchgen forget``."""

import click

from batchgen import api
from batchgen.cli import flags


@click.command("forget", short_help="Undo `accept`: the changed job is bought after all.")
@flags.of_a_target
@flags.selecting
def command(*, options: "api.Options") -> int:
    """Buy each JOB of TARGET in its changed form after all.

    The reverse of `batchgen accept`. Nothing is deleted: what was bought before the change stays in
    the journal and on the disk, and is listed as removed.

    JOB is the id of a job, or a pattern of ids such as 'tower-*', or any word that --only takes:
    `batchgen forget jobs.yaml entry:tower --except rarity=rare`.
    """
    if not options.selection.names_any:
        raise click.UsageError(flags.NO_JOBS)
    for name in api.forget(options):
        click.echo(f"{name}: changed; the next run buys it")
    return 0
