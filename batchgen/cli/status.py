"""``batchgen status``."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.formats import clean, counted, moment, not_told, number, stamp, units

_FEW = 5  # jobs that are named


@click.command("status")
@flags.some_target
@flags.selecting_in_some
@flags.output
@flags.journal
@flags.show_all
@flags.as_json
def command(
    *,
    target: str | None,
    selection: "api.JobSelection",
    output: Path,
    journal: str | None,
    show_all: bool,
    as_json: bool,
) -> int:
    """Show where the batches of an output folder stand, or only TARGET: a batch or its manifest.

    Says how the last run of each ended and whether one is at work, and names the jobs that failed. Reads the
    journal and disturbs no run that is going on.

    With JOB, or --only and --except, it counts and lists these jobs of TARGET alone:
    `batchgen status jobs.yaml --only status:failed`.
    """
    if selection and target is None:
        raise click.UsageError("name the batch, or its manifest, whose jobs are meant: TARGET")
    manifest = Path(target or "")
    options = api.Options(
        manifest=manifest,
        output=output,
        output_chosen=flags.output_is_chosen(),
        environ=flags.environ(manifest if target else None, journal=journal),
        journal_address=journal,
    )
    batch = None if target is None else api.batch_meant(options)
    known = api.status(options)
    if selection:
        shown = api.status(replace(options, selection=selection))
    else:
        shown = [one for one in known if batch in (None, one.scope.batch)]
    if as_json:
        documents = [{**_document(one), "journal": str(options.journal)} for one in shown]
        click.echo(json.dumps(documents, ensure_ascii=False))
    else:
        click.echo(flags.journal_line(options), err=True)
        for line in _lines(shown, show_all=show_all):
            click.echo(line)
    if batch is not None and not shown:
        names = ", ".join(sorted({one.scope.batch for one in known})) or "none"
        raise click.UsageError(f"no batch {batch!r} in {options.place}; there are: {names}")
    return 0


def _document(one: "api.BatchStatus") -> dict[str, object]:

    return {
        "batch": one.scope.batch,
        "slot": one.scope.slot or None,
        "origin": one.scope.origin,
        "project": one.scope.project or None,
        "jobs": one.jobs,
        **({} if one.of is None else {"of": one.of}),
        "counts": {stage.replace(" ", "_"): count for stage, count in one.stages.items()},
        "chains": asdict(one.chains) if one.chains.chains else None,
        "redo": one.again,
        "marks": {str(mark): count for mark, count in one.marks.items()},
        "removed": one.removed,
        "states": {str(state): count for state, count in one.states.items()},
        "alive": one.alive,
        "last_run": _last(one),
        "failed": [{"id": name, "reason": reason} for name, reason in one.failed],
        "held": [{"id": name, "reason": reason} for name, reason in one.held],
        "quoted": number(one.quoted),
        "reserved": number(one.committed.reserved),
        "charged": number(one.charged),
        "untold": one.untold,
        "files_missing": one.files_missing,
        "refunded": number(one.refunded),
        "refunds": {"assumed": number(one.committed.assumed), "confirmed": number(one.committed.confirmed)},
        "net": number(one.charged - one.refunded),
    }


def _last(one: "api.BatchStatus") -> dict[str, object] | None:
    last = one.last
    if last is None:
        return None
    return {
        "began_at": moment(last.began_at),
        "ended_at": moment(last.ended_at),
        "exit": last.exit,
        "reasons": list(last.reasons),
    }


def _lines(shown: "Sequence[api.BatchStatus]", *, show_all: bool) -> Iterator[str]:
    if not shown:
        yield "No batch was run here yet."
    for one in shown:
        slot = f", slot {one.scope.slot}" if one.scope.slot else ""
        slot += "" if one.of is None else f", {_part(one.jobs)}of {counted(one.of, 'job')}"
        yield f"{one.scope.batch} at {one.scope.origin}{slot}: {_counts(one)}{_marks(one)}; {_money(one)}"
        yield from _of_the_last_run(one)
        most = len(one.failed) + len(one.held) if show_all else _FEW
        yield from _named("failed", one.failed, most)
        yield from _named("needs your decision (batchgen resolve)", one.held, most)


def _part(jobs: int | None) -> str:
    return "" if jobs is None else f"{jobs} "


def _counts(one: "api.BatchStatus") -> str:
    removed = f", {one.removed} removed from the manifest" if one.removed else ""
    removed = (f", {one.again} being made again" if one.again else "") + removed
    if one.jobs is not None:
        return api.told_with_chains(one.stages, one.chains, total=one.jobs) + removed
    counts = ", ".join(f"{count} {stage}" for stage, count in one.stages.items() if count)
    return (counts or "nothing yet") + removed


def _marks(one: "api.BatchStatus") -> str:
    told = ", ".join(f"{count} {mark}" for mark, count in one.marks.items() if count)
    return f"; {told}" if told else ""


def _of_the_last_run(one: "api.BatchStatus") -> Iterator[str]:
    last = one.last
    if one.alive:
        since = "" if last is None else f" since {stamp(last.began_at)}"
        yield f"  a run is at work{since}"
    elif last is not None and last.ended_at is None:
        yield f"  the last run began {stamp(last.began_at)} and did not end: run the same command to continue"
    elif last is not None and last.ended_at is not None:
        yield f"  the last run ended {stamp(last.ended_at)} with exit status {last.exit}"
        yield from (f"    {clean(reason)}" for reason in last.reasons)


def _named(what: str, jobs: "Sequence[tuple[str, str]]", most: int) -> Iterator[str]:
    for name, reason in jobs[:most]:
        yield f"  {what}: {clean(name, 80)}{f': {clean(reason)}' if reason else ''}"
    if len(jobs) > most:
        yield f"  {what}: {len(jobs) - most} more (--all shows each)"


def _money(one: "api.BatchStatus") -> str:
    """Return what it costs, and what is lost; what is nought and what follows from the rest is left out."""
    certainty = " (assumed)" if one.committed.assumed else ""
    parts = [f"{units(one.charged)} compute units charged"] if one.charged or not one.untold else []
    parts += [not_told(one.untold)] if one.untold else []
    parts += [f"{units(one.quoted)} quoted"] if one.quoted else []
    parts += [f"{units(one.committed.reserved)} reserved"] if one.committed.reserved else []
    if one.refunded:
        parts += [f"{units(one.refunded)} refunded{certainty}"]
        parts += [f"{units(one.charged - one.refunded)} net"]
    lost = f"; {counted(one.files_missing, 'file')} missing on the disk" if one.files_missing else ""
    return ", ".join(parts) + lost
