"""``batchgen validate``."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from batchgen.cli import flags
from batchgen.errors import InputError, Problem


@click.command("validate")
@flags.manifest
@flags.project
@flags.offline
@flags.simulate
@flags.max_jobs
@flags.as_json
def command(
    *, manifest: Path, project: str | None, offline: bool, simulate: bool, max_jobs: int, as_json: bool
) -> int:
    """Check MANIFEST, everything it names on this machine, and the inputs of its models; buy nothing.

    The service is asked what its models take, if there are credentials. Every problem is shown at
    once, as file:line:column.
    """
    from batchgen.cli.models import check  # noqa: PLC0415 - not for --help
    from batchgen.manifest.reading import read_manifest  # noqa: PLC0415 - not for --help
    from batchgen.wiring.options import Options  # noqa: PLC0415 - not for --help

    options = Options(
        manifest=manifest,
        output=Path("output"),
        environ=flags.environ(),
        simulate=simulate,
        project=project,
        max_jobs=max_jobs,
    )
    try:
        read = read_manifest(manifest, environ=options.environ, max_jobs=max_jobs)
        check(options, read, offline=offline)
    except InputError as error:
        if as_json and error.problems:
            return _refuse(error.problems)
        raise
    if as_json:
        click.echo(json.dumps({"exit": 0, "problems": [], "jobs": len(read.jobs), "batch": read.batch}))
    else:
        jobs = "1 job" if len(read.jobs) == 1 else f"{len(read.jobs)} jobs"
        click.echo(f"{manifest}: valid, {jobs} in batch {read.batch!r}", err=True)
    return 0


def _refuse(problems: Sequence[Problem]) -> int:
    """Write the problems for an editor or a script; people see them beside."""
    from batchgen.manifest.source.excerpt import document, shown  # noqa: PLC0415 - not for --help

    click.echo(json.dumps({"exit": 2, "problems": document(problems), "jobs": 0}, ensure_ascii=False))
    for line in shown(problems):
        click.echo(line, err=True)
    return 2
