"""Faults of workers and of what is enqueued. Data, no code."""

from tests.proof.planted import Mutant

_WORKER = "tests/usecases/test_worker.py"
_LEADING = "tests/usecases/test_leading.py"
_ENQUEUING = "tests/wiring/test_enqueuing.py::test_everything_that_was_agreed_arrives"
_CLI = "tests/cli/test_worker.py::test_what_a_queue_cannot_promise_is_not_enqueued"

OF_WORKERS = (
    Mutant(
        name="lead what is finished whenever it is rung for",
        path="journal/enqueued.py",
        old="WHERE batch = ? AND state = 'wanted' \"",
        new='WHERE batch = ? "',
        test=f"{_WORKER}::test_a_ring_for_what_is_finished_changes_nothing",
    ),
    Mutant(
        name="take an edit that came while a batch was led for done",
        path="journal/enqueued.py",
        old="asked = enqueued.asked + 1, asked_at",
        new="asked = enqueued.asked, asked_at",
        test=f"{_WORKER}::test_what_is_asked_for_while_it_is_led_is_led_once_more",
    ),
    Mutant(
        name="lead again and again what needs a person",
        path="usecases/leading.py",
        old="        return After(state=Wait.STOPPED)\n    if ending.drained",
        new="        return After(state=Wait.WANTED)\n    if ending.drained",
        test=_LEADING,
    ),
    Mutant(
        name="end a run because the library behind the bell gives up",
        path="usecases/worker.py",
        old="        await asyncio.shield(task)\n",
        new="        await task\n",
        test=f"{_WORKER}::test_what_is_led_goes_on_where_the_library_gives_up_and_takes_its_room",
    ),
    Mutant(
        name="trust that no ring is ever lost",
        path="usecases/worker.py",
        old="                    await self._ring(batch, queue)\n",
        new="                    continue\n",
        test=f"{_WORKER}::test_a_ring_that_was_lost_is_rung_anew",
    ),
    Mutant(
        name="listen without anybody who sees that nothing is heard",
        path="doorbell.py",
        old="    @app.periodic(cron=_NEVER)\n",
        new="",
        test="tests/test_doorbell.py::test_whoever_listens_is_told_when_its_signs_of_life_do_not_arrive",
    ),
    Mutant(
        name="enqueue what buys once more with every delivery",
        path="cli/enqueue.py",
        old='        "--fresh": options.fresh,\n',
        new="",
        test=_CLI,
    ),
    Mutant(
        name="forget the cap on the way to a worker",
        path="wiring/enqueuing.py",
        old="        budget=None if budget is None else Decimal(budget),\n",
        new="        budget=None,\n",
        test=_ENQUEUING,
    ),
    Mutant(
        name="let a worker buy what nobody was shown",
        path="wiring/enqueuing.py",
        old="        shown=None if shown is None else frozenset(JobKey(*key) for key in shown),\n",
        new="        shown=None,\n",
        test=_ENQUEUING,
    ),
    Mutant(
        name="take somebody's word for given where nobody gave it",
        path="wiring/enqueuing.py",
        old='        unattended=said["unattended"],\n',
        new="        unattended=False,\n",
        test=_ENQUEUING,
    ),
)
