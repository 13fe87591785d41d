"""Prices asked from the simulator's core, and what is made of its answers."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from batchgen.errors import (
    AmbiguousError,
    BatchgenError,
    BoughtByQuoteError,
    NotFoundError,
    RefusedError,
    StopCause,
    StoppedError,
    TransientError,
)
from batchgen.model import Job, Model
from batchgen.planning.pricing import Price
from batchgen.scenario.client import ScenarioClient
from batchgen.simulator.exchange import Call
from batchgen.usecases.questions import MOST_TROUBLES, NEEDS_FILES, STAND_IN
from batchgen.usecases.quotes import FRESH, Quoted, quote_jobs
from tests.scenario.fakes import OpenGate
from tests.support.builders import FLUX, GPT, make_earth, make_model, priced_job, recorded_models
from tests.support.virtual import VirtualTransport

CREDENTIALS = StoppedError("no", cause=StopCause.CREDENTIALS)


@dataclass
class Now:
    at: float = 1e9

    def now(self) -> float:
        return self.at


@dataclass
class Kept:
    """A store in memory."""

    prices: dict[str, tuple[Price, float]] = field(default_factory=dict)

    def find(self, names: Collection[str], *, since: float) -> Mapping[str, Price]:
        return {n: self.prices[n][0] for n in names if n in self.prices and self.prices[n][1] >= since}

    def keep(self, prices: Mapping[str, Price], *, at: float) -> None:
        self.prices.update({name: (one, at) for name, one in prices.items()})


@dataclass
class Asked:
    """Answers by the length of the prompt, or with an error."""

    error: BatchgenError | None = None
    bodies: list[str] = field(default_factory=list)

    async def quote(self, model: str, body: str) -> Decimal:
        del model
        self.bodies.append(body)
        if self.error is not None:
            raise self.error
        return Decimal(len(json.loads(body)["prompt"]))


def quoted(
    service: Asked | None,
    jobs: list[Job],
    models: Mapping[str, Model] | None = None,
    store: Kept | None = None,
    now: Now | None = None,
    *,
    requote: bool = False,
    known: Mapping[str, str] | None = None,
) -> Quoted:
    asking = quote_jobs(
        service,
        jobs,
        recorded_models(FLUX, GPT) if models is None else models,
        store=store or Kept(),
        clock=now or Now(),
        uploads_known=lambda _: known or {},
        requote=requote,
    )
    return asyncio.run(asking)


async def test_a_thousand_jobs_in_five_classes_cost_ten_calls_at_most_and_buy_nothing() -> None:
    earth = make_earth()
    client = ScenarioClient(VirtualTransport(earth, hop=0), OpenGate(), project=None)
    jobs = [priced_job(n, numInferenceSteps=7 * (1 + n % 5)) for n in range(1000)]
    told = await quote_jobs(client, jobs, recorded_models(FLUX), store=Kept(), clock=Now())
    assert earth.service.counts[Call.QUOTE] == told.asked <= 10
    assert (earth.service.counts[Call.SUBMIT], list(earth.service.submissions)) == (0, [])
    assert [told.price(one) for one in jobs[:5]] == [1, 2, 3, 4, 5]
    assert told.total_low == told.total_high == 200 * 15


def test_what_was_asked_within_the_day_is_not_asked_again_unless_it_is_wanted() -> None:
    service, store, now = Asked(), Kept(), Now()
    assert quoted(service, [priced_job()], store=store, now=now).asked == 1
    again = quoted(service, [priced_job(prompt="another, for the same price")], store=store, now=now)
    assert (again.asked, again.price(priced_job())) == (0, Decimal(8))
    assert quoted(service, [priced_job()], store=store, now=now, requote=True).asked == 1
    assert quoted(service, [priced_job()], store=store, now=Now(now.at + FRESH + 1)).asked == 1


def test_a_class_whose_members_differ_is_a_range_and_priced_at_the_highest() -> None:
    told = quoted(Asked(), [priced_job(n, prompt="x" * (n + 1)) for n in range(60)])
    [one] = told.classes
    assert one.price == Price(low=Decimal(1), high=Decimal(60))
    assert told.price(priced_job()) == 60
    assert "differs" in one.note
    assert (told.total_low, told.total_high) == (Decimal(60), Decimal(3600))


def test_a_spread_is_reserved_at_its_upper_end() -> None:
    by_prompt = make_model("m", {"name": "prompt", "type": "string", "costImpact": True})
    jobs = [priced_job(n, model="m", prompt="x" * (n + 1)) for n in range(500)]
    told = quoted(Asked(), jobs, {"m": by_prompt})
    assert {told.price(one) for one in jobs} == {Decimal(500)}
    assert told.classes[0].price == Price(low=Decimal(1), high=Decimal(500))
    assert told.asked <= 24


def test_an_order_by_mistake_ends_the_questions_at_once() -> None:
    service = Asked(BoughtByQuoteError("job_1"))
    with pytest.raises(BoughtByQuoteError, match="job_1 is paid for"):
        quoted(service, [priced_job(n, numOutputs=n + 1) for n in range(4)])
    assert len(service.bodies) == 1


def test_credentials_that_are_not_accepted_end_the_questions() -> None:
    with pytest.raises(StoppedError):
        quoted(Asked(CREDENTIALS), [priced_job()])


@pytest.mark.parametrize(
    "error", [RefusedError("too wide"), NotFoundError("gone"), StoppedError("plan", cause=StopCause.PLAN)]
)
def test_a_refusal_leaves_the_price_unknown_and_says_why(error: BatchgenError) -> None:
    told = quoted(Asked(error), [priced_job(), priced_job(1)])
    assert (told.unknown, told.price(priced_job()), told.total_high) == (2, None, Decimal(0))
    assert told.classes[0].note == str(error)


def test_a_service_that_does_not_answer_is_not_asked_for_long() -> None:
    service = Asked(TransientError("503"))
    told = quoted(service, [priced_job(n, numOutputs=n + 1) for n in range(9)])
    assert (len(service.bodies), told.unknown) == (MOST_TROUBLES, 9)


def test_after_a_question_that_may_have_been_an_order_no_other_is_asked() -> None:
    service = Asked(AmbiguousError("the reply was lost"))
    told = quoted(service, [priced_job(n, numOutputs=n + 1) for n in range(9)])
    assert (len(service.bodies), told.unknown) == (1, 9)


def test_local_files_are_known_assets_or_stood_for() -> None:
    wanted = [priced_job(model=GPT, referenceImages=[{"file": "a.png", "sha256": "aa"}])]
    service = Asked()
    quoted(service, wanted, known={"aa": "asset_known"})
    quoted(service, wanted)
    assert [json.loads(one)["referenceImages"] for one in service.bodies] == [["asset_known"], [STAND_IN]]
    refused = quoted(Asked(NotFoundError("no such asset")), wanted)
    assert (refused.classes[0].note, refused.unknown) == (NEEDS_FILES, 1)


def test_without_a_service_kept_prices_hold_and_published_ones_are_no_quotes() -> None:
    stats = {"variants": [{"costPerAssetMinCU": 2, "costPerAssetMaxCU": 3}]}
    told = replace(recorded_models(FLUX)[FLUX], raw={"performanceStats": stats})
    offline = quoted(None, [priced_job()], {FLUX: told})
    assert (offline.price(priced_job()), offline.total_high, offline.unknown) == (None, Decimal(3), 0)
    assert "publishes" in offline.classes[0].note
    store = Kept()
    quoted(Asked(), [priced_job()], store=store)
    assert quoted(None, [priced_job()], store=store).price(priced_job()) == 8


def test_a_model_that_was_not_looked_at_is_unknown_and_never_free() -> None:
    told = quoted(Asked(), [priced_job(model="model_x")])
    assert (told.unknown, told.price(priced_job(model="model_x")), told.asked) == (1, None, 0)
