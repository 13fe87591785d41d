"""``batchgen cron``."""

import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import click

from batchgen import __version__, api
from batchgen.cli import flags, time_limits


@click.command("cron")
@flags.manifest
@click.option(
    "--at", required=True, metavar="TIMES", help='Five fields of cron, such as "0 3 * * *", or @daily.'
)
@click.option(
    "--crontab", "schedulers", flag_value="crontab", multiple=True, help="A line for cron. [default]"
)
@click.option(
    "--systemd", "schedulers", flag_value="systemd", multiple=True, help="A service of systemd and its timer."
)
@click.option(
    "--kubernetes", "schedulers", flag_value="kubernetes", multiple=True, help="A CronJob and its volume."
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write files into this folder, not to standard output.",
)
@click.option("--force", is_flag=True, help="With --to: replace files that are there and differ.")
@flags.output
@flags.journal
@flags.period
@flags.budget
@click.option("-y", "--yes", is_flag=True, help="Let the runs buy without a cap.")
@click.option("--max-failures", type=flags.FailuresType(), help="As of run.")
@click.option(
    "--drain-timeout",
    type=flags.DurationType(),
    default=f"{time_limits.DRAIN_UNSEEN}s",
    show_default=True,
    help="How long a run that is stopped collects; the scheduler is told to wait longer.",
)
@click.option("--max-duration", type=time_limits.SomeTime(), help="As of run; then the next time goes on.")
@click.option(
    "--wait-lock",
    type=flags.DurationType(),
    help="How long a run waits for the last one to end. [default: 6h where its times are an hour apart]",
)
@click.option("--image", metavar="NAME", default=f"batchgen:{__version__}", help="For Kubernetes: the image.")
@flags.project
@flags.max_jobs
@flags.simulate
def command(
    *,
    manifest: Path,
    at: str,
    schedulers: tuple[str, ...],
    folder: Path | None,
    force: bool,
    output: Path,
    journal: str | None,
    period: str | None,
    budget: Decimal | None,
    yes: bool,
    max_failures: "int | float | None",
    drain_timeout: float,
    max_duration: float | None,
    wait_lock: float | None,
    image: str,
    project: str | None,
    max_jobs: int,
    simulate: bool,
) -> int:
    """Print what makes this machine, or a cluster, run MANIFEST at set times.

    The text says in its comments what to do with it. Paths are absolute, the times are those of the
    manifest's tz, and no secret is in it. Nothing is installed or bought.
    """
    if len(set(schedulers)) > 1:
        raise click.UsageError("--crontab, --systemd and --kubernetes: one at a time")
    options = api.Options(
        manifest=manifest,
        output=output,
        output_chosen=flags.output_is_chosen(),
        environ=flags.environ(manifest, journal=journal),
        journal_address=journal,
        simulate=simulate,
        project=project,
        period=period,
        budget=budget,
        max_jobs=max_jobs,
    )
    wanted = api.Schedule(
        at=at,
        scheduler=api.Scheduler(schedulers[0] if schedulers else "crontab"),
        agreed=yes,
        drain=math.ceil(drain_timeout),
        most_seconds=None if max_duration is None else math.ceil(max_duration),
        wait=None if wait_lock is None else math.ceil(wait_lock),
        most_failures=_as_typed(max_failures),
        image=image,
    )
    texts = api.install_texts(options, wanted)
    if folder is None:
        several = len(texts) > 1
        parts = [f"# ---- {name}\n{text}" if several else text for name, text in texts.items()]
        click.echo("\n".join(parts), nl=False)
        return 0
    _write(folder, texts, force=force)
    return 0


def _write(folder: Path, texts: Mapping[str, str], *, force: bool) -> None:
    """Write all files, or none where one of them is there and somebody may have changed it."""
    for name, text in texts.items():
        path = folder / name
        if path.exists() and not force and path.read_text(encoding="utf-8", errors="replace") != text:
            raise click.ClickException(
                f"{path} is there already, and differs; give another folder, or --force"
            )
    for name, text in texts.items():
        api.write_text(folder / name, text)
        click.echo(f"{folder / name} written", err=True)


def _as_typed(most: "int | float | None") -> str:
    if most is None:
        return ""
    return f"{round(most * 100)}%" if isinstance(most, float) else str(most)
