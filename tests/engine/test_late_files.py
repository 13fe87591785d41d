"""Files that do not arrive: waited for as long as that may help, asked for at growing gaps, and named."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from batchgen.engine.policy import Policy
from batchgen.engine.runner import Runner
from batchgen.errors import DownloadError, OutputError, WhyMissing
from batchgen.exits import Exit
from batchgen.lifecycle import AssetsGone, Collected, State
from batchgen.loop_clock import loop_time
from batchgen.model import File, Job
from tests.support.builders import events_of, make_earth, make_jobs, records_of, states_of, verdict_of
from tests.support.virtual import Earth, Run, Shelves

DAY = 86_400.0
LATE, UNFIT, GONE = WhyMissing.LATE, WhyMissing.UNFIT, WhyMissing.GONE
REASONS = {LATE: "the file server answered 503", UNFIT: "a web page came", GONE: "not shown"}


@dataclass
class Troubled(Shelves):
    """Shelves that files do not reach as long as something is wrong with them."""

    wrong: Callable[[str, float], WhyMissing | None] = lambda _job, _at: None
    asked: list[tuple[str, float]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await self._collected(job, asset_ids)
        finally:
            self.under_way -= 1

    async def _collected(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        self.asked.append((job.id, loop_time()))
        files = await Shelves.collect(self, job, asset_ids)
        why = self.wrong(job.id, loop_time())
        if why is None or not asset_ids:
            return files
        raise DownloadError(f"{job.id}: {REASONS[why]}", why={asset_ids[0]: why}) from ValueError(
            REASONS[why]
        )

    def times(self, job: str) -> list[float]:
        return [at for name, at in self.asked if name == job]


def until(
    moment: float, why: WhyMissing = LATE, *, job: str = ""
) -> Callable[[str, float], WhyMissing | None]:
    return lambda name, at: why if at < moment and job in {"", name} else None


def for_ever(why: WhyMissing, *, job: str = "") -> Callable[[str, float], WhyMissing | None]:
    return until(1e12, why, job=job)


def earth() -> Earth:
    return make_earth(duration=(10.0, 20.0))


def run_of(over: Earth, count: int, shelves: Troubled, **more: Any) -> Run:
    return Run(over, make_jobs(count), collector=shelves, **more).go()


def exits(run: Run) -> list[str]:
    verdict = verdict_of(run)
    return [f"{int(verdict.exit)}", *verdict.reasons]


def test_a_server_in_trouble_for_four_minutes_costs_no_file() -> None:
    over, shelves = earth(), Troubled(wrong=until(240.0))
    run = run_of(over, 30, shelves)
    assert states_of(over) == {State.COLLECTED: 30}
    assert exits(run) == ["0"]
    assert 240.0 < run.took < 240.0 + 62.0
    assert len(shelves.asked) < 30 + 2 * 8 + 15, "one at a time, at growing gaps"
    told = [one for one in run.watching.troubles if one.startswith("waiting for")]
    assert len(told) == 1
    assert told[0].endswith("files: the file server answered 503; for 5 min at most")


def test_gaps_grow_for_all_files_of_a_server_in_trouble() -> None:
    shelves = Troubled(wrong=for_ever(LATE))
    run = run_of(earth(), 30, shelves)
    assert exits(run) == ["8", "30 jobs with missing files; run the same command to fetch them"]
    last = sorted(at for _, at in shelves.asked)[-4:]
    gaps = [later - earlier for earlier, later in pairwise(last)]
    assert min(gaps) > 25.0
    assert 300.0 < run.took < 300.0 + 60.0, "five minutes after the last job has ended"


def test_one_file_in_trouble_holds_no_other_back() -> None:
    over, shelves = earth(), Troubled(wrong=until(100.0, job="job-0"))
    run = run_of(over, 30, shelves)
    ends = {key: event.at for key, event in run.watching.events if isinstance(event, Collected)}
    assert exits(run) == ["0"]
    assert sorted(ends.values())[-2] - over.clock_offset + run.took < 30.0
    gaps = [b - a for a, b in pairwise(shelves.times("job-0"))]
    assert gaps == sorted(gaps), "its own gaps grow"


@pytest.mark.parametrize("why", [UNFIT, GONE])
def test_what_another_try_hardly_mends_is_tried_while_the_run_lasts_and_not_waited_for(
    why: WhyMissing,
) -> None:
    shelves = Troubled(wrong=for_ever(why, job="job-0"))
    run = run_of(earth(), 40, shelves, in_flight=5)
    assert exits(run) == ["8", "1 job with missing files; run the same command to fetch them"]
    assert len(shelves.times("job-0")) > 2
    alone = run_of(earth(), 1, Troubled(wrong=for_ever(why)))
    assert alone.took < 30.0


def test_what_fits_later_in_the_run_is_taken() -> None:
    over = earth()
    run = Run(
        over, make_jobs(40), collector=Troubled(wrong=until(60.0, UNFIT, job="job-0")), in_flight=5
    ).go()
    assert exits(run) == ["0"]


def test_a_drain_ends_the_wait_at_once() -> None:
    def drain_later(runner: Runner) -> None:
        asyncio.get_running_loop().call_later(100.0, runner.drain)

    run = run_of(earth(), 3, Troubled(wrong=for_ever(LATE)), command=drain_later)
    assert 99.0 < run.took < 101.0
    assert exits(run)[0] == "8"


def test_a_drain_before_that_leaves_no_wait_either() -> None:
    def drain_soon(runner: Runner) -> None:
        asyncio.get_running_loop().call_later(5.0, runner.drain)

    run = run_of(earth(), 3, Troubled(wrong=for_ever(LATE)), command=drain_soon)
    assert run.took < 30.0, "what is paid for is collected, as far as it can be"


def test_what_never_fits_is_a_failure_after_a_day_and_heals_all_the_same() -> None:
    over, shelves = earth(), Troubled(wrong=for_ever(UNFIT))
    assert exits(run_of(over, 2, shelves))[0] == "8"
    over.clock_offset += DAY
    later = run_of(over, 2, shelves)
    assert exits(later)[0] == "3"
    assert "2 jobs with files that do not arrive as they should" in exits(later)[1]
    assert exits(run_of(over, 2, Troubled())) == ["0"]
    assert len(over.service.submissions) == 2


def test_a_server_in_trouble_is_work_that_remains_however_old_the_job() -> None:
    over, shelves = earth(), Troubled(wrong=for_ever(LATE))
    run_of(over, 1, shelves)
    over.clock_offset += 3 * DAY
    assert exits(run_of(over, 1, shelves))[0] == "8"


def test_files_that_vanished_are_fetched_again_and_nothing_is_bought() -> None:
    over = earth()
    run_of(over, 3, Troubled())
    lost = list(records_of(over))[:2]
    shelves = Troubled()
    again = run_of(over, 3, shelves, vanished=lost)
    assert sorted({name for name, _ in shelves.asked}) == ["job-0", "job-1"]
    assert exits(again) == ["0"]
    assert len(over.service.submissions) == 3


def test_files_that_vanished_and_cannot_be_had_now_are_work_that_remains() -> None:
    over = earth()
    run_of(over, 3, Troubled())
    again = run_of(over, 3, Troubled(wrong=for_ever(LATE)), vanished=list(records_of(over))[:2])
    assert exits(again) == ["8", "2 jobs with missing files; run the same command to fetch them"]


def test_what_is_gone_from_the_disk_and_from_the_service_is_named_and_asked_for_no_more() -> None:
    over = earth()
    run_of(over, 2, Troubled())
    key = next(iter(records_of(over)))
    again = run_of(over, 2, Troubled(wrong=for_ever(GONE, job="job-0")), vanished=[key])
    assert exits(again) == [
        "3",
        "1 job with files that are lost: not on the disk, and no longer at the service",
    ]
    record = records_of(over)[key]
    assert record.gone == record.asset_ids
    assert record.kept_files == ()
    assert [one.asset_id for one in record.files] == list(record.asset_ids), "what they were stays on record"
    third = Troubled()
    assert exits(run_of(over, 2, third))[0] == "3"
    assert third.asked == []


def test_of_several_assets_those_that_are_there_are_kept() -> None:
    over = earth()
    jobs = make_jobs(1, numOutputs=4)

    class Partly(Troubled):
        async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
            if lost in asset_ids:
                raise DownloadError("gone", why={lost: GONE})
            return await Troubled.collect(self, job, asset_ids)

    lost = ""
    Run(over, jobs, collector=Partly()).go()
    [(key, before)] = records_of(over).items()
    lost = before.asset_ids[1]
    again = Run(over, jobs, collector=Partly(), vanished=[key]).go()
    [event] = events_of(again, AssetsGone)
    record = records_of(over)[key]
    assert event.asset_ids == record.gone == (lost,)
    assert [one.asset_id for one in record.kept_files] == [one for one in before.asset_ids if one != lost]
    lost = ""
    back = Run(over, jobs, collector=Partly(), vanished=[key]).go()  # somebody has put it back
    del back
    assert len(records_of(over)[key].kept_files) == 3, "nobody asks for it again"


def test_what_the_service_does_not_show_yet_is_not_gone() -> None:
    over = earth()
    first = run_of(over, 1, Troubled(wrong=for_ever(GONE)))
    assert exits(first)[0] == "8"
    assert states_of(over) == {State.SUCCEEDED: 1}
    over.clock_offset += DAY
    later = run_of(over, 1, Troubled(wrong=for_ever(GONE)))
    assert exits(later)[0] == "3"
    assert states_of(over) == {State.COLLECTED: 1}


def test_a_disk_that_takes_no_more_stops_buying_and_is_not_waited_for() -> None:
    class Full(Shelves):
        async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
            await asyncio.sleep(0.1)
            raise OutputError(f"cannot write {job.id}_{len(asset_ids)}.png: the disk is full")

    over = earth()
    run = Run(over, make_jobs(20), collector=Full(), in_flight=4, policy=Policy()).go()
    verdict = exits(run)
    assert verdict[0] == "8"
    assert any(
        "files could not be kept: cannot write job-" in one and "disk is full" in one for one in verdict
    )
    assert 4 <= len(over.service.submissions) < 12, "no more is bought"
    assert set(states_of(over)) == {State.SUCCEEDED}, "what was bought is watched to its end"
    assert run.took < 60.0
    assert verdict_of(run).exit is Exit.REMAINS


def test_a_drain_leaves_what_is_tried_at_that_moment_and_what_waits_behind_it() -> None:
    class Stuck(Troubled):
        async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
            if len(self.asked) > 20:
                await asyncio.sleep(1000.0)
            return await Troubled.collect(self, job, asset_ids)

    def drain_later(runner: Runner) -> None:
        asyncio.get_running_loop().call_later(250.0, runner.drain)

    run = run_of(earth(), 60, Stuck(wrong=for_ever(LATE)), command=drain_later)
    assert 249.0 < run.took < 251.0
    assert exits(run)[0] == "8"


def test_a_file_that_takes_long_to_come_is_not_cut_off() -> None:
    class Slow(Troubled):
        async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
            await asyncio.sleep(1000.0 if job.id == "job-0" else 0.0)
            return await Troubled.collect(self, job, asset_ids)

    over = earth()
    run = run_of(over, 3, Slow(wrong=until(200.0, job="job-1")))
    assert exits(run) == ["0"]
    assert run.took > 1000.0
