"""``batchgen schema``."""

from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited


@click.command("schema")
@click.argument("document", type=click.Choice(["manifest", "results", "events"]), default="manifest")
@click.option("--model", "models", multiple=True, metavar="ID", help="Add this model's inputs; repeatable.")
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, not to standard output.",
)
@flags.project
@flags.simulate
def command(
    *, document: str, models: tuple[str, ...], path: Path | None, project: str | None, simulate: bool
) -> int:
    """Print the JSON Schema of a manifest, for editors, of results.json, or of a line of events.

    An editor that knows YAML completes and checks by it where the manifest's first line is
    "# yaml-language-server: $schema=batchgen.schema.json". With --model the inputs of that model are
    in it too; the service is asked for them. With "results" it is the schema of results.json, with "events"
    that of a line of --events and of a log, for programs that read them.
    """
    if document != "manifest" and models:
        raise click.UsageError(
            f"--model is for the schema of a manifest: {document} have no inputs of models"
        )
    ours = {"results": api.results_schema, "events": api.events_schema}
    text = ours[document]() if document in ours else _of_manifest(models, project, simulate=simulate)
    if path is None:
        click.echo(text, nl=False)
        return 0
    api.write_text(path, text)
    click.echo(f"{path} written", err=True)
    return 0


def _of_manifest(models: tuple[str, ...], project: str | None, *, simulate: bool) -> str:
    options = api.Options(
        manifest=Path(),
        output=Path("output"),
        environ=flags.environ(),
        journal_address="",  # none is looked at
        simulate=simulate,
        project=project,
    )
    return awaited(api.schema_text(options, models))
