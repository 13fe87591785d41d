"""Four processes buy for one account at once, 1,000 intents: ceiling and cap are never exceeded."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgen.journal.store import JournalStore, ServerStore
from batchgen.journal.stores import store_of
from tests.support.many_intents import CAP, MOST

ROUNDS = 250
BATCHES = ("spring", "summer", "autumn", "winter")
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("database")) if request.param == "postgres" else ""


def in_order(store: JournalStore) -> Iterator[str]:
    """Give what happened, of whatever batch, as it was written."""
    with store.tables("ro") as connection:
        assert connection is not None
        for (name,) in connection.execute("SELECT name FROM events ORDER BY id"):
            yield name


@pytest.mark.timeout(300)
def test_four_processes_never_exceed_ceiling_or_cap(url: str, tmp_path: Path) -> None:
    store = store_of(url, tmp_path)
    if isinstance(store, ServerStore):
        store.prepare()
    else:
        store.opened().close()
    words = [sys.executable, "-m", "tests.support.many_intents"]
    processes = [
        subprocess.Popen(
            [*words, batch, str(tmp_path), url, str(ROUNDS)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for batch in BATCHES
    ]
    said = [json.loads(one.communicate()[0]) for one in processes]
    assert [one.returncode for one in processes] == [0] * len(BATCHES)
    counts = {name: sum(one[name] for one in said) for name in said[0]}
    assert sum(counts.values()) == ROUNDS * len(BATCHES)
    assert counts["no room"], "there was a crowd"
    assert counts["taken"] == CAP, "as many as the cap allows, and no more"
    running = most = 0
    for name in in_order(store):
        # an end may stand before an intent that did not see it yet: that makes them fewer here, never more
        running += (name == "SubmitStarted") - (name == "Failed")
        most = max(most, running)
    assert most <= MOST
