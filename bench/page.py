"""Refreshes the generated part of a page: what stands between its two markers, and nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import Figure, as_markdown

BEGIN, END = "<!-- figures: python -m bench --write -->", "<!-- end of figures -->"


def refreshed(page: str, figures: Sequence[Figure], machine: Mapping[str, str], *, at: str) -> str:
    """Give the page with these figures in it.

    Raises:
        ValueError: it lacks a marker.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    reached = sum(one.reached is True for one in figures)
    missed = [one for one in figures if one.reached is False]
    told = f"{at}: {reached} of {reached + len(missed)} targets reached in one run."
    on = "; ".join(f"{name}: {said}" for name, said in machine.items())
    return f"{before}{BEGIN}\n\n{told}\n{on}.\n\n{as_markdown(figures)}\n\n{END}{after}"


def write_page(path: Path, figures: Sequence[Figure], machine: Mapping[str, str], *, at: str) -> None:
    path.write_text(refreshed(path.read_text(), figures, machine, at=at))
