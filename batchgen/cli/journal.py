"""``batchgen journal``: care of the journal itself."""

import json
from collections.abc import Iterator

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.formats import counted

_WORDS = {
    "known": "in the journal already",
    "recovered": "recovered",
    "adopted": "found in the listing and adopted",
    "in_doubt": "in doubt: the next run looks for it",
    "given_up": "given up before, and still so",
    "held": "needs your decision: nothing proves whose they are",
    "not_shown": "not at this service and left out: a run would buy the job",
    "of_another_job": "left out: it belongs to another job of this journal",
}


@click.group("journal", short_help="Rebuild a lost journal from the results and the service.")
def command() -> None:
    """Care for the journal: the file that knows what was paid for."""


@command.command("rebuild", short_help="Rebuild a lost journal; buys nothing.")
@flags.of_a_batch
@time_limits.wait_lock
@flags.as_json
def rebuild(*, options: "api.Options", as_json: bool) -> int:
    """Rebuild a lost journal from the results and the service; buys nothing.

    Asks the service after every submission that OUTPUT/BATCH/results.json tells of, looks through
    its listing for those that the results do not tell of yet, and records all of it. Files that
    are still there are not fetched again. What the journal knows already is left alone.

    Exit status 0 if all was recovered, 7 if something is held or is not at this service.
    """
    recovery = awaited(api.rebuild(options))
    if as_json:
        click.echo(json.dumps(_document(recovery), ensure_ascii=False))
    else:
        for line in _lines(recovery, options):
            click.echo(line)
    return int(recovery.exit)


def _document(recovery: "api.Recovery") -> dict[str, object]:
    return {
        "batch": recovery.batch,
        "slot": recovery.slot or None,
        "exit": int(recovery.exit),
        "told": recovery.submitted,
        "redo_again": recovery.again,
        "jobs": [
            {
                "id": one.id,
                "fate": str(one.fate),
                "job_ids": list(one.remote_ids),
                "state": None if one.state is None else str(one.state),
            }
            for one in recovery.found
        ],
        "still_lost": [
            {"batch": one.batch, "slot": one.slot or None, "told": one.jobs, "command": one.command or None}
            for one in recovery.others
        ],
    }


def _lines(recovery: "api.Recovery", options: "api.Options") -> Iterator[str]:
    if recovery.submitted is None:
        yield f"{recovery.batch}: there are no results; the listing of the last 24 hours is all there is"
    else:
        yield f"{recovery.batch}: the results list {counted(recovery.submitted, 'submission')}"
    fates = [str(one.fate) for one in recovery.found]
    yield from (f"  {fates.count(fate)} {words}" for fate, words in _WORDS.items() if fate in fates)
    yield from (_named(one) for one in recovery.found if one.needs_a_person)
    if recovery.again:
        jobs = "1 job was" if recovery.again == 1 else f"{recovery.again} jobs were"
        yield (
            f"{jobs} to be made again, and nothing that was bought for that is known: nobody is asked to pay "
            "for what may have been taken back. Type `batchgen redo` again for what is still wanted."
        )
    if any(str(one.state) == "held" for one in recovery.found):
        yield f"To decide what is held: {options.command_line('resolve')}"
    if "not_shown" in fates:
        yield (
            "What is not shown may be of a rehearsal, another project or another service: check "
            f"--project and SCENARIO_BASE_URL before a run. If none of it is wanted, move "
            f"{' and '.join(map(str, recovery.results))} away."
        )
    if not fates:
        yield "  nothing was found to recover"
    for one in recovery.others:
        slot = f", slot {one.slot!r}" if one.slot else ""
        what = f"batch {one.batch!r}{slot}, {counted(one.jobs, 'submission')}"
        command = one.command or "batchgen journal rebuild MANIFEST"
        yield f"also lost: {what}; rebuild it before it is run: {command}"


def _named(one: "api.Rebuilt") -> str:
    words = _WORDS["held" if str(one.state) == "held" else str(one.fate)]
    return f"  {one.id}: {', '.join(one.remote_ids) or 'as before'}: {words}"
