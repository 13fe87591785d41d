"""Who is watched, whose time has come, and who may have ended: whatever was added, moved and removed."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batchgen.engine.watch.watchlist import Watched, WatchList
from batchgen.model import Job, JobKey
from batchgen.planning.plan import Entry

NEVER = 1e9
moments = st.integers(0, 40).map(float)  # few, so that some fall together


def row(
    name: str, *, poll: float = 10.0, ripe: float = 0.0, accepted: float = 0.0, deadline: float = NEVER
) -> Watched:
    return Watched(
        entry=Entry(key=JobKey(f"v1:{name}"), job=Job(id=name, prompt="a mill", model="flux")),
        remote_id=name,
        accepted=accepted,
        intended_at=0.0,
        deadline=deadline,
        ripe_at=ripe,
        next_poll=poll,
    )


def listed(*rows: Watched) -> WatchList:
    watched = WatchList()
    for one in rows:
        watched.add(one)
    return watched


def names(watched: WatchList, now: float) -> list[str]:
    return [one.remote_id for one in watched.due(now)]


def test_a_sweep_that_counts_as_a_look_puts_a_poll_off() -> None:
    one = row("a", poll=10.0)
    assert one.due == 10.0
    one.covered_until = 30.0
    assert one.due == 30.0


def test_however_many_sweeps_there_are_it_is_polled_a_minute_after_it_may_have_ended() -> None:
    one = row("a", poll=10.0, ripe=20.0)
    one.covered_until = NEVER
    assert one.due == 20.0 + 60.0


def test_a_job_that_runs_for_long_is_left_to_sweeps_for_a_quarter_of_its_age() -> None:
    one = row("a", poll=10.0, accepted=100.0)
    one.covered_until = NEVER
    one.was_seen(1100.0)
    assert one.due == 1100.0 + 250.0


def test_what_was_not_found_rests_whatever_sweeps_show() -> None:
    one = row("a", poll=10.0)
    one.rests_until = 500.0
    assert one.due == 500.0


@given(moments, moments, moments, moments, moments)
def test_nothing_puts_a_poll_off_beyond_the_deadline(
    poll: float, ripe: float, deadline: float, covered: float, rests: float
) -> None:
    one = row("a", poll=poll, ripe=ripe, deadline=deadline)
    one.covered_until, one.rests_until = covered, rests
    assert one.due <= deadline
    assert one.due >= min(deadline, rests, poll)


def test_those_that_are_due_come_in_the_order_of_their_times_and_once_each() -> None:
    watched = listed(row("late", poll=9.0), row("early", poll=3.0), row("later", poll=11.0))
    assert watched.next_due() == 3.0
    assert names(watched, 2.9) == []
    assert names(watched, 10.0) == ["early", "late"]
    assert names(watched, 10.0) == []
    assert watched.next_due() == 11.0


def test_one_that_is_taken_out_waits_until_it_is_queued_again() -> None:
    one = row("a", poll=3.0)
    watched = listed(one)
    assert names(watched, 5.0) == ["a"]
    one.next_poll = 8.0
    assert names(watched, 9.0) == []
    watched.queue(one)
    assert names(watched, 9.0) == ["a"]


def test_one_more_look_is_not_taken_while_a_poll_is_under_way() -> None:
    one = row("a", poll=3.0)
    watched = listed(one)
    one.polled = True
    assert names(watched, 5.0) == []
    one.polled = False
    watched.queue(one)
    assert names(watched, 5.0) == ["a"]


def test_one_that_was_put_off_without_a_word_is_taken_out_when_it_is_due_and_not_before() -> None:
    one = row("a", poll=3.0)
    watched = listed(one)
    one.covered_until = 8.0
    assert names(watched, 5.0) == []
    assert watched.next_due() == 8.0
    assert names(watched, 8.0) == ["a"]


def test_a_row_that_is_queued_several_times_comes_once() -> None:
    one = row("a", poll=3.0)
    watched = listed(one)
    for moment in (5.0, 3.0, 3.0):
        one.next_poll = moment
        watched.queue(one)
    assert names(watched, 9.0) == ["a"]


def test_what_has_ended_is_looked_at_no_more() -> None:
    one, other = row("a", poll=3.0), row("b", poll=4.0)
    watched = listed(one, other)
    watched.remove(one)
    assert one not in watched
    assert (len(watched), list(watched)) == (1, [other])
    assert names(watched, 10.0) == ["b"]
    assert list(watched.ripe(10.0)) == [other]


def test_another_row_with_the_same_id_is_not_the_one_that_is_watched() -> None:
    one = row("a")
    assert one in listed(one)
    assert row("a") not in listed(one)


def test_rows_may_be_removed_while_one_goes_through_them() -> None:
    watched = listed(*[row(f"job-{n}") for n in range(5)])
    for one in watched:
        watched.remove(one)
    assert len(watched) == 0


def test_those_that_may_have_ended_longest_come_first() -> None:
    watched = listed(row("c", ripe=7.0), row("a", ripe=1.0), row("b", ripe=4.0), row("d", ripe=20.0))
    assert [one.remote_id for one in watched.ripe(1.0)] == ["a"]
    assert [one.remote_id for one in watched.ripe(10.0)] == ["a", "b", "c"]
    assert watched.next_ripe() == 20.0


def test_one_that_has_ended_is_not_waited_for_to_be_ripe() -> None:
    gone = row("a", ripe=5.0)
    watched = listed(gone, row("b", ripe=9.0))
    assert watched.next_ripe() == 5.0
    watched.remove(gone)
    assert watched.next_ripe() == 9.0
    assert WatchList().next_ripe() is None


class Watching(RuleBasedStateMachine):
    """Does what watchers and sweeps do, and knows by plain means what is overdue."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.count = 0
        self.watched = WatchList()
        self.rows: list[Watched] = []

    def some(self, number: int, *, polled: bool) -> Watched | None:
        rows = [one for one in self.rows if one.polled is polled]
        return rows[number % len(rows)] if rows else None

    @initialize(polls=st.lists(moments, min_size=1, max_size=4))
    def begin(self, polls: list[float]) -> None:
        for poll in polls:
            self.add(poll, 0.0, 0.0)

    @rule(poll=moments, ripe=moments, rests=moments)
    def add(self, poll: float, ripe: float, rests: float) -> None:
        self.count += 1
        one = row(f"job-{self.count}", poll=self.now + poll, ripe=self.now + ripe, accepted=self.now)
        one.rests_until = rests
        self.rows.append(one)
        self.watched.add(one)

    @precondition(lambda self: self.rows)
    @rule(number=st.integers(0, 99))
    def remove(self, number: int) -> None:
        self.watched.remove(self.rows.pop(number % len(self.rows)))

    @precondition(lambda self: self.rows)
    @rule(number=st.integers(0, 99), poll=moments)
    def move(self, number: int, poll: float) -> None:
        one = self.rows[number % len(self.rows)]
        one.next_poll, one.covered_until = self.now + poll, 0.0
        self.watched.queue(one)

    @precondition(lambda self: self.rows)
    @rule(number=st.integers(0, 99), later=moments)
    def cover(self, number: int, later: float) -> None:
        """Put one off without a word to the list, as sweeps do."""
        one = self.rows[number % len(self.rows)]
        one.covered_until = max(one.covered_until, self.now + later)

    @rule(number=st.integers(0, 99), poll=moments, asked=st.booleans())
    def answer(self, number: int, poll: float, asked: bool) -> None:
        if (one := self.some(number, polled=True)) is not None:
            one.polled, one.next_poll = False, self.now + poll
            if asked:
                one.was_seen(self.now)
            self.watched.queue(one)

    @rule(number=st.integers(0, 99))
    def check(self, number: int) -> None:
        """Poll one that is not due yet, as sweeps do."""
        if (one := self.some(number, polled=False)) is not None:
            one.polled = True

    @rule(passed=moments)
    def look(self, passed: float) -> None:
        self.now += passed
        overdue = {one.remote_id for one in self.rows if one.due <= self.now and not one.polled}
        taken = list(self.watched.due(self.now))
        assert sorted(one.remote_id for one in taken) == sorted(overdue)
        for one in taken:
            one.polled = True

    @rule()
    def ripe(self) -> None:
        ripe = [one.remote_id for one in self.watched.ripe(self.now)]
        assert sorted(ripe) == sorted(one.remote_id for one in self.rows if one.ripe_at <= self.now)
        left = [one.ripe_at for one in self.rows if one.ripe_at > self.now]
        assert self.watched.next_ripe() == min(left, default=None)

    @invariant()
    def nobody_is_overslept(self) -> None:
        wakes_at = self.watched.next_due()
        waiting = [one.due for one in self.rows if not one.polled]
        assert not waiting or (wakes_at is not None and wakes_at <= min(waiting))

    @invariant()
    def those_that_were_added_and_not_removed_are_watched(self) -> None:
        assert list(self.watched) == self.rows
        assert len(self.watched) == len(self.rows)


Watching.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestWatching = Watching.TestCase
