import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from batchgen.formats import clean, span, units
from batchgen.lifecycle import (
    EVENTS,
    Accepted,
    Adopted,
    AnswerLost,
    Canceled,
    Collected,
    Deferred,
    Event,
    Failed,
    Held,
    PriceLearnt,
    Record,
    Refused,
    RetryAsked,
    ShownAbsent,
    State,
    SubmitStarted,
    Succeeded,
    apply,
)
from batchgen.model import File, Job, JobKey, Refund, Submission
from batchgen.output.progress import Mode, Progress, Tally, mode_for, picture
from batchgen.output.wording import Gauges, Snapshot, closing, figures, happening, line, remaining
from batchgen.planning.stages import Stage
from tests.support.builders import make_job, make_remote_job

AT = 1_790_000_000.0
JOB = make_job()
FILE = File(asset_id="asset_a", path="assets/tower_0.png", bytes=1, sha256="", mime="image/png")
HAPPY: tuple[Event, ...] = (
    SubmitStarted(at=AT, job=JOB, attempt=1, body="{}"),
    Accepted(at=AT, remote_id="job_1", charged=Decimal("7.25")),
    Succeeded(at=AT, asset_ids=("asset_a",)),
    Collected(at=AT, files=(FILE,)),
)
UNHAPPY: tuple[Event, ...] = (
    SubmitStarted(at=AT, job=JOB, attempt=1, body="{}"),
    Deferred(at=AT, reason="the ceiling of 5 is reached"),
    SubmitStarted(at=AT, job=JOB, attempt=1, body="{}"),
    AnswerLost(at=AT, reason="the connection broke"),
    ShownAbsent(at=AT, evidence={}),
    SubmitStarted(at=AT, job=JOB, attempt=1, body="{}"),
    AnswerLost(at=AT, reason="the connection broke"),
    Held(at=AT, reason="no control was seen"),
    Adopted(at=AT, remote_id="job_2", evidence={}, charged=Decimal(7)),
    Failed(at=AT, error="\x1b[31mmoderated\x07", moderated=True),
    RetryAsked(at=AT),
)


def play(progress: Progress, events: tuple[Event, ...], job: Job = JOB) -> None:
    record = Record()
    for event in events:
        record = apply(record, event)
        progress.recorded(JobKey(job.id), job, event, record)


def shown(mode: Mode, *events: tuple[Event, ...], total: int = 1) -> list[str]:
    stream = io.StringIO()
    with Progress(stream, mode=mode, total=total, now=lambda: AT, elapsed=lambda: 0.0) as progress:
        for one in events:
            play(progress, one)
    return stream.getvalue().splitlines()


def test_plain_lines_tell_a_happy_life() -> None:
    assert shown(Mode.PLAIN, HAPPY) == [
        "2026-09-21T14:13:20Z tower accepted as job_1, 7.25 CU",
        "2026-09-21T14:13:20Z tower succeeded, 1 asset",
        "2026-09-21T14:13:20Z tower saved assets/tower_0.png",
        "1 of 1 done, 7.25 CU spent",
    ]


def test_plain_lines_tell_an_unhappy_life_without_its_control_characters() -> None:
    assert [one.removeprefix("2026-09-21T14:13:20Z ") for one in shown(Mode.PLAIN, UNHAPPY)] == [
        "tower waiting: the ceiling of 5 is reached",
        "tower in doubt: the connection broke",
        "tower was never accepted, will be sent again",
        "tower in doubt: the connection broke",
        "tower needs your decision: no control was seen",
        "tower found again as job_2",
        "tower failed: [31mmoderated",
        "tower attempt 2 starts",
        "0 of 1 done, 1 not bought, 7 CU spent",
    ]


def test_a_quiet_run_shows_problems_and_nothing_else() -> None:
    assert shown(Mode.QUIET, HAPPY) == []
    assert [one.split(" ", 2)[2] for one in shown(Mode.QUIET, UNHAPPY)] == [
        "in doubt: the connection broke",
        "in doubt: the connection broke",
        "needs your decision: no control was seen",
        "failed: [31mmoderated",
    ]


def test_trouble_is_shown_even_by_a_quiet_run() -> None:
    stream = io.StringIO()
    with Progress(stream, mode=Mode.QUIET, total=1, now=lambda: AT) as progress:
        progress.warned("the service\nanswers 502")
        progress.polled(JOB, make_remote_job())
    assert stream.getvalue() == "2026-09-21T14:13:20Z the service answers 502\n"


@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.QUIET])
def test_a_trouble_that_comes_again_is_said_once_and_counted_at_the_end(mode: Mode) -> None:
    stream = io.StringIO()
    with Progress(stream, mode=mode, total=1, now=lambda: AT) as progress:
        for _ in range(1_800):
            progress.warned("the listing does not come to an end")
        progress.warned("the service answers 502")
    assert stream.getvalue().splitlines()[:3] == [
        "2026-09-21T14:13:20Z the listing does not come to an end",
        "2026-09-21T14:13:20Z the service answers 502",
        "1800 times: the listing does not come to an end",
    ]


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_every_event_but_the_intent_has_words(kind: type[Event]) -> None:
    fields: dict[str, Any] = {
        "at": AT,
        "reason": "r",
        "remote_id": "j",
        "evidence": {},
        "job": JOB,
        "attempt": 1,
        "body": "{}",
    }
    fields |= {
        "files": (FILE,),
        "refunded": Decimal(7),
        "charged": Decimal(7),
        "reserved": Decimal(7),
        "asset_ids": ("asset_1",),
        "paths": {"asset_1": "assets/other.png"},
        "ordinal": 1,
    }
    event = kind(**{name: fields[name] for name in kind.__dataclass_fields__ if name in fields})
    assert (happening(event, Record()) is None) is (kind in {SubmitStarted, PriceLearnt})


SHOT = Snapshot(
    total=120,
    stages={Stage.DONE: 28, Stage.FAILED: 2, Stage.IN_DOUBT: 1, Stage.RUNNING: 7, Stage.NOT_BOUGHT: 82},
    spent=Decimal("217.5"),
    per_minute=12.0,
    gauges=Gauges(in_flight=8, ceiling=10, cap=Decimal(1500), note="draining"),
    failures=(("tower", "moderated"), ("gate", "prompt is too long")),
)


def test_the_figures_say_what_is_wanted_first() -> None:
    assert figures(SHOT) == [
        "8 of 10 in flight",
        "1 in doubt",
        "2 failed",
        "217.5 of 1500 CU",
        "12/min",
        "8 min left",
        "draining",
    ]
    assert closing(SHOT) == "28 of 120 done, 2 failed, 1 in doubt, 7 running, 82 not bought, 217.5 CU spent"


def test_what_is_reserved_stands_between_what_is_spent_and_the_cap() -> None:
    reserving = replace(SHOT.gauges, reserved=Decimal("32.5"))
    assert "217.5 + 32.5 reserved of 1500 CU" in figures(replace(SHOT, gauges=reserving))
    endless = replace(reserving, cap=None)
    assert "217.5 + 32.5 reserved CU" in figures(replace(SHOT, gauges=endless))


def test_a_charge_that_is_not_told_is_never_called_nought() -> None:
    assert closing(replace(SHOT, untold=2)).endswith("217.5 CU spent, 2 charges not told")
    assert closing(replace(SHOT, spent=Decimal(0), untold=1)).endswith("82 not bought, 1 charge not told")
    assert "1 charge not told" in figures(replace(SHOT, untold=1))


def test_a_charge_counts_as_not_told_until_something_tells_it() -> None:
    job = Job(id="a", prompt="", model="")
    untold = Submission(remote_id="j", attempt=1, at=AT, charged=None)
    tally = Tally(total=1, records={JobKey("a"): Record(state=State.RUNNING, job=job, submissions=(untold,))})
    assert (tally.snapshot(None, now=0).spent, tally.snapshot(None, now=0).untold) == (Decimal(0), 1)
    told = Record(state=State.SUCCEEDED, job=job, submissions=(replace(untold, charged=Decimal(5)),))
    tally.note(JobKey("a"), job, Succeeded(at=AT, asset_ids=()), told, now=0.0)
    assert (tally.snapshot(None, now=0).spent, tally.snapshot(None, now=0).untold) == (Decimal(5), 0)


@pytest.mark.parametrize(("assumed", "certainty"), [(True, " (assumed)"), (False, "")])
def test_the_last_line_tells_what_came_back_and_how_sure_that_is(assumed: bool, certainty: str) -> None:
    told = closing(replace(SHOT, refunded=Decimal("7.25"), assumed=assumed))
    assert told.endswith(f"217.5 CU spent, 7.25 CU of it refunded{certainty}")


def test_what_came_back_is_counted_once_however_often_a_job_is_noticed() -> None:
    cost = Decimal("7.25")
    paid = Submission(remote_id="j", attempt=1, at=AT, charged=cost, refund=Refund.ASSUMED, refunded=cost)
    job = Job(id="a", prompt="", model="")
    record = Record(state=State.FAILED, job=job, submissions=(paid,))
    tally = Tally(total=1, records={JobKey("a"): record})
    for _ in range(3):
        tally.note(JobKey("a"), job, Failed(at=AT), record, now=0.0)
    shot = tally.snapshot(None, now=0)
    assert (shot.spent, shot.refunded, shot.assumed) == (Decimal("7.25"), Decimal("7.25"), True)


def test_figures_that_are_not_known_are_left_out() -> None:
    fresh = Snapshot(
        total=3, stages={Stage.RUNNING: 2}, spent=Decimal(0), per_minute=None, gauges=Gauges(in_flight=2)
    )
    assert figures(fresh) == ["2 in flight", "0 CU"]
    assert remaining(fresh) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (3540, "59 min"), (11_100, "3 h 5 min")]
)
def test_times_are_for_people(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_units_have_no_idle_zeros() -> None:
    assert [units(Decimal(one)) for one in ("100", "7.50", "1234.567", "0", "1E+3")] == [
        "100",
        "7.5",
        "1234.567",
        "0",
        "1000",
    ]


@given(st.text(st.characters(exclude_categories=())), st.integers(2, 50))
def test_nothing_foreign_can_move_the_cursor(text: str, longest: int) -> None:
    made = clean(text, longest)
    assert len(made) <= longest
    made.encode()
    assert not any(unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp"} for one in made)


def test_an_id_that_is_a_terminal_command_is_a_word() -> None:
    made = line(AT, Job(id="\x1b]0;owned\x07\nx", prompt="", model=""), Canceled(at=AT), Record())
    assert made == "2026-09-21T14:13:20Z ]0;owned x canceled"


def test_counts_go_on_from_what_is_on_record() -> None:
    paid = Submission(remote_id="j", attempt=1, at=AT, charged=Decimal(5))
    records = {
        JobKey(str(at)): Record(state=state, job=Job(id=str(at), prompt="", model=""), submissions=(paid,))
        for at, state in enumerate([State.COLLECTED, State.FAILED, State.HELD, State.RUNNING])
    }
    shot = Tally(total=10, records=records).snapshot(None, now=0)
    assert (shot.done, shot.failed, shot.in_doubt, shot.gauges.in_flight) == (1, 1, 1, 2)
    assert shot.spent == 20


def test_a_retry_opens_what_was_done_and_the_charge_is_counted_once() -> None:
    stream = io.StringIO()
    progress = Progress(stream, mode=Mode.QUIET, total=1, elapsed=lambda: 0.0)
    play(progress, UNHAPPY)
    assert (progress.snapshot().done, progress.snapshot().spent) == (0, Decimal(7))


def test_the_pace_is_that_of_the_last_ends_and_falls_while_nothing_ends() -> None:
    tally = Tally(total=100, records={})
    for second in range(11):
        record = Record(state=State.COLLECTED)
        tally.note(
            JobKey(str(second)),
            Job(id=str(second), prompt="", model=""),
            Collected(at=AT),
            record,
            now=float(second),
        )
    assert tally.snapshot(None, now=10.0).per_minute == 60.0
    assert tally.snapshot(None, now=20.0).per_minute == 30.0
    assert remaining(tally.snapshot(None, now=10.0)) == 89.0


def test_only_the_last_failures_are_kept() -> None:
    tally = Tally(total=9, records={})
    for number in range(5):
        record = Record(state=State.REFUSED, error=f"reason {number}")
        tally.note(
            JobKey(str(number)),
            Job(id=f"j{number}", prompt="", model=""),
            Refused(at=AT, reason=""),
            record,
            now=0,
        )
    assert [one for one, _ in tally.snapshot(None, now=0).failures] == ["j2", "j3", "j4"]


def test_the_moving_picture_is_as_agreed() -> None:
    console = Console(file=io.StringIO(), width=140, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(picture(SHOT))
    assert [one.rstrip() for one in capture.get().splitlines()] == [
        f"{'━━━━━━━╸':30} 28/120 {' · '.join(figures(SHOT))}",
        "  ✗ tower moderated",
        "  ✗ gate prompt is too long",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_terminal_is_as_it_was_afterwards_even_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    progress = Progress(stream, mode=Mode.LIVE, total=1, now=lambda: AT, gauges=lambda: Gauges(in_flight=1))

    def run() -> None:
        with progress:
            play(progress, HAPPY)
            progress.warned("[bold]careful[/]")
            raise KeyError

    with pytest.raises(KeyError):
        run()
    text = stream.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "[bold]careful[/]" in text
    assert text.endswith("1 of 1 done, 7.25 CU spent\n")


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with Progress(stream, mode=Mode.LIVE, total=1) as progress:
        play(progress, UNHAPPY[:-1])
    assert "\x1b[3" not in stream.getvalue()


@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.LIVE])
def test_a_reader_that_goes_away_does_not_end_the_run(mode: Mode) -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError(len(text))

    with Progress(Gone(), mode=mode, total=1) as progress:
        play(progress, HAPPY)
        progress.warned("x")
    assert progress.snapshot().done == 1


@pytest.mark.parametrize(
    ("tty", "term", "quiet", "mode"),
    [
        (True, "xterm", False, Mode.LIVE),
        (True, "dumb", False, Mode.PLAIN),
        (False, "xterm", False, Mode.PLAIN),
        (True, "xterm", True, Mode.QUIET),
    ],
)
def test_the_mode_follows_the_terminal(*, tty: bool, term: str, quiet: bool, mode: Mode) -> None:
    stream: Callable[..., io.StringIO] = Terminal if tty else io.StringIO
    assert mode_for(stream(), {"TERM": term}, quiet=quiet) is mode
