"""The look before buying finds editions that no record has, and a kill at any step of it does no harm."""

import pytest

from batchgen.lifecycle import RedoAsked, Restored, State
from batchgen.model import Job, JobKey, Submission
from batchgen.planning.editions import Shelf, unlinked
from batchgen.record import Record
from tests.support.builders import make_earth, make_job, make_jobs, records_of, service_of_another
from tests.support.memory_journal import Disk, MemoryJournal
from tests.support.virtual import SEEDED, Earth, Run


def run_to_its_end(over: Earth, jobs: list[Job]) -> None:
    """Run once, and again as long as another plan goes on with what was found."""
    while (run := Run(over, jobs).go()).ending is not None and run.ending.anew:
        pass


def redo(over: Earth, name: str, ordinal: int) -> JobKey:
    """Ask for another one, and return the key of the first."""
    journal = MemoryJournal(over.disk)
    head = next(
        key for key, one in journal.records().items() if one.job and one.job.id == name and not key.ordinal
    )
    journal.append(head, RedoAsked(at=over.now(), ordinal=ordinal))
    return head


def owned(over: Earth) -> set[str]:
    return {paid.remote_id for one in records_of(over).values() for paid in one.submissions}


def paid(over: Earth) -> set[str]:
    return {one.remote_id for one in over.service.submissions}


@pytest.mark.parametrize("appends", range(14))
def test_a_kill_at_any_step_of_the_look_leaves_nothing_unowned_and_buys_nothing_twice(appends: int) -> None:
    over, jobs = make_earth(), make_jobs(2)
    Run(over, jobs).go()
    for ordinal in (1, 2):
        redo(over, "job-0", ordinal)
        Run(over, jobs).go()
    over.disk = Disk()
    Run(over, jobs, cut_at_append=appends).go()
    run_to_its_end(over, jobs)
    for one, ordinal in list(unlinked(records_of(over))):  # as the next command does that runs the batch
        MemoryJournal(over.disk).append(one, RedoAsked(at=over.now(), ordinal=ordinal))
    run_to_its_end(over, [*jobs, Job(id="new", prompt="a mill", model=SEEDED)])
    assert len(over.service.submissions) == 5
    assert owned(over) == paid(over)
    [head] = [key for key, one in records_of(over).items() if one.editions]
    assert Shelf(records_of(over)).of(head).current == JobKey(head.content, 2)


def test_an_edition_of_a_colleague_with_a_batch_of_this_name_is_nobodys() -> None:
    over, jobs = make_earth(), make_jobs(2)
    theirs = make_earth(key="somebody-else", seed=9)
    Run(theirs, jobs[:1], key="somebody-else").go()
    redo(theirs, "job-0", 1)
    Run(theirs, jobs[:1], key="somebody-else").go()
    over.service.restore(theirs.service.submissions)
    run_to_its_end(over, jobs)  # the answer to the job that no row looks like says who we are
    run_to_its_end(over, [*jobs, Job(id="new", prompt="a mill", model=SEEDED)])
    assert len(over.service.submissions) == 2 + 3
    assert owned(over) == paid(over) - {one.remote_id for one in theirs.service.submissions}
    assert not any(one.editions for one in records_of(over).values())


def test_a_look_that_finds_no_edition_leaves_the_run_as_it_was() -> None:
    over, jobs = make_earth(), make_jobs(6)
    over.service.restore(service_of_another(jobs[3:]).submissions)
    Run(over, jobs[:3]).go()
    over.disk = Disk()
    run = Run(over, jobs).go()
    assert run.ending is not None
    assert not run.ending.anew


def bought(name: str, state: State = State.COLLECTED, *editions: int) -> Record:
    submission = Submission(remote_id=name, attempt=1, at=1.0, charged=None)
    job = make_job(name.partition("/")[0])
    return Record(state=state, job=job, submissions=(submission,), editions=editions)


def test_what_asks_for_the_same_under_one_id_is_of_one_job() -> None:
    records = {
        JobKey("v1:a", 0): bought("tower"),
        JobKey("v1:a", 2): bought("tower/2"),
        JobKey("v1:a", 1): bought("tower/1", State.RUNNING),
        JobKey("v1:a", 3): bought("other"),
        JobKey("v1:b", 0): bought("tower"),
    }
    assert list(unlinked(records)) == [(JobKey("v1:a", 0), 1), (JobKey("v1:a", 0), 2)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (bought("tower", State.COLLECTED, 1), bought("tower/1")),
        (bought("tower"), bought("tower/1", State.ABANDONED)),
        (bought("tower", State.RUNNING), bought("tower/1", State.FAILED)),
    ],
    ids=["told already", "given up", "no success"],
)
def test_what_is_told_is_given_up_or_has_no_success_beside_it_is_left(first: Record, second: Record) -> None:
    assert not list(unlinked({JobKey("v1:a", 0): first, JobKey("v1:a", 1): second}))


def test_what_was_taken_back_and_was_paid_for_after_all_is_an_earlier_one_and_not_the_jobs_own() -> None:
    over, jobs = make_earth(), make_jobs(1)
    Run(over, jobs).go()
    head = redo(over, "job-0", 1)
    before = list(over.disk.events)
    Run(over, jobs).go()
    over.disk = Disk(events=before)
    MemoryJournal(over.disk).append(head, Restored(at=over.now(), ordinal=0))
    run_to_its_end(over, [*jobs, Job(id="new", prompt="a mill", model=SEEDED)])
    assert len(over.service.submissions) == 3
    assert owned(over) == paid(over)
    assert Shelf(records_of(over)).of(head).current == head
