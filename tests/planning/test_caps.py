"""What fits under caps, and the line to write: one function for a plan, a run and its end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.values import Budget
from batchgen.planning.budget import Window, allowance
from batchgen.planning.caps import BALANCE, Chains, Fit, fit

FOUR = [Decimal(4)] * 20
AMOUNTS = st.lists(st.none() | st.integers(0, 9).map(Decimal), max_size=12)


def window(key: str, cap: str, until: float | None = None) -> Window:
    names = {"total": "this batch", "per_day": "today", "per_month": "this month", BALANCE: "the account"}
    return Window(name=names[key], key=key, cap=Decimal(cap), until=until)


def found(*uses: tuple[str, str, str], per_job: str | None = None, by_flag: bool = False) -> Fit:
    return fit(
        FOUR,
        [(window(key, cap), Decimal(used)) for key, cap, used in uses],
        per_job=None if per_job is None else Decimal(per_job),
        capped=True,
        by_flag=by_flag,
    )


@pytest.mark.parametrize(
    ("caps", "per_job", "fits", "binding", "lines"),
    [
        ([("per_month", "100", "80")], None, 5, "per_month", "`budget: {per_month: 160}`"),
        ([("per_day", "100", "80")], None, 5, "per_day", "`budget: {per_day: 160}`"),
        ([("total", "30", "0")], None, 7, "total", "`--budget 80` or `budget: {total: 80}`"),
        ([("total", "80", "0")], None, 20, None, ""),
        ([("total", "79.5", "0")], None, 19, "total", "`--budget 80` or `budget: {total: 80}`"),
        ([("total", "0", "0")], None, 0, "total", "`--budget 80` or `budget: {total: 80}`"),
        ([("per_day", "90", "100")], None, 0, "per_day", "`budget: {per_day: 180}`"),
        (
            [("total", "60", "0"), ("per_day", "90", "70"), ("per_month", "900", "70")],
            None,
            5,
            "per_day",
            "`budget: {total: 80, per_day: 150}`",
        ),
        ([("total", "900", "0")], "3", 0, None, "`budget: {per_job: 4}`"),
        ([("total", "60", "0")], "3", 0, None, "`budget: {total: 80, per_job: 4}`"),
        ([(BALANCE, "10", "0")], None, 2, BALANCE, ""),
    ],
)
def test_the_cap_that_binds_is_named_with_the_line_that_lets_all_through(
    caps: list[tuple[str, str, str]], per_job: str | None, fits: int, binding: str | None, lines: str
) -> None:
    made = found(*caps, per_job=per_job)
    assert (made.fits, made.binding and made.binding.window.key, made.lines) == (fits, binding, lines)
    assert made.cost == 4 * fits
    told = " ".join(made.warnings())
    assert lines in told
    assert (binding in told) if binding not in (None, BALANCE) else True


def test_the_flag_that_set_the_cap_is_the_one_to_write() -> None:
    made = found(("total", "60", "0"), ("per_month", "60", "0"), by_flag=True)
    assert made.lines == "`--budget 80` and `budget: {per_month: 80}`"


def test_a_cap_that_is_nearly_reached_is_told_before_it_is() -> None:
    assert found(("total", "101", "0")).warnings() == ()
    assert found(("total", "100", "0")).warnings() == (
        "this would bring this batch (total) to 80 of 100 CU (80 %)",
    )
    assert found(("total", "80", "0")).warnings()[0].endswith("(100 %)")


def test_a_job_without_a_price_waits_under_a_cap_alone() -> None:
    amounts = [Decimal(4), None, Decimal(4)]
    made = fit(amounts, [(window("total", "8"), Decimal(0))], capped=True)
    assert (made.fits, made.unpriced, made.binding) == (2, 1, None)
    assert "1 job without a known price" in made.warnings()[0]
    free = fit(amounts, [], capped=False)
    assert (free.fits, free.unpriced) == (3, 0)


@given(AMOUNTS, st.integers(0, 30), st.integers(0, 30), st.integers(0, 9))
def test_what_fits_is_what_a_run_would_buy(
    amounts: list[Decimal | None], cap: int, used: int, per_job: int
) -> None:
    made = fit(amounts, [(window("total", str(cap)), Decimal(used))], per_job=Decimal(per_job), capped=True)
    spent, bought = Decimal(used), 0
    for one in amounts:
        if one is None or one > per_job:
            continue
        if spent + one > cap:
            break
        spent, bought = spent + one, bought + 1
    assert (made.fits, made.cost) == (bought, spent - used)


@pytest.mark.parametrize(
    ("zone", "day", "next_day", "next_month"),
    [
        ("UTC", "2026-03-29T00:00Z", "2026-03-30T00:00Z", "2026-04-01T00:00Z"),
        ("Europe/Paris", "2026-03-28T23:00Z", "2026-03-29T22:00Z", "2026-03-31T22:00Z"),
        ("Asia/Kolkata", "2026-03-28T18:30Z", "2026-03-29T18:30Z", "2026-03-31T18:30Z"),
    ],
)
def test_a_day_and_a_month_end_at_midnight_of_the_zone_also_when_its_clocks_change(
    zone: str, day: str, next_day: str, next_month: str
) -> None:
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp()
    caps = allowance(Budget(per_day=Decimal(1), per_month=Decimal(1)), noon, ZoneInfo(zone)).windows
    assert (caps[0].key, caps[0].since, caps[0].until) == (
        "per_day",
        datetime.fromisoformat(day).timestamp(),
        datetime.fromisoformat(next_day).timestamp(),
    )
    assert caps[1].until == datetime.fromisoformat(next_month).timestamp()


def test_waiting_is_advised_only_where_it_helps() -> None:
    uses = [(window("per_day", "80", until=86_400.0), Decimal(40))]
    assert fit(FOUR, uses, capped=True).way_on.endswith("and so does a run after 1970-01-02T00:00:00Z")
    small = [(window("per_day", "50", until=86_400.0), Decimal(40))]
    assert fit(FOUR, small, capped=True).waits_until is None
    both = [*uses, (window("total", "10"), Decimal(0))]
    assert fit(FOUR, both, capped=True).waits_until is None


WHOLE = [Decimal(one) for one in (4, 2, 10)]


def of_chains(
    cap: str, sizes: Sequence[int], amounts: Sequence[Decimal | None], *, begun: int = 0, used: str = "0"
) -> Fit:
    return fit(
        amounts, [(window("total", cap), Decimal(used))], capped=True, chains=Chains(sizes, begun=begun)
    )


def test_a_chain_fits_or_does_not_as_one() -> None:
    made = of_chains("47.5", [3, 3, 3], WHOLE * 3)
    assert (made.fits, made.cost, made.jobs) == (6, Decimal(32), 9)
    assert made.lines == "`--budget 48` or `budget: {total: 48}`"
    assert "6 of 9 jobs fit, for 32 CU" in made.warnings()[0]


def test_a_chain_above_a_whole_cap_is_left_out_by_itself() -> None:
    made = of_chains("15", [3, 1, 2], [*WHOLE, Decimal(4), Decimal(4), Decimal(2)])
    assert (made.fits, made.cost, made.alone, made.large, made.largest) == (3, Decimal(10), 3, 1, Decimal(16))
    assert made.binding is None
    assert "1 chain dearer than a whole cap, up to 16 CU; `budget: {chains: steps}`" in made.warnings()[0]


def test_a_job_by_itself_above_a_whole_cap_stops_those_behind_it_as_in_a_run() -> None:
    assert of_chains("15", [1, 1], [Decimal(16), Decimal(4)]).fits == 0


def test_a_chain_with_an_unknown_price_or_a_dear_step_waits_as_a_whole() -> None:
    made = of_chains("99", [2, 1], [Decimal(4), None, Decimal(4)])
    assert (made.fits, made.unpriced, made.alone) == (1, 1, 2)
    dear = fit(
        [*WHOLE, Decimal(4)],
        [(window("total", "99"), Decimal(0))],
        per_job=Decimal(9),
        capped=True,
        chains=Chains([3, 1]),
    )
    assert (dear.fits, dear.dear, dear.alone) == (1, 1, 3)


def test_begun_chains_do_not_stop_each_other_but_whatever_is_new() -> None:
    amounts = [Decimal(one) for one in (9, 3, 2, 1)]
    assert of_chains("6", [1, 1, 1, 1], amounts, begun=3).cost == 5
    assert of_chains("16", [1, 1, 1, 1], amounts, begun=3).cost == 15


CHAINS = st.lists(st.lists(st.none() | st.integers(0, 9).map(Decimal), min_size=1, max_size=3), max_size=6)


@given(CHAINS, st.integers(0, 40), st.integers(0, 9), st.integers(0, 3), st.integers(0, 9))
def test_what_fits_of_chains_is_what_a_run_would_buy(
    chains: list[list[Decimal | None]], cap: int, used: int, begun: int, per_job: int
) -> None:
    made = fit(
        [one for steps in chains for one in steps],
        [(window("total", str(cap)), Decimal(used))],
        per_job=Decimal(per_job),
        capped=True,
        chains=Chains([len(steps) for steps in chains], begun),
    )
    spent, bought, waits = Decimal(used), 0, used > cap
    for place, steps in enumerate(chains):
        known = [one for one in steps if one is not None and one <= per_job]
        if len(known) < len(steps) or (len(steps) > 1 and sum(known) > cap):
            continue
        if waits and place >= begun:
            break
        if spent + sum(known) > cap:
            waits = True
        else:
            spent, bought = spent + sum(known), bought + len(steps)
    assert (made.fits, made.cost) == (bought, spent - used)
