"""``batchgen accept``."""

import click

from batchgen import api
from batchgen.cli import flags


@click.command("accept", short_help="Keep what was bought for a job before it was changed.")
@flags.of_a_target
@flags.selecting
def command(*, options: "api.Options") -> int:
    """Keep what was bought for each changed JOB of TARGET before the change.

    For an edit that needs no new picture, as a typing error mended in a prompt: the job counts as
    done with the assets it has, nothing is bought for it, and the results say in what form it was
    bought. It holds for this form of the job; another change is another matter, and going back to
    the old form needs no word at all. `batchgen plan` shows what changed, `batchgen forget` takes
    it back.

    JOB is the id of a job, or a pattern of ids such as 'tower-*', or any word that --only takes:
    `batchgen accept jobs.yaml entry:tower --except rarity=rare`.
    """
    if not options.selection.names_any:
        raise click.UsageError(flags.NO_JOBS)
    kept = api.accept(options)
    for one in kept.offers:
        assets = ", ".join(one.before.record.asset_ids) or f"{one.before.standing}"
        before = one.before.job
        form = f"of {before.model} without a prompt" if before.prompt is None else f"as {before.prompt!r}"
        click.echo(f"{one.entry.job.id}: keeps what was bought {form} ({assets})")
    for name in kept.before:
        click.echo(f"{name}: keeps what was bought already")
    return 0
