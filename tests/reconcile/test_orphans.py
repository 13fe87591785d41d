"""What the service has of ours and no record owns, looked for at the end of a run."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.account import Identity
from batchgen.errors import ServiceError, StopCause, StoppedError, TransientError
from batchgen.identity import content_key
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Accepted, AnswerLost, Event
from batchgen.model import (
    Asset,
    JobKey,
    Model,
    Receipt,
    RemoteJob,
    RemoteStatus,
    Scope,
    Text,
)
from batchgen.pages import JobPage, Unreadable
from batchgen.reconcile.audit import read_history
from batchgen.reconcile.orphans import PATIENCE, OrphanFinder, Orphans, orphans_of_run
from batchgen.wiring.clock import SystemClock
from tests.support.builders import make_intent, make_job, make_remote_job
from tests.support.looped import run_virtually
from tests.support.opened import OpenedFile

KEY = JobKey(content_key(make_job()))


class Listing:
    """A service of which only the listing is asked."""

    def __init__(
        self,
        *ids: str,
        error: ServiceError | None = None,
        delay: float = 0.0,
        unreadable: Sequence[Unreadable] = (),
    ) -> None:
        self._ids = ids
        self._unreadable = tuple(unreadable)
        self._error = error
        self._delay = delay

    async def jobs(self, filters: Mapping[str, str], token: str | None = None) -> JobPage:
        assert token is None, filters
        await asyncio.sleep(self._delay)
        if self._error is not None:
            raise self._error
        rows = tuple(row(one) for one in self._ids)
        return JobPage(jobs=rows, next_token=None, unreadable=self._unreadable)

    async def submit(self, model: str, body: str, *, may_leave: Callable[[], bool] | None = None) -> Receipt:
        del may_leave
        raise AssertionError(f"a look buys nothing: {model} {body}")

    async def job(self, remote_id: str) -> RemoteJob:
        raise AssertionError(f"a row says enough: {remote_id}")

    async def text(self, asset_id: str) -> Text | None:
        raise AssertionError(f"no prompt here is an asset: {asset_id}")

    async def identify(self) -> Identity | None:
        raise AssertionError("a look sends nothing")

    async def model(self, model_id: str) -> Model:
        raise AssertionError(f"models are not asked for: {model_id}")

    async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        raise AssertionError(f"assets are not asked for: {asset_ids}")


def row(remote_id: str) -> RemoteJob:
    return make_remote_job(
        remote_id,
        status=RemoteStatus.SUCCEEDED,
        created_at=1000.0,
        inputs={"modelId": "m", "prompt": "a tower"},
        cost=Decimal("7.25"),
    )


INTENT = make_intent(at=990.0)
PAID = (INTENT, Accepted(at=991.0, remote_id="job_1", charged=Decimal("7.25"), author="apiu_us"))
LOST = (INTENT, AnswerLost(at=991.0, reason="cut"))

Look = Callable[..., tuple[list[str], list[str]]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Look again after a run of the first batch; gives what was found, and what was troubled."""

    def looked(
        service: Listing, *lives: Sequence[Event], known: Sequence[str] = ()
    ) -> tuple[list[str], list[str]]:
        file: JournalFile = OpenedFile.open(tmp_path / "journal.db")
        for batch, life in zip("ab", lives, strict=False):
            file.batch(Scope(origin="o", project="", batch=batch)).append(KEY, *life)
        journal = file.batch(Scope(origin="o", project="", batch="a"))
        troubles: list[str] = []
        found = run_virtually(
            orphans_of_run(service, journal, SystemClock(), since=900.0, known=known, trouble=troubles.append)
        )
        return found, troubles

    return looked


def test_what_was_paid_beside_a_job_is_named_with_its_cost(look: Look) -> None:
    (found,), troubles = look(Listing("job_1", "job_2"), PAID)
    assert found.startswith("tower: job_2, 7.25 CU,")
    assert troubles == []


def test_what_is_owned_is_no_finding(look: Look) -> None:
    assert look(Listing("job_1"), PAID) == ([], [])


def test_a_row_of_a_job_in_doubt_is_left_to_the_doubt(look: Look) -> None:
    assert look(Listing("job_2"), LOST) == ([], [])


@pytest.mark.parametrize("life", [(INTENT,), LOST])
def test_a_row_that_an_equal_job_of_another_batch_waits_for_is_no_alarm(
    look: Look, life: Sequence[Event]
) -> None:
    assert look(Listing("job_1", "job_2"), PAID, life) == ([], [])


def test_another_batch_that_has_its_answer_hides_nothing(look: Look) -> None:
    theirs = (INTENT, Accepted(at=991.0, remote_id="job_2", author="apiu_us"))
    (found,), _ = look(Listing("job_1", "job_2", "job_3"), PAID, theirs)
    assert found.startswith("tower: job_3")


def test_what_the_run_has_told_is_not_told_again(look: Look) -> None:
    assert look(Listing("job_1", "job_2"), PAID, known=["job_2 turned up"]) == ([], [])


@pytest.mark.parametrize(
    ("service", "why"),
    [
        (Listing(error=TransientError("503")), "503"),
        (Listing(error=StoppedError("401", cause=StopCause.CREDENTIALS)), "401"),
        (Listing(delay=10 * PATIENCE), "no answer within 60 s"),
    ],
)
def test_a_service_that_cannot_be_looked_through_is_told_and_spoils_nothing(
    look: Look, service: Listing, why: str
) -> None:
    found, (trouble,) = look(service, PAID)
    assert (found, trouble.endswith(why)) == ([], True)


def test_a_row_that_nobody_can_read_is_counted_unless_it_is_of_long_ago(tmp_path: Path) -> None:
    rows = (Unreadable("undated", None), Unreadable("of now", 1000.0), Unreadable("old", 10.0))
    finder = OrphanFinder(Listing("job_1", unreadable=rows), SystemClock())
    journal = OpenedFile.open(tmp_path / "journal.db").batch(Scope(origin="o", project="", batch="a"))
    journal.append(KEY, *PAID)

    async def look() -> Orphans:
        listing = await finder.list(900.0)
        return await finder.find(listing, read_history(journal.history()), journal, journal.records())

    found = run_virtually(look())
    assert (found.unreadable, found.surplus, found.doubtful) == (2, (), ())
