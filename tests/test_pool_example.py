"""The pool for Docker Compose: its commands are ones that there are, and Docker reads it where it is."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from batchgen.cli.main import batchgen

POOL = Path(__file__).parent.parent / "examples" / "pool.yaml"
SERVICES: dict[str, Any] = yaml.safe_load(POOL.read_text())["services"]


@pytest.mark.parametrize("name", ["journal", "worker", "enqueue", "list"])
def test_each_command_of_the_pool_is_one_that_there_is(name: str) -> None:
    words = [str(one) for one in SERVICES[name]["command"]]
    context = click.Context(batchgen)
    command: click.Command = batchgen
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_parser(click.Context(command, ignore_unknown_options=False)).parse_args(words)


def test_three_workers_are_left_more_time_to_stop_than_they_collect_for() -> None:
    worker = SERVICES["worker"]
    assert worker["deploy"]["replicas"] == 3
    drain = worker["command"][worker["command"].index("--drain-timeout") + 1]
    assert int(drain.removesuffix("s")) < int(worker["stop_grace_period"].removesuffix("s"))


def test_docker_reads_it() -> None:
    version = ["docker", "compose", "version"]
    if shutil.which("docker") is None or subprocess.run(version, capture_output=True, check=False).returncode:
        pytest.skip("needs docker with its compose")
    words = ["docker", "compose", "-f", str(POOL), "--env-file", os.devnull, "config", "--quiet"]
    done = subprocess.run(
        words, env={**os.environ, "PGPASSWORD": "x"}, capture_output=True, text=True, check=False
    )
    if "env file" not in done.stderr:  # the one beside it is a person's
        assert done.returncode == 0, done.stderr
