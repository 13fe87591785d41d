"""``batchgen journal``: care of the journal itself."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.cli.log import current
from batchgen.exits import Exit
from batchgen.formats import clean, counted

SHORTEST, LONGEST = 2.0, 600.0  # seconds of a lease

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


@click.group("journal", short_help="Rebuild a lost journal, or keep it on PostgreSQL.")
def command() -> None:
    """Care for the journal: the file, or the database, that knows what was paid for."""


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


class LeaseType(flags.DurationType):
    """How long a lease lasts: long enough for a few renewals, and short enough to wait for."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text; click shows what is wrong with it."""
        seconds = super().convert(value, param, ctx)
        if not SHORTEST <= seconds <= LONGEST:
            self.fail(f"{value!r}: a lease lasts {SHORTEST:.0f} s to {LONGEST:.0f} s", param, ctx)
        return seconds


def _of_a_place(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command the arguments that say which journal is meant, and no batch: ``options``."""

    @wraps(command)
    def with_options(*, url: str | None, journal: str | None, output: Path, **words: Any) -> int:
        if url is not None and journal is not None:
            raise click.UsageError("URL and --journal name the same: give one of them")
        address = url if journal is None else journal
        options = api.Options(
            manifest=Path(),
            output=output,
            environ=flags.environ(journal=address),
            journal_address=address,
        )
        return command(options=options, **words)

    placed: Any = click.argument("url", required=False)(flags.journal(flags.output(with_options)))
    return placed  # type: ignore[no-any-return]  # the command, with other arguments


@command.command("init", short_help="Make the tables of a journal in a PostgreSQL database.")
@_of_a_place
@click.option(
    "--lease",
    type=LeaseType(),
    metavar="TIME",
    help="How long a lease of a batch lasts, for all hosts: a run that is gone is taken over after it. "
    "[default: 30s]",
)
def init(*, options: "api.Options", lease: float | None) -> int:
    """Make the tables of a journal in the PostgreSQL database at URL, or that of --journal.

    Tables that are there stay as they are; with --lease the length of leases is changed. Where what
    `batchgen worker` needs is installed, the tables of its queue are made too. The password belongs in
    the file that PGPASSFILE names, not in URL.

    Exit status 0 when it can be used, 2 where it cannot, 8 where it does not answer.
    """
    health = api.prepare_journal(options, lease=lease)
    queue = " and a queue" if awaited(api.prepare_queue(options)) else ""
    click.echo(
        f"{health.place}: a journal{queue}, version {health.tables}; a lease lasts {health.lease or 0:g} s"
    )
    return _judged(health)


@command.command("check", short_help="Check that a journal on PostgreSQL can be relied on.")
@_of_a_place
@flags.as_json
def check(*, options: "api.Options", as_json: bool) -> int:
    """Check the journal at URL, or that of --journal: reachable, safe, its clock, and who leads which batch.

    Changes nothing.

    Exit status 0 when it can be used, 2 where it cannot, 8 where it does not answer.
    """
    health = api.journal_health(options)
    if as_json:
        click.echo(json.dumps(_told_of(health), ensure_ascii=False))
    else:
        for line in _health_lines(health):
            click.echo(line)
    return _judged(health)


@command.command("copy", short_help="Copy a whole journal into another one, where it goes on.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@flags.output
def copy(*, source: str, target: str, output: Path) -> int:
    """Copy a whole journal: FROM and TO are each an output folder, or a URL of PostgreSQL.

    Everything is copied or nothing, and what was written is read back and compared. The batches then go on
    in TO, and a run of one of them in FROM is refused. Files of assets stay where they are.

    Exit status 0 when all is copied, 2 where there is nothing or TO has some of it, 6 while a run holds a
    batch, 8 where a database does not answer.
    """
    environ = flags.environ()
    for number, place in enumerate((source, target)):
        current().learn({f"JOURNAL_{number}": place})  # a password in it is shown no more than another
    copied = api.copy_journal(
        api.Options(manifest=Path(), output=output, environ=environ), source=source, target=target
    )
    what = [
        counted(copied.slots, "slot"),
        counted(copied.records, "record"),
        counted(copied.events, "event"),
        counted(copied.submissions, "submission"),
    ]
    click.echo(f"copied {', '.join(what)}: {', '.join(copied.batches)}")
    return Exit.DONE


def _judged(health: "api.Health") -> int:
    """Say what is wrong with it, and return the exit status."""
    problems = list(health.problems())
    for text in problems:
        current().say(f"{health.place}: {text}", "error")
    for text in health.warnings():
        current().say(f"warning: {health.place}: {text}", "warning")
    return Exit.INPUT if problems else Exit.DONE


def _health_lines(health: "api.Health") -> Iterator[str]:
    what = "no journal yet" if health.tables is None else f"a journal of version {health.tables}"
    yield f"{health.place}: PostgreSQL {health.server}, {what}"
    yield f"  fsync {health.fsync}, synchronous_commit {health.synchronous_commit}"
    took = f"{health.round_trip * 1000:.1f} ms"
    yield f"  clock {health.offset:+.3f} s against this machine's; a question takes {took}"
    if health.lease is not None:
        yield f"  a lease lasts {health.lease:g} s"
    for one in health.leaders:
        state = f"is led for {one.left:.0f} s more" if one.left > 0 else "is led by nobody, last"
        waits = "; another run stands by" if one.stands_by else ""
        yield f"  {clean(one.batch)} {state} by {clean(one.holder)}, epoch {one.epoch}{waits}"


def _told_of(health: "api.Health") -> dict[str, object]:
    problems = list(health.problems())
    status = int(Exit.INPUT if problems else Exit.DONE)
    return {"exit": status, **asdict(health), "problems": problems, "warnings": list(health.warnings())}


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
