"""``batchgen worker``: processes that lead the batches of a queue."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO, cast

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.cli.log import current
from batchgen.cli.signals import caught
from batchgen.cli.streams import Headed
from batchgen.exits import Exit
from batchgen.formats import clean, counted, stamp


@click.group("worker", short_help="Lead the batches that were enqueued, and show who does.")
def command() -> None:
    """Lead the batches that `run --enqueue` puts into a queue, on as many hosts as you like."""


def _of_a_pool(*, output: Path, journal: str | None) -> "api.Options":
    return api.Options(
        manifest=Path(),
        output=output,
        output_chosen=flags.output_is_chosen(),
        environ=flags.environ(journal=journal),
        journal_address=journal,
    )


@command.command("run", short_help="Lead batches as they come, until it is stopped.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1, max=64),
    default=1,
    show_default=True,
    metavar="N",
    help="Batches led at once. They share the account's rate: more are not quicker.",
)
@click.option(
    "--queues",
    metavar="NAME,...",
    default="batchgen",
    show_default=True,
    help="The queues it listens to.",
)
@click.option(
    "--drain-timeout",
    type=flags.DurationType(),
    default=f"{time_limits.DRAIN_UNSEEN}s",
    show_default=True,
    help="After SIGTERM, collect for this long at most.",
)
@flags.output
@flags.journal
@flags.quiet
@flags.logging
def run(
    *,
    concurrency: int,
    queues: str,
    drain_timeout: float,
    output: Path,
    journal: str | None,
    quiet: bool,
) -> int:
    """Lead each batch that is enqueued, from its first job to its results, until a signal comes.

    Whoever dies is taken over: its batches go on with another worker. Credentials are those of this
    process's environment, results are in its output folder. SIGTERM or Ctrl-C once: take no more, drain what
    is led, and end with 0; another worker goes on with it. Twice: leave at once.
    """
    named = [one for one in (part.strip() for part in queues.split(",")) if one]
    if not named:
        raise click.UsageError("--queues: name one")
    log, interrupts = current(), api.Interrupts()
    log.is_quiet = quiet
    options = replace(_of_a_pool(output=output, journal=journal), drain_timeout=drain_timeout)
    mode = log.mode({**options.environ, "TERM": "dumb"})  # several at once do not draw one picture

    def audience(batch: str) -> "api.Audience":
        kept = log.pass_on if log.is_kept else None
        stream = cast("TextIO", Headed(log.stream(mode), f"{batch}: "))
        return api.Audience(stream, mode, log=kept)

    async def work() -> None:
        with caught(interrupts):
            await api.work(
                options, interrupts, queues=named, room=concurrency, audience=audience, say=log.say
            )

    awaited(work())
    return interrupts.exit or Exit.DONE


@command.command("list", short_help="Show who works, what is led, and what waits.")
@flags.output
@flags.journal
@flags.as_json
def list_(*, output: Path, journal: str | None, as_json: bool) -> int:
    """Show the workers, what they lead and since when, what waits, and what needs you. Changes nothing."""
    pool = awaited(api.pool(_of_a_pool(output=output, journal=journal)))
    if as_json:
        click.echo(json.dumps(_document(pool), ensure_ascii=False))
    else:
        for line in _lines(pool):
            click.echo(line)
    return Exit.DONE


@command.command("remove", short_help="Take a batch out of the queue, with its times.")
@click.argument("batch")
@flags.output
@flags.journal
def remove(*, batch: str, output: Path, journal: str | None) -> int:
    """Take BATCH out of the queue, and forget the times at which it was to be led.

    A run of it that goes on is not stopped: see control drain. What is paid for stays on record.
    """
    if not awaited(api.remove(_of_a_pool(output=output, journal=journal), batch)):
        raise click.ClickException(f"no batch {batch!r} is in the queue; see batchgen worker list")
    click.echo(f"{clean(batch)}: taken out of the queue")
    return Exit.DONE


def _lines(pool: "api.Pool") -> Iterator[str]:
    yield counted(len(pool.workers), "worker")
    for one in pool.workers:
        led = [batch for batch, leader in pool.leaders.items() if leader.holder == str(one)]
        silent = f", silent for {pool.now - one.seen_at:.0f} s" if one in pool.silent else ""
        yield (
            f"  {clean(str(one))}, since {stamp(one.began_at)}, {', '.join(map(clean, one.queues))}: "
            f"{len(led)} of {one.room}{silent}"
        )
    parts = {
        "is led": [one for one in pool.batches if one.batch in pool.leaders],
        "waits": [one for one in _not_led(pool) if one.state is api.Wait.WANTED],
        "needs you": [one for one in _not_led(pool) if one.state is api.Wait.STOPPED],
        "is done": [one for one in _not_led(pool) if one.state is api.Wait.DONE],
    }
    for words, batches in parts.items():
        for batch in batches:
            yield f"{clean(batch.batch)} {words}{_details(pool, batch)}"

    known = {one.batch for one in pool.batches}
    for name, leader in pool.leaders.items():
        if name not in known:
            yield f"{clean(name)} is led by {clean(leader.holder)}; not from the queue"


def _not_led(pool: "api.Pool") -> "list[api.Enqueued]":
    return [one for one in pool.batches if one.batch not in pool.leaders]


def _details(pool: "api.Pool", one: "api.Enqueued") -> str:
    parts = []
    if leader := pool.leaders.get(one.batch):
        parts.append(f"by {clean(leader.holder)}")
    elif one.state is api.Wait.WANTED:
        if one.again_at is not None and one.again_at > pool.now:
            parts.append(f"until {stamp(one.again_at)}")
        elif one.batch in pool.rings:
            parts.append("for a worker with room")
        parts.append(f"asked by {clean(one.asked_by)}")
    if one.exit is not None:
        why = f": {clean(one.reasons[0])}" if one.reasons else ""
        parts.append(f"ended last with {one.exit} at {stamp(one.ended_at or 0.0)}{why}")
    if one.due is not None:
        parts.append(f"asked for next at {stamp(one.due)} ({clean(one.every)})")
    return f" {'; '.join(parts)}" if parts else ""


def _document(pool: "api.Pool") -> dict[str, Any]:
    return {
        "at": pool.now,
        "workers": [
            {**asdict(one), "silent": one in pool.silent, "leads": _led_by(pool, str(one))}
            for one in pool.workers
        ],
        "batches": [
            {
                "batch": one.batch,
                "queue": one.queue,
                "state": "led" if one.batch in pool.leaders else str(one.state),
                "leader": pool.leaders[one.batch].holder if one.batch in pool.leaders else None,
                "rings": one.batch in pool.rings,
                "asked_at": one.asked_at,
                "asked_by": one.asked_by,
                "exit": one.exit,
                "reasons": list(one.reasons),
                "ended_at": one.ended_at,
                "again_at": one.again_at,
                "every": one.every or None,
                "due": one.due,
            }
            for one in pool.batches
        ],
    }


def _led_by(pool: "api.Pool", who: str) -> Sequence[str]:
    return [batch for batch, leader in pool.leaders.items() if leader.holder == who]
