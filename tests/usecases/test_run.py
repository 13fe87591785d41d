"""Whole use cases over a real journal and the simulator's core, in virtual time, without a socket."""

import asyncio
import json
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import BatchLockedError, InputError, JournalAwayError
from batchgen.exits import Exit
from batchgen.journal.asset_marks import AssetMarks
from batchgen.lifecycle import Collected, State
from batchgen.model import File
from batchgen.planning.marks import Marks
from batchgen.simulator.exchange import Call
from batchgen.simulator.settings import Limits, Outcomes
from batchgen.wiring.opening import look_at
from batchgen.wiring.word_lists import selection_of
from tests.support.builders import make_earth
from tests.support.place import Place, quiet

LONG = 90.0  # seconds that a job takes: nobody would wait for it in a test


MANIFEST = """\
version: 1
batch: spring
output: {download: false}
jobs:
  - id: "{view}"
    model: model_bfl-flux-1-dev
    prompt: a tower from the {view}
    matrix:
      view: [north, east, south, west, above, below, left, right]
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    return Place(tmp_path, make_earth(duration=(LONG, LONG), limits=Limits(ceiling=3)))


def test_a_run_of_minutes_takes_no_time_and_writes_what_came_out(place: Place) -> None:
    began = place.earth.clock_offset
    outcome = place.run()
    took = place.earth.clock_offset - began
    assert 3 * LONG < took < 4 * LONG, "eight jobs, three at a time"
    assert outcome.verdict.exit is Exit.DONE
    document = json.loads(outcome.results.read_text())
    assert document["summary"]["statuses"]["succeeded"] == 8
    assert place.bought == 8


def test_a_second_run_asks_the_service_nothing(place: Place) -> None:
    place.run()
    asked = sum(place.earth.service.counts.values())
    outcome = place.run()
    assert (outcome.asked, outcome.verdict.exit) == (False, Exit.DONE)
    assert sum(place.earth.service.counts.values()) == asked


def test_a_journal_that_is_away_while_results_are_kept_fresh_does_not_end_the_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = AssetMarks.read, count()

    def away_for_a_while(marks: AssetMarks) -> Marks:
        if 2 <= next(asked) < 5:  # the plan and the beginning have read them
            raise JournalAwayError("the database does not answer")
        return read(marks)

    monkeypatch.setattr(AssetMarks, "read", away_for_a_while)
    assert place.run().verdict.exit is Exit.DONE
    assert next(asked) > 5


def test_what_a_cut_run_has_paid_for_is_collected_by_the_next_and_paid_once(place: Place) -> None:
    async def cut() -> None:
        running = api.run(place.options(), Interrupts(), quiet())
        async with asyncio.timeout(1.5 * LONG):
            await running

    with pytest.raises(TimeoutError):
        place.play(cut())
    before = place.bought
    assert 0 < before < 8
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 8


def test_a_drain_buys_no_more_and_says_that_work_remains(place: Place) -> None:
    async def drained() -> api.RunOutcome:
        interrupts = Interrupts()
        asyncio.get_running_loop().call_later(LONG / 2, interrupts.drain)
        return await api.run(place.options(), interrupts, quiet())

    outcome = place.play(drained())
    assert outcome.verdict.exit is Exit.REMAINS
    assert place.bought == 3
    assert place.states()[State.COLLECTED] == 3


def test_two_runs_of_a_batch_at_once_are_one_run(place: Place) -> None:
    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            one = group.create_task(api.run(place.options(), Interrupts(), quiet()), name="one")
            await asyncio.sleep(LONG / 2)
            with pytest.raises(BatchLockedError):
                await api.run(place.options(), Interrupts(), quiet())
        assert one.result().verdict.exit is Exit.DONE

    place.play(both())
    assert place.bought == 8


def test_a_plan_prices_the_jobs_and_buys_nothing(place: Place) -> None:
    preview = place.play(api.plan(place.options(limit=2)))
    assert len(preview.batch.plan.to_submit) == 2
    assert preview.outlook.quoted.total_high == 2 * preview.outlook.quoted.classes[0].price.high  # type: ignore[union-attr]
    assert preview.whole is not None
    assert (preview.whole[0], preview.has_work, place.bought) == (8, True, 0)


def test_an_audit_after_a_run_finds_that_all_agree(place: Place) -> None:
    place.run()
    found = place.play(api.audit(place.options()))
    assert (found.verdict.exit, found.submissions, found.sums.difference) == (Exit.DONE, 8, Decimal(0))


def test_an_accepted_job_is_not_bought_again_and_a_forgotten_one_is(place: Place) -> None:
    place.run()
    manifest = place.folder / "jobs.yaml"
    manifest.write_text(manifest.read_text().replace("a tower from the", "A tower seen from the"))
    kept = api.accept(place.options(selection=selection_of(["north", "east"])))
    assert [one.acceptance.job for one in kept.offers] == ["north", "east"]
    again = api.accept(place.options(selection=selection_of(["north"])))
    assert (again.offers, again.before) == ((), ("north",))
    assert place.run(limit=1).verdict.exit is Exit.DONE
    assert place.bought == 9
    assert api.forget(place.options(selection=selection_of(["north"]))) == ("north",)
    preview = place.play(api.plan(place.options()))
    assert "north" in [one.job.id for one in preview.batch.plan.to_submit]


def test_a_lost_journal_is_rebuilt_and_nothing_is_bought_again(place: Place) -> None:
    place.run()
    for path in place.options().output.glob("journal.db*"):
        path.unlink()
    recovery = place.play(api.rebuild(place.options()))
    assert (len(recovery.found), recovery.exit) == (8, Exit.DONE)
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 8


def test_failed_jobs_are_tried_again_when_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    earth = make_earth(duration=(LONG, LONG), outcomes=Outcomes(failures=0.5))
    place = Place(tmp_path, earth)
    assert place.run().verdict.exit is Exit.FAILED
    failed = place.states()[State.FAILED]
    assert failed > 0
    place.run(retry_failed=True)
    assert place.bought == 8 + failed
    assert earth.service.counts[Call.SUBMIT] == 8 + failed


def test_a_retry_by_pattern_tries_what_failed_and_buys_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    earth = make_earth(duration=(LONG, LONG), outcomes=Outcomes(failures=0.5))
    place = Place(tmp_path, earth)
    place.run(limit=6)
    failed = place.states()[State.FAILED]
    place.run(selection=selection_of(["*"]), retry=True)
    assert 0 < failed < 6
    assert place.bought == 6 + failed


def test_what_failed_is_tried_again_of_the_jobs_that_are_selected_and_of_no_other(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    place = Place(tmp_path, make_earth(duration=(LONG, LONG), outcomes=Outcomes(failures=0.6)))
    place.run(limit=7)
    with look_at(place.options()) as opened:
        stands = {one.job.id: one.record.state for one in opened.batch.plan.entries}
    first, *others = [name for name, state in stands.items() if state is State.FAILED]
    planned = [name for name, state in stands.items() if state is State.PLANNED]
    assert (len(others) > 1, len(planned)) == (True, 1)

    words = selection_of(["status:failed"], [first, *planned], ())
    place.run(selection=words, retry=True)  # of those that failed only one was meant
    assert place.bought == 7 + 1
    place.run(selection=selection_of((), [others[0], *planned]), retry_failed=True)
    assert place.bought == 8 + 2
    done = next(name for name, state in stands.items() if state is State.COLLECTED)
    with pytest.raises(InputError, match="has not failed: it is done"):
        place.run(selection=selection_of([done]), retry=True)
    place.run(selection=selection_of(["*"], (), [others[1]]), retry_failed=True, limit=0)
    assert place.bought == 10


PICTURES = MANIFEST.replace("output: {download: false}\n", "")


def test_where_no_files_are_wanted_nobody_looks_for_them(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    place = Place(tmp_path, make_earth())
    place.run()
    record_files(place)
    assert not place.run().asked
    (tmp_path / "jobs.yaml").write_text(PICTURES)
    with look_at(place.options()) as opened:
        assert opened.batch.files.files == 8
        assert opened.batch.needs_the_service


def test_what_vanished_and_was_not_fetched_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    place = Place(tmp_path, make_earth())
    place.run()
    record_files(place)
    (tmp_path / "jobs.yaml").write_text(PICTURES)
    place.interrupts.take(2)  # before anything begins
    outcome = place.run()
    document = json.loads(outcome.results.read_text())
    assert document["summary"]["files"] == 0
    assert all(job["files"] == [] and job["status"] == "succeeded" for job in document["jobs"])
    assert outcome.verdict.reasons == ("8 jobs with missing files; run the same command to fetch them",)
    assert outcome.verdict.exit is Exit.REMAINS


def record_files(place: Place) -> None:
    """Let the journal say that there were files."""
    options = place.options()
    with options.journal.opened() as file, look_at(options) as opened:
        journal = file.batch(opened.batch.scope)
        for key, record in journal.records().items():
            files = tuple(
                File(asset_id=one, path=f"assets/{one}.png", bytes=9, sha256="00" * 32, mime="image/png")
                for one in record.asset_ids
            )
            journal.append(key, Collected(at=place.earth.now(), files=files))


def test_a_run_that_looks_for_minutes_and_learns_nothing_writes_nothing_again(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 2, make_earth(duration=(90_000.0, 90_000.0)))
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(manifest.read_text() + "timeout: 300s\n")
    folder = tmp_path / "output" / "spring"

    def stamps() -> dict[str, tuple[int, int]]:
        return {one.name: (one.stat().st_ino, one.stat().st_mtime_ns) for one in folder.iterdir()}

    first = place.run()
    before = stamps()
    second = place.run()
    assert first.verdict.exit is second.verdict.exit is Exit.REMAINS
    assert place.bought == 2
    assert len(before) == 3
    assert stamps() == before
