"""``batchgen forget``."""

from collections.abc import Sequence

import click

from batchgen import api
from batchgen.cli import flags


@click.command("forget", short_help="Undo `accept`: the changed job is bought after all.")
@flags.of_a_target
@click.argument("job", nargs=-1, required=True)
def command(*, options: "api.Options", job: Sequence[str]) -> int:
    """Buy each JOB of TARGET in its changed form after all.

    The reverse of `batchgen accept`. Nothing is deleted: what was bought before the change stays in
    the journal and on the disk, and is listed as removed.

    JOB is the id of a job, or a pattern of ids such as 'tower-*'; several may be given.
    """
    for name in api.forget(options, job):
        click.echo(f"{name}: changed; the next run buys it")
    return 0
