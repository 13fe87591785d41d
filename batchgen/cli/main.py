"""The command group and the border where errors become messages and exit statuses.

Command modules are loaded when they are named: ``--help`` pays for none of the libraries.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from batchgen import __version__, api
from batchgen.cli import flags
from batchgen.cli.log import LOG, Log, wants_json
from batchgen.errors import BatchgenError, InputError, Problem, TransitionError
from batchgen.exits import Exit, status_of

# What --help shows, in groups; a test holds the words against the commands' own.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "A batch": {
        "init": "Write a commented manifest to start from.",
        "validate": "Check a manifest without buying anything.",
        "plan": "Show what a run would do, job by job, and why.",
        "run": "Generate what a manifest lists; run it again to continue.",
        "control": "Change, pause, resume or drain a running batch.",
        "status": "Show where the batches of an output folder stand.",
        "report": "Write the page of what came out, of all jobs or some.",
        "cron": "Print what makes a machine run a manifest at set times.",
        "worker": "Lead the batches that were enqueued, and show who does.",
    },
    "Choosing": {
        "mark": "Say which of what came out is kept or rejected.",
        "redo": "Make another one of what is there, for a new charge.",
        "restore": "Give jobs back what they had before, for nothing.",
        "export": "Copy the current files under other names, with a mapping.",
    },
    "What was bought": {
        "cost": "Show what was charged and what came back.",
        "audit": "Check the journal against the service and the disk.",
        "resolve": "Decide about jobs that may have been paid for.",
        "retry": "Try jobs again that failed, each for a new charge.",
        "journal": "Rebuild a lost journal, or keep it on PostgreSQL.",
    },
    "The service": {
        "models": "Find models, and show the inputs of one.",
        "schema": "Print the JSON Schema of a manifest, for editors, or of results.json.",
        "simulate": "Serve a Scenario-like API on this machine, for rehearsals.",
    },
}
# Commands of before, which go on working and are not shown: what each is now called.
HIDDEN: Mapping[str, str] = {"accept": "restore", "forget": "restore --undo"}
COMMANDS: Mapping[str, str] = {name: text for group in GROUPS.values() for name, text in group.items()}

# Names of before, which go on working and are not shown: each with its group, and its name there.
ALIASES: Mapping[str, tuple[str, str]] = {
    "set": ("control", "set"),
    "pause": ("control", "pause"),
    "continue": ("control", "resume"),
    "drain": ("control", "drain"),
    "recover": ("journal", "rebuild"),
}

EXAMPLES: Mapping[str, str] = {
    "init": "batchgen init spring.yaml",
    "validate": "batchgen validate jobs.yaml",
    "plan": "batchgen plan jobs.yaml --simulate",
    "run": "batchgen run jobs.yaml --budget 800",
    "control": "batchgen control set jobs.yaml in_flight=4 budget=800",
    "status": "batchgen status -o output",
    "report": "batchgen report jobs.yaml --only tag:cover --open",
    "cron": "batchgen cron jobs.yaml --at '0 3 * * *' --systemd",
    "worker": "batchgen worker run -o output",
    "mark": "batchgen mark jobs.yaml kept tower --note 'for the cover'",
    "redo": "batchgen redo jobs.yaml --only mark:rejected",
    "restore": "batchgen restore jobs.yaml tower",
    "export": "batchgen export jobs.yaml --to game/icons '{rarity}/{name}' --mapping icons.csv",
    "cost": "batchgen cost --by day --since 2026-05-01",
    "audit": "batchgen audit jobs.yaml --fix",
    "resolve": "batchgen resolve jobs.yaml --absent tower",
    "retry": "batchgen retry jobs.yaml tower",
    "journal": "batchgen journal rebuild jobs.yaml",
    "models": "batchgen models flux",
    "schema": "batchgen schema > batchgen.schema.json",
    "simulate": "batchgen simulate --port 8080",
}

EPILOG = """\b
Exit status:
  0  everything wanted is done
  1  a bug, or the disk
  2  the manifest or the command line is wrong, or a guard stopped it; nothing was spent
  3  finished; some jobs failed, gave nothing, or have files that are lost
  4  credentials or plan do not allow it: everything, one of the models, or the list of jobs
  5  stopped by the budget, or out of credits
  6  another run holds this batch
  7  your decision is needed: jobs that are held, or what audit or cost --reconcile found
  8  work remains (interrupted, files or assets missing, a price not told, service not
     reached): run the same command to continue
  130, 143  a second Ctrl-C or SIGTERM cut the collecting short

Credentials come from SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or from a .env file
in the current folder, else beside the manifest; SCENARIO_BASE_URL points to another service,
BATCHGEN_JOURNAL to a journal on PostgreSQL.
"""


_REMAINS = "run the same command again; what is on record stays"


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ALIASES:
            group, name = ALIASES[cmd_name]
            found = self.get_command(ctx, group)
            assert isinstance(found, click.Group)
            return found.get_command(ctx, name)
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        command: click.Command = import_module(f"batchgen.cli.{cmd_name}").command
        command.epilog = _epilog(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()), col_max=10)


def _epilog(name: str) -> str:
    return f"Today: batchgen {HIDDEN[name]}" if name in HIDDEN else f"Example: {EXAMPLES[name]}"


@click.group(
    cls=_Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="batchgen")
def batchgen() -> None:
    """Generate everything that a YAML manifest lists, with the Scenario API.

    Nothing is paid twice and nothing paid is lost, whatever dies in between.
    """


def run(arguments: Sequence[str]) -> int:
    """Do what the words say and give the exit status."""
    log = Log(os.environ, is_json=wants_json(arguments))
    known: dict[str, Any] = {LOG: log}
    sys.excepthook = log.take_bug
    try:
        return _run(arguments, known, log)
    finally:
        log.close()


def _run(arguments: Sequence[str], known: dict[str, Any], log: Log) -> int:
    try:
        status = batchgen.main(args=list(arguments), prog_name="batchgen", standalone_mode=False, obj=known)
    except click.ClickException as error:
        if not log.is_json:
            error.show()
        log.end_with(error.format_message(), Exit.INPUT)
        return Exit.INPUT
    except click.exceptions.Abort:
        return Exit.INTERRUPTED
    except BatchgenError as error:
        remains = "" if "the same command" in str(error) else _REMAINS
        hints = {Exit.CREDENTIALS: known.get(flags.CREDENTIALS, ""), Exit.REMAINS: remains}
        return _explain(error, log, as_json="--json" in arguments, hint=hints.get(status_of(error), ""))
    except OSError as error:
        where = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return _say_last(f"the system failed: {where}{error.strerror or error}", Exit.BUG, log)
    status = status if isinstance(status, int) else 0
    if status == Exit.CREDENTIALS and flags.CREDENTIALS in known:
        log.say(f"  {known[flags.CREDENTIALS]}")
    return status


def _say_last(text: str, status: int, log: Log) -> int:
    if not log.is_json:
        click.echo(f"batchgen: {text}", err=True)
    log.end_with(text, status)
    return status


def _explain(error: BatchgenError, log: Log, *, as_json: bool, hint: str) -> int:
    status = status_of(error)
    if isinstance(error, TransitionError):
        raise error  # a bug: its trace is what a report needs
    problems, warnings = (error.problems, error.warnings) if isinstance(error, InputError) else ((), ())
    placed = [[_plain(one) for one in each] for each in (problems, warnings)]
    if as_json:
        shown = {"exit": status, "error": str(error), "problems": placed[0], "warnings": placed[1]}
        click.echo(json.dumps(log.masked(shown), ensure_ascii=False))
    if not log.is_json:
        for line in api.shown_problems(problems, warnings) if problems else [f"batchgen: {error}"]:
            click.echo(line, err=True)
        if hint:
            click.echo(f"  {hint}", err=True)
    log.end_with(str(error), status, problems=placed[0], warnings=placed[1], hint=hint)
    return status


def _plain(one: Problem) -> Mapping[str, object]:
    return {"source": one.source, "line": one.line, "column": one.column, "text": one.text}
