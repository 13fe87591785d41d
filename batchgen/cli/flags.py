"""The flags that several commands share, and how their words become values."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from batchgen import api
from batchgen.cli.log import JSON, TEXT, current

F = TypeVar("F", bound=Callable[..., Any])


class RateType(click.ParamType["api.Rate"]):
    """``100/min``, ``5/s``, ``6000/h``, or ``none``."""

    name = "N/UNIT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "api.Rate":
        """Read the text; click shows what is wrong with it."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # click converts defaults twice
        try:
            return api.parse_rate(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class DurationType(click.ParamType[float]):
    """``90s``, ``45m``, ``2h`` or seconds; gives seconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text; click shows what is wrong with it."""
        if not isinstance(value, str):
            return float(value)
        try:
            return api.parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class UnitsType(click.ParamType[Decimal]):
    """Compute units, from 0."""

    name = "UNITS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Read the number; click shows what is wrong with it."""
        try:
            amount = Decimal(str(value))
        except ArithmeticError:
            amount = Decimal(-1)
        if not (amount.is_finite() and amount >= 0):
            self.fail(f"{value!r} is not a number of compute units, such as 1500 or 7.25", param, ctx)
        return amount


class FailuresType(click.ParamType["int | float"]):
    """``5`` jobs, or ``10%`` of them; gives a number or a share."""

    name = "N|N%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Read the text; click shows what is wrong with it."""
        text = str(value).strip()
        number = text.removesuffix("%")
        if not (number.isascii() and number.isdigit() and int(number) >= 1):
            self.fail(f"{text!r}: write a number of jobs from 1, or a share such as 10%", param, ctx)
        if text == number:
            return int(number)
        return min(int(number), 100) / 100


class PeriodType(click.ParamType[str]):
    """``hour``, ``day``, ``week``, ``month`` or a name."""

    name = "hour|day|week|month|NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the name; click shows what is wrong with it."""
        if wrong := api.wrong_with_period(str(value)):
            self.fail(f"{str(value)!r} cannot name a period: {wrong}", param, ctx)
        return str(value)


manifest = click.argument("manifest", type=click.Path(path_type=Path, exists=False))
target = click.argument("manifest", type=click.Path(path_type=Path, exists=False), metavar="TARGET")
some_target = click.argument("target", required=False, metavar="[TARGET]")
output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("output"),
    show_default=True,
    help="Folder of the journal, with a folder a batch.",
)
journal = click.option(
    "--journal",
    metavar="URL",
    help="A journal on PostgreSQL, as postgresql://USER@HOST/DATABASE, in place of the file in the output "
    "folder. [default: what BATCHGEN_JOURNAL says]",
)
simulate = click.option(
    "--simulate", is_flag=True, help="Rehearse against a simulated service; nothing is spent."
)
project = click.option("--project", metavar="ID", help="Scenario project; overrides the manifest's.")
max_jobs = click.option(
    "--max-jobs",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Refuse a manifest of more jobs.",
)
offline = click.option(
    "--offline", is_flag=True, help="Ask the service nothing; models and their inputs are not checked."
)
period = click.option(
    "--period",
    type=PeriodType(),
    help="Buy once an hour, a day, a week or a month, or once under this NAME; overrides the manifest's.",
)
slot = click.option(
    "--slot",
    metavar="SLOT",
    help="A slot other than the current one; see status. `run` begins one that was missed.",
)
rehearsal = click.option("--simulate", is_flag=True, help="The run is a rehearsal.")
slot_of_run = click.option("--slot", metavar="SLOT", help="Only if the run is in this slot.")
limit = click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Buy N jobs at most, the first ones; a chain counts as one.",
)
sample = click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Buy N jobs at most, spread over all; a chain counts as one.",
)
budget = click.option(
    "--budget",
    type=UnitsType(),
    help="Most compute units to spend on the batch; replaces the manifest's total.",
)
show_all = click.option("--all", "show_all", is_flag=True, help="Show each job, however many there are.")
CREDENTIALS = "credentials"  # under which the context keeps where they are from
ALLOWED = ("renamed", "other-project", "shared-batch", "no-listing", "unfinished-slot")
allow = click.option(
    "--allow",
    type=click.Choice(ALLOWED),
    multiple=True,
    callback=lambda _ctx, _param, value: frozenset(value),
    help="Pass a guard that stopped a run; its message names the word and the risk. May be repeated.",
)
_SELECTING: tuple[Callable[[Any], Any], ...] = (
    click.argument("job", nargs=-1, metavar="[JOB]..."),
    click.option(
        "--only",
        multiple=True,
        metavar="WORD",
        help="Only these jobs: an id or a pattern such as 'tower-*', tag:T, entry:E, model:M, status:S, "
        "mark:M, NAME=VALUE of a variable, or @FILE with a word a line. Repeated: any of them; with commas: "
        "all.",
    ),
    click.option("--except", "without", multiple=True, metavar="WORD", help="Not these, in the same words."),
)
NO_JOBS = "name the jobs: JOB, or --only"


def _read_stdin() -> bytes:
    return sys.stdin.buffer.read()


def selecting_in_some(command: F) -> F:
    """Return a command the words that select jobs: ``selection``."""

    @wraps(command)
    def with_selection(
        *, job: Sequence[str], only: Sequence[str], without: Sequence[str], **words: Any
    ) -> Any:
        return command(selection=api.selection_of(job, only, without, stdin=_read_stdin), **words)

    flagged: Any = with_selection
    for flag in reversed(_SELECTING):
        flagged = flag(flagged)
    return flagged  # type: ignore[no-any-return]  # the command, with other arguments


def selecting(command: F) -> F:
    """Return a command of a batch the same; they become the selection of its ``options``."""

    @wraps(command)
    def with_options(*, options: "api.Options", selection: "api.JobSelection", **words: Any) -> Any:
        return command(options=replace(options, selection=selection), **words)

    flagged: Any = selecting_in_some(with_options)
    return flagged  # type: ignore[no-any-return]  # the command, with other arguments


def selecting_by_flags(command: F) -> F:
    """Return a command of a batch ``--only`` and ``--except``, where other words stand behind TARGET."""

    @wraps(command)
    def with_options(
        *, options: "api.Options", only: Sequence[str], without: Sequence[str], **words: Any
    ) -> Any:
        selection = api.selection_of((), only, without, stdin=_read_stdin)
        return command(options=replace(options, selection=selection), **words)

    flagged: Any = with_options
    for flag in reversed(_SELECTING[1:]):
        flagged = flag(flagged)
    return flagged  # type: ignore[no-any-return]  # the command, with other arguments


quiet = click.option("-q", "--quiet", is_flag=True, help="Show nothing but problems.")
as_json = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, help="Write JSON to standard output."
)


def _one_stdout(ctx: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    if value == Path("-") and ctx.params.get("as_json"):
        raise click.UsageError("--events - and --json both want standard output: give --events a file")
    return value


def _log_to(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Begin the log as soon as its words are read: what is wrong with others is a line of it."""
    log = current()
    match param.name:
        case "log_format":
            log.is_json = value == JSON
        case "verbose":
            log.shows_requests = value
        case _:
            if value == Path("-"):
                raise click.BadParameter(f"name a file; {_TO_STDERR}", ctx=ctx, param=param)
            if value is not None:
                log.add_file(value)


_TO_STDERR = "--log-format json writes the lines to standard error"
_LOGGING: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--log-format",
        type=click.Choice([TEXT, JSON]),
        default=TEXT,
        show_default=True,
        is_eager=True,
        expose_value=False,
        callback=_log_to,
        help="What is on standard error: text for people, or a line of JSON for everything that happens.",
    ),
    click.option(
        "--log-file",
        type=click.Path(path_type=Path),
        metavar="PATH",
        is_eager=True,
        expose_value=False,
        callback=_log_to,
        help="Add the same lines of JSON to a file, which logrotate may move or cut.",
    ),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_log_to,
        help="Show each request to the service, without what is secret.",
    ),
)


def logging(command: F) -> F:
    """Return a command the words that say where its log goes; ``log.current`` is the log."""
    flagged: Any = command
    for flag in reversed(_LOGGING):
        flagged = flag(flagged)
    return flagged  # type: ignore[no-any-return]  # the command, with more words


events = click.option(
    "--events",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE|-",
    callback=_one_stdout,
    help="Add a line of JSON for everything that happens to FILE, or write it to standard output.",
)


def of_a_batch(command: F) -> F:
    """Return a command the arguments that say which batch it is of, by its manifest: ``options``."""
    return _with_options(command, manifest, _of_a_batch)


def of_a_target(command: F) -> F:
    """Return a command that buys nothing the same; a batch's name stands for its manifest."""
    return _with_options(command, target, _of_a_batch)


def of_a_run(command: F) -> F:
    """Return a command the arguments that say which run it is for: ``options``."""
    return _with_options(command, target, (rehearsal, slot_of_run, project, journal, output))


_of_a_batch = (max_jobs, simulate, slot, period, project, journal, output)


def _with_options(command: F, argument: Callable[[Any], Any], given: Sequence[Callable[[Any], Any]]) -> F:
    @wraps(command)
    def with_options(*, manifest: Path, **words: Any) -> Any:
        named = {name: words.pop(name) for name in _OPTIONS if name in words}
        period = named.get("period")
        if named["slot"] is not None and period is not None and not api.is_calendar(period):
            raise click.UsageError("--slot and --period NAME cannot be given together")
        log, address = current(), words.pop("journal")
        options = api.Options(
            manifest=manifest,
            environ=environ(manifest, journal=address),
            journal_address=address,
            output_chosen=output_is_chosen(),
            on_request=log.asked if log.shows_requests else None,
            **named,
        )
        if argument is target:
            options = replace(options, manifest=api.manifest_meant(options))
        return command(options=options, **words)

    flagged: Any = with_options
    for flag in (*given, argument):
        flagged = flag(flagged)
    return flagged  # type: ignore[no-any-return]  # the command, with other arguments


_OPTIONS = ("output", "project", "period", "slot", "simulate", "max_jobs")


def journal_line(options: "api.Options") -> str:
    """Say which journal is in use: another folder has another one."""
    return f"journal: {options.journal}{'' if options.journal.exists() else ' (not there yet)'}"


def output_is_chosen() -> bool:
    """Return whether the output folder was named on the command line."""
    source = click.get_current_context().get_parameter_source("output")
    return source is not click.core.ParameterSource.DEFAULT


def environ(manifest: Path | None = None, *, journal: str | None = None) -> dict[str, str]:
    """Return the environment with what ``.env`` files add: the current folder's, then that beside a manifest.

    Where its credentials are from is kept for the message of a run that they do not let through.

    Args:
        manifest: the file beside which there may be one.
        journal: the address of ``--journal``, which stands for that of the environment: a password in it is
            shown no more than one that is there.
    """
    try:
        folder = Path.cwd()
    except OSError as error:
        raise click.UsageError("the current folder is gone; change to one that is there") from error
    beside = [] if manifest is None else [(folder / manifest.parent).resolve()]
    found = api.environment(os.environ, folder, *(one for one in beside if not _is_same(one, folder)))
    click.get_current_context().find_root().ensure_object(dict)[CREDENTIALS] = found.told
    if journal is not None:
        found[api.JOURNAL_NAME] = journal
    current().learn(found)
    return found


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # it is not there
        return False
