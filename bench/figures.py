"""What was measured, as values, and how they are shown; a row that was not measured says why."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

DASH = "-"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row.

    Attributes:
        what: is measured, in words.
        value: in ``unit``; None where it was not measured, and then ``note`` says why.
        most, least: what is to be reached; with both None the row only informs.
        sdk, bare: what the two yardsticks came to in the same run.
        note: what the figure is made of.
        name: of the scenario, by which it is measured alone.
    """

    what: str
    value: float | None = None
    unit: str = ""
    digits: int = 2
    most: float | None = None
    least: float | None = None
    sdk: str = ""
    bare: str = ""
    note: str = ""
    name: str = ""

    def of(self, name: str) -> Self:
        return replace(self, name=name)

    @property
    def measured(self) -> str:
        return DASH if self.value is None else self._shown(self.value)

    @property
    def target(self) -> str:
        if self.most is not None and self.most == self.least:
            return self._shown(self.most)
        if self.most is not None:
            return f"≤ {self._shown(self.most)}"
        return DASH if self.least is None else f"≥ {self._shown(self.least)}"

    @property
    def reached(self) -> bool | None:
        """Whether the target was; None where there is none, or no figure."""
        if self.value is None or (self.most is None and self.least is None):
            return None
        value = round(self.value, self.digits)
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return {True: "yes", False: "no", None: ""}[self.reached]

    def _shown(self, value: float) -> str:
        shown = f"{value:,.{self.digits}f}"
        if "." in shown and value == round(value, 1):
            shown = shown.rstrip("0").rstrip(".")
        return f"{shown} {self.unit}".rstrip()


HEADS = ("what", "reach", "measured", "reached", "SDK loop", "bare loop", "alone")


def cells(one: Figure) -> tuple[str, ...]:
    what = f"{one.what} ({one.note})" if one.note else one.what
    again = f"python -m bench {one.name}" if one.name else ""
    return (what, one.target, one.measured, one.verdict, one.sdk, one.bare, again)


def as_text(figures: Sequence[Figure], width: int = 80) -> str:
    """Lay the rows out for a terminal: a line each, notes under them."""
    heads = ("what", *HEADS[1:-1])
    body = [(_cut(one.what, width), *cells(one)[1:-1]) for one in figures]
    widths = [max(len(row[at]) for row in (heads, *body)) for at in range(len(heads))]
    lines = [_line(heads, widths), _line(["-" * one for one in widths], widths)]
    for one, row in zip(figures, body, strict=True):
        lines.append(_line(row, widths))
        lines += [f"    {one.note}"] if one.note else []
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def as_markdown(figures: Sequence[Figure]) -> str:
    """Lay the rows out for a page."""
    rows = [HEADS, *(cells(one) for one in figures)]
    lines = ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows]
    aligned = "|---|--:|--:|---|---|---|---|"
    return "\n".join([lines[0], aligned, *lines[1:]])


def _escaped(cell: str) -> str:
    return f"`{cell}`" if cell.startswith("python ") else cell.replace("|", "\\|")


def as_json(figures: Sequence[Figure], machine: Mapping[str, str], *, at: str, quick: bool) -> str:
    """Write all of a run for machines."""
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "what": one.what,
            "value": one.value,
            "unit": one.unit,
            "most": one.most,
            "least": one.least,
            "reached": one.reached,
            "sdk": one.sdk,
            "bare": one.bare,
            "note": one.note,
        }
        for one in figures
    ]
    whole = {"version": 1, "at": at, "quick": quick, "machine": dict(machine), "figures": rows}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
