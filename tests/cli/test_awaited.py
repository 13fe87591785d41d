"""Waiting for work costs nothing beside the work."""

import asyncio

import pytest

from batchgen.cli.awaited import awaited


class _Large:
    def __init__(self) -> None:
        self.written = 0

    def __repr__(self) -> str:
        self.written += 1
        return "much text"


async def _made() -> _Large:
    await asyncio.sleep(0)
    return _Large()


async def _broken() -> None:
    raise ValueError("what went wrong")


def test_a_large_result_comes_back_without_being_written_out() -> None:
    assert awaited(_made()).written == 0


def test_what_goes_wrong_comes_out_as_it_is() -> None:
    with pytest.raises(ValueError, match="what went wrong"):
        awaited(_broken())
