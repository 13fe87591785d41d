"""What a command loads: most of the time of a short one are its imports.

Each names what it has no use for. Whoever brings one of these back with an import sees it here, and loads it
where it is used.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from tests.cli.conftest import Shell

SERVICE = ("aiohttp", "tenacity", "yarl", "batchgen.scenario.client", "batchgen.scenario.http")
WORK = (
    "batchgen.engine.runner",
    "batchgen.control.server",
    "batchgen.reconcile.matching",
    "batchgen.simulator",
)
PAGE = ("jinja2", "PIL", "batchgen.output.thumbnails")
JOURNAL = ("sqlite3", "batchgen.journal")
RESULTS = ("batchgen.output.results", "batchgen.output.report")
MANIFEST = ("pydantic", "yaml", "batchgen.manifest.reading", "batchgen.manifest.schema")
NEVER = (*SERVICE, *WORK, *PAGE, "rich", "psycopg", "procrastinate", "psycopg_pool")
USELESS: Mapping[str, Sequence[str]] = {
    "run": NEVER,
    "status": (*NEVER, *MANIFEST, "asyncio", "batchgen.output.report"),
    "validate": (*NEVER, *JOURNAL, *RESULTS, "batchgen.reconcile", "batchgen.usecases.models"),
}
WORDS: Mapping[str, Sequence[str]] = {
    "run": ["run", "jobs.yaml", "--simulate"],
    "status": ["status"],
    "validate": ["validate", "jobs.yaml", "--offline"],
}
JOBS = "version: 1\nbatch: spring\njobs:\n  - {model: model_bfl-flux-1-dev, prompt: [a tower, a bridge]}\n"


@pytest.fixture
def done(shell: Shell) -> Shell:
    """A batch that has all that it wants."""
    shell.write("jobs.yaml", JOBS)
    assert shell.call("run", "jobs.yaml", "--simulate").status == 0
    return shell


def loaded(shell: Shell, words: Sequence[str]) -> list[str]:
    """Return what is loaded at the end of a command, in a Python that had loaded nothing."""
    code = f"""
import json, sys
from batchgen.cli.main import run
status = run({list(words)!r})
print(json.dumps([status, *sys.modules]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=shell.folder,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    status, *modules = json.loads(ran.stdout.splitlines()[-1])
    assert status == 0, ran.stderr
    return list(modules)


def test_a_run_that_has_work_loads_at_its_beginning_what_it_uses_at_its_end() -> None:
    """Somebody may put another version into the place of this one while it goes on for hours."""
    code = "import sys, batchgen.usecases.run_with_service; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    late = {*PAGE, "batchgen.output.page_text", "batchgen.output.layout", "batchgen.output.page_data"}
    assert late - set(ran.stdout.split()) == set()


def test_a_command_that_asks_nobody_loads_nothing_that_asks_or_draws(done: Shell) -> None:
    """A run that finds nothing to do, a look at where a batch stands, and a check without the service."""
    brought = {name: sorted(set(USELESS[name]) & set(loaded(done, words))) for name, words in WORDS.items()}
    assert brought == {"run": [], "status": [], "validate": []}
