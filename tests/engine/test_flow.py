"""Holding back: after lost answers in a row one submit at a time, until one is accepted."""

from collections.abc import Callable

from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.flow import TRIPS_AT, Flow
from batchgen.engine.limits.pools import Pools
from batchgen.errors import AmbiguousError, DeferredError, NotSentError
from batchgen.model import JobKey
from batchgen.ports import Lane
from tests.support.looped import run_virtually

A, B = JobKey("v1:a"), JobKey("v1:b")


class OpenGate:
    """Lets everybody through, and remembers who was held back."""

    def __init__(self) -> None:
        self.pauses: list[tuple[Lane, float]] = []
        self.holds: list[float] = []

    async def turn(self, lane: Lane) -> None: ...

    def pause(self, lane: Lane, seconds: float) -> None:
        self.pauses.append((lane, seconds))

    def hold(self, seconds: float) -> None:
        self.holds.append(seconds)

    def is_paused(self, lane: Lane) -> bool:
        return any(paused is lane for paused, _ in self.pauses)


def in_a_loop(play: Callable[[Flow, OpenGate], None]) -> None:
    async def main() -> None:
        gate = OpenGate()
        play(Flow(pools=Pools(Ceiling(bound=10, proven=10)), gate=gate), gate)

    run_virtually(main())


def lose(flow: Flow, times: int) -> None:
    for number in range(times):
        key = JobKey("v1:lost", number)
        flow.began(key, "model")
        flow.answered(key, AmbiguousError("cut"))
        flow.doubts(key, "model")


def test_fewer_lost_answers_than_it_takes_hold_nothing_back() -> None:
    def play(flow: Flow, gate: OpenGate) -> None:
        lose(flow, TRIPS_AT - 1)
        assert flow.has_room("model")
        assert not flow.tripped
        assert gate.pauses == []

    in_a_loop(play)


def test_after_the_last_straw_nothing_leaves_before_a_free_call_is_answered() -> None:
    def play(flow: Flow, gate: OpenGate) -> None:
        lose(flow, TRIPS_AT)
        assert (flow.has_room("model"), flow.tripped) == (False, True)
        assert [lane for lane, _ in gate.pauses] == [Lane.SUBMIT]
        flow.service_answered()
        assert (flow.has_room("model"), flow.tripped) == (True, False)

    in_a_loop(play)


def test_then_one_leaves_at_a_time_until_one_is_accepted() -> None:
    def play(flow: Flow, _: OpenGate) -> None:
        lose(flow, TRIPS_AT)
        flow.service_answered()
        flow.began(A, "model")
        room = [flow.has_room("model")]  # its answer is due
        flow.answered(A, None)
        flow.runs(A, "model")
        room.append(flow.has_room("model"))
        flow.began(B, "model")
        room.append(flow.has_room("model"))  # the breaker is closed
        assert room == [False, True, True]

    in_a_loop(play)


def test_what_never_left_is_no_lost_answer() -> None:
    def play(flow: Flow, _: OpenGate) -> None:
        for _again in range(TRIPS_AT + 1):
            flow.began(A, "model")
            flow.answered(A, NotSentError("refused"))
            flow.ended(A)
        assert not flow.tripped

    in_a_loop(play)


def test_what_the_service_asks_for_is_held_by_all_and_what_is_our_own_patience_by_nobody_else() -> None:
    def play(flow: Flow, gate: OpenGate) -> None:
        lose(flow, TRIPS_AT)
        for error in (
            NotSentError("no way there"),
            DeferredError("full"),
            DeferredError("wait", retry_after=7.0),
        ):
            flow.began(A, "model")
            flow.answered(A, error)
        assert gate.holds == [7.0]
        assert len(gate.pauses) == 4
        assert gate.pauses[-1][1] >= 7.0

    in_a_loop(play)
