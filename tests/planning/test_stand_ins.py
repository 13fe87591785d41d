"""What is expected of jobs that are not bought yet, and how their children are sorted by it."""

import json
from collections.abc import Callable, Mapping

import pytest

from batchgen.identity import Reference, with_references
from batchgen.model import File, Job, JobKey, Json
from batchgen.planning.expectations import Newest
from batchgen.planning.make_plan import make_plan
from batchgen.planning.pricing import Classifier, group, price_classes
from batchgen.planning.stand_ins import Outputs
from batchgen.record import Record, State
from tests.support.builders import FLUX, GPT, make_job, make_model, recorded_models

CUT_OUT, UPSCALE = "model_birefnet-background-removal", "model_topaz-image-upscale"
CRISP, PIXELS = "model_recraft-crisp-upscale", "model_sc-pixelate"
FILM, SPEECH = "model_kling-v2-6-i2v-pro", "model_elevenlabs-tts-v3"
MODELS = recorded_models(FLUX, GPT, CUT_OUT, UPSCALE, CRISP, PIXELS, FILM, SPEECH)


def knight(name: str = "knight", **params: Json) -> Job:
    return make_job(name, model=FLUX, **params)


def tool(name: str, of: Json, model: str = CUT_OUT, **params: Json) -> Job:
    return Job(id=name, model=model, params={"image": of, **params})


def after(job: str, **which: Json) -> dict[str, Json]:
    return {"job": job, **which}


def outputs_of(*jobs: Job, records: Mapping[JobKey, Record] | None = None) -> Outputs:
    known = records or {}
    plan = make_plan(jobs, known, now=1e9)
    return Outputs(MODELS, plan.by_id.get, lambda: known, now=1e9)


def expected(job: Job, *others: Job) -> tuple[str, int, int]:
    made = outputs_of(job, *others).expectations.made_by(job)
    return made.kind, made.width, made.height


def names(
    jobs: list[Job], of: Callable[[Job], bool], records: Mapping[JobKey, Record] | None = None
) -> set[str]:
    plan = make_plan(jobs, records or {}, now=1e9)
    classifier = Classifier(MODELS, Outputs(MODELS, plan.by_id.get, lambda: records or {}, now=1e9))
    return {str(classifier.name(one.job)) for one in plan.entries if of(one.job)}


def is_tool(job: Job) -> bool:
    return job.prompt is None


# --- what is expected


@pytest.mark.parametrize(
    ("job", "others", "made"),
    [
        (knight(width=512, height=768), (), ("image", 512, 768)),
        (knight(), (), ("image", 1104, 832)),  # the model's own defaults
        (knight(width=512), (), ("image", 512, 832)),
        (make_job("wide", model=GPT), (), ("image", 0, 0)),  # declares a size and has no default
        (tool("cut", after("knight")), (knight(width=64, height=32),), ("image", 64, 32)),
        (tool("cut", "asset_1"), (), ("image", 0, 0)),
        (tool("big", after("knight"), UPSCALE), (knight(),), ("image", 0, 0)),
        (tool("big", after("knight"), CRISP), (knight(),), ("image", 0, 0)),  # it has no input for a factor
        (tool("pixels", after("knight"), PIXELS), (knight(),), ("image", 0, 0)),
        (make_job("film", model=FILM, image=after("knight")), (knight(),), ("video", 0, 0)),
        (make_job("said", model=SPEECH, text="x"), (), ("audio", 0, 0)),
        (make_job("unknown", model="model_x", width=9, height=9), (), ("", 9, 9)),
        (knight(width=10**6, height=4), (), ("image", 0, 0)),
    ],
    ids=lambda one: one.id if isinstance(one, Job) else "",
)
def test_what_comes_out_of_a_job_is_expected_by_what_its_model_declares(
    job: Job, others: tuple[Job, ...], made: tuple[str, int, int]
) -> None:
    assert expected(job, *others) == made


def test_outputs_are_alike_by_model_and_size_and_not_by_prompt_seed_or_strength() -> None:
    outputs = outputs_of()
    name = {
        key: outputs.expectations.made_by(job).name
        for key, job in {
            "plain": knight(),
            "seed": knight(seed=7),
            "guidance": knight(guidance=9),
            "said default": knight(width=1104),
            "wider": knight(width=1200),
        }.items()
    }
    assert name["plain"] == name["seed"] == name["guidance"] == name["said default"] != name["wider"]


def test_a_chain_as_long_as_a_manifest_is_looked_through() -> None:
    chain = [knight("step-0", width=64, height=64)]
    chain += [tool(f"step-{n}", after(f"step-{n - 1}")) for n in range(1, 20_000)]
    assert expected(chain[-1], *chain[:-1]) == ("image", 64, 64)


# --- classes


def test_a_child_whose_price_does_not_depend_on_its_file_is_in_one_class_before_and_at_the_door() -> None:
    jobs = [knight(f"k{n}", width=64 + 16 * n, height=64) for n in range(9)]
    jobs += [tool(f"cut{n}", after(f"k{n}")) for n in range(9)]
    assert len(names(jobs, is_tool)) == 1
    classifier = Classifier(MODELS, outputs_of(*jobs))
    bound = with_references(jobs[-1], lambda one: one._replace(ordinal=0, assets=("asset_9",)))
    assert {classifier.name(bound)} == names(jobs, is_tool)
    assert not classifier.is_estimated(jobs[-1])
    assert classifier.moved_by(jobs[-1]) == ()


def test_children_are_sorted_by_what_is_expected_of_their_parents_and_by_their_own_inputs() -> None:
    jobs = [knight(f"k{n}", width=512 + 512 * (n % 2), height=512, seed=n) for n in range(8)]
    jobs += [
        tool(f"big{n}", after(f"k{n}"), UPSCALE, upscaleFactor="4x" if n < 4 else "2x") for n in range(8)
    ]
    assert len(names(jobs, is_tool)) == 4
    made = [one for one in price_classes(jobs, Classifier(MODELS, outputs_of(*jobs))) if one.model == UPSCALE]
    assert all(one.is_estimated for one in made)
    assert made[0].moving == {"image": f"made by {FLUX}, 512 x 512", "upscaleFactor": "4x"}


def sheet(name: str, *of: Json) -> Job:
    return make_job(name, model=GPT, referenceImages=list(of))


def test_how_many_of_each_go_into_a_list_counts_and_their_order_does_not() -> None:
    jobs = [knight("a"), knight("b", width=512), knight("c")]
    jobs += [
        sheet("s1", after("a"), after("b")),
        sheet("s2", after("b"), after("c")),  # as the one before
        sheet("s3", after("a"), after("c")),
        sheet("s4", after("a")),
        sheet("s5", after("a"), "asset_1"),
        sheet("s6", "asset_1"),
    ]
    assert len(names(jobs, lambda one: one.model == GPT)) == 5


def test_a_file_input_without_another_job_goes_by_number_as_ever() -> None:
    [name] = names([sheet("s", "asset_1", {"file": "a.png", "sha256": "aa"})], lambda _: True)
    assert json.loads(name)["inputs"]["referenceImages"] == 2


# --- what is there


def recorded(job: Job, *assets: str, at: float = 1.0, kind: str = "", **known: Json) -> dict[JobKey, Record]:
    """Return what is on record of a job that is done, with files where something is known of them."""
    files = [
        File(asset_id=one, path=one, bytes=1, sha256="0", mime="image/png", kind=kind, **known)
        for one in assets
    ]
    record = Record(
        state=State.COLLECTED if known else State.SUCCEEDED,
        job=job,
        asset_ids=assets,
        files=tuple(files) if known else (),
        ended_at=at,
    )
    [entry] = make_plan([job], {}).entries
    return {entry.key: record}


def bound(job: Job, key: JobKey, *assets: str) -> Job:
    def instead(one: Reference) -> Reference:
        return one._replace(content=key.content, ordinal=key.ordinal, assets=assets)

    return with_references(job, instead)


def test_outputs_are_told_apart_by_kind_pixels_and_duration_and_by_themselves_where_these_are_not_known() -> (
    None
):
    facts: list[dict[str, Json]] = [
        {"width": 64, "height": 32},
        {"width": 32, "height": 64},  # as many pixels
        {"width": 64, "height": 64},
        {"width": 64, "height": 32, "kind": "video"},  # no duration
        {"width": 64, "height": 32, "kind": "video", "duration": 5.0},
        {"width": 64, "height": 32, "kind": "video", "duration": 5},
        {"duration": 5.0, "kind": "audio"},
        {"duration": 5.0, "kind": "3d"},  # nothing that its price could be known by
        {"width": 64},
    ]
    records: dict[JobKey, Record] = {}
    children = []
    for n, known in enumerate(facts):
        one = recorded(knight(f"k{n}", seed=n), f"asset_{n}", **known)
        records |= one
        children.append(bound(tool(f"big{n}", after(f"k{n}"), UPSCALE), next(iter(one)), f"asset_{n}"))
    classifier = Classifier(MODELS, outputs_of(records=records))
    moving = [classifier.moving(one)["image"] for one in children]
    assert moving == [
        "image, 2048 pixels",
        "image, 2048 pixels",
        "image, 4096 pixels",
        "asset_3",
        "video, 2048 pixels, 5 s",
        "video, 2048 pixels, 5 s",
        "audio, 5 s",
        "asset_7",
        "asset_8",
    ]
    assert len({classifier.name(one) for one in children}) == 7
    assert not any(map(classifier.is_estimated, children))


def test_a_class_does_not_fall_apart_because_a_file_arrives() -> None:
    job = knight()
    records = recorded(job, "asset_1")
    child = bound(tool("big", after("knight"), UPSCALE), next(iter(records)), "asset_1")
    outputs = Outputs(MODELS, lambda _: None, lambda: records, now=1e9)
    classifier = Classifier(MODELS, outputs)
    before = classifier.name(child)
    records |= recorded(job, "asset_1", width=9, height=9)
    assert classifier.name(child) == before
    fresh = Classifier(MODELS, Outputs(MODELS, lambda _: None, lambda: records, now=1e9))
    assert fresh.moving(child)["image"] == "image, 81 pixels"


def test_a_job_whose_parent_is_done_already_is_priced_by_what_is_there_before_it_is_bound() -> None:
    parent, child = knight(), tool("big", after("knight"), UPSCALE)
    records = recorded(parent, "asset_1", width=9, height=9)
    plan = make_plan([parent, child], records, now=1e9)
    outputs = Outputs(MODELS, plan.by_id.get, lambda: records, now=1e9)
    asked = outputs.bound(plan.entries[1].job)
    assert Classifier(MODELS, outputs).moving(plan.entries[1].job)["image"] == "image, 81 pixels"
    assert asked.params["image"]["assets"] == ["asset_1"]


def test_estimates_and_what_is_known_are_never_priced_as_one_group() -> None:
    jobs = [knight(f"k{n}", width=64 + 16 * n) for n in range(50)]
    jobs += [tool(f"big{n}", after(f"k{n}"), UPSCALE) for n in range(50)]
    records: dict[JobKey, Record] = {}
    for n in range(45):
        records |= recorded(knight(f"d{n}", seed=n), f"asset_{n}", width=64 + n, height=9)
    done = list(records)
    jobs += [bound(tool(f"there{n}", after(f"d{n}"), UPSCALE), done[n], f"asset_{n}") for n in range(45)]
    groups = group(jobs, Classifier(MODELS, outputs_of(*jobs, records=records)))
    spreads = [one for one in groups if one.is_spread]
    assert len(spreads) == 2
    assert {one.is_estimated for one in spreads} == {True, False}
    assert all({each.is_estimated for each in one.classes} == {one.is_estimated} for one in groups)


def test_what_stands_in_a_list_of_mappings_counts_as_well() -> None:
    frames = {
        "name": "keyframes",
        "type": "inputs_array",
        "inputs": [{"name": "uri", "type": "file", "costImpact": True}],
    }
    models = {**MODELS, "m": make_model("m", frames)}
    jobs = [knight("a"), knight("b", width=512)]
    jobs += [make_job(f"f{n}", keyframes=[{"at": n // 2, "uri": after("ab"[n % 2])}]) for n in range(4)]
    plan = make_plan(jobs, {})
    classifier = Classifier(models, Outputs(models, plan.by_id.get, dict, now=1e9))
    assert len({classifier.name(one) for one in jobs[2:]}) == 4
    assert all(map(classifier.is_estimated, jobs[2:]))


# --- what is like it


def test_the_newest_asset_of_a_like_job_stands_in() -> None:
    records = recorded(knight("old", seed=1), "asset_old", at=1.0) | recorded(
        knight("new", seed=2), "asset_new", at=2.0
    )
    records |= recorded(knight("other", seed=3, width=64), "asset_other", at=3.0)
    outputs = outputs_of(
        knight(), tool("cut", after("knight")), tool("big", after("cut"), UPSCALE), records=records
    )
    newest = Newest(records, outputs.expectations, {FLUX, CUT_OUT})

    def found(**which: Json) -> str | None:
        made = outputs.expectations.of(Reference.read(after(**which)))
        assert made is not None
        return newest.find(made)

    assert found(job="knight") == "asset_new"
    assert found(job="knight", output=1) is None
    assert found(job="cut") is None


def test_what_a_cut_out_works_on_is_as_large_as_what_comes_out_of_it() -> None:
    sources: list[Json] = ["asset_scan", {"file": "a.png", "sha256": "aa"}]
    for source in sources:
        assert outputs_of(tool("cut", source)).kept_picture(Reference("cut")) == source
    chain = [knight(), tool("cut", after("knight")), tool("again", after("cut"))]
    assert outputs_of(*chain).kept_picture(Reference("again")) is None
    plan = make_plan(chain, records := recorded(chain[0], "asset_1"), now=1e9)
    there = Outputs(MODELS, plan.by_id.get, lambda: records, now=1e9)
    assert there.kept_picture(Reference("again")) == "asset_1"
    assert outputs_of(tool("big", "asset_scan", UPSCALE)).kept_picture(Reference("big")) is None


def test_a_job_that_nobody_knows_is_expected_to_give_nothing_in_particular() -> None:
    outputs = outputs_of()
    assert outputs.expectations.of(Reference("nobody")) is None
    [one] = outputs(Reference("nobody"))
    assert (one.is_there, one.shown) == (False, "made by nobody")
