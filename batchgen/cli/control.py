"""``batchgen control``: what can be ordered of a run that goes on."""

import json
import time
from collections.abc import Callable, Sequence

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited
from batchgen.errors import BatchLockedError, NoRunError
from batchgen.exits import Exit
from batchgen.formats import moment

_PATIENCE = 20  # looks for whoever has a batch
_GLANCE = 0.5  # seconds between two


@click.group("control", short_help="Change, pause, resume or drain a running batch.")
def command() -> None:
    """Change, pause, resume or drain a running batch, from another terminal or container.

    A run is told by its manifest, and by -o, --project, --slot and --simulate as it was begun.
    """


@command.command("set", short_help="Change the limits of a run: jobs in flight, rate, budget.")
@flags.of_a_run
@click.argument("setting", nargs=-1, required=True, metavar="KEY=VALUE...")
@flags.as_json
def set_command(*, options: "api.Options", setting: Sequence[str], as_json: bool) -> int:
    """Change the limits of the run of TARGET while it is running.

    \b
    in_flight=4   most jobs at the service at once; auto leaves it to the service
    rate=60/min   requests to the service; none sends them as they come
    budget=800    compute units that the batch may cost in all; none for no limit

    It holds for this run only: the next one reads the manifest again. A budget below what is
    spent buys no more, and the run ends with exit status 5 when what runs is collected.

    Exit status 0 when the run goes by it, 2 where no run is under way, 8 where it does not answer.
    """  # noqa: D301 - the mark is click's: it keeps the lines as they are
    try:
        orders = api.read_settings(setting)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="KEY=VALUE") from error
    return _give(options, orders, as_json=as_json)


@command.command("pause", short_help="Pause a run.")
@flags.of_a_run
@flags.as_json
def pause_command(*, options: "api.Options", as_json: bool) -> int:
    """Pause the run of TARGET: it submits no more jobs until it is resumed.

    What runs at the service is watched and collected meanwhile. The run does not end, however
    long it takes, before `batchgen control resume`, `batchgen control drain`
    or Ctrl-C.

    Exit status 0 when it is paused, 2 where no run is under way, 8 where it does not answer.
    """
    return _give_word("pause", options, as_json=as_json)


@command.command("resume", short_help="Resume a paused run.")
@flags.of_a_run
@flags.as_json
def resume_command(*, options: "api.Options", as_json: bool) -> int:
    """Resume the run of TARGET after a pause.

    Exit status 0 when it goes on, 2 where no run is under way or it is stopping, 8 where it does
    not answer.
    """
    return _give_word("continue", options, as_json=as_json)


@command.command("drain", short_help="Stop a run after it has collected what is paid for.")
@flags.of_a_run
@flags.as_json
def drain_command(*, options: "api.Options", as_json: bool) -> int:
    """Stop the run of TARGET after it has collected what is paid for.

    As one Ctrl-C does, from elsewhere and without a limit of time; the run ends with exit
    status 8 where jobs are left, and `batchgen run` goes on with them.

    Exit status 0 when it stops, 2 where no run is under way, 8 where it does not answer.
    """
    return _give_word("drain", options, as_json=as_json)


def _give_word(name: str, options: "api.Options", *, as_json: bool) -> int:

    return _give(options, [api.Order(name)], as_json=as_json)


def _give(options: "api.Options", orders: "Sequence[api.Order]", *, as_json: bool) -> int:
    """Return the orders and show what becomes of them."""
    return show(awaited(api.order(options, orders)), orders, as_json=as_json)


def done_or_ordered(
    do: Callable[[], int],
    options: "api.Options",
    orders: "Callable[[], Sequence[api.Order]]",
    *,
    as_json: bool,
) -> int:
    """Do something with a batch, or order it of the run that has it, and give the exit status.

    Whoever has the batch for a moment alone is waited for. With ``--wait-lock`` nothing is ordered: the run
    is waited for.

    Args:
        do: does it, or finds that the batch is held.
        options: which batch.
        orders: says the same as orders.
        as_json: write a document of what the run said.

    Raises:
        BatchLockedError: it is held all the time, and by no run, or longer than is to be waited.
    """
    if options.wait_lock:
        return do()
    for _ in range(_PATIENCE):
        try:
            return do()
        except BatchLockedError:
            given = orders()
            try:
                return show(awaited(api.order(options, given)), given, as_json=as_json)
            except NoRunError:
                time.sleep(_GLANCE)  # it ends in this moment, or goes into another round
    return do()


def show(reply: "api.Reply", orders: "Sequence[api.Order]", *, as_json: bool) -> int:
    """Write what the run said to standard output and what did not work beside it; give the exit status."""
    met = Exit.DONE if all(one.met for one in reply.answers) else Exit.INPUT
    status = met if reply.answers else Exit.REMAINS
    if as_json:
        click.echo(json.dumps(_document(reply, orders, status), ensure_ascii=False))
    for answer in reply.answers:
        if not (answer.met and as_json):
            click.echo(f"{reply.run.scope.batch}: {answer.said}", err=not answer.met)
    if not reply.answers:
        click.echo(f"batchgen: {_silence(reply)}", err=True)
    return status


def _silence(reply: "api.Reply") -> str:
    return (
        f"the run of {reply.run.scope.batch!r} ({reply.run}) has not taken the order, which is withdrawn: "
        "it is suspended, or busy; try again"
    )


def _document(reply: "api.Reply", orders: "Sequence[api.Order]", status: int) -> dict[str, object]:

    run = reply.run
    answers: Sequence[api.Answer | None] = reply.answers or [None] * len(orders)
    return {
        "batch": run.scope.batch,
        "slot": run.scope.slot,
        "exit": status,
        "run": {"pid": run.pid, "host": run.host, "began_at": moment(run.began_at)},
        "orders": [
            {
                "order": order.name,
                "value": order.value or None,
                "met": answer is not None and answer.met,
                "said": None if answer is None else answer.said,
            }
            for order, answer in zip(orders, answers, strict=True)
        ],
    }
