"""What makes aioresponses work with the aiohttp that is installed; see test_shim.py."""

import inspect
import types
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses, core

if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:

    class _Compat(aiohttp.ClientResponse):
        def __init__(self, *args: Any, stream_writer: Any = None, **kwargs: Any) -> None:
            writer: Any = stream_writer or types.SimpleNamespace(output_size=0)
            super().__init__(*args, stream_writer=writer, **kwargs)

    core.ClientResponse = _Compat  # type: ignore[attr-defined]  # it imports the name for itself


@pytest.fixture
def mocked() -> Iterator[aioresponses]:
    with aioresponses() as service:
        yield service
