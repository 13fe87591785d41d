"""The plan of a batch in which some jobs are made again, before anything of that is on record."""

from collections.abc import Callable, Mapping, Sequence

from batchgen.lifecycle import Record, RedoAsked, apply
from batchgen.manifest.values import Manifest
from batchgen.model import JobKey
from batchgen.planning.choosing import only_selected
from batchgen.planning.marks import Marks
from batchgen.planning.plan import Plan
from batchgen.planning.redo import (
    Choice,
    made_again,
    with_a_seed_of_their_own,
    with_children,
    wrong_with_redo,
)
from batchgen.planning.selection import selected
from batchgen.wiring.job_facts import known_jobs
from batchgen.wiring.options import Options


def redone(
    options: Options,
    manifest: Manifest,
    plan: Plan,
    records: Mapping[JobKey, Record],
    planned: Callable[[Mapping[JobKey, Record]], Plan],
    marks: Marks,
    *,
    waits: Mapping[str, str],
) -> tuple[Plan, tuple[Choice, ...], tuple[str, ...]]:
    """Return a plan in which what is meant is made again, these jobs, and what is wrong with the words.

    Args:
        options: what is asked for.
        manifest: the batch's.
        plan: of it.
        records: the journal's.
        planned: makes the plan of other records.
        marks: what a person says of what came out.
        waits: why nothing can be done with jobs that wait for a mark, by their ids.
    """
    known = known_jobs(plan, manifest, now=options.clock.now(), removed=False, marks=marks)

    def unfit(name: str) -> str | None:
        return waits.get(name) or wrong_with_redo(plan, options.command_line, name)

    found = selected(options.selection, known, unfit=unfit)
    meant = with_children(plan, found.places) if options.children else list(found.places)
    places = [place for place in meant if plan.entries[place].job.id not in waits]
    all_meant = selected(options.selection, known).places
    wrong = found.wrong or _open_among(options, plan, all_meant)
    wrong = wrong or tuple(
        f"{manifest.place_of(place, 'params', 'seed')}: {plan.entries[place].job.id!r} has a fixed seed, so "
        "that the same would come out again; change it there, and a run buys the job anew"
        for place in with_a_seed_of_their_own(plan, places)
    )
    if wrong:
        return only_selected(plan, ()), (), wrong
    chosen = made_again(plan, places, records)
    with_notes = dict(records)
    for one in chosen:
        asked = RedoAsked(at=options.clock.now(), ordinal=one.ordinal)
        with_notes[one.head] = apply(with_notes[one.head], asked)
    return only_selected(planned(with_notes), places), chosen, ()


def _open_among(options: Options, plan: Plan, places: Sequence[int]) -> tuple[str, ...]:
    """Return why nothing of a selection is made again while some of it is: typed twice, it is bought once."""
    children = (
        {one for place in places for one in plan.lineage.descendants(place)} if options.children else ()
    )
    entries = (plan.entries[place] for place in sorted({*places, *children}))
    why = (
        wrong_with_redo(plan, options.command_line, one.job.id) for one in entries if one.stands is not None
    )
    return tuple(filter(None, why))
