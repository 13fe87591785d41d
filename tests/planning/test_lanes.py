"""Which jobs of a chain are ready, wait or are blocked, and what goes into a child."""

from dataclasses import dataclass, field, replace

import pytest

from batchgen.identity import Reference
from batchgen.lineage import lineage_of
from batchgen.model import File, Job, Json
from batchgen.planning.editions import Bought
from batchgen.planning.lanes import Lane, waits_of
from batchgen.planning.parent_assets import handed
from batchgen.record import Record, State

DAY = 86_400.0
DONE = Record(state=State.SUCCEEDED, asset_ids=("asset_a",), ended_at=0.0)


@dataclass(frozen=True)
class Step:
    job: Job
    record: Record = field(default_factory=Record)
    retry: bool = False
    stands: Bought | None = None


def job(name: str, *parents: str, **which: Json) -> Job:
    inputs = {f"image{number}": {"job": one, **which} for number, one in enumerate(parents)}
    return Job(id=name, prompt=None, model="m", params=inputs)


def lanes(*steps: Step) -> dict[str, Lane]:
    found = waits_of(steps, lineage_of([one.job for one in steps]), now=2 * DAY)
    return {
        one.job.id: found[place].lane if place in found else Lane.READY for place, one in enumerate(steps)
    }


@pytest.mark.parametrize(
    ("parent", "lane"),
    [
        (Record(), Lane.WAITING),
        (Record(state=State.RUNNING), Lane.WAITING),
        (Record(state=State.IN_DOUBT), Lane.WAITING),
        (DONE, Lane.READY),
        (replace(DONE, state=State.COLLECTED), Lane.READY),
        (replace(DONE, asset_ids=()), Lane.BLOCKED),
        (replace(DONE, asset_ids=(), ended_at=2 * DAY), Lane.WAITING),
        *((Record(state=one), Lane.BLOCKED) for one in (State.FAILED, State.REFUSED, State.CANCELED)),
        *((Record(state=one), Lane.BLOCKED) for one in (State.HELD, State.ABANDONED)),
    ],
)
def test_a_childs_lane_follows_from_its_parents_record(parent: Record, lane: Lane) -> None:
    assert lanes(Step(job("a"), parent), Step(job("b", "a")))["b"] is lane


def test_what_is_behind_a_blocked_job_is_blocked_by_the_same_one() -> None:
    steps = (Step(job("a"), Record(state=State.FAILED)), Step(job("b", "a")), Step(job("c", "b")))
    found = waits_of(steps, lineage_of([one.job for one in steps]), now=0.0)
    assert found[2].lane is Lane.BLOCKED
    assert (found[2].parents, found[2].root, found[2].why) == ((1,), 0, "a failed")


def test_a_parent_that_is_tried_again_is_waited_for() -> None:
    failed = Record(state=State.FAILED)
    assert lanes(Step(job("a"), failed, retry=True), Step(job("b", "a")))["b"] is Lane.WAITING


def test_one_bad_parent_of_two_blocks_and_only_that_one_is_named() -> None:
    steps = (Step(job("a")), Step(job("b"), Record(state=State.REFUSED)), Step(job("c", "a", "b")))
    found = waits_of(steps, lineage_of([one.job for one in steps]), now=0.0)[2]
    assert (found.lane, found.parents) == (Lane.BLOCKED, (1,))


def file(asset_id: str, role: str) -> File:
    return File(asset_id=asset_id, path="x", bytes=1, sha256="", mime="", kind="image", type=role)


TWO = replace(
    DONE, asset_ids=("asset_t", "asset_m"), files=(file("asset_t", "3d-thumbnail"), file("asset_m", "3d"))
)


@pytest.mark.parametrize(
    ("record", "wanted", "assets"),
    [
        (TWO, Reference("a"), ("asset_m",)),
        (TWO, Reference("a", output=0), ("asset_t",)),
        (TWO, Reference("a", every=True), ("asset_t", "asset_m")),
        (TWO, Reference("a", output=2), ()),
        (replace(TWO, files=(file("asset_t", "x"), file("asset_m", "y"))), Reference("a"), ()),
        (DONE, Reference("a"), ("asset_a",)),
        (replace(DONE, asset_ids=()), Reference("a", every=True), ()),
    ],
)
def test_the_asset_that_is_meant_goes_in_and_none_where_that_is_not_clear(
    record: Record, wanted: Reference, assets: tuple[str, ...]
) -> None:
    found = handed(record, wanted, now=2 * DAY)
    assert found.assets == assets
    assert bool(found.why) is not bool(assets)


def test_types_that_nobody_knows_yet_are_asked_for() -> None:
    bare = replace(TWO, files=())
    assert handed(bare, Reference("a"), now=2 * DAY).unread == ("asset_t", "asset_m")
    types = {"asset_t": "preview", "asset_m": ""}
    assert handed(bare, Reference("a"), now=2 * DAY, types=types).assets == ("asset_m",)


def test_a_parent_that_may_show_more_is_waited_for_where_that_matters() -> None:
    short = replace(TWO, expected=3, ended_at=2 * DAY)
    assert handed(short, Reference("a"), now=2 * DAY).is_waited_for
    assert handed(short, Reference("a", output=2), now=2 * DAY).is_waited_for
    assert handed(short, Reference("a", output=1), now=2 * DAY).assets == ("asset_m",)
