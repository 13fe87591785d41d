"""``batchgen report``."""

from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags


@click.command("report", short_help="Write the page of what came out, of all jobs or some.")
@flags.of_a_target
@flags.selecting
@click.option(
    "--single-file",
    is_flag=True,
    help="One file to send, with its pictures inside, small enough for a mail (18 MB).",
)
@click.option(
    "--zip",
    "zip_to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="A zip to send, of the page with its pictures and all files that it links.",
)
@click.option("--open", "open_it", is_flag=True, help="Show the page in the browser.")
def command(*, options: "api.Options", single_file: bool, zip_to: Path | None, open_it: bool) -> int:
    """Write the page of what came out of TARGET, and print its path.

    Made of the journal and the files as they are now: asks no service, needs no key, and disturbs no run that
    is going on. A run writes the same page at its end.

    With JOB, or --only and --except, the page is of these jobs: selection.html, beside the report.html of
    all. `batchgen report jobs.yaml --only tag:cover --except status:failed`.

    What is to be sent is written beside it: with --single-file BATCH.html, whose pictures are as large as a
    mail has room for all of them; with --zip PATH everything, as large as it is.
    """
    if single_file and zip_to:
        raise click.UsageError("--single-file and --zip are two ways to send it: choose one")
    page = api.report(options, alone=single_file, zip_to=zip_to)
    click.echo(page.path)
    if page.told:
        click.echo(page.told, err=True)
    if open_it and click.launch(str(page.path)):
        click.echo("no program was found that shows it: open it in a browser", err=True)
    return 0
