"""Prices of chains: before the inputs of a job exist, and at the door, when they do."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.errors import (
    AmbiguousError,
    BatchgenError,
    BoughtByQuoteError,
    NotFoundError,
    RefusedError,
    TransientError,
)
from batchgen.identity import references_of, with_references
from batchgen.model import File, Job, JobKey, Json, Model
from batchgen.planning.make_plan import make_plan
from batchgen.planning.plan import Entry
from batchgen.planning.pricing import Price
from batchgen.planning.stand_ins import Outputs
from batchgen.record import Record, State
from batchgen.usecases.prices import RunPrices
from batchgen.usecases.questions import NEEDS_OUTPUTS, STAND_IN
from batchgen.usecases.quotes import Quoted, quote_jobs
from batchgen.usecases.stand_ins import Records, StandIns
from batchgen.wiring.blanks import blank_picture
from batchgen.wiring.simulated_prices import SimulatedPrices
from tests.support.builders import FLUX, GPT, make_job, recorded_models
from tests.usecases.test_quotes import Kept, Now

CUT_OUT, UPSCALE, TRACE = (
    "model_birefnet-background-removal",
    "model_topaz-image-upscale",
    "model_recraft-vectorize",
)
FILM = "model_kling-v2-6-i2v-pro"
MODELS = recorded_models(FLUX, GPT, CUT_OUT, UPSCALE, TRACE, FILM)
SIZES = {"asset_small": (512, 512), "asset_large": (4096, 4096)}


def knight(name: str = "knight", **params: Json) -> Job:
    return make_job(name, model=FLUX, prompt=f"a knight called {name}", **params)


def tool(name: str, of: Json, model: str = CUT_OUT, **params: Json) -> Job:
    into = "referenceImage" if model == TRACE else "image"
    return Job(id=name, model=model, params={into: {"job": of} if isinstance(of, str) else of, **params})


@dataclass
class Service:
    """The simulator's prices, by the real inputs; refuses what it is told to, and remembers all questions."""

    refused: Callable[[str], BatchgenError | None] = lambda _: None
    dearer: Decimal = Decimal(0)
    bodies: list[str] = field(default_factory=list)
    blanks: list[tuple[int, int]] = field(default_factory=list)
    can_blank: bool = True
    of: SimulatedPrices = field(default_factory=lambda: SimulatedPrices(SIZES.get))

    async def quote(self, model: str, body: str) -> Decimal:
        self.bodies.append(body)
        if (error := self.refused(body)) is not None:
            raise error
        return await self.of.quote(model, body) + self.dearer

    async def blank(self, width: int, height: int) -> str | None:
        if not self.can_blank:
            return None
        self.blanks.append((width, height))
        return await self.of.blank(width, height)

    def asked_with(self, text: str) -> int:
        return sum(text in one for one in self.bodies)


@dataclass
class Priced:
    """The jobs of one manifest, priced."""

    jobs: Sequence[Job]
    service: Service | None
    records: Records
    store: Kept
    models: Mapping[str, Model]
    others: Sequence[Records]
    files: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = make_plan(self.jobs, self.records, now=1e9)
        outputs = Outputs(self.models, self.plan.by_id.get, lambda: self.records, now=1e9)
        service = self.service or Service()
        self.stand_ins = StandIns(
            outputs,
            models=self.models,
            parents={one.job.model for one in self.plan.entries},
            records=self.records,
            others=self.others,
            known=lambda _: {},
            blank=service.blank,
            files=self.files,
        )
        bought = [one.job for one in self.plan.to_submit]
        self.quoted: Quoted = asyncio.run(
            quote_jobs(
                self.service,
                bought,
                self.models,
                store=self.store,
                clock=Now(),
                stand_ins=self.stand_ins,
            )
        )

    def entry(self, name: str) -> Entry:
        return self.plan.by_id[name]

    def price(self, name: str) -> Decimal | None:
        return self.quoted.price(self.entry(name).job)

    def prices(self) -> RunPrices:
        assert self.service is not None
        return RunPrices(
            self.quoted,
            began=0.0,
            generator=self.service,
            models=self.models,
            store=self.store,
            clock=Now(),
            stand_ins=self.stand_ins,
        )


def priced(
    jobs: Sequence[Job],
    service: Service | None,
    *,
    records: Records | None = None,
    store: Kept | None = None,
    models: Mapping[str, Model] | None = None,
    others: Sequence[Records] = (),
) -> Priced:
    return Priced(
        jobs, service, {} if records is None else records, store or Kept(), models or MODELS, others
    )


def recorded(job: Job, asset: str, *, measured: bool = False, at: float = 1.0) -> dict[JobKey, Record]:
    [entry] = make_plan([job], {}).entries
    width, height = SIZES.get(asset, (512, 512))
    file = File(asset_id=asset, path="a", bytes=1, sha256="0", mime="image/png", width=width, height=height)
    return {
        entry.key: Record(
            state=State.COLLECTED if measured else State.SUCCEEDED,
            job=entry.job,
            asset_ids=(asset,),
            files=(file,) if measured else (),
            ended_at=at,
        )
    }


def bound(job: Job, *assets: str) -> Job:
    return with_references(job, lambda one: one._replace(ordinal=0, assets=assets))


def chains(count: int, *steps: str, **params: Json) -> list[Job]:
    jobs = []
    for n in range(count):
        jobs.append(knight(f"k{n}", **params))
        for number, model in enumerate(steps):
            jobs.append(tool(f"k{n}-{number}", jobs[-1].id, model))
    return jobs


# --- before


def test_a_thousand_chains_of_three_steps_cost_a_handful_of_questions_where_no_file_moves_the_price() -> None:
    service = Service()
    made = priced(chains(1000, CUT_OUT, TRACE), service)
    assert len(service.bodies) == made.quoted.asked <= 6
    assert made.quoted.estimated.jobs == made.quoted.unknown == 0
    assert made.quoted.total_high == 1000 * (4 + 2 + 2)
    assert service.blanks == []


def test_what_works_on_an_output_of_a_known_size_is_priced_with_a_blank_picture_of_that_size() -> None:
    service = Service()
    made = priced(
        [knight(width=1024, height=1024), tool("big", "knight", UPSCALE, upscaleFactor="4x")], service
    )
    assert [made.price("knight"), made.price("big")] == [4, 40]
    assert service.blanks == [(1024, 1024)]
    assert [made.quoted.estimated.jobs, made.quoted.estimated.price.high] == [1, 40]
    assert [made.quoted.total_low, made.quoted.total_high] == [44, 44]
    assert "estimate" in made.quoted.classes[1].note


def test_behind_a_cut_out_the_size_is_that_of_what_was_cut_out() -> None:
    service = Service()
    jobs = [knight(width=2048, height=2048), tool("cut", "knight"), tool("big", "cut", UPSCALE)]
    assert priced(jobs, service).price("big") == 40
    assert service.blanks == [(2048, 2048)]
    scan = [Job(id="cut", model=CUT_OUT, params={"image": "asset_large"}), tool("big", "cut", UPSCALE)]
    assert priced(scan, service).price("big") == 160  # by the scan itself
    assert service.asked_with("asset_large") >= 1


def test_behind_a_cut_out_of_a_local_file_the_size_is_that_of_the_file(tmp_path: Path) -> None:
    path, service = tmp_path / "scan.png", Service()
    path.write_bytes(blank_picture(3000, 1000))
    jobs = [tool("cut", {"file": "scan.png", "sha256": "aa"}), tool("big", "cut", UPSCALE)]
    made = Priced(jobs, service, {}, Kept(), MODELS, (), {"aa": path})
    assert service.blanks == [(3000, 1000)]
    assert made.price("big") == 30
    path.write_text("no picture")
    assert Priced(jobs, Service(), {}, Kept(), MODELS, (), {"aa": path}).price("big") is None
    assert Priced(jobs, Service(), {}, Kept(), MODELS, (), {"aa": tmp_path / "gone"}).price("big") is None


def test_blank_pictures_are_made_once_a_size_and_children_asked_once_a_size() -> None:
    service = Service()
    jobs = [job for n in range(40) for job in (
        knight(f"k{n}", width=512 + 512 * (n % 2), height=512),
        tool(f"k{n}-big", f"k{n}", UPSCALE),
    )]  # fmt: skip
    made = priced(jobs, service)
    assert sorted(service.blanks) == [(512, 512), (1024, 512)]
    assert made.quoted.asked == 3
    assert made.quoted.estimated.jobs == 40


def test_the_newest_output_of_a_like_job_goes_before_a_blank_one_whichever_batch_it_is_of() -> None:
    job = knight(width=512, height=512)
    child = tool("big", "knight", UPSCALE, upscaleFactor="2x")
    earlier = recorded(knight("old", width=512, height=512, seed=3), "asset_large")
    for records, others in ((earlier, []), ({}, [earlier])):
        service = Service()
        made = priced([job, child], service, records=records, others=others)
        assert made.price("big") == 160  # 8192 x 8192 pixels
        assert (service.blanks, made.quoted.estimated.jobs) == ([], 1)


def test_an_asset_that_the_service_has_no_more_makes_room_for_a_blank_one() -> None:
    gone = NotFoundError("Asset asset_small not found")
    service = Service(refused=lambda body: gone if "asset_small" in body else None)
    records = recorded(knight("old", width=2048, height=2048), "asset_small")
    made = priced([knight(width=2048, height=2048), tool("big", "knight", UPSCALE)], service, records=records)
    assert made.price("big") == 40


@pytest.mark.parametrize("published", [True, False])
def test_without_anything_like_it_a_range_is_published_or_nothing_is_known_and_it_is_never_free(
    *, published: bool
) -> None:
    stats = {"variants": [{"costPerAssetMinCU": 8, "costPerAssetMaxCU": 90}]}
    models = {
        **MODELS,
        UPSCALE: replace(MODELS[UPSCALE], raw={"performanceStats": stats} if published else {}),
    }
    jobs = [make_job("wide", model=GPT), tool("big", "wide", UPSCALE), tool("bigger", "big", UPSCALE)]
    made = priced(jobs, Service(), models=models)
    by_note = {one.note for one in made.quoted.classes if one.model == UPSCALE}
    assert all(NEEDS_OUTPUTS in one for one in by_note)
    if published:
        assert [made.price("big"), made.quoted.unknown, made.quoted.estimated.jobs] == [90, 0, 2]
        assert made.quoted.estimated.price == Price(low=Decimal(16), high=Decimal(180))
        assert made.quoted.price(bound(made.entry("big").job, "asset_small")) is None, "no child leaves on it"
    else:
        assert (made.price("big"), made.quoted.unknown, made.quoted.estimated.jobs) == (None, 2, 0)


def test_a_film_has_no_blank_one_and_a_made_up_id_does_where_it_moves_no_price() -> None:
    service = Service()
    jobs = [
        make_job("film", model=FILM, image="asset_small"),
        make_job("shot", model=FILM, image={"job": "film"}),
    ]
    made = priced(jobs, service)
    assert [made.price("shot"), made.quoted.estimated.jobs, service.blanks] == [60, 0, []]


def test_a_service_that_takes_no_made_up_id_is_asked_with_a_blank_one_and_never_again_with_the_other() -> (
    None
):
    service = Service(refused=lambda body: NotFoundError("no such asset") if STAND_IN in body else None)
    jobs = [knight()]
    jobs += [
        make_job(
            f"film{n}",
            model=FILM,
            image={"job": "knight"},
            duration="5" if n % 2 else "10",
            generateAudio=n > 1,
        )
        for n in range(4)
    ]
    made = priced(jobs, service)
    assert made.price("film1") == 60
    assert made.quoted.estimated.jobs == 0, "its price does not depend on it"
    assert service.asked_with(STAND_IN) == 1
    assert service.blanks == [(1104, 832)] * len(service.blanks)
    cannot = priced(jobs, Service(refused=service.refused, can_blank=False))
    assert (cannot.price("film1"), cannot.quoted.unknown) == (None, 4)


def test_where_no_size_moves_the_price_a_blank_picture_of_any_size_stands_for_one_of_unknown_size() -> None:
    service = Service(refused=lambda body: NotFoundError("no such asset") if STAND_IN in body else None)
    jobs = [make_job("wide", model=GPT), tool("cut", "wide"), tool("big", "wide", UPSCALE)]
    made = priced(jobs, service)
    assert [made.price("cut"), made.price("big"), made.quoted.estimated.jobs] == [2, None, 0]
    assert service.blanks == [(1024, 1024)]
    assert [one.note for one in made.quoted.classes] == ["", "", NEEDS_OUTPUTS]
    plain = priced(jobs, Service(refused=service.refused, can_blank=False))
    assert [one.note for one in plain.quoted.classes] == ["", NEEDS_OUTPUTS, NEEDS_OUTPUTS]


def test_a_silent_service_is_not_asked_a_second_time_for_a_job() -> None:
    service = Service(refused=lambda body: TransientError("503") if STAND_IN in body else None)
    assert priced([knight(), tool("cut", "knight")], service).price("cut") is None
    assert service.asked_with(STAND_IN) == 1
    lost = Service(refused=lambda body: AmbiguousError("cut off") if STAND_IN in body else None)
    priced([knight(), tool("cut", "knight")], lost)
    assert len(lost.bodies) == 2, "it may have been an order: none follows"


def test_estimates_are_kept_apart_from_what_is_known() -> None:
    store, service = Kept(), Service()
    jobs = [knight(width=1024, height=1024), tool("big", "knight", UPSCALE)]
    priced(jobs, service, store=store)
    estimated = dict(store.prices)
    again = priced(jobs, Service(), store=store)
    assert (again.quoted.asked, again.quoted.estimated.jobs) == (0, 1), "an estimate stays one"
    there = priced(jobs, service, store=store, records=recorded(jobs[0], "asset_large", measured=True))
    assert there.price("big") == 160
    assert there.quoted.estimated.jobs == 0
    assert {name: store.prices[name] for name in estimated} == estimated


def test_offline_a_child_is_no_dearer_and_no_cheaper_than_what_is_kept() -> None:
    store = Kept()
    jobs = [knight(width=1024, height=1024), tool("big", "knight", UPSCALE), tool("cut", "knight")]
    priced(jobs, Service(), store=store)
    offline = priced(jobs, None, store=store)
    assert [offline.price(one) for one in ("knight", "big", "cut")] == [4, 10, 2]


def test_a_question_with_another_input_that_was_taken_for_an_order_is_not_the_childs_submission() -> None:
    kept: list[Job] = []

    class Book:
        def warning(self) -> str:
            return ""

        def keep(self, job: Job, body: str, error: BoughtByQuoteError) -> BoughtByQuoteError:
            del body
            kept.append(job)
            return error

    bought = Service(refused=lambda body: BoughtByQuoteError("job_1") if "image" in body else None)
    plan = make_plan([knight(), tool("cut", "knight")], {})
    jobs = [one.job for one in plan.entries]
    asking = quote_jobs(bought, jobs, MODELS, store=Kept(), clock=Now(), purchases=Book())
    with pytest.raises(BoughtByQuoteError):
        asyncio.run(asking)
    assert [one.id for one in kept] == ["cut"]
    assert not any(one is job for one in kept for job in jobs)


# --- at the door


async def test_at_the_door_a_child_is_asked_about_once_a_class_with_what_really_goes_in() -> None:
    service = Service()
    jobs = [knight(f"k{n}", width=512, height=512, seed=n) for n in range(12)]
    jobs += [tool(f"k{n}-big", f"k{n}", UPSCALE, upscaleFactor="4x") for n in range(12)]
    records: dict[JobKey, Record] = {}
    for n in range(12):
        records |= recorded(jobs[n], "asset_large" if n % 3 else "asset_small", measured=True)
    made = await asyncio.to_thread(priced, jobs, service)
    prices, before = made.prices(), len(service.bodies)
    made.records.update(records)  # type: ignore[attr-defined]  # a dictionary
    for n in range(12):
        child = of_parent(made, n, "asset_large" if n % 3 else "asset_small")
        if prices.is_due(child):
            assert prices.price(child) is None
            await prices.ask(child)
        assert prices.price(child) == (640 if n % 3 else 10)
        assert prices.expected(child) == 10
    assert len(service.bodies) == before + 2
    assert service.asked_with(STAND_IN) == 0


def of_parent(made: Priced, n: int, asset: str) -> Job:
    parent, child = made.entry(f"k{n}"), made.entry(f"k{n}-big").job
    return with_references(
        child,
        lambda one: one._replace(content=parent.key.content, ordinal=parent.key.ordinal, assets=(asset,)),
    )


async def test_where_nothing_is_known_of_an_output_it_is_one_question_a_child() -> None:
    service = Service()
    jobs = chains(5, UPSCALE, width=512, height=512)
    made = await asyncio.to_thread(priced, jobs, service)
    prices, before = made.prices(), len(service.bodies)
    for n in range(5):
        child = bound(made.entry(f"k{n}-0").job, f"asset_{n}")
        assert prices.is_due(child)
        await prices.ask(child)
        assert not prices.is_due(child)
        assert prices.price(child) == 10
    assert len(service.bodies) == before + 5
    assert [service.asked_with(f'"asset_{n}"') for n in range(5)] == [1] * 5


async def test_a_child_of_known_price_is_not_due_and_one_that_was_refused_is_asked_about_once() -> None:
    service = Service()
    made = await asyncio.to_thread(priced, chains(2, CUT_OUT, UPSCALE, width=512, height=512), service)
    prices = made.prices()
    cut, big = made.entry("k0-0").job, made.entry("k0-1").job
    assert not any(map(prices.is_due, (made.entry("k0").job, cut, big, bound(cut, "asset_1"))))
    assert prices.price(bound(cut, "asset_1")) == 2
    service.refused = lambda body: RefusedError("too large") if "asset_9" in body else None
    child = bound(big, "asset_9")
    assert prices.is_due(child)
    await prices.ask(child)
    assert (prices.price(child), prices.is_due(child)) == (None, False)


async def test_under_a_cap_a_class_without_files_in_its_price_is_asked_with_a_child_that_is_there() -> None:
    service = Service()
    made = await asyncio.to_thread(priced, chains(3, CUT_OUT), service)
    prices = made.prices()
    await prices.ask(bound(made.entry("k2-0").job, "asset_real"))
    assert service.asked_with("asset_real") == 1
    assert references_of(made.entry("k2-0").job)


async def test_a_published_range_stays_the_estimate_when_the_service_was_asked_in_vain() -> None:
    stats = {"variants": [{"costPerAssetMinCU": 8, "costPerAssetMaxCU": 90}]}
    models = {**MODELS, UPSCALE: replace(MODELS[UPSCALE], raw={"performanceStats": stats})}
    jobs = [make_job("wide", model=GPT), tool("big", "wide", UPSCALE), tool("bigger", "big", UPSCALE)]
    made = await asyncio.to_thread(priced, jobs, Service(), models=models)
    prices, big = made.prices(), made.entry("big").job
    await prices.ask(big)
    assert prices.price(big) == 90
    assert prices.price(bound(big, "asset_small")) is None, "at the door it is no price"
