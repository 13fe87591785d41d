"""Runs that are cut off at random and started again; the proof plays them, this only takes its word."""

import re

from bench.commands import module
from bench.figures import Figure
from bench.setting import Setting

_SEEDS, _KILLS = 10_000, 100


def cuts(setting: Setting) -> list[Figure]:
    """Some seeds of the proof, or all of them and the kills too."""
    seeds = setting.many(_SEEDS if setting.full else 300, 10)
    said = module("tests.proof", f"0-{seeds - 1}")
    broke = re.search(r"([\d,]+)  seeds that broke a law", said)
    runs = re.search(r"([\d,]+)  .*\bcut\b", said)
    assert broke is not None, said[-2000:]
    partly = "" if setting.full else f", of {_SEEDS:,}: make prove"
    told = f"; {runs.group(0).strip()}" if runs else ""
    return [
        Figure(what="cuts in virtual time, resumed: seeds that paid twice or lost",
               value=float(broke.group(1).replace(",", "")), digits=0, most=0,
               note=f"{seeds:,} seeds{partly}{told}"),
        _kills(setting),
    ]  # fmt: skip


def _kills(setting: Setting) -> Figure:
    what = f"{_KILLS} real kill -9, resumed: batches that paid twice or lost"
    if not setting.full:
        return Figure(what=what, note="takes minutes: make kills, or --full")
    said = module("tests.proof.kills", "--kills", str(_KILLS))
    told = re.search(r"(\d+) kills in .* (\d+) failed", said)
    assert told is not None, said[-2000:]
    return Figure(what=what, value=float(told.group(2)), digits=0, most=0, note=f"{told.group(1)} kills")
