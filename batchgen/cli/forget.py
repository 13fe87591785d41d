"""``batchgen forget``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from batchgen.cli import flags

if TYPE_CHECKING:
    from batchgen.wiring.options import Options


@click.command("forget", short_help="Take an `accept` back: the changed job is bought after all.")
@flags.of_a_batch
@click.argument("job", nargs=-1, required=True)
def command(*, options: "Options", job: Sequence[str]) -> int:
    """Let each JOB of MANIFEST, by its id, be bought in its changed form after all.

    The reverse of `batchgen accept`. Nothing is deleted: what was bought before the change stays in
    the journal and on the disk, and is listed as removed.
    """
    from batchgen.usecases.acceptance import forget_acceptances  # noqa: PLC0415 - not for --help

    for name in forget_acceptances(options, job):
        click.echo(f"{name}: changed; the next run buys it")
    return 0
