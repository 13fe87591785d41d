"""The jobs of a plan that a person means by words: to be bought, tried again, or made again."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from batchgen.lifecycle import Record, RedoAsked, apply
from batchgen.manifest.values import Manifest
from batchgen.model import JobKey
from batchgen.planning.choosing import only_selected, wrong_with_retry
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
from batchgen.planning.undecided import Undecided
from batchgen.wiring.job_facts import known_jobs
from batchgen.wiring.options import Options


class Asked(NamedTuple):
    """What a person asks of a batch.

    Attributes:
        options: with the words that select jobs.
        manifest: the batch's, with the jobs that wait for a mark.
        marks: what a person says of what came out.
        undecided: the jobs that wait for a mark.
    """

    options: Options
    manifest: Manifest
    marks: Marks
    undecided: Sequence[Undecided]

    def selected(self, plan: Plan) -> tuple[Plan, tuple[str, ...]]:
        """Return a plan of the jobs that are meant, and what is wrong with the words for them."""
        options = self.options
        if not options.selection:
            return plan, ()
        removed = not (options.retry or options.fresh)
        now, waits = options.clock.now(), self._waits
        known = known_jobs(plan, self.manifest, now=now, removed=removed, marks=self.marks)

        def unfit(name: str) -> str | None:
            return waits.get(name) or wrong_with_retry(plan, name)

        found = selected(options.selection, known, unfit=unfit if options.retry else None)
        places = () if found.wrong else found.places
        return only_selected(plan, places, retry=options.retry), found.wrong

    def redone(
        self,
        plan: Plan,
        records: Mapping[JobKey, Record],
        planned: Callable[[Mapping[JobKey, Record]], Plan],
    ) -> tuple[Plan, tuple[Choice, ...], tuple[str, ...]]:
        """Return a plan in which what is meant is made again, these jobs, and what is wrong with the words.

        Args:
            plan: of the batch.
            records: the journal's.
            planned: makes the plan of other records.
        """
        options, manifest, waits = self.options, self.manifest, self._waits
        known = known_jobs(plan, manifest, now=options.clock.now(), removed=False, marks=self.marks)

        def unfit(name: str) -> str | None:
            return waits.get(name) or wrong_with_redo(plan, options.command_line, name)

        found = selected(options.selection, known, unfit=unfit)
        meant = with_children(plan, found.places) if options.children else list(found.places)
        places = [place for place in meant if plan.entries[place].job.id not in waits]
        wrong = found.wrong or tuple(
            f"{manifest.place_of(place, 'params', 'seed')}: {plan.entries[place].job.id!r} has a fixed seed, "
            "so that the same would come out again; change it there, and a run buys the job anew"
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

    @property
    def _waits(self) -> Mapping[str, str]:
        """Why nothing can be done with a job that waits for a mark, by its id."""
        return {
            one.job: f"{one.job!r} waits until {one.parent.job.id!r}, which it goes through, is marked kept"
            for one in self.undecided
        }
