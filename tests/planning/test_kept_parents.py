"""Which of a parent's several assets goes into a child, where a person keeps some of them.

The kind: a mark that makes bought work look new. It is given, taken away, given to another asset, to several,
and given back; nothing is ever bought twice with the same asset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.identity import content_key, references_of
from batchgen.lifecycle import RedoAsked, State, apply
from batchgen.model import File, Job, JobKey
from batchgen.planning.lanes import Lane
from batchgen.planning.make_plan import make_plan
from batchgen.planning.marks import Mark, Marked, Marks
from batchgen.planning.parent_assets import bound, number_kept
from batchgen.planning.plan import Entry, Plan
from batchgen.record import Record

KNIGHT = Job(id="knight", prompt="a knight", model="m")
CUT = Job(id="cut", prompt=None, model="cut", params={"image": {"job": "knight"}})
BIG = Job(id="big", prompt=None, model="big", params={"image": {"job": "cut"}})
JOBS = (BIG, CUT, KNIGHT)
NOW = 1e12


def kept(*assets: str) -> Marks:
    return {one: Marked(Mark.KEPT, "", 1.0) for one in assets}


class Shop:
    """What was bought, of a knight with some assets."""

    def __init__(self, assets: int, types: tuple[str, ...] = ()) -> None:
        self.assets = tuple(f"asset_{one}" for one in range(assets))
        files = files_of(self.assets, types)
        self.records: dict[JobKey, Record] = {
            JobKey(content_key(KNIGHT)): done(KNIGHT, *self.assets, files=files)
        }
        self.bought: list[tuple[str, str]] = []

    def plan(self, marks: Marks) -> Plan:
        return make_plan(JOBS, self.records, now=NOW, marks=marks)

    def buy(self, marks: Marks) -> None:
        """Buy all that can be bought, as a run does: a step after the other."""
        ready = True
        while ready:
            plan = self.plan(marks)
            ready = False
            for place, entry in enumerate(plan.entries):
                if entry.record.state is State.PLANNED and plan.lane_of(place) is Lane.READY:
                    ready = True
                    self._buy(plan, entry)

    def _buy(self, plan: Plan, entry: Entry) -> None:
        parents = {one.job.id: (one.key, one.record) for one in plan.entries}
        job = bound(entry.job, parents.get, now=NOW)
        assert job is not None
        asset = references_of(job)[0].assets[0]
        self.bought.append((entry.job.id, asset))
        self.records[entry.key] = done(job, f"{entry.job.id}_of_{asset}")

    def fed(self, marks: Marks) -> str:
        """Return what went into the cut that the plan has; empty where it has none."""
        record = self.plan(marks).by_id["cut"].record
        return "" if record.job is None else references_of(record.job)[0].assets[0]


def files_of(assets: Sequence[str], types: Sequence[str] = ()) -> tuple[File, ...]:
    return tuple(
        File(asset_id=one, path=one, bytes=1, sha256=one, mime="image/png", type=type_)
        for one, type_ in zip(assets, types or ["txt2img"] * len(assets), strict=True)
    )


def done(job: Job, *assets: str, files: tuple[File, ...] = ()) -> Record:
    return Record(job=job, state=State.COLLECTED, asset_ids=assets, files=files, body="{}")


def states(plan: Plan) -> list[str]:
    return [str(one.record.state) for one in plan.entries[:2]]


def test_the_one_kept_asset_of_several_is_what_goes_in() -> None:
    shop = Shop(4)
    assert shop.plan({}).lane_of(1) is Lane.BLOCKED
    assert shop.plan(kept("asset_1", "asset_3")).lane_of(1) is Lane.BLOCKED
    marks = kept("asset_2")
    assert references_of(shop.plan(marks).by_id["cut"].job)[0].output == 2
    as_written = replace(CUT, params={"image": {"job": "knight", "output": 2}})
    written = make_plan((KNIGHT, as_written), shop.records, now=NOW)
    assert shop.plan(marks).by_id["cut"].key == written.by_id["cut"].key, "it is output: 2, written or kept"
    shop.buy(marks)
    assert shop.bought == [("cut", "asset_2"), ("big", "cut_of_asset_2")]


def test_another_kept_asset_makes_another_job_and_the_first_back_finds_its_purchase() -> None:
    shop = Shop(4)
    shop.buy(kept("asset_2"))
    other = shop.plan(kept("asset_1"))
    assert states(other) == ["planned", "planned"]
    assert [one.job.id for one in other.removed] == ["cut", "big"]
    shop.buy(kept("asset_1"))
    assert len(shop.bought) == 4
    for asset in ("asset_2", "asset_1", "asset_2"):
        assert shop.fed(kept(asset)) == asset
        assert states(shop.plan(kept(asset))) == ["collected", "collected"]


def test_a_mark_that_is_taken_away_or_not_alone_any_more_leaves_what_was_bought() -> None:
    shop = Shop(4)
    shop.buy(kept("asset_2"))
    rejected = {"asset_2": Marked(Mark.REJECTED, "", 1.0)}
    for marks in ({}, rejected, kept("asset_2", "asset_3"), kept(*shop.assets)):
        assert shop.fed(marks) == "asset_2"
        assert states(shop.plan(marks)) == ["collected", "collected"]
    assert shop.plan(kept("asset_0", "asset_1")).lane_of(1) is Lane.BLOCKED, "it is none of the kept ones"


def test_what_was_bought_before_it_was_marked_is_not_bought_again() -> None:
    shop = Shop(2, ("mesh", "3d-thumbnail"))
    shop.buy({})
    assert shop.bought == [("cut", "asset_0"), ("big", "cut_of_asset_0")]
    for marks in (kept("asset_0"), kept(*shop.assets), {}):
        assert states(shop.plan(marks)) == ["collected", "collected"]
    assert states(shop.plan(kept("asset_1"))) == ["planned", "planned"], "the thumbnail itself is kept"


def test_a_failed_child_is_tried_again_with_what_it_was_bought_with() -> None:
    shop = Shop(4)
    shop.buy(kept("asset_2"))
    for key, record in list(shop.records.items()):
        if record.job is not None and record.job.id == "cut":
            shop.records[key] = replace(record, state=State.FAILED, asset_ids=())
    plan = make_plan(JOBS, shop.records, now=NOW, retry_failed=True)
    assert references_of(plan.by_id["cut"].job)[0].output == 2


def test_of_kept_assets_those_that_only_show_another_one_do_not_count() -> None:
    shop = Shop(3, ("mesh", "texture", "3d-thumbnail"))
    [record] = shop.records.values()
    assert number_kept(record, kept("asset_0", "asset_2")) == 0
    assert number_kept(record, kept("asset_2")) == 2
    assert number_kept(record, kept("asset_0", "asset_1")) is None


def made_again(shop: Shop, state: State | None, *assets: str) -> None:
    """Let the knight be made again, as far as a state of the new edition; None where it is only asked for."""
    head = JobKey(content_key(KNIGHT))
    shop.records[head] = apply(shop.records[head], RedoAsked(at=2.0, ordinal=1))
    if state is not None:
        shop.records[JobKey(head.content, 1)] = replace(
            done(KNIGHT, *assets, files=files_of(assets)), state=state
        )


def test_a_mark_counts_for_the_edition_whose_asset_it_is_on() -> None:
    marks = kept("asset_2")
    for state in (None, State.RUNNING, State.IN_DOUBT):
        shop = Shop(4)
        made_again(shop, state)
        assert references_of(shop.plan(marks).by_id["cut"].job)[0].output is None, "the new one is waited for"
        assert shop.plan(marks).lane_of(1) is Lane.WAITING
    shop = Shop(4)
    made_again(shop, State.COLLECTED, "new_0", "new_1", "new_2", "new_3")
    assert shop.plan(marks).lane_of(1) is Lane.BLOCKED, "nobody has kept one of these"
    shop.buy({**marks, **kept("new_1")})
    assert shop.bought[0] == ("cut", "new_1")


def test_where_another_edition_comes_to_nothing_the_kept_asset_goes_in() -> None:
    shop = Shop(4)
    made_again(shop, State.FAILED)
    assert references_of(shop.plan(kept("asset_2")).by_id["cut"].job)[0].output == 2


def test_what_was_bought_with_a_kept_asset_stays_when_its_parent_is_made_again() -> None:
    for state in (None, State.RUNNING, State.FAILED):
        shop = Shop(4)
        shop.buy(kept("asset_2"))
        made_again(shop, state)
        for marks in (kept("asset_2"), {}):
            assert states(shop.plan(marks)) == ["collected", "collected"], (state, marks)
    shop = Shop(4)
    shop.buy(kept("asset_2"))
    made_again(shop, State.COLLECTED, "new_0", "new_1", "new_2", "new_3")
    for marks in (kept("asset_2"), {}):
        assert states(shop.plan(marks)) == ["collected", "collected"], "no run buys a child again for that"
    assert states(shop.plan(kept("new_1"))) == ["planned", "planned"]


STEPS = st.lists(
    st.dictionaries(st.integers(0, 3), st.sampled_from(Mark), max_size=4), min_size=1, max_size=8
)


@settings(deadline=None)
@given(st.integers(1, 4), STEPS)
def test_whatever_is_marked_nothing_is_bought_twice_with_the_same_asset(
    assets: int, steps: list[Mapping[int, Mark]]
) -> None:
    shop = Shop(assets)
    for step in steps:
        marks = {f"asset_{one}": Marked(mark, "", 1.0) for one, mark in step.items() if one < assets}
        before = {asset for name, asset in shop.bought if name == "cut"}
        shop.buy(marks)
        assert len(shop.bought) == len(set(shop.bought))
        mine = [one for one in shop.assets if one in marks and marks[one].mark is Mark.KEPT]
        if assets == 1:
            assert shop.bought == [("cut", "asset_0"), ("big", "cut_of_asset_0")]
        elif len(mine) == 1:
            assert shop.fed(marks) == mine[0]
            assert states(shop.plan(marks)) == ["collected", "collected"]
        elif before & set(mine or shop.assets):
            assert shop.fed(marks) in (mine or shop.assets), "what was bought stays"
            assert states(shop.plan(marks)) == ["collected", "collected"]
        else:
            assert shop.plan(marks).lane_of(1) is Lane.BLOCKED
