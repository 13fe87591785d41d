"""``batchgen schema``."""

from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited


@click.command("schema")
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
def command(*, models: tuple[str, ...], path: Path | None, project: str | None, simulate: bool) -> int:
    """Print the JSON Schema of a manifest, for editors.

    An editor that knows YAML completes and checks by it where the manifest's first line is
    "# yaml-language-server: $schema=batchgen.schema.json". With --model the inputs of that model are
    in it too; the service is asked for them.
    """
    options = api.Options(
        manifest=Path(), output=Path("output"), environ=flags.environ(), simulate=simulate, project=project
    )
    text = awaited(api.schema_text(options, models))
    if path is None:
        click.echo(text, nl=False)
        return 0
    api.write_text(path, text)
    click.echo(f"{path} written", err=True)
    return 0
