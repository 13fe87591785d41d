"""Measurements in processes of their own: no figure has another one's memory, caches or garbage in it."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def isolated(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function of a module in a fresh process, and give what it gives."""
    result: T = together([(function, *arguments)])[0]
    return result


def together(calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Make some calls side by side, a fresh process each: for what mostly waits."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(calls), mp_context=fresh, max_tasks_per_child=1) as pool:
        return [one.result() for one in [pool.submit(*call) for call in calls]]
