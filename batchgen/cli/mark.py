"""``batchgen mark``."""

import json
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited
from batchgen.formats import counted

_WORDS = ("kept", "rejected", "none")


@click.command("mark", short_help="Say which of what came out is kept or rejected.")
@flags.of_a_target
@click.argument("word", required=False, metavar="[kept|rejected|none]")
@flags.selecting
@click.option("--note", metavar="TEXT", help="Words that go with the mark; '' takes them away.")
@click.option(
    "--asset",
    type=click.IntRange(min=0),
    metavar="N",
    help="Only this one of a job's assets, from 0, as file names and `output:` of a manifest count.",
)
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read which assets get which mark: marks.json of the page, or a table of a spreadsheet.",
)
@flags.as_json
def command(
    *,
    options: "api.Options",
    word: str | None,
    note: str | None,
    asset: int | None,
    file: Path | None,
    as_json: bool,
) -> int:
    """Mark what came out of each JOB of TARGET: kept or rejected; none takes mark and note away.

    A mark stands on an asset: what a job makes later has none. All assets that the job has now are marked, or
    the one of --asset; the id of an asset (asset_...) as JOB means that asset alone. A job is kept if one of
    its assets is. Jobs are found by it: `batchgen export jobs.yaml --only mark:kept`. With --note alone the
    note of what is marked is changed.

    With --from the marks are read from a file: marks.json, as the page exports it, or a .csv or .tsv table
    with a column mark, a column asset_id or id (of the job) and perhaps one note, such as results.csv; an
    empty cell leaves the mark as it is. If anything in it is wrong, nothing is written.

    Nothing is bought, and no run is disturbed: one that goes on takes the marks into its results.

    JOB is the id of a job, or a pattern of ids such as 'tower-*', or any word that --only takes:
    `batchgen mark jobs.yaml rejected 'tower-*' --only rarity=rare --note "too dark"`.
    """
    if str(options.output).isdigit() and not options.output.exists():
        raise click.UsageError(
            f"--output is the output folder; for one asset of a job write --asset {options.output}"
        )
    word, options = _mark_in(word, options)
    if wrong := _wrong_with(options.selection, word, note, asset, file):
        raise click.UsageError(wrong)
    done = awaited(
        api.mark(
            options, api.Marking(mark=word, note=None if word == "none" else note, asset=asset, file=file)
        )
    )
    click.echo(json.dumps(_document(done), ensure_ascii=False) if as_json else _told(done))
    if done.by_run:
        click.echo("the run that goes on writes them into its results", err=True)
    elif done.changed and done.results is None:
        click.echo(
            "another command has the batch: its results have the marks when they are written next", err=True
        )
    return 0


def _mark_in(word: str | None, options: "api.Options") -> tuple[str | None, "api.Options"]:
    """Return the mark, if the first word is one, and otherwise that word among those that select jobs."""
    if word is None or word in _WORDS:
        return word, options
    words = options.selection
    return None, replace(
        options, selection=replace(words, jobs=(*api.selection_of((word,)).jobs, *words.jobs))
    )


def _wrong_with(
    selection: "api.JobSelection", word: str | None, note: str | None, asset: int | None, file: Path | None
) -> str:
    """Return what is wrong with what was typed; empty where nothing is."""
    if file is not None:
        alone = word is None and note is None and asset is None and not selection
        return "" if alone else "--from FILE says what is marked: no mark, JOB or other option goes with it"
    if word is None and note is None:
        first = selection.jobs[0].text if selection.jobs else ""
        close = get_close_matches(first.lower(), _WORDS, n=1, cutoff=0.5)
        hint = f", not {first!r}; did you mean {close[0]}?" if close else ""
        return f"say what is to become of the marks: write kept, rejected or none behind TARGET{hint}"
    if not selection.names_any:
        return flags.NO_JOBS
    return "a note goes with a mark: none takes both away" if word == "none" and note else ""


def _told(done: "api.MarksMade") -> str:
    """Return what was done: ``12 kept, 3 rejected, 1 mark removed; 4 as before``."""
    parts = [
        *([f"{done.kept} kept"] if done.kept else []),
        *([f"{done.rejected} rejected"] if done.rejected else []),
        *([f"{counted(done.noted, 'note')} changed"] if done.noted else []),
        *([f"{counted(done.removed, 'mark')} removed"] if done.removed else []),
    ]
    same = f"{done.same} as before" if done.same else ""
    earlier = f"{done.earlier} of them on what jobs had before what they have now" if done.earlier else ""
    return "; ".join(filter(None, [", ".join(parts), earlier, same])) or "nothing to mark"


def _document(done: "api.MarksMade") -> dict[str, object]:
    return {
        "batch": done.batch,
        "slot": done.slot or None,
        "kept": done.kept,
        "rejected": done.rejected,
        "notes": done.noted,
        "removed": done.removed,
        "same": done.same,
        "earlier": done.earlier,
        "results": None if done.results is None else str(done.results),
        "run_writes_results": done.by_run,
    }
