"""``batchgen init``."""

import shlex
from pathlib import Path

import click

from batchgen import api
from batchgen.errors import OutputError


@click.command("init")
@click.argument("path", type=click.Path(path_type=Path), default=Path("jobs.yaml"))
@click.option("--force", is_flag=True, help="Overwrite the files if they are there.")
def command(*, path: Path, force: bool) -> int:
    """Write a commented manifest to PATH to begin with (jobs.yaml if none is given).

    The schema by which editors complete and check it is written beside it.
    """
    if not _write(path, api.starter(api.batch_from(path)), force=force):
        raise click.ClickException(f"{path} is there already; give another name, or --force")
    schema = path.with_name(api.SCHEMA)
    kept = "" if _write(schema, api.bare_schema(), force=force) else f"; {schema} was there and stays"
    click.echo(f"{path} written{kept}; try: batchgen run {shlex.quote(str(path))} --simulate", err=True)
    return 0


def _write(path: Path, text: str, *, force: bool) -> bool:
    """Write a file, and tell whether that was done: it is not where there is one already."""
    try:
        if not force:
            path.open("x").close()  # whoever is the first to make it has it
        api.write_text(path, text)
    except FileExistsError:
        return False
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    except OutputError as error:
        if not force:
            path.unlink(missing_ok=True)
        raise click.ClickException(str(error)) from error
    return True
