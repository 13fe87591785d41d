"""``batchgen status``."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.formats import counted, not_told, number, units


@click.command("status")
@flags.some_target
@flags.output
@flags.as_json
def command(*, target: str | None, output: Path, as_json: bool) -> int:
    """Show where the batches of an output folder stand, or only TARGET: a batch or its manifest.

    Reads the journal and disturbs no run that is going on.
    """
    manifest = Path(target or "")
    options = api.Options(
        manifest=manifest,
        output=output,
        output_chosen=flags.output_is_chosen(),
        environ=flags.environ(manifest) if target else {},
    )
    batch = None if target is None else api.batch_meant(options)
    known = api.status(options)
    shown = [one for one in known if batch in (None, one.scope.batch)]
    if as_json:
        documents = [{**_document(one), "journal": str(options.journal)} for one in shown]
        click.echo(json.dumps(documents, ensure_ascii=False))
    else:
        click.echo(flags.journal_line(options), err=True)
        for line in _lines(shown):
            click.echo(line)
    if batch is not None and not shown:
        names = ", ".join(sorted({one.scope.batch for one in known})) or "none"
        raise click.UsageError(f"no batch {batch!r} in {output}; there are: {names}")
    return 0


def _document(one: "api.BatchStatus") -> dict[str, object]:

    return {
        "batch": one.scope.batch,
        "slot": one.scope.slot or None,
        "origin": one.scope.origin,
        "project": one.scope.project or None,
        "states": {str(state): count for state, count in one.states.items()},
        "quoted": number(one.quoted),
        "reserved": number(one.committed.reserved),
        "charged": number(one.charged),
        "untold": one.untold,
        "files_missing": one.files_missing,
        "refunded": number(one.refunded),
        "refunds": {"assumed": number(one.committed.assumed), "confirmed": number(one.committed.confirmed)},
        "net": number(one.charged - one.refunded),
    }


def _lines(shown: "Sequence[api.BatchStatus]") -> Iterator[str]:
    if not shown:
        yield "No batch was run here yet."
    for one in shown:
        states = ", ".join(
            f"{count} {str(state).replace('_', ' ')}" for state, count in sorted(one.states.items())
        )
        slot = f", slot {one.scope.slot}" if one.scope.slot else ""
        yield f"{one.scope.batch} at {one.scope.origin}{slot}: {states or 'nothing yet'}; {_money(one)}"


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
