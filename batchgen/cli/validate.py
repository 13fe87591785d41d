"""``batchgen validate``."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.errors import InputError, Problem
from batchgen.exits import Exit
from batchgen.formats import counted


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
    options = api.Options(
        manifest=manifest,
        output=Path("output"),
        environ=flags.environ(manifest),
        simulate=simulate,
        project=project,
        max_jobs=max_jobs,
    )
    try:
        read, checked = asyncio.run(api.validate(options, offline=offline))
    except InputError as error:
        if as_json and error.problems:
            return _refuse(error.problems)
        raise
    for line in (*checked.notes, *([checked.skipped] if checked.skipped else [])):
        click.echo(f"note: {line}", err=True)
    if as_json:
        click.echo(json.dumps({"exit": 0, "problems": [], "jobs": len(read.jobs), "batch": read.batch}))
    else:
        jobs = counted(len(read.jobs), "job")
        click.echo(f"{manifest}: valid, {jobs} in batch {read.batch!r}", err=True)
    return 0


def _refuse(problems: Sequence[Problem]) -> int:
    """Write the problems for an editor or a script; people see them beside."""
    click.echo(
        json.dumps({"exit": 2, "problems": api.problems_document(problems), "jobs": 0}, ensure_ascii=False)
    )
    for line in api.shown_problems(problems):
        click.echo(line, err=True)
    return Exit.INPUT
