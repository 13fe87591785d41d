"""``run --enqueue``: the flags of it, and what it says."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

import click

from batchgen import api
from batchgen.cli.awaited import awaited
from batchgen.cli.log import current
from batchgen.exits import Exit

F = TypeVar("F", bound=Callable[..., Any])

_NOT_TWICE = (
    "a queue may deliver a batch twice, and each time this would buy anew: run it yourself, without --enqueue"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the words say of the queue.

    Attributes:
        is_asked: whether the batch is to be enqueued.
        queue: its name; empty for the usual one.
        every: five fields of cron; empty for once.
    """

    is_asked: bool
    queue: str
    every: str


def of_a_run(command: F) -> F:
    """Return a command of a run ``--enqueue`` and what belongs to it: ``asked``."""

    @wraps(command)
    def with_asked(*, enqueue: bool, queue: str | None, every: str | None, **words: Any) -> Any:
        if not enqueue and (queue is not None or every is not None):
            raise click.UsageError("--queue and --every go with --enqueue")
        asked = Asked(is_asked=enqueue, queue=queue or "", every=every or "")
        return command(asked=asked, **words)

    flagged: Any = with_asked
    for flag in reversed(_FLAGS):
        flagged = flag(flagged)
    return flagged  # type: ignore[no-any-return]  # the command, with other arguments


_FLAGS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--enqueue",
        is_flag=True,
        help="Let a worker lead the batch, see worker run, and return at once.",
    ),
    click.option("--queue", metavar="NAME", help="With --enqueue: whose workers. [default: batchgen]"),
    click.option(
        "--every",
        metavar="TIMES",
        help='With --enqueue: once more at these times, five fields of cron such as "0 3 * * *".',
    ),
)


def refuse_what_a_queue_cannot(options: "api.Options", *, dry_run: bool, collect_only: bool) -> None:
    """Refuse what would be bought once more with each delivery, or is not a batch's to say.

    Raises:
        UsageError: names the flag.
    """
    again = {
        "--fresh": options.fresh,
        "--retry-failed": options.retry_failed,
        "--limit": options.limit is not None and not collect_only,
        "--sample": options.sample is not None,
    }
    of_worker = {
        "--simulate": options.simulate,
        "--standby": options.standby,
        "--wait-lock": bool(options.wait_lock),
        "--max-duration": options.max_duration is not None,
        "--dry-run": dry_run,
        "--collect-only": collect_only,
        "JOB, --only and --except": bool(options.selection),
    }
    for name, given in again.items():
        if given:
            raise click.UsageError(f"{name} and --enqueue cannot be given together: {_NOT_TWICE}")
    for name, given in of_worker.items():
        if given:
            raise click.UsageError(f"{name} cannot be given with --enqueue: a worker leads the whole batch")


def enqueue(options: "api.Options", asked: Asked, *, as_json: bool, quiet: bool) -> int:
    """Put the batch into the queue and say so.

    Raises:
        UsageError: it is to be led at set times in one slot.
    """
    if asked.every and options.slot is not None:
        raise click.UsageError("--slot and --every cannot be given together: each time has its own slot")
    rung = awaited(api.enqueue(options, queue=asked.queue or api.QUEUE, every=asked.every))
    if as_json:
        told = {
            "batch": rung.batch,
            "queue": rung.queue,
            "before": rung.before,
            "waits": rung.waits,
            "due": rung.due,
            "exit": int(Exit.DONE),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    if quiet:
        return Exit.DONE
    say = current().say
    if rung.before is api.Wait.WANTED:
        say(f"{rung.batch}: was in the queue {rung.queue!r} already; this replaces what was asked before")
    else:
        say(f"{rung.batch}: in the queue {rung.queue!r}; a worker leads it")
    if rung.due is not None:
        say(f"  once more at {datetime.fromtimestamp(rung.due, UTC):%Y-%m-%d %H:%M} UTC, and so on")
    say("  how it goes: batchgen worker list; batchgen status")
    return Exit.DONE
