"""``batchgen restore``."""

import json
from collections.abc import Sequence

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.cli.control import done_or_ordered


@click.command("restore", short_help="Give jobs back what they had before, for nothing.")
@flags.of_a_target
@flags.selecting
@click.option(
    "--to",
    "asset_id",
    metavar="ASSET",
    default="",
    help="What is meant, by the id of one of its assets; without it what came before what a job has now.",
)
@click.option("--undo", is_flag=True, help="Give jobs the latest that was made for them, or bought anew.")
@time_limits.wait_lock
@flags.as_json
def command(*, options: "api.Options", asset_id: str, undo: bool, as_json: bool) -> int:
    """Give each JOB of TARGET back what it had before; nothing is bought.

    A job that `batchgen redo` made again gets what it had before that, in files, in results and for what is
    made of it from now on; what was made of its output already stays as it is. A redo that is not bought yet,
    or has failed, is taken back. While one is under way it is paid for, and restore waits for its end.

    A job that was changed in the manifest keeps what was bought before the change, as after a typing error
    mended in a prompt: it counts as done in this form, and nothing is bought for it.

    --undo takes it back: the job gets the latest that was made for it, or is bought in its new form.

    JOB is the id of a job, or a pattern of ids such as 'tower-*', or any word that --only takes:
    `batchgen restore jobs.yaml entry:tower --except rarity=rare`.
    """
    if not options.selection.names_any:
        raise click.UsageError(flags.NO_JOBS)
    if asset_id and undo:
        raise click.UsageError("--to and --undo cannot be given together: --to says what is meant")
    restoring = api.Restoring(asset_id=asset_id, undo=undo)

    def do() -> int:
        return _show(awaited(api.restore(options, restoring)), as_json=as_json)

    def orders() -> Sequence[api.Order]:
        slot, jobs = api.jobs_meant(options)
        return [api.order_to_restore(jobs, slot=slot, asset_id=asset_id, undo=undo)]

    return done_or_ordered(do, options, orders, as_json=as_json)


def _show(done: "Sequence[api.GivenBack]", *, as_json: bool) -> int:
    if as_json:
        jobs = [
            {"id": one.job, "asset_ids": list(one.asset_ids), "before_change": one.before_change}
            for one in done
        ]
        click.echo(json.dumps({"jobs": jobs}, ensure_ascii=False))
        return 0
    for one in done:
        has = f"has {', '.join(one.asset_ids)} again" if one.asset_ids else "is bought by the next run"
        click.echo(f"{one.job}: {has}{', bought before it was changed' if one.before_change else ''}")
    return 0
