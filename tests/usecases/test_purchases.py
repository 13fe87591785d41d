"""A question after a price that was taken for an purchase: on record before anybody is told, and the last."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.api.bought import audit
from batchgen.errors import BoughtByQuoteError
from batchgen.exits import Exit
from batchgen.lifecycle import Refused, State, SubmitStarted, replay
from batchgen.usecases.purchases import Purchases
from batchgen.usecases.quotes import Quoted, quote_jobs
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import look_at
from batchgen.wiring.options import Options
from tests.support.builders import FLUX, recorded_models

MANIFEST = """
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev}
jobs:
  - {id: tower, prompt: a tower}
  - {id: mill, prompt: a mill, params: {numInferenceSteps: 7}}
"""
NOW = 1_777_636_800.0


@dataclass
class Shop:
    """A service that takes every question for an purchase."""

    sold: list[str] = field(default_factory=list)

    async def quote(self, model: str, body: str) -> Decimal:
        del model
        self.sold.append(body)
        raise BoughtByQuoteError(f"job_{len(self.sold)}", charged=Decimal("7.25"), author="apiu_us")


class Noon:
    def now(self) -> float:
        return NOW


@pytest.fixture
def options(tmp_path: Path) -> Options:
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(MANIFEST)
    environ = {"SCENARIO_BASE_URL": "http://127.0.0.1:9/v1"}
    return Options(manifest=manifest, output=tmp_path / "output", environ=environ)


@contextmanager
def batch_to_write(options: Options) -> Iterator[Batch]:
    with look_at(options) as looked, options.journal.opened() as file:
        yield Batch.of(options, looked.batch.manifest, looked.batch.scope, file)


@contextmanager
def batch_to_read(options: Options) -> Iterator[Batch]:
    with look_at(options) as looked:
        yield looked.batch


def ask(options: Options, batch: Batch, shop: Shop, *, writing: bool) -> Quoted:
    asking = quote_jobs(
        shop,
        [entry.job for entry in batch.plan.entries],
        recorded_models(FLUX),
        store=options.journal.quotes(origin=batch.scope.origin, project=""),
        clock=Noon(),
        purchases=Purchases(options, batch, writing=writing, clock=Noon()),
    )
    return asyncio.run(asking)


def states(options: Options) -> dict[str, State]:
    with look_at(options) as opened:
        batch = opened.batch
        records = batch.journal.records()
        assert replay(batch.journal.history()) == records
        return {one.job.id: one.state for one in records.values() if one.job is not None}


@pytest.mark.parametrize("writing", [True, False])
def test_what_was_bought_is_the_submission_of_the_job_that_was_asked_about_and_nothing_is_asked_again(
    options: Options, writing: bool
) -> None:
    shop = Shop()
    with (
        batch_to_write(options) if writing else batch_to_read(options) as batch,
        pytest.raises(BoughtByQuoteError, match=r"job_1 is paid for.*submission of tower, and the next run"),
    ):
        ask(options, batch, shop, writing=writing)
    assert states(options) == {"tower": State.RUNNING}
    with look_at(options) as opened:
        batch = opened.batch
        [record] = batch.journal.records().values()
        assert (record.body, record.remote_id, record.charged) == (shop.sold[0], "job_1", Decimal("7.25"))
        told = ask(options, batch, shop, writing=False)
        assert [one.note for one in told.classes] == ["is not asked: a price question has bought job_1"] * 2
        assert (told.asked, len(shop.sold)) == (0, 1)
        assert batch.needs_the_service
        assert [one.job.id for one in batch.plan.to_submit] == ["mill"]


def test_what_was_bought_beside_a_run_is_named_by_an_audit(options: Options) -> None:
    with (
        look_at(options) as opened,
        options.journal.hold("spring", stamp=NOW),
        pytest.raises(BoughtByQuoteError, match="belongs to no job; `batchgen audit` names it"),
    ):
        ask(options, opened.batch, Shop(), writing=False)
    assert states(options) == {}
    found = asyncio.run(audit(options))
    assert [(one.remote_id, one.job, one.charged) for one in found.purchases] == [
        ("job_1", "tower", Decimal("7.25"))
    ]
    assert found.verdict.exit is Exit.DOUBT


def test_a_job_of_which_something_is_on_record_already_is_left_as_it_is(options: Options) -> None:
    with batch_to_write(options) as batch:
        tower = batch.plan.entries[0]
        intent = SubmitStarted(at=NOW, job=tower.job, attempt=1, body='{"prompt":"a tower","seed":1}')
        batch.journal.append(tower.key, intent, Refused(at=NOW, reason="no"))
        before = batch.journal.records()[tower.key]
        with pytest.raises(BoughtByQuoteError, match="belongs to no job"):
            ask(options, batch, Shop(), writing=True)
        assert batch.journal.records() == {tower.key: before}
