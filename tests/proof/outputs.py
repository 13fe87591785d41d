"""Outputs that a job shows late or in part: which seeds have them, and what must hold of what came out.

Every asset that the service shows for a paid job is on the shelves in the end, or the job is named as short.
"""

import random
from collections.abc import Collection, Iterable
from dataclasses import replace

from batchgen.engine.verdict import Verdict
from batchgen.exits import Exit
from batchgen.lifecycle import Record, State
from batchgen.model import Job
from batchgen.planning.yields import YOUNG
from tests.proof.scenario import SEEDED, Scenario
from tests.proof.world import Earth

_SHARE = 0.2  # of the seeds
_NEVER = 1e9  # seconds after an end: a model that gives fewer outputs than it is asked for
_SPANS = ((1.0, 20.0), (5.0, 90.0), (60.0, 900.0), (3600.0, 80_000.0), (_NEVER, _NEVER))
_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})


def with_late_outputs(scenario: Scenario) -> Scenario:
    """Let some seeds have jobs whose outputs are shown after their end, in listings alone or everywhere."""
    chance = random.Random(f"batchgen proof {scenario.seed}, outputs that are late")
    if chance.random() >= _SHARE:
        return scenario
    counts = {number: chance.choice([1, 1, 2, 4]) for number in range(5)}
    views = replace(
        scenario.settings.views,
        late_outputs=chance.choice([0.2, 0.5, 1.0]),
        outputs_whole_after=chance.choice(_SPANS),
        outputs_late_in_jobs=chance.random() < 0.6,
    )
    return replace(
        scenario,
        settings=replace(scenario.settings, views=views),
        legs=tuple(
            replace(leg, jobs=tuple(_of_several(one, counts) for one in leg.jobs)) for leg in scenario.legs
        ),
        visits=tuple(replace(one, job=_of_several(one.job, counts)) for one in scenario.visits),
    )


def _of_several(job: Job, counts: dict[int, int]) -> Job:
    """Ask for as many outputs as go with the prompt: equal jobs stay equal."""
    count = next((count for number, count in counts.items() if f"number {number}" in (job.prompt or "")), 1)
    if job.model != SEEDED or count == 1:
        return job
    return replace(job, params={**job.params, "numOutputs": count})


def left_behind(earth: Earth, records: Iterable[Record]) -> list[str]:
    """Say what the service shows of paid jobs by now that is neither on the shelves nor named as short."""
    return [
        f"{record.remote_id} shows {len(lost)} assets that nobody fetched and nobody names"
        for record, lost in _not_fetched(earth, records, earth.passed)
        if not record.is_short
    ]


def not_asked_again(earth: Earth, records: Iterable[Record], began: float) -> list[str]:
    """Say what was shown before an undisturbed run began, within a day of its end, and was not fetched."""
    ends = {one.remote_id: one.end.at for one in earth.service.submissions}
    return [
        f"{record.remote_id} showed {len(lost)} more assets, and the run did not ask again"
        for record, lost in _not_fetched(earth, records, began)
        if began - ends[record.remote_id or ""] < YOUNG - 900.0  # the clocks may differ by that
    ]


def silent_ends(earth: Earth, verdict: Verdict, records: Collection[Record], began: float) -> list[str]:
    """Say what a run that says that all is done has left of what was shown before it began, unnamed."""
    if verdict.exit is not Exit.DONE:
        return []
    bare = [one.remote_id for one in records if one.state in _DONE and not one.asset_ids]
    left = [record.remote_id for record, _ in _not_fetched(earth, records, began) if not record.is_short]
    return [
        *(f"exit 0, and {remote_id} has no asset" for remote_id in bare),
        *(f"exit 0, and assets of {remote_id} are neither fetched nor named" for remote_id in left),
    ]


def _not_fetched(
    earth: Earth, records: Iterable[Record], at: float
) -> Iterable[tuple[Record, frozenset[str]]]:
    jobs = {one.remote_id: one for one in earth.service.submissions}
    for record in records:
        job = jobs.get(record.remote_id or "")
        if job is None or record.state not in _DONE:
            continue
        lost = frozenset(earth.service.outputs_of(job, at)) - earth.shelves.kept
        if lost or (record.state is State.COLLECTED and not _lists_its_files(record)):
            yield record, lost


def _lists_its_files(record: Record) -> bool:
    return [one.asset_id for one in record.files] == list(record.asset_ids)
