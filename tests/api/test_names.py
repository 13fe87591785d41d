"""The names of the room are loaded when they are used, and say so truly."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from batchgen import api

STUB = Path(api.__file__ or "").with_suffix(".pyi")


def told_to_type_checkers() -> dict[str, str]:
    """Return what the stub for type checkers says: each name, with its module."""
    return {
        one.name: node.module or ""
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    }


def test_every_name_is_there_and_is_what_type_checkers_take_it_for() -> None:
    named = told_to_type_checkers()
    assert sorted(named) == dir(api)
    for name, module in named.items():
        assert getattr(api, name) is getattr(import_module(module), name)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nosuch'"):
        getattr(api, "nosuch")  # noqa: B009 - a type checker refuses the plain form


def test_to_import_the_room_loads_nothing_behind_it() -> None:
    code = "import sys, batchgen.api; print([one for one in sys.modules if one.startswith('batchgen.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['batchgen.api']\n"
