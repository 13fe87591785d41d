"""Two names of one account become one in the journal, and nothing that happened is changed by it."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.errors import OverBudgetError
from batchgen.identity import references_of
from batchgen.journal.opened import OpenJournal
from batchgen.lifecycle import (
    Accepted,
    AnswerLost,
    ChargeShown,
    Collected,
    Event,
    OutputsGrew,
    Record,
    RedoAsked,
    RefundShown,
    Restored,
    SubmitStarted,
    Succeeded,
    replay,
)
from batchgen.model import Job, JobKey, Scope
from batchgen.planning.budget import Allowance, Window
from batchgen.planning.editions import Editions, editions_of
from tests.support.journals import Journals
from tests.support.lives import JOB, lives

FIRST = Scope(origin="http://127.0.0.1/v1", project="", batch="spring")
SECOND = replace(FIRST, project="proj_own")
A, B = JobKey("v1:a"), JobKey("v1:b")


def started(reserved: str = "0") -> SubmitStarted:
    return SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}", reserved=Decimal(reserved))


def accepted(remote_id: str, owner: str = "") -> Accepted:
    return Accepted(at=2.0, remote_id=remote_id, charged=Decimal(4), author="apiu_1", owner=owner)


@pytest.fixture
def file(journals: Journals) -> OpenJournal:
    journals.lead("spring", "summer")
    return journals.open()


def test_a_name_that_joined_another_leads_to_its_records_in_every_slot(file: OpenJournal) -> None:
    file.batch(FIRST).append(A, started(), accepted("job_1"))
    file.names.join(SECOND, FIRST, at=3.0)
    assert file.names.resolve(SECOND) == FIRST
    assert file.names.resolve(replace(SECOND, slot="2026-11-26")) == replace(FIRST, slot="2026-11-26")
    assert file.names.resolve(replace(SECOND, batch="summer")) == replace(SECOND, batch="summer")
    assert file.scopes() == [FIRST]


def test_a_chain_of_names_ends_where_the_records_are(file: OpenJournal) -> None:
    third = replace(FIRST, origin="http://localhost/v1")
    for scope, remote_id in ((FIRST, "job_1"), (SECOND, "job_2"), (third, "job_3")):
        file.batch(scope).append(A, started(), accepted(remote_id))
    file.names.join(third, SECOND, at=3.0)
    file.names.join(SECOND, FIRST, at=4.0)
    assert {file.names.resolve(one) for one in (FIRST, SECOND, third)} == {FIRST}
    records = file.batch(FIRST).records()
    assert sorted(one.remote_id or "" for one in records.values()) == ["job_1", "job_2", "job_3"]
    assert set(file.batch(FIRST).holders(["job_1", "job_2", "job_3"])) == {"job_1", "job_2", "job_3"}
    file.names.join(FIRST, SECOND, at=5.0)
    assert {file.names.resolve(one) for one in (FIRST, SECOND, third)} == {SECOND}, "and back, without a ring"


_ORIGINS = itertools.count()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([FIRST, SECOND]), st.sampled_from("ab"), st.integers(0, 2), lives()))
)
def test_each_record_is_still_what_its_events_tell(
    journals: Journals, file: OpenJournal, walks: list[tuple[Scope, str, int, list[Event]]]
) -> None:
    del journals  # the fixture that has the file open
    seen, before = set[tuple[Scope, JobKey]](), list[Record]()
    origin = f"http://127.0.0.1/{next(_ORIGINS)}"  # of which nothing is on record yet
    first, second = replace(FIRST, origin=origin), replace(SECOND, origin=origin)
    for nth, (asked, content, ordinal, life) in enumerate(walks):
        scope, key = replace(asked, origin=origin), JobKey(content, ordinal)
        if (scope, key) in seen:
            continue
        seen.add((scope, key))
        told = [
            replace(event, remote_id=f"{nth} {event.remote_id}")
            if isinstance(event, Accepted | RefundShown | ChargeShown | OutputsGrew)
            else event
            for event in life
        ]
        if told:
            before.append(file.batch(scope).append(key, *told))
    file.names.join(second, first, at=3.0)
    after = file.batch(first)
    assert replay(after.history()) == after.records()
    assert sorted(map(repr, after.records().values())) == sorted(map(repr, before))
    assert not file.batch(second).records()


def test_equals_of_the_second_name_join_under_ordinals_that_are_free(file: OpenJournal) -> None:
    file.batch(FIRST).append(A, started(), accepted("job_1"))
    file.batch(SECOND).append(A, started(), accepted("job_2"))
    file.batch(SECOND).append(B, started(), accepted("job_3"))
    file.names.join(SECOND, FIRST, at=3.0)
    ids = {key: one.remote_id for key, one in file.batch(FIRST).records().items()}
    assert ids == {A: "job_1", JobKey("v1:a", 1): "job_2", B: "job_3"}


def test_editions_and_parents_of_the_second_name_are_still_the_same_records(file: OpenJournal) -> None:
    first, second = file.batch(FIRST), file.batch(SECOND)
    done = Succeeded(at=3.0, asset_ids=("asset_1",)), Collected(at=4.0)
    for journal, name in ((first, "one"), (second, "two")):
        journal.append(A, started(), accepted(f"job_{name}"), *done)
        journal.append(A, RedoAsked(at=5.0, ordinal=1))
    second.append(JobKey("v1:a", 1), started(), accepted("job_again"), *done)
    second.append(A, Restored(at=6.0, ordinal=0))
    fed = {"image": {"job": "a", "content": "v1:a", "ordinal": 1, "assets": ["asset_1"]}}
    child = Job(id="child", model="m", params=fed)
    second.append(B, SubmitStarted(at=7.0, job=child, attempt=1, body="{}"), accepted("job_child"))
    file.names.join(SECOND, FIRST, at=8.0)
    after = file.batch(FIRST)
    records = after.records()
    assert replay(after.history()) == records
    # what is asked for of the first name's job and not bought yet is no record of the second's
    assert {key.ordinal: one.remote_id for key, one in records.items() if key.content == "v1:a"} == {
        0: "job_one", 2: "job_two", 3: "job_again",
    }  # fmt: skip
    assert editions_of(A, records) == Editions((A, JobKey("v1:a", 1)), JobKey("v1:a", 1), A)
    head, again = JobKey("v1:a", 2), JobKey("v1:a", 3)
    assert editions_of(head, records) == Editions((head, again), head, head)
    bound = records[B].job
    assert bound is not None
    assert [one.key for one in references_of(bound)] == [again]


def test_what_was_spent_under_both_names_counts_against_one_cap(file: OpenJournal) -> None:
    file.batch(FIRST).append(A, started("4"), accepted("job_1"))
    file.batch(SECOND).append(A, started("4"), accepted("job_2"))
    file.names.join(SECOND, FIRST, at=3.0)
    allowed = Allowance(windows=(Window(name="total", cap=Decimal(11)),))
    with pytest.raises(OverBudgetError):
        file.batch(FIRST).append(B, started("4"), allowed=allowed)


@pytest.mark.parametrize(
    "change", ["UPDATE events SET name = 'Accepted'", "UPDATE events SET scope = 1", "DELETE FROM events"]
)
def test_events_are_still_never_changed_afterwards(
    file: OpenJournal, journals: Journals, change: str
) -> None:
    file.batch(FIRST).append(A, started())
    file.batch(SECOND).append(A, started())
    file.names.join(SECOND, FIRST, at=3.0)
    with pytest.raises(Exception, match="events are never"):
        journals.write(change)


def test_receipts_tell_whose_a_scope_is_and_an_adopted_row_does_not(file: OpenJournal) -> None:
    file.batch(FIRST).append(A, started(), accepted("job_1", owner="proj_own"))
    assert file.names.owners() == {FIRST: "proj_own"}


def test_a_doubt_of_the_same_account_is_seen_under_another_project(file: OpenJournal) -> None:
    journal = file.batch(FIRST)
    journal.append(B, started(), accepted("job_1", owner="proj_own"))
    lost = AnswerLost(at=2.0, reason="cut")
    file.batch(replace(SECOND, batch="summer")).append(A, started(), lost)
    file.batch(replace(SECOND, project="proj_another", batch="summer")).append(A, started(), lost)
    assert len(journal.unanswered_equals(A)) == 1, "by the name of the project that owns our jobs"
    assert len(file.batch(SECOND).unanswered_equals(A)) == 1
    assert len(file.batch(replace(SECOND, project="proj_third")).unanswered_equals(A)) == 0


def test_a_choice_holds_in_both_directions_and_for_no_other_pair(file: OpenJournal) -> None:
    file.names.choose("renamed", "summer", "spring", at=1.0)
    assert file.names.is_chosen("renamed", "spring", "summer")
    assert not file.names.is_chosen("renamed", "spring", "winter")


def test_places_of_manifests_are_kept_by_batch(file: OpenJournal) -> None:
    for at, path in ((1.0, "/a.yaml"), (2.0, "/b.yaml"), (3.0, "/a.yaml")):
        file.names.keep_manifest(FIRST, path, at=at)
    assert file.names.manifests_of("spring") == ["/b.yaml", "/a.yaml"]
    assert file.names.manifests_of("summer") == []


def test_what_a_killed_run_kept_for_chains_does_not_go_along(file: OpenJournal) -> None:
    file.batch(FIRST).append(A, started("1"), reserves={B: Decimal(3)})
    file.batch(SECOND).append(A, started("2"), reserves={B: Decimal(5)})
    file.names.join(SECOND, FIRST, at=1.0)
    joined = file.batch(FIRST)
    caps = Allowance(windows=(Window(name="the budget", cap=Decimal(99)),))
    assert {key: one.amount for key, one in joined.reservations().items()} == {B: Decimal(3)}
    assert list(joined.spent(caps)) == [1 + 2 + 3]
