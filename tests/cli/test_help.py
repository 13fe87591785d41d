import subprocess
import sys
from pathlib import Path

import click
import pytest

from batchgen.cli.main import ALIASES, COMMANDS, HIDDEN, batchgen
from tests.cli.conftest import Shell

ROOT = Path(__file__).parent.parent.parent


def test_help_lists_every_command_and_every_exit_status(shell: Shell) -> None:
    done = shell.call("--help")
    assert done.status == 0
    for word in (*COMMANDS, "Exit status", "143", "SCENARIO_SDK_API_KEY"):
        assert word in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_begins_as_the_list_says(shell: Shell, name: str) -> None:
    done = shell.call(name, "--help")
    assert done.status == 0
    assert done.out.startswith(f"Usage: batchgen {name}")
    for line in done.out.splitlines():
        assert len(line) <= 100


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(shell: Shell, name: str) -> None:
    assert f"Example: batchgen {name} " in shell.call(name, "--help").out


@pytest.mark.parametrize("name", ALIASES)
def test_a_name_of_before_goes_on_working_and_is_not_shown(shell: Shell, name: str) -> None:
    group, now = ALIASES[name]
    before, after = shell.call(name, "--help"), shell.call(group, now, "--help")
    assert before.out.splitlines()[1:] == after.out.splitlines()[1:]
    assert f"  {name} " not in shell.call("--help").out


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_none_of_the_heavy_libraries(words: list[str]) -> None:
    heavy = ["aiohttp", "pydantic", "rich", "jinja2", "PIL", "yaml", "sqlite3", "tenacity", "psycopg"]
    heavy += [] if "run" in words else ["asyncio"]
    code = f"""
import sys
from batchgen.cli.main import run
run({words!r})
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_every_command_that_has_an_output_folder_can_have_its_journal_on_a_server() -> None:
    """The copy names two journals itself."""
    context = click.Context(batchgen)
    found = {name: batchgen.get_command(context, name) for name in [*COMMANDS, *HIDDEN]}
    groups = {name: one for name, one in found.items() if isinstance(one, click.Group)}
    below = {f"{name} {each}": one for name, group in groups.items() for each, one in group.commands.items()}
    flags = {name: {flag.name for flag in one.params} for name, one in (found | below).items() if one}
    without = {name for name, known in flags.items() if "output" in known and "journal" not in known}
    assert without == {"journal copy"}


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"batchgen {name}" not in text] == []


def test_init_writes_a_manifest_that_validates_and_never_overwrites(shell: Shell) -> None:
    assert shell.call("init").status == 0
    assert shell.call("validate", "jobs.yaml", "--offline").status == 0
    again = shell.call("init")
    assert (again.status, "--force" in again.err) == (2, True)
    assert shell.call("init", "--force").status == 0


def test_a_dry_run_is_the_plan(shell: Shell) -> None:
    shell.call("init", "spring.yaml")
    planned = shell.call("plan", "spring.yaml", "--simulate")
    dry = shell.call("run", "spring.yaml", "--dry-run", "--simulate")
    assert (planned.status, dry.status, planned.out) == (0, 0, dry.out)
    assert "Would submit" in planned.out
    assert not (shell.folder / "output").exists()


def test_status_of_an_empty_folder_says_so(shell: Shell) -> None:
    done = shell.call("status")
    assert (done.status, done.out) == (0, "No batch was run here yet.\n")
