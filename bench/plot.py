"""A drawing of one run: in flight over time against the ceiling, and requests by kind under it.

Plain SVG of a few kilobytes, legible on light and on dark.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LEFT, _RIGHT = 760, 46, 14
_UPPER, _LOWER, _TOP, _BETWEEN, _FOOT = 150, 90, 44, 46, 34
_SPAN = _WIDTH - _LEFT - _RIGHT
_HEIGHT = _TOP + _UPPER + _BETWEEN + _LOWER + _FOOT
_LINES = ("a", "b")
_KINDS = {"submit": "a", "job": "b", "jobs": "c", "assets": "d", "model": "e", "quote": "e", "other": "e"}
_WORDS = {"submit": "submits", "job": "looks at one job", "jobs": "listings", "assets": "asset URLs"}
_STYLE = """\
svg{font:12px system-ui,sans-serif}text{fill:#444}.t{font-size:14px;font-weight:600}.g{stroke:#ddd}
.l{fill:none;stroke-width:1.5}.k{stroke:#888;stroke-dasharray:5 4}
.a{--c:#0b66c2}.b{--c:#c2570b}.c{--c:#2b8a3e}.d{--c:#7d3cb5}.e{--c:#777}.l{stroke:var(--c)}.f{fill:var(--c)}
@media(prefers-color-scheme:dark){text{fill:#ccc}.g{stroke:#444}.k{stroke:#aaa}
.a{--c:#6cb6ff}.b{--c:#ffa657}.c{--c:#6bd483}.d{--c:#c79bf2}.e{--c:#aaa}}"""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """What is drawn.

    Attributes:
        title: one line.
        flights: by label, when each job began and ended at the service; the first is ours.
        ceiling: how many may run at once.
        asked: when each request of ours came, and its kind.
        each: seconds that requests are counted in.
    """

    title: str
    flights: Mapping[str, Sequence[tuple[float, float]]]
    ceiling: int
    asked: Sequence[tuple[float, str]]
    each: float = 1.0


def drawn(plot: Plot) -> str:
    """Draw it; every run begins at its own first request or job."""
    flights = {label: _in_flight(lives) for label, lives in plot.flights.items()}
    asked = _from_start(plot.asked)
    ends = [at for steps in flights.values() for at, _ in steps[-1:]] + [at for at, _ in asked[-1:]]
    longest = max(ends, default=1.0) or 1.0
    most = max([plot.ceiling, *(count for steps in flights.values() for _, count in steps)])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(plot.title)}</title><style>{_STYLE}</style>",
        f'<text class="t" x="{_LEFT}" y="18">{escape(plot.title)}</text>',
        *_above(flights, plot.ceiling, most * 1.08, longest),
        *_below(asked, plot.each, longest),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _in_flight(lives: Sequence[tuple[float, float]]) -> list[tuple[float, int]]:
    """Give the steps of the count, from the first job on."""
    start = min((created for created, _ in lives), default=0.0)
    changes = Counter[float]()
    for created, end in lives:
        changes[created - start] += 1
        changes[end - start] -= 1
    steps, count = [(0.0, 0)], 0
    for at in sorted(changes):
        count += changes[at]
        steps.append((at, count))
    return steps


def _from_start(asked: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    start = min((at for at, kind in asked if kind == "submit"), default=0.0)
    return [(at - start, kind) for at, kind in asked if at >= start]


def _above(
    flights: Mapping[str, list[tuple[float, int]]], ceiling: int, most: float, longest: float
) -> Iterable[str]:
    base = _TOP + _UPPER

    level = base - ceiling / most * _UPPER
    yield _rule(base)
    yield f'<line class="k" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{level:.1f}" y2="{level:.1f}"/>'
    yield _label(_LEFT - 6, level + 4, str(ceiling), anchor="end")
    yield _label(_LEFT - 6, base + 4, "0", anchor="end")
    for (label, steps), colour in reversed(list(zip(flights.items(), _LINES, strict=False))):
        steered = "".join(
            f"H{_LEFT + at / longest * _SPAN:.1f}V{base - count / most * _UPPER:.0f}"
            for at, count in _thinned(steps, longest)
        )
        named = f"<title>{escape(label)}</title>"
        yield f'<path class="l {colour}" d="M{_LEFT},{base}{steered}">{named}</path>'
    yield from _legend(_TOP - 12, zip(flights, _LINES, strict=False), "in flight:")


def _thinned(steps: list[tuple[float, int]], longest: float) -> Iterable[tuple[float, int]]:
    """Keep the lowest and the last count of each pixel: dips are what a reader looks for."""
    columns: dict[int, list[tuple[float, int]]] = {}
    for at, count in steps:
        columns.setdefault(int(at / longest * _SPAN), []).append((at, count))
    for column in columns.values():
        lowest = min(column, key=lambda one: one[1])
        yield from dict.fromkeys(sorted((lowest, column[-1])))


def _below(asked: Sequence[tuple[float, str]], each: float, longest: float) -> Iterable[str]:
    top, base = _TOP + _UPPER + _BETWEEN, _TOP + _UPPER + _BETWEEN + _LOWER
    bins = Counter((int(at / each), kind) for at, kind in asked)
    kinds = [kind for kind in _KINDS if any(kind == one for _, one in bins)]
    sums = Counter[int]()
    for (number, _), count in bins.items():
        sums[number] += count
    most = max(sums.values(), default=1)
    yield _rule(base)
    yield _label(_LEFT - 6, top + 8, str(most), anchor="end")
    wide, bars, levels = each / longest * _SPAN, dict.fromkeys(kinds, ""), dict[int, float]()
    for kind in kinds:
        for number in sorted(sums):
            if count := bins[number, kind]:
                high, level = count / most * _LOWER, levels.get(number, float(base))
                levels[number] = level - high
                broad = max(0.6, wide - 0.4)
                bars[kind] += (
                    f"M{_LEFT + number * wide:.1f},{level:.1f}h{broad:.1f}v-{high:.1f}h-{broad:.1f}z"
                )
        yield f'<path class="f {_KINDS[kind]}" d="{bars[kind]}"/>'
    named = [(_WORDS.get(kind, kind), _KINDS[kind]) for kind in kinds]
    yield from _legend(top - 10, named, f"requests each {each:g} s:")
    for tick in range(5):
        at = longest * tick / 4
        anchor = {0: "start", 4: "end"}.get(tick, "middle")
        yield _label(_LEFT + tick / 4 * _SPAN, base + 18, f"{at:.0f} s", anchor=anchor)


def _legend(y: float, named: Iterable[tuple[str, str]], first: str) -> Iterable[str]:
    yield _label(_LEFT, y, first)
    x = _LEFT + 10 + 6.2 * len(first)
    for word, colour in named:
        yield f'<rect class="f {colour}" x="{x:.0f}" y="{y - 9:.0f}" width="10" height="10"/>'
        yield _label(x + 14, y, word)
        x += 30 + 6.6 * len(word)


def _rule(y: float) -> str:
    return f'<line class="g" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'


def _label(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'
