"""``batchgen validate``."""

import json
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited
from batchgen.errors import InputError
from batchgen.exits import Exit
from batchgen.formats import counted


@click.command("validate")
@flags.manifest
@flags.project
@flags.offline
@flags.simulate
@flags.max_jobs
@click.option("--strict", is_flag=True, help="Take warnings for problems: exit 2 where there are any.")
@flags.as_json
def command(
    *,
    manifest: Path,
    project: str | None,
    offline: bool,
    simulate: bool,
    max_jobs: int,
    strict: bool,
    as_json: bool,
) -> int:
    """Check MANIFEST, everything it names on this machine, and the inputs of its models; buy nothing.

    The service is asked what its models take, if there are credentials. Every problem is shown at
    once, as file:line:column. What is probably a mistake and stops nothing is shown as a warning.
    """
    options = api.Options(
        manifest=manifest,
        output=Path("output"),
        environ=flags.environ(manifest),
        journal_address="",  # none is looked at
        simulate=simulate,
        project=project,
        max_jobs=max_jobs,
    )
    try:
        read, checked = awaited(api.validate(options, offline=offline, strict=strict))
    except InputError as error:
        if as_json and error.problems:
            return _refuse(error)
        raise
    warnings = (*read.warnings, *checked.warnings)
    for line in api.shown_problems((), warnings):
        click.echo(line, err=True)
    for line in (*checked.notes, *([checked.skipped] if checked.skipped else [])):
        click.echo(f"note: {line}", err=True)
    if as_json:
        document = {"exit": 0, "problems": [], "warnings": api.problems_document(warnings)}
        document |= {"jobs": len(read.jobs), "batch": read.batch}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        jobs = counted(len(read.jobs), "job")
        click.echo(f"{manifest}: valid, {jobs} in batch {read.batch!r}", err=True)
    return 0


def _refuse(error: InputError) -> int:
    """Write the problems for an editor or a script; people see them beside."""
    document = {
        "exit": 2,
        "problems": api.problems_document(error.problems),
        "warnings": api.problems_document(error.warnings),
        "jobs": 0,
    }
    click.echo(json.dumps(document, ensure_ascii=False))
    for line in api.shown_problems(error.problems, error.warnings):
        click.echo(line, err=True)
    return Exit.INPUT
