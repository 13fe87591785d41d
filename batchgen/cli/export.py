"""``batchgen export``."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.formats import counted

_NAMED = 5  # files that a sentence names


def _check_words(folder: str | None, mapping: Path | None, *, lines: bool, as_json: bool) -> None:
    if lines and as_json:
        raise click.UsageError("--jsonl and --json both want standard output: give one of them")
    if folder == "":  # a variable of a script that is not set
        raise click.UsageError("--to is empty; write the folder, or . for the current one")
    if mapping == Path("-"):
        raise click.UsageError("--mapping takes a file; --jsonl writes lines to standard output")


@click.command("export", short_help="Copy the current files under other names, with a mapping.")
@flags.of_a_target
@flags.selecting_by_flags
@click.argument("template", required=False)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=str),
    metavar="DIR",
    help="The folder that the files go to; what is there of others stays.",
)
@click.option(
    "--copy/--link",
    "copy",
    default=None,
    help="Copy each file (the default), or give it a second name on the same file system.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write which file is which job's: a table, or JSON where FILE ends in .json.",
)
@click.option(
    "--prune", is_flag=True, help="Remove what an earlier export put there and this one does not have."
)
@click.option(
    "--replace",
    "force",
    is_flag=True,
    help="Put files in the place of those that no export put there, or that were changed.",
)
@click.option("--jsonl", "lines", is_flag=True, help="Write a line of JSON a job to standard output.")
@flags.as_json
def command(
    *,
    options: "api.Options",
    template: str | None,
    folder: str | None,
    copy: bool | None,
    mapping: Path | None,
    prune: bool,
    force: bool,
    lines: bool,
    as_json: bool,
) -> int:
    """Make a second tree of the current files of TARGET in DIR, named by TEMPLATE.

    TEMPLATE is written as output.files of a manifest: '{rarity}/{name}'. Without it files have the names
    that they have now. Jobs without files are counted. Made of the journal and the files as they are now:
    asks no service, needs no key, and disturbs no run that is going on.

    All files are copied beside and checked before the first of them has its name. What an earlier export put
    there is replaced where it changed, files that stay the same are not touched, and what is not ours is
    never replaced or removed. The same command again completes an export that was cut off.

    With --jsonl each job is a line, as in results.json, with the paths that its files have in DIR; then --to
    may be left out.
    """
    _check_words(folder, mapping, lines=lines, as_json=as_json)
    if folder is None:
        if not lines or template is not None or mapping is not None or copy is not None or prune or force:
            raise click.UsageError("name the folder that the files go to: --to DIR")
        _write_lines(api.job_lines(options))
        return 0
    asked = api.Export(
        folder=Path(folder),
        template=template,
        link=copy is False,
        mapping=mapping,
        prune=prune,
        force=force,
    )
    done = api.export(options, asked)
    for line in api.shown_problems((), done.warnings):
        click.echo(line, err=True)
    if as_json:
        click.echo(json.dumps(_document(done), ensure_ascii=False))
    else:
        for line in _lost_lines(done, options) if done.lost else _told(done):
            click.echo(line, err=lines or bool(done.lost))
    if lines:
        _write_lines(done.lines)
    return int(done.exit)


def _write_lines(jobs: "Iterable[Mapping[str, api.Json]]") -> None:
    for one in jobs:
        click.echo(json.dumps(one, ensure_ascii=False))


def _told(done: "api.Exported") -> Iterator[str]:
    files = len(done.new) + len(done.replaced) + len(done.same)
    what = [f"{len(paths)} {word}" for paths, word in _kinds(done) if paths]
    of = "" if not done.slot else f" of slot {done.slot!r}"
    yield f"{done.folder}: {counted(files, 'file')} of {counted(done.jobs, 'job')}{of}: {', '.join(what)}"
    if done.without_files:
        have = "has" if done.without_files == 1 else "have"
        yield f"{counted(done.without_files, 'job')} {have} no file yet"
    if done.mapping is not None:
        yield f"mapping: {done.mapping}"
    if done.edited:
        yield f"changed by hand, exported as they are: {_some(done.edited)}"
    if done.removed:
        yield f"removed, as this export does not have them: {_some(done.removed)}"
    if done.stale:
        yield f"of an earlier export, and not of this one: {_some(done.stale)}; --prune removes them"
    if done.altered:
        yield f"of an earlier export, and changed since, so they stay: {_some(done.altered)}"
    if done.is_rehearsal:
        yield "these are the files of a rehearsal: no run of this batch with the service is on record"


def _kinds(done: "api.Exported") -> Sequence[tuple[Sequence[str], str]]:
    return (done.new, "new"), (done.replaced, "replaced"), (done.same, "unchanged")


def _lost_lines(done: "api.Exported", options: "api.Options") -> Iterator[str]:
    files = counted(len(done.lost), "file")
    yield f"nothing was exported: {files} of {done.batch} cannot be read as recorded"
    for one in done.lost[:_NAMED]:
        yield f"  {one.job}: {one.path} {one.why}"
    if (more := len(done.lost) - _NAMED) > 0:
        yield f"  and {more} more"
    yield from _helps(done, options)


def _helps(done: "api.Exported", options: "api.Options") -> Iterator[str]:
    slot, options = done.slot or None, replace(options, simulate=options.simulate or done.is_rehearsal)
    if any(one.is_missing for one in done.lost):
        run = options.command_line("run", "--collect-only", slot=slot)
        yield f"`{run}` fetches what is missing, and buys nothing"
    if any(not one.is_missing for one in done.lost):
        audit = options.command_line("audit", "--fix", slot=slot)
        yield f"`{audit}` fetches again what has other bytes, and keeps what is there in earlier/"


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"{counted(len(paths), 'file')}: {', '.join(paths[:_NAMED])}{more}"


def _document(done: "api.Exported") -> dict[str, object]:
    return {
        "exit": int(done.exit),
        "batch": done.batch,
        "slot": done.slot or None,
        "folder": str(done.folder),
        "mapping": None if done.mapping is None else str(done.mapping),
        "jobs": done.jobs,
        "without_files": done.without_files,
        "rehearsal": done.is_rehearsal,
        **{name: list(getattr(done, name)) for name in _LISTS},
        "lost": [
            {"id": one.job, "path": one.path, "found": one.why, "missing": one.is_missing}
            for one in done.lost
        ],
        "warnings": api.problems_document(done.warnings),
    }


_LISTS = ("new", "replaced", "same", "removed", "stale", "altered", "edited")
