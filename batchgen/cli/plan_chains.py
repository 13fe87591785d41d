"""The chains of a plan, as lines for people and as a part of a document."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from batchgen import api
from batchgen.formats import clean, counted, number

_SHOWN = 6  # lines of a list


def chain_lines(preview: "api.Preview", *, show_all: bool) -> Iterator[str]:
    """Draw the steps, and say what waits and what is blocked."""
    chains, typed = preview.outlook.chains, preview.batch.typed
    yield from _some([f"  {clean(one)}" for one in chains.drawn], show_all=show_all)
    if chains.count.steps_done:
        yield f"  {chains.count}"
    if chains.count.waiting:
        word = "waits" if chains.count.waiting == 1 else "wait"
        yield f"  {counted(chains.count.waiting, 'job')} {word} for a parent's output"
    yield from _some([f"  {clean(one.told(typed))}" for one in chains.blocked], show_all=show_all)
    yield from _some([f"  {clean(str(one))}" for one in chains.outdated], show_all=show_all)


def _some(lines: Sequence[str], *, show_all: bool) -> Iterator[str]:
    most = len(lines) if show_all or len(lines) <= _SHOWN + 1 else _SHOWN
    yield from lines[:most]
    if len(lines) > most:
        yield f"  and {len(lines) - most:,} more (--all shows each)"


def along_line(preview: "api.Preview") -> Iterator[str]:
    """Say what is bought along with the jobs that are meant."""
    if told := api.told_along(preview.batch.plan):
        yield f"  {clean(told)}"


def undecided_line(preview: "api.Preview") -> Iterator[str]:
    """Say which jobs wait for marks on others."""
    if told := api.told_undecided(preview.batch.undecided_now, preview.batch.typed):
        yield f"  {clean(told)}"


def chains_document(preview: "api.Preview") -> dict[str, object] | None:
    """Return the same facts as a part of a document; None where there is no chain."""
    chains, typed = preview.outlook.chains, preview.batch.typed
    if not chains.count.chains:
        return None
    return {
        **asdict(chains.count),
        "drawn": list(chains.drawn),
        "blocked_by": [
            {"parent": one.parent.job.id, "jobs": list(one.jobs), "reason": one.told(typed)}
            for one in chains.blocked
        ],
        "outdated": [outdated_document(one) for one in chains.outdated],
    }


def outdated_document(one: "api.Outdated") -> dict[str, object]:
    """Return a child that was bought with what is not its parent's any more."""
    return {
        "id": one.child.job.id,
        "parent": one.parent.job.id,
        "asset_ids": list(one.assets),
        "cost": number(one.cost),
    }
