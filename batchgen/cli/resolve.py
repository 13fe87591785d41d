"""``batchgen resolve``."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from batchgen import api
from batchgen.cli import flags, time_limits
from batchgen.cli.awaited import awaited
from batchgen.cli.log import current
from batchgen.exits import Exit
from batchgen.formats import moment, units


@click.command("resolve")
@flags.of_a_target
@flags.selecting
@click.option("--adopt", multiple=True, metavar="JOB=REMOTE_ID", help="This submission is the job's.")
@click.option(
    "--absent", multiple=True, metavar="JOB", help="It was never accepted: the next run submits it again."
)
@click.option(
    "--sure",
    multiple=True,
    metavar="REMOTE_ID",
    help="With --absent: this submission is not the job's, although it echoes all that was sent.",
)
@click.option("--give-up", multiple=True, metavar="JOB", help="It is not wanted any more, paid for or not.")
@time_limits.wait_lock
@flags.logging
@flags.as_json
def command(
    *,
    options: "api.Options",
    adopt: Sequence[str],
    absent: Sequence[str],
    sure: Sequence[str],
    give_up: Sequence[str],
    as_json: bool,
) -> int:
    """Decide about jobs that may have been paid for, where listings could not.

    Shows each of them with the submissions that may be its own, and why none is certain. Without
    an answer among the flags it asks on a terminal, and elsewhere only shows. Answers may be
    given again for several jobs; either all of them are recorded or none. A job that the service
    lists by all that was sent for it is taken for absent only with --sure and the id it lists.

    A job that is paid for and has outlasted its timeout can be given up too: nothing waits for it
    any more, and `batchgen retry` may buy it again.

    With JOB, or --only and --except, it shows and asks about these alone:
    `batchgen resolve jobs.yaml 'tower-*'`. The answers among the flags take ids.

    Exit status 0 if nothing of it is in doubt any more, 7 otherwise.
    """
    answers = api.Answers(adopt=_pairs(adopt), absent=absent, sure=sure, give_up=give_up)
    attended = sys.stdin.isatty() and sys.stderr.isatty()
    asks = attended and not as_json and not current().is_json
    left = awaited(_resolve(options, answers, as_json=as_json, asks=asks))
    return Exit.DOUBT if left else Exit.DONE


def _pairs(adopt: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in adopt:
        job, equals, remote_id = text.partition("=")
        if not (job and equals and remote_id):
            raise click.BadParameter(f"{text!r}: write JOB=REMOTE_ID", param_hint="--adopt")
        pairs[job] = remote_id
    return pairs


async def _resolve(options: "api.Options", answers: "api.Answers", *, as_json: bool, asks: bool) -> int:

    async with api.settling(options) as place:
        if answers.named:
            await place.settle(answers)
        found = [one for one in await place.unsettled() if one.entry.selected]
        if as_json:
            click.echo(json.dumps([_document(one) for one in found], ensure_ascii=False))
        elif asks:
            await _ask(place, found)
        else:
            unseen = [one for one in place.out_of_sight() if one.selected]
            for line in (*_lines(found), *_unseen(unseen)):
                click.echo(line)
        return sum(one.selected for one in place.entries())


async def _ask(place: "api.Desk", found: "Sequence[api.Unsettled]") -> None:
    """Show one job after the other and do as the person says."""
    for one in found:
        for line in _lines([one]):
            click.echo(line, err=True)
        job, numbers = one.entry.job.id, [str(number + 1) for number in range(len(one.candidates))]
        which = f"a number adopts ({', '.join(numbers)}), " if numbers else ""
        said = click.prompt(
            f"{which}absent, give-up or skip",
            type=click.Choice([*numbers, "absent", "give-up", "skip"]),
            default="skip",
            show_choices=False,
            err=True,
        )
        if said == "absent":
            listed = [each for each in one.candidates if each.certain]
            if all(click.confirm(_again(each), default=False, err=True) for each in listed):
                sure = [each.remote.remote_id for each in listed]
                await place.settle(api.Answers(absent=[job], sure=sure))
        elif said == "give-up":
            await place.settle(api.Answers(give_up=[job]))
        elif said != "skip":
            await place.settle(api.Answers(adopt={job: one.candidates[int(said) - 1].remote.remote_id}))


def _again(each: "api.Candidate") -> str:
    return f"{_told(each)}: submit the job again all the same, and likely pay twice?"


def _document(one: "api.Unsettled") -> dict[str, Any]:
    record = one.entry.record
    return {
        "id": one.entry.job.id,
        "prompt": one.entry.job.prompt,
        "model": one.entry.job.model,
        "state": str(record.state),
        "submitted_at": _moment(record.intent_at),
        "reason": record.error,
        "made_of": api.made_of(one.entry.job, record) or None,
        "candidates": [
            {
                "job_id": each.remote.remote_id,
                "created_at": _moment(each.remote.created_at),
                "status": each.remote.word,
                "cost": None if each.remote.cost is None else float(each.remote.cost),
                "certain": each.certain,
                "differs": list(each.differs),
            }
            for each in one.candidates
        ],
    }


def _lines(found: "Sequence[api.Unsettled]") -> Iterator[str]:
    if not found:
        yield "Nothing is in doubt."
    for one in found:
        record = one.entry.record
        yield f"{one.entry.job.id}: submitted {_moment(record.intent_at)}, {record.error}"
        if made_of := api.made_of(one.entry.job, record):
            yield f"  made of {made_of}"
        for number, each in enumerate(one.candidates, start=1):
            yield f"  {number}. {_told(each)}"
        if not one.candidates:
            yield "  the service shows no submission that could be it"


def _unseen(entries: "Sequence[api.Entry]") -> Iterator[str]:
    for one in entries:
        paid = one.record.submission
        since = _moment(paid.at) if paid else None
        yield (
            f"{one.job.id}: paid for {since} as {one.record.remote_id} and not ended within its timeout; "
            "the next run continues to watch it, --give-up stops that"
        )


def _told(each: "api.Candidate") -> str:
    remote = each.remote
    cost = "cost not shown" if remote.cost is None else f"{units(remote.cost)} CU"
    if each.certain:
        why = "echoes all that was sent"
    elif not remote.inputs:
        why = "not certain: shows no inputs"
    else:
        why = f"not certain: differs in {', '.join(each.differs)}"
    return f"{remote.remote_id}, created {_moment(remote.created_at)}, {remote.word}, {cost}; {why}"


def _moment(at: float | None) -> str | None:

    return moment(at)
