"""``batchgen cost``."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited
from batchgen.cli.cost_comparison import differences, told_of
from batchgen.cli.tables import lines_of
from batchgen.exits import Exit
from batchgen.formats import clean, number, units

_COLUMNS = (
    "submissions",
    "unpriced",
    "quoted",
    "charged",
    "refunded_assumed",
    "refunded_confirmed",
    "net",
    "reserved",
)
_KEYS: Mapping[str, Sequence[str]] = {
    "batch": ("project", "batch", "slot"),
    "model": ("model",),
    "day": ("day",),
}


@click.command("cost", short_help="Show what was charged and what came back.")
@flags.some_target
@flags.output
@flags.journal
@click.option(
    "--by", type=click.Choice(list(_KEYS)), default="batch", show_default=True, help="Add up by it."
)
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="From this day on, as 2026-05-01."
)
@click.option("--tz", default="UTC", show_default=True, metavar="ZONE", help="Whose days, as Europe/Paris.")
@click.option("--reconcile", is_flag=True, help="Compare it with what the service says it charged.")
@click.option("--dry-run", is_flag=True, help="With --reconcile: record nothing of it.")
@flags.simulate
@click.option("--csv", "as_csv", is_flag=True, help="Write a table to standard output.")
@flags.as_json
def command(
    *,
    target: str | None,
    output: Path,
    journal: str | None,
    by: str,
    since: datetime | None,
    tz: str,
    reconcile: bool,
    dry_run: bool,
    simulate: bool,
    as_csv: bool,
    as_json: bool,
) -> int:
    """Show what was charged and what came back, for an output folder or only TARGET: a batch or its manifest.

    Reads the journal and disturbs no run that is going on. A charge belongs to the day its
    intent left. Refunds are assumed by the service's rules, or confirmed by what it shows.
    With --reconcile the service is asked for its own history of the account. Where no run is going
    on, the refunds that it shows and the charges that it says otherwise, higher or lower, are put on
    record; --simulate then means the service of rehearsals.
    """
    if dry_run and not reconcile:
        raise click.UsageError("--dry-run is for --reconcile: nothing else is ever recorded")
    if as_csv and as_json:
        raise click.UsageError("--csv and --json both want standard output: give one of them")

    first = None if since is None else since.date()
    manifest = Path(target or "")
    environ = flags.environ(manifest if target else None, journal=journal)
    options = api.Options(
        manifest=Path(target or ""),
        output=output,
        output_chosen=flags.output_is_chosen(),
        environ=environ,
        journal_address=journal,
        simulate=simulate,
    )
    batch = None if target is None else api.batch_meant(options)
    selection = api.Selection(batch=batch, first=first, zone=api.zone_named(tz))
    rows, reckoned = api.costs(options, selection), None
    if reconcile:
        reckoned = awaited(api.compare_costs(options, selection, record=not dry_run))
        rows = api.costs(options, selection)  # with what was recorded
    sums = api.fold(rows, api.By(by), selection.zone)
    chains = api.chains(options, batch) if by == "batch" and not as_csv else {}
    status = _status(reckoned)
    if as_json:
        told = {"exit": status, **_document(sums, reckoned, by=by, tz=tz, first=first), **_of_chains(chains)}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        lines = _csv(sums, _KEYS[by]) if as_csv else _table(sums, _KEYS[by])
        for line in (*lines, *_chain_lines(chains)):
            click.echo(line)
    if reckoned is not None and not as_json:
        for line in told_of(reckoned):
            click.echo(line, err=as_csv)
    return status


def _of_chains(chains: "Mapping[api.Scope, api.ChainCount]") -> dict[str, object]:
    """Return how far the chains of each batch are; nothing where there are none."""
    found = [
        {"origin": scope.origin, "batch": scope.batch, "slot": scope.slot or None, **asdict(one)}
        for scope, one in chains.items()
    ]
    return {"chains": found} if found else {}


def _chain_lines(chains: "Mapping[api.Scope, api.ChainCount]") -> Iterator[str]:
    for scope, one in chains.items():
        yield f"{' '.join(filter(None, (clean(scope.batch), clean(scope.slot))))}: {one}"


def _status(reckoned: "api.CostComparison | None") -> int:
    """Return 7 where a difference needs a decision; that a key may not look is no failure."""
    found = None if reckoned is None else reckoned.reckoning
    return Exit.DONE if found is None or found.agrees else Exit.DOUBT


def _by_origin(sums: "Mapping[api.Group, api.Sums]") -> "dict[str, dict[api.Group, api.Sums]]":
    """Keep origins apart: what a rehearsal cost is nobody's money."""
    found: dict[str, dict[api.Group, api.Sums]] = {}
    for group, one in sums.items():
        found.setdefault(group.origin, {})[group] = one
    return found


def _amounts(one: "api.Sums") -> dict[str, int | Decimal]:
    return {
        "submissions": one.submissions,
        "unpriced": one.unpriced,
        "quoted": one.quoted,
        "charged": one.charged,
        "refunded_assumed": one.assumed,
        "refunded_confirmed": one.confirmed,
        "net": one.net,
        "reserved": one.reserved,
    }


def _plain(amount: int | Decimal) -> str:
    return units(amount) if isinstance(amount, Decimal) else str(amount)


def _document(
    sums: "Mapping[api.Group, api.Sums]",
    reckoned: "api.CostComparison | None",
    *,
    by: str,
    tz: str,
    first: date | None,
) -> dict[str, object]:

    rows = [
        {"origin": group.origin, **{key: getattr(group, key) or None for key in _KEYS[by]}, **_json(one)}
        for group, one in sums.items()
    ]
    totals = [
        {"origin": origin, **_json(api.total(groups.values()))} for origin, groups in _by_origin(sums).items()
    ]
    shown: dict[str, object] = {
        "by": by,
        "tz": tz,
        "since": first.isoformat() if first else None,
        "rows": rows,
        "totals": totals,
    }
    if reckoned is not None:
        found = reckoned.reckoning
        shown["reconciled"] = {
            "origin": reckoned.origin,
            "trouble": reckoned.trouble or None,
            "recorded": reckoned.refunds.count,
            "corrected": reckoned.refunds.corrected,
            "not_recorded": list(reckoned.refunds.left),
            **({} if found is None else differences(found)),
        }
    return shown


def _json(one: "api.Sums") -> dict[str, object]:

    return {name: number(Decimal(amount)) for name, amount in _amounts(one).items()}


def _csv(sums: "Mapping[api.Group, api.Sums]", keys: Sequence[str]) -> Iterator[str]:

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["origin", *keys, *_COLUMNS])
    for group, one in sums.items():
        amounts = _amounts(one)
        named = [api.cell(getattr(group, key)) for key in ("origin", *keys)]
        writer.writerow([*named, *(_plain(amounts[column]) for column in _COLUMNS)])
    yield buffer.getvalue().removesuffix("\n")


def _table(sums: "Mapping[api.Group, api.Sums]", keys: Sequence[str]) -> Iterator[str]:

    if not sums:
        yield "Nothing was paid here yet."
    for origin, groups in _by_origin(sums).items():
        yield f"{clean(origin)}, in compute units:"
        rows = [
            (" ".join(clean(text) for key in keys if (text := getattr(group, key))), one)
            for group, one in groups.items()
        ]
        if len(rows) > 1:
            rows.append(("total", api.total(groups.values())))
        yield from _aligned(rows)


def _aligned(rows: "Sequence[tuple[str, api.Sums]]") -> Iterator[str]:
    """Lay out a table; what is nought everywhere and seldom is anything has no column."""
    amounts = [(name, _amounts(one)) for name, one in rows]
    seldom = {"unpriced", "reserved", "refunded_assumed", "refunded_confirmed"}
    columns = [one for one in _COLUMNS if one not in seldom or any(row[one] for _, row in amounts)]
    words = [one.removeprefix("refunded_") + (" refund" if one.startswith("ref") else "") for one in columns]
    lines = [("", *words), *((name, *(_plain(row[one]) for one in columns)) for name, row in amounts)]
    for line in lines_of(lines, right=range(1, len(words) + 1)):
        yield f"  {line}"
