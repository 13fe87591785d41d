"""The times of cron: read as the real one reads them, and faults told with their column."""

import random
import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.schedulers.cron_times import read_cron
from batchgen.schedulers.kubernetes import schedule
from batchgen.schedulers.systemd import on_calendar
from tests.support.programs import program, said_by, without

RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@st.composite
def fields(draw: st.DrawFn, index: int) -> str:
    """Draw a field as people write it: values, ranges, steps, and lists of them."""
    low, high = RANGES[index]
    terms = []
    for _ in range(draw(st.integers(1, 2))):
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        step = draw(st.integers(1, 12))
        terms.append(
            draw(st.sampled_from(["*", f"*/{step}", f"{first}", f"{first}-{last}", f"{first}-{last}/{step}"]))
        )
    return ",".join(terms)


def comes(line: str) -> bool:
    """Return whether a line has a day that some month has: the others are refused."""
    try:
        CronSim(line, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


lines = st.tuples(*(fields(index) for index in range(5))).map(" ".join).filter(comes)
LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# The kind: a line that cron would not take. Each with the column of what is wrong, and a part of what to do.
FAULTS = {
    "": (1, "missing: minute, hour"),
    "0 3": (4, "missing: day of the month"),
    "0 0 3 * * *": (11, "no seconds"),
    "0 25 * * *": (3, "0 to 23"),
    "60 3 * * *": (1, "0 to 59"),
    "0 3 0 * *": (5, "1 to 31"),
    "0 3 * 13 *": (7, "1 to 12"),
    "0 3 * * 8": (9, "0 to 7"),
    "0 3 * * mon,foo": (13, "sun to sat"),
    "0 3 * mon *": (7, "jan to dec"),
    "0 22-6 * * *": (3, "runs backwards"),
    "0 */0 * * *": (3, "begins at 1"),
    "5/15 3 * * *": (1, "5-59/15"),
    "0 3 L * *": (5, "no last days"),
    "0 3 * * 5L": (9, "no last days"),
    "0 3 * * MON#1": (9, "n-th weekdays"),
    "0 3 ? * *": (5, "write * for any"),
    "H 3 * * *": (1, "no random times"),
    "0~30 3 * * *": (1, "no random times"),
    "0 3,,4 * * *": (5, "is missing"),
    "0 3, * * *": (5, "is missing"),
    "-1 3 * * *": (1, "write a value"),
    "0 3 31 2 *": (5, "no month"),
    "  0  24 * * *": (6, "0 to 23"),
    "@reboot": (1, "no time"),
    "@dayly": (1, "@daily"),
    "٣ 3 * * *": (1, "write a value"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_what_cron_does_not_take_is_refused_at_its_column(text: str) -> None:
    column, why = FAULTS[text]
    with pytest.raises(InputError, match=re.escape(why)) as caught:
        read_cron(text)
    assert f'--at "{text}", column {column}:' in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        (" @annually ", "0 0 1 1 *"),
        ("0\t3  * *\n*", "0 3 * * *"),
        ("0 3 * * sat-SUN", "0 3 * * sat-7"),
    ],
)
def test_names_and_spaces_become_five_fields(name: str, text: str) -> None:
    assert read_cron(name).text == text


def test_a_real_cron_takes_what_is_taken_and_refuses_what_is_refused(tmp_path: Path) -> None:
    crontab, path = program("crontab"), tmp_path / "tab"

    def is_taken(line: str) -> bool:
        path.write_text(f"{line} true\n")
        return said_by([crontab, "-n", path])[0] == 0

    if not is_taken("0 3 * * *"):
        without("needs the crontab of Debian, which checks a file with -n")
    for line in ("0 3 * * 7", "*/7,3 3 */2 * MON", "0 3 1-5/2,9 jan-mar sat-sun", "59 23 31 12 0-7/2"):
        assert is_taken(line), line
        read_cron(line)
    # the file begins with spaces and names of its own; too few fields make a command of the rest
    other = {"", "@reboot", "0 3", "0 0 3 * * *"}
    # the first never comes; the others no other cron reads in the same way
    taken = {"0 3 31 2 *", "0 22-6 * * *", "0 3 * * MON#1", "0~30 3 * * *"}
    assert {line for line in FAULTS if is_taken(line)} - other == taken


TIMES = (
    "30 2 * * *",
    "*/20 0-6/2 * * *",
    "0 3 1-7 * MON",
    "0 3 */2 * MON",
    "0 3 31 2 MON",
    "5,10,11,12 3 29 2 *",
    "0 3 * jan-mar,6 sat-sun",
    "0 0 1 1 *",
    "* * * * 7",
    "0 3 1,15 * 0",
)


def test_systemd_comes_to_the_same_times_as_cron() -> None:
    analyze, count = program("systemd-analyze"), 4
    numbers = random.Random(7)
    drawn = [
        f"{numbers.choice(['*/17', '0', '3,33'])} {numbers.choice(['*', '1-5', '*/7,2'])} "
        f"{numbers.choice(['*', '1-9/3', '30', '*/6'])} {numbers.choice(['*', '2-4', '*/5', '12'])} "
        f"{numbers.choice(['*', '1-5', '0,3', '6-7', '*/2'])}"
        for _ in range(30)
    ]
    start = datetime(2027, 1, 30, 12, 0, tzinfo=UTC)
    for text in (*TIMES, *drawn):
        sim = CronSim(text.replace("-sun", "-7"), start)
        expected = [next(sim) for _ in range(count)]
        said = said_by(
            [
                analyze,
                "calendar",
                f"--iterations={count}",
                f"--base-time={start:%Y-%m-%d %H:%M:%S} UTC",
                *on_calendar(read_cron(text), "UTC"),
            ]
        )
        assert said[0] == 0, (text, said)
        found = re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d):00 UTC$", said[1], re.MULTILINE)
        assert sorted(set(found))[:count] == [f"{one:%Y-%m-%d %H:%M}" for one in expected], text


@given(lines)
def test_every_line_that_cron_takes_can_be_said_to_systemd(text: str) -> None:
    times = read_cron(text)
    told = on_calendar(times, "Europe/Paris")
    dated = times.either_day and any(day <= LENGTHS[month] for day in times.days for month in times.months)
    assert len(told) == 1 + dated
    for line in told:
        assert re.fullmatch(
            r"([MTWFS][a-z.,A-Z]+ )?\*-[\d.,*]+-[\d.,*]+ [\d.,*]+:[\d.,*]+:00 Europe/Paris", line
        )


def test_kubernetes_gets_no_seven_and_no_line_that_it_would_read_otherwise() -> None:
    assert schedule(read_cron("0 3 * * 5-7")) == "0 3 * * 0,5,6"
    assert schedule(read_cron("0 3 * * sat-sun")) == "0 3 * * 0,6"
    assert schedule(read_cron("0 3 1-7 * MON")) == "0 3 1-7 * MON"  # both mean: either
    assert schedule(read_cron("0 3 * * */7")) == "0 3 * * */7"
    for text in ("0 3 */2 * MON", "0 3 1 * */2"):
        with pytest.raises(InputError, match="Kubernetes would take either"):
            schedule(read_cron(text))


def test_a_time_that_the_clocks_leave_out_is_known_for_a_year() -> None:
    paris, since = ZoneInfo("Europe/Paris"), date(2026, 11, 27)
    assert list(read_cron("30 2 * * *").skipped(paris, since)) == [datetime(2027, 3, 28, 2, 30)]  # noqa: DTZ001 - local
    assert list(read_cron("30 2 * * MON").skipped(paris, since)) == []
    assert list(read_cron("30 3 * * *").skipped(paris, since)) == []
    assert list(read_cron("30 2 * * *").skipped(ZoneInfo("UTC"), since)) == []
