"""What can be ordered of a run, in which words, and what each changes."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.control.commands import Order, apply, read_settings
from batchgen.engine.settings import RunSettings
from batchgen.model import NO_RATE, Rate
from batchgen.wiring.options import PUBLISHED_RATE, Options, own_rate_of, rate_of

TERMS = RunSettings(in_flight=None, rate=Rate(count=100.0, seconds=60.0), budget=None)


def said(settings: RunSettings, name: str, value: str = "") -> str:
    return apply(settings, Order(name, value), go_on="batchgen continue jobs.yaml").said


def after(settings: RunSettings, name: str, value: str = "") -> RunSettings:
    return apply(settings, Order(name, value), go_on="").settings


@pytest.mark.parametrize(
    ("word", "changed", "sentence"),
    [
        ("in_flight=4", {"in_flight": 4}, "at most 4 in flight (was auto)"),
        ("in_flight=auto", {}, "as many in flight as the service allows (as before)"),
        ("rate=5/s", {"rate": Rate(count=5.0, seconds=1.0)}, "a rate of 5/s (was 100/min)"),
        ("rate=none", {"rate": None}, "requests without a rate (was 100/min)"),
        ("budget=800", {"budget": Decimal(800)}, "a budget of 800 CU (was none)"),
        ("budget=7.50", {"budget": Decimal("7.5")}, "a budget of 7.5 CU (was none)"),
        ("budget=none", {}, "no budget for the batch (as before)"),
    ],
)
def test_what_is_set_changes_one_thing_and_says_what_it_was(
    word: str, changed: dict[str, object], sentence: str
) -> None:
    (order,) = read_settings([word])
    assert after(TERMS, *order) == replace(TERMS, **changed)  # type: ignore[arg-type]  # fields by name
    assert said(TERMS, *order) == sentence


def test_several_things_are_set_in_their_order() -> None:
    orders = read_settings(["rate=60/min", "in_flight = 2"])
    assert orders == [Order("rate", "60/min"), Order("in_flight", "2")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rat=5/s"], "did you mean rate?"),
        (["speed=5"], "there are in_flight, rate, budget"),
        (["rate"], "write rate=VALUE"),
        (["rate=5"], '"100/min"'),
        (["rate=0/s"], '"100/min"'),
        (["in_flight=0"], "batchgen control pause"),
        (["in_flight=4.5"], "auto or a whole number"),
        (["in_flight=" + "9" * 50], "auto or a whole number"),
        (["budget=-1"], "none or compute units"),
        (["budget=NaN"], "none or compute units"),
        (["budget=much"], "none or compute units"),
        (["rate=5/s", "rate=6/s"], "set twice"),
    ],
)
def test_what_cannot_be_set_is_named_with_what_can(words: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(words[-1]))}: .*{re.escape(told)}"):
        read_settings(words)


def test_a_pause_says_how_to_go_on_and_happens_once() -> None:
    paused = after(TERMS, "pause")
    assert paused == replace(TERMS, paused=True)
    assert said(TERMS, "pause").endswith("until batchgen continue jobs.yaml")
    assert said(paused, "pause").startswith("paused already")
    assert after(paused, "continue") == TERMS
    assert (said(paused, "continue"), said(TERMS, "continue")) == ("resumed", "was not paused")


@pytest.mark.parametrize("name", ["pause", "continue"])
def test_a_run_that_stops_does_nothing_else(name: str) -> None:
    draining = after(TERMS, "drain")
    assert draining.draining
    applied = apply(draining, Order(name), go_on="")
    assert (applied.settings, applied.met) == (draining, False)
    assert said(draining, "drain").startswith("drained already")


@pytest.mark.parametrize("order", [Order("explode"), Order("rate", "warp 9")])
def test_an_order_of_another_version_is_refused_and_changes_nothing(order: Order) -> None:
    applied = apply(TERMS, order, go_on="")
    assert (applied.settings, applied.met) == (TERMS, False)
    assert "another version" in applied.said


def test_no_rate_in_a_manifest_is_none_everywhere_and_the_published_one_where_nothing_is_said() -> None:
    options = Options(manifest=Path(), output=Path(), environ={})
    assert own_rate_of(options, None) == PUBLISHED_RATE
    assert own_rate_of(options, NO_RATE) is None
    assert rate_of(options, NO_RATE) is None
    assert own_rate_of(replace(options, rate=NO_RATE), PUBLISHED_RATE) is None
    assert own_rate_of(replace(options, rate=PUBLISHED_RATE), NO_RATE) == PUBLISHED_RATE
    assert read_settings(["rate=none"])[0].value == "none"
