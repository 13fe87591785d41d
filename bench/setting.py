"""What a measurement is told: how much of it there is time for, and where it may write."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.plot import Plot

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One run of the bench.

    Attributes:
        folder: on a real disk, empty, removed afterwards.
        quick: tiny numbers, to see that everything still works; the figures mean nothing.
        full: what takes many minutes too.
        plots: drawings by name, added to by whoever measures what they show.
    """

    folder: Path
    quick: bool = False
    full: bool = False
    plots: dict[str, Plot] = field(default_factory=dict)

    def many(self, usual: T, quick: T) -> T:
        return quick if self.quick else usual
