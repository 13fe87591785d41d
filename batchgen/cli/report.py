"""``batchgen report``."""

import click

from batchgen import api
from batchgen.cli import flags


@click.command("report", short_help="Write the page of what came out, of all jobs or some.")
@flags.of_a_target
@flags.selecting
@click.option("--open", "open_it", is_flag=True, help="Show the page in the browser.")
def command(*, options: "api.Options", open_it: bool) -> int:
    """Write the page of what came out of TARGET, and print its path.

    Made of the journal and the files as they are now: asks no service, needs no key, and disturbs no run that
    is going on. A run writes the same page at its end.

    With JOB, or --only and --except, the page is of these jobs: selection.html, beside the report.html of
    all. `batchgen report jobs.yaml --only tag:cover --except status:failed`.
    """
    path = api.report(options)
    click.echo(path)
    if open_it and click.launch(str(path)):
        click.echo("no program was found that shows it: open it in a browser", err=True)
    return 0
