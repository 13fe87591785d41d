"""The flags that bound how long a command runs, drains, and waits for its batch."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.log import current

F = TypeVar("F", bound=Callable[..., Any])

DRAIN_UNSEEN = 25  # seconds: Kubernetes leaves 30 after SIGTERM, and results are to be written in the rest


class SomeTime(flags.DurationType):
    """A duration of more than nothing."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text; click shows what is wrong with it."""
        seconds = super().convert(value, param, ctx)
        if seconds <= 0:
            self.fail(f"{value!r} leaves no time for anything; --collect-only buys nothing", param, ctx)
        return seconds


max_duration = click.option(
    "--max-duration",
    type=SomeTime(),
    help="Submit no more once the command has taken this long, waiting included; collect, and end with 8 if "
    "work remains.",
)


def wait_lock(command: F) -> F:
    """Return a command that holds a batch ``--wait-lock``, in its ``options``."""

    @wraps(command)
    def with_wait(*, options: "api.Options", wait_lock: float, **words: Any) -> Any:
        options = replace(options, wait_lock=wait_lock, on_wait=current().say)
        return command(options=options, **words)

    flag = click.option(
        "--wait-lock",
        type=flags.DurationType(),
        default=0.0,
        help="Wait up to this long for another run of the batch to end. [default: not at all]",
    )
    waiting: Any = flag(with_wait)
    return waiting  # type: ignore[no-any-return]  # the command, with another argument


def standby(command: F) -> F:
    """Return a command of a run ``--standby``, in its ``options``."""

    @wraps(command)
    def with_standby(*, options: "api.Options", standby: bool, **words: Any) -> Any:
        if standby and options.wait_lock:
            raise click.UsageError("--standby waits as long as it takes: not with --wait-lock")
        return command(options=replace(options, standby=standby), **words)

    flag = click.option(
        "--standby",
        is_flag=True,
        help="Wait for another run of the batch as long as it takes, and take over when it ends or is gone.",
    )
    waiting: Any = flag(with_standby)
    return waiting  # type: ignore[no-any-return]  # the command, with another argument


def of_a_run(command: F) -> F:
    """Return a command the arguments that bound how long it runs, drains and waits, in its ``options``."""

    @wraps(command)
    def with_limits(
        *, options: "api.Options", drain_timeout: float | None, max_duration: float | None, **words: Any
    ) -> Any:
        if drain_timeout is None and not sys.stderr.isatty():
            drain_timeout = DRAIN_UNSEEN
        options = replace(options, drain_timeout=drain_timeout, max_duration=max_duration)
        return command(options=options, **words)

    flag = click.option(
        "--drain-timeout",
        type=flags.DurationType(),
        help="After Ctrl-C, SIGTERM or --max-duration, collect for this long at most. "
        f"[default: no limit on a terminal, else {DRAIN_UNSEEN}s]",
    )
    limited: Any = max_duration(flag(wait_lock(with_limits)))
    return limited  # type: ignore[no-any-return]  # the command, with other arguments
