"""``batchgen init``."""

from pathlib import Path

import click


@click.command("init")
@click.argument("path", type=click.Path(path_type=Path), default=Path("jobs.yaml"))
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
def command(*, path: Path, force: bool) -> int:
    """Write a commented manifest to PATH to begin with (jobs.yaml if none is given)."""
    from batchgen.manifest.starter import starter  # noqa: PLC0415 - not for --help

    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(starter(path.stem))
    except FileExistsError as error:
        raise click.ClickException(f"{path} is there already; give another name, or --force") from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    click.echo(f"{path} written; try: batchgen run {path} --simulate", err=True)
    return 0
