"""``batchgen validate``."""

import json
from pathlib import Path

import click

from batchgen.cli import flags


@click.command("validate")
@flags.manifest
@flags.max_jobs
@flags.as_json
def command(*, manifest: Path, max_jobs: int, as_json: bool) -> int:
    """Check MANIFEST and everything it names on this machine, and send nothing.

    Every problem is shown at once, as file:line:column. Exit status 0 or 2.
    """
    from batchgen.manifest.reading import read_manifest  # noqa: PLC0415 - not for --help

    read = read_manifest(manifest, environ=flags.environ(), max_jobs=max_jobs)
    if as_json:
        click.echo(json.dumps({"exit": 0, "batch": read.batch, "jobs": len(read.jobs), "problems": []}))
    else:
        jobs = "1 job" if len(read.jobs) == 1 else f"{len(read.jobs)} jobs"
        click.echo(f"{manifest}: valid, {jobs} in batch {read.batch!r}", err=True)
    return 0
