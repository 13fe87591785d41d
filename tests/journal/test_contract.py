"""What every journal must do, in memory, in a file and in a database alike."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.account import DISOWNED, Known
from batchgen.errors import OverBudgetError, RemoteIdTakenError, TransitionError
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    AnswerLost,
    Collected,
    Deferred,
    Event,
    Failed,
    PriceLearnt,
    Record,
    RefundShown,
    RetryAsked,
    State,
    SubmitStarted,
    apply,
    replay,
)
from batchgen.model import JobKey, Refund, Scope
from batchgen.planning.budget import (
    Allowance,
    Committed,
    Reservation,
    Window,
    committed,
    counted_at,
)
from batchgen.ports import Journal
from tests.support.journals import Journals
from tests.support.lives import JOB, lives
from tests.support.memory_journal import Disk, MemoryJournal
from tests.support.opened import OpenedFile as JournalFile

SCOPE = Scope(origin="http://127.0.0.1/v1", project="", batch="spring")
A, B = JobKey("v1:a"), JobKey("v1:b", 1)

Reopen = Callable[[], Journal]


def memory() -> Reopen:
    disk = Disk()
    return lambda: MemoryJournal(disk)


def sqlite(folder: Path) -> Reopen:
    return lambda: JournalFile.open(folder / "journal.db").batch(SCOPE)


def postgres(journals: Journals) -> Reopen:
    """Return what opens the journal of an origin that no test has met yet: one database serves many."""
    scope = replace(SCOPE, origin=f"http://127.0.0.1/{next(_ORIGINS)}")
    return lambda: journals.batch(scope)


_ORIGINS = itertools.count()


@pytest.fixture(params=["memory", "file", pytest.param("postgres", marks=pytest.mark.postgres)])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    if request.param != "postgres":
        yield memory() if request.param == "memory" else sqlite(tmp_path)
        return
    with Journals(request.getfixturevalue("journal_database"), tmp_path) as journals:
        yield postgres(journals)


def started(body: str = "{}") -> SubmitStarted:
    return SubmitStarted(at=1.0, job=JOB, attempt=1, body=body)


def test_events_and_records_survive_reopening(reopen: Reopen) -> None:
    record = reopen().append(A, started(), Accepted(at=2.0, remote_id="job_1"))
    again = reopen()
    assert dict(again.records()) == {A: record}
    assert list(again.history()) == [(A, started()), (A, Accepted(at=2.0, remote_id="job_1"))]


def test_an_append_is_all_or_nothing(reopen: Reopen) -> None:
    journal = reopen()
    with pytest.raises(TransitionError):
        journal.append(A, started(), Collected(at=2.0))
    assert not journal.records()
    assert not list(reopen().history())


def test_a_remote_id_belongs_to_one_job(reopen: Reopen) -> None:
    journal = reopen()
    journal.append(A, started(), Accepted(at=2.0, remote_id="job_1"))
    journal.append(B, started())
    with pytest.raises(RemoteIdTakenError):
        journal.append(B, Accepted(at=3.0, remote_id="job_1"))
    assert journal.records()[B].state is State.SUBMITTING
    assert reopen().records()[B].state is State.SUBMITTING


def test_it_is_known_which_submissions_are_ours(reopen: Reopen) -> None:
    journal = reopen()
    journal.append(A, started(), Accepted(at=2.0, remote_id="job_1"))
    for one in (journal, reopen()):
        found = one.holders(["job_1", "job_2"])
        assert {name: holder.key for name, holder in found.items()} == {"job_1": A}
        assert one.holders([]) == {}


def test_equal_jobs_whose_answer_is_not_known_are_found(reopen: Reopen) -> None:
    journal = reopen()
    twin = JobKey(A.content, 1)
    journal.append(A, started())
    journal.append(B, started())
    assert [one.state for one in journal.unanswered_equals(twin)] == [State.SUBMITTING]
    assert list(journal.unanswered_equals(A)) == []
    assert journal.bodies_in_doubt(twin) == frozenset(), "its answer may come yet"
    lost = reopen()
    lost.append(A, AnswerLost(at=2.0, reason="no answer in time"))
    assert lost.bodies_in_doubt(twin) == {started().body}
    assert lost.bodies_in_doubt(A) == lost.bodies_in_doubt(B) == frozenset()
    lost.append(A, Adopted(at=3.0, remote_id="job_1", charged=None, evidence={}))
    assert list(lost.unanswered_equals(twin)) == []
    assert lost.bodies_in_doubt(twin) == frozenset()


def test_equal_bodies_are_found_in_whatever_words_they_are_asked_for(reopen: Reopen) -> None:
    journal = reopen()
    body = '{"image":"asset_1"}'
    journal.append(A, replace(started(), body=body))
    for one in (journal, reopen()):
        assert [record.body for record in one.unanswered_equals(B, body)] == [body]
        assert [record.body for record in one.unanswered_equals(B._replace(ordinal=A.ordinal), body)] == [
            body
        ]
        assert list(one.unanswered_equals(B, '{"image":"asset_2"}')) == []
        assert list(one.unanswered_equals(A, body)) == []
    journal.append(A, AnswerLost(at=2.0, reason="no answer in time"))
    assert reopen().bodies_in_doubt(B, body) == {body}
    assert reopen().bodies_in_doubt(B, '{"image":"asset_2"}') == frozenset()


def test_a_refuted_absence_is_remembered(reopen: Reopen) -> None:
    journal = reopen()
    assert journal.trusts_absence
    journal.distrust_absence()
    assert not reopen().trusts_absence


def test_records_come_in_the_order_of_first_events(reopen: Reopen) -> None:
    journal = reopen()
    for key in (B, A):
        journal.append(key, started())
    journal.append(B, Accepted(at=2.0, remote_id="job_1"))
    assert list(journal.records()) == list(reopen().records()) == [B, A]


def of_one_database(test: Callable[..., None]) -> Callable[..., None]:
    """Give a test random data, all of it in one database: each example has an origin of its own."""
    health = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    return health(given(data=st.data())(test))


@given(st.data())
def test_replaying_the_history_gives_the_records(data: st.DataObject) -> None:
    check_replay(memory(), data)


@given(st.data())
def test_replaying_the_history_of_a_file_gives_its_records(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    check_replay(sqlite(tmp_path_factory.mktemp("journal")), data)


@pytest.mark.postgres
@of_one_database
def test_replaying_the_history_of_a_database_gives_its_records(
    journal_database: str, tmp_path: Path, data: st.DataObject
) -> None:
    with Journals(journal_database, tmp_path) as journals:
        check_replay(postgres(journals), data)


def check_replay(reopen: Reopen, data: st.DataObject) -> None:
    keys = [A, B, JobKey("v1:a", 1)]
    lived: dict[JobKey, list[Event]] = {
        key: data.draw(lives(longest=8, first=100 * number)) for number, key in enumerate(keys)
    }
    journal = reopen()
    while any(lived.values()):
        key = data.draw(st.sampled_from([key for key in keys if lived[key]]))
        journal.append(key, lived[key].pop(0))
        if data.draw(st.integers(0, 4)) == 0:
            journal = reopen()
    assert dict(reopen().records()) == dict(journal.records()) == replay(journal.history())


def test_only_a_receipt_tells_who_we_are(reopen: Reopen) -> None:
    journal = reopen()
    assert journal.authors == frozenset()
    journal.append(A, started(), Accepted(at=2.0, remote_id="job_1", author="apiu_us"))
    adopted = Adopted(at=3.0, remote_id="job_2", author="apiu_them", evidence={})
    journal.append(B, started(), AnswerLost(at=2.0, reason="cut"), adopted)
    assert journal.authors == reopen().authors == {"apiu_us"}


def test_who_a_key_is_is_known_by_its_receipts_and_by_what_was_learnt(reopen: Reopen) -> None:
    journal = reopen()
    assert journal.known("k1") == Known()
    sent = replace(started(), sender="k1")
    journal.append(A, sent, Accepted(at=2.0, remote_id="job_1", author="apiu_us"))
    journal.learn("k1", Known(rows=frozenset({"user_us"})))
    journal.learn("k2", Known(receipts=frozenset({"apiu_new"})))
    journal.learn("k3", Known(uploads=frozenset({"user_up"})))
    for one in (journal, reopen()):
        assert one.known("k1") == Known(frozenset({"apiu_us"}), frozenset({"user_us"}))
        assert one.known("k2") == Known(frozenset({"apiu_new"}))
        assert one.known("k3") == Known(uploads=frozenset({"user_up"}))
        assert one.known("k4") == Known()
        assert one.known() == Known(
            receipts=frozenset({"apiu_us", "apiu_new"}),
            rows=frozenset({"user_us"}),
            uploads=frozenset({"user_up"}),
        )
        assert one.authors == {"apiu_us", "apiu_new"}


def test_what_a_person_said_is_not_ours_has_a_holder(reopen: Reopen) -> None:
    journal = reopen()
    journal.append(A, started(), Accepted(at=2.0, remote_id="job_1"))
    journal.disown(["job_2"])
    journal.disown(["job_2"])
    assert set(journal.holders(["job_1", "job_2", "job_3"])) == {"job_1", "job_2"}
    assert reopen().holders(["job_2", "job_3"]) == {"job_2": DISOWNED}


def test_a_look_that_was_cut_off_is_remembered_until_one_ends(reopen: Reopen) -> None:
    assert reopen().looking_since is None
    reopen().look_began(50.0)
    assert reopen().looking_since == 50.0
    journal = reopen()
    journal.look_began(40.0)
    journal.look_ended()
    assert journal.looking_since is reopen().looking_since is None
    assert not reopen().records()


def priced(amount: str, *, at: float = 1.0) -> SubmitStarted:
    return SubmitStarted(at=at, job=JOB, attempt=1, body="{}", reserved=Decimal(amount))


def test_a_reservation_that_does_not_fit_is_not_recorded(reopen: Reopen) -> None:
    caps = Allowance(windows=(Window(name="the budget", cap=Decimal("7.25")),))
    journal = reopen()
    journal.append(A, priced("7.25"), allowed=caps)
    with pytest.raises(OverBudgetError) as refused:
        journal.append(B, priced("0.01"), allowed=caps)
    assert refused.value.over == Decimal("0.01")
    assert list(journal.records()) == list(reopen().records()) == [A]
    with pytest.raises(OverBudgetError):
        reopen().append(B, priced("0.01"), allowed=caps)


def test_what_comes_back_makes_room(reopen: Reopen) -> None:
    caps = Allowance(windows=(Window(name="the budget", cap=Decimal(8)),))
    reopen().append(A, priced("8"), Deferred(at=2.0, reason="full"))
    reopen().append(B, priced("8"), Accepted(at=2.0, remote_id="job_1", charged=Decimal(6)), allowed=caps)
    with pytest.raises(OverBudgetError):
        reopen().append(A, priced("2.5", at=3.0), allowed=caps)
    reopen().append(A, priced("2", at=3.0), allowed=caps)


def test_a_window_counts_what_began_in_it(reopen: Reopen) -> None:
    day = 86_400.0
    reopen().append(A, priced("5", at=day - 1), Accepted(at=day + 5, remote_id="job_1", charged=Decimal(5)))
    caps = Allowance(windows=(Window(name="the day's budget", cap=Decimal(4), since=day),))
    reopen().append(B, priced("4", at=day + 10), allowed=caps)
    with pytest.raises(OverBudgetError):
        reopen().append(A._replace(ordinal=7), priced("1", at=day + 20), allowed=caps)


def refunded(amount: str, remote_id: str = "job_1") -> RefundShown:
    return RefundShown(at=9.0, remote_id=remote_id, refunded=Decimal(amount))


def failure(cost: str, *, at: float = 1.0, attempt: int = 1) -> tuple[Event, ...]:
    intent = replace(priced(cost, at=at), attempt=attempt)
    paid = Accepted(at=at + 1, remote_id=f"job_{attempt}", charged=Decimal(cost))
    return intent, paid, Failed(at=at + 2, charged=Decimal(cost), refund=Refund.ASSUMED)


def test_a_refund_makes_room_under_a_cautious_cap_only_when_it_is_shown(reopen: Reopen) -> None:
    caps = Allowance(windows=(Window(name="the budget", cap=Decimal(8)),), trust_refunds=False)
    reopen().append(A, *failure("7.25"))
    with pytest.raises(OverBudgetError):
        reopen().append(B, priced("7.25", at=4.0), allowed=caps)
    reopen().append(A, refunded("7.25"))
    reopen().append(B, priced("7.25", at=5.0), allowed=caps)
    assert reopen().records()[A].submissions[0].refund is Refund.CONFIRMED


@pytest.mark.parametrize("goes_on", [(), (RetryAsked(at=90_000.0),)])
def test_yesterdays_refund_makes_no_room_today(reopen: Reopen, goes_on: tuple[Event, ...]) -> None:
    day = 86_400.0
    reopen().append(A, *failure("5"), *goes_on)
    if goes_on:
        reopen().append(A, *failure("5", at=day + 10_000, attempt=2))
    caps = Allowance(
        windows=(Window(name="the day's budget", cap=Decimal(5), since=day),), trust_refunds=False
    )
    reopen().append(A, refunded("5"))
    with pytest.raises(OverBudgetError):
        reopen().append(B, priced("5.01" if not goes_on else "0.01", at=day + 20_000), allowed=caps)


C, D = JobKey("v1:c"), JobKey("v1:d")


def kept(amount: str, *, at: float = 1.0, parent: JobKey = A) -> Reservation:
    return Reservation(Decimal(amount), at, parent)


def cap(amount: str, since: float | None = None) -> Allowance:
    return Allowance(windows=(Window(name="the budget", cap=Decimal(amount), since=since),))


def test_what_is_kept_for_later_steps_is_made_with_the_intent_and_counts_under_the_caps(
    reopen: Reopen,
) -> None:
    reopen().append(A, priced("2"), allowed=cap("9"), reserves={C: Decimal(3), D: Decimal("3.5")})
    for one in (reopen(), reopen()):
        assert one.reservations() == {C: kept("3"), D: kept("3.5")}
        assert list(one.spent(cap("9"))) == [Decimal("8.5")]
    with pytest.raises(OverBudgetError) as refused:
        reopen().append(B, priced("1"), allowed=cap("9"))
    assert refused.value.over == Decimal("0.5")


def test_an_intent_whose_later_steps_do_not_fit_is_not_recorded_and_keeps_nothing(reopen: Reopen) -> None:
    journal = reopen()
    with pytest.raises(OverBudgetError):
        journal.append(A, priced("2"), allowed=cap("4"), reserves={C: Decimal(3)})
    for one in (journal, reopen()):
        assert (dict(one.records()), dict(one.reservations())) == ({}, {})
        assert list(one.spent(cap("4"))) == [0]


def test_the_intent_of_a_step_takes_the_place_of_what_was_kept_for_it_on_its_own_day(reopen: Reopen) -> None:
    day = 86_400.0
    reopen().append(A, priced("2", at=day - 5), reserves={C: Decimal(3)})
    reopen().append(C, priced("4", at=day + 5), allowed=cap("6"))
    assert dict(reopen().reservations()) == {}
    assert list(reopen().spent(cap("9"))) == [6]
    assert list(reopen().spent(cap("9", since=day))) == [4]


def test_a_step_of_two_parents_is_kept_once(reopen: Reopen) -> None:
    reopen().append(A, priced("2"), reserves={C: Decimal(3)})
    reopen().append(B, priced("2"), reserves={C: Decimal(5), D: Decimal(1)})
    journal = reopen()
    journal.reserve({C: kept("7"), D: kept("7")}, allowed=cap("8"))
    assert journal.reservations() == reopen().reservations() == {C: kept("3"), D: kept("1", parent=B)}
    assert list(reopen().spent(cap("9"))) == [8]


def test_what_is_kept_anew_fits_under_the_caps_or_none_of_it_is_kept(reopen: Reopen) -> None:
    journal = reopen()
    journal.reserve({C: kept("3")}, allowed=cap("7"))
    with pytest.raises(OverBudgetError):
        journal.reserve({D: kept("2"), B: kept("2.5")}, allowed=cap("7"))
    assert dict(journal.reservations()) == dict(reopen().reservations()) == {C: kept("3")}


def test_what_is_released_counts_no_more(reopen: Reopen) -> None:
    journal = reopen()
    journal.append(A, priced("2"), reserves={C: Decimal(3), D: Decimal(4)})
    journal.release([C, B])
    journal.release([C])
    assert list(journal.reservations()) == list(reopen().reservations()) == [D]
    assert list(reopen().spent(cap("9"))) == [6]


@given(st.data())
def test_the_sums_are_those_of_records_and_of_what_is_kept(data: st.DataObject) -> None:
    check_sums(memory(), data)


@given(st.data())
def test_the_sums_of_a_file_are_those_of_its_records_and_of_what_is_kept(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    check_sums(sqlite(tmp_path_factory.mktemp("journal")), data)


@pytest.mark.postgres
@of_one_database
def test_the_sums_of_a_database_are_those_of_its_records_and_of_what_is_kept(
    journal_database: str, tmp_path: Path, data: st.DataObject
) -> None:
    with Journals(journal_database, tmp_path) as journals:
        check_sums(postgres(journals), data)


AMOUNTS = st.decimals(min_value=0, max_value=40, places=3)


def check_sums(reopen: Reopen, data: st.DataObject) -> None:
    """Do anything in any order: intents and ends with and without later steps, more, and less of them."""
    keys = [A, B, C, D]
    lived: dict[JobKey, list[Event]] = {
        key: data.draw(lives(longest=6, first=1000 * number)) for number, key in enumerate(keys)
    }
    some = st.dictionaries(st.sampled_from(keys), AMOUNTS, max_size=3)
    journal = reopen()
    for _ in range(data.draw(st.integers(1, 16))):
        caps = data.draw(st.none() | st.integers(0, 90).map(lambda most: cap(str(most))))
        do = data.draw(st.sampled_from(["append", "append", "reserve", "release", "reopen"]))
        key = data.draw(st.sampled_from(keys))
        with suppress(OverBudgetError):
            if do == "append" and lived[key]:
                event = lived[key][0]
                learns = any(type(one) is PriceLearnt for one in lived[key])
                if type(event) is SubmitStarted and not learns:
                    event = replace(event, reserved=data.draw(AMOUNTS))
                others = {one: amount for one, amount in data.draw(some).items() if one != key}
                journal.append(key, event, allowed=caps, reserves=others)
                del lived[key][0]
            elif do == "reserve":
                at = data.draw(st.sampled_from([1.0, 950.0, 2500.0]))
                journal.reserve(
                    {one: Reservation(amount, at, key) for one, amount in data.draw(some).items()},
                    allowed=caps,
                )
            elif do == "release":
                journal.release(data.draw(st.lists(st.sampled_from(keys), max_size=2)))
            elif do == "reopen":
                journal = reopen()
    for one in (journal, reopen()):
        for since in (None, 900.0, 1800.0):
            assert list(one.spent(cap("1", since))) == [sum_of(one, since)]


def sum_of(journal: Journal, since: float | None) -> Decimal:
    """Add up what the history committed, each by its moment, and what is kept."""
    records: dict[JobKey, Record] = {}
    changes = [(one.at, Committed(gross=one.amount)) for one in journal.reservations().values()]
    for key, event in journal.history():
        before = records.get(key, Record())
        records[key] = after = apply(before, event)
        if (at := counted_at(after, [event])) is not None:
            changes.append((at, committed(after) - committed(before)))
    counted = (one for at, one in changes if since is None or at >= since)
    return sum(counted, Committed()).net(trust_refunds=True)
