"""Jobs without a prompt, from the manifest to the results, over a real journal and the simulator's core."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from batchgen import api
from batchgen.errors import InputError
from batchgen.exits import Exit
from batchgen.lifecycle import State
from batchgen.output.results import CSV_NAME
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.models import Catalogue, ModelRecord
from batchgen.simulator.settings import Outcomes
from tests.manifest.declared_models import CUT_OUT, SPEECH
from tests.support.builders import make_earth
from tests.support.place import Place
from tests.support.virtual import Earth

SEEDANCE = "model_bytedance-seedance-2-0"
HEAD = "version: 1\nbatch: spring\noutput: {download: false}\ndefaults: {model: model_cut}\njobs:\n"
CUTS = HEAD + "  - {from: {files: 'scans/**/*.png'}, params: {image: {file: '{path}'}}}\n"
SPOKEN = HEAD + "  - {model: model_speech, params: {text: '{line}'}, from: lines.txt}\n"


def with_tools(**settings: Any) -> Earth:
    """Return an earth whose service has a cut-out and a speech model beside the recorded ones."""
    earth, records = make_earth(**settings), {one.id: one for one in Catalogue.recorded()}
    base = records["model_imagen4-ultra"].data
    for name, model in (("model_cut", CUT_OUT), ("model_speech", SPEECH)):
        inputs = [one.raw for one in model.inputs]
        records[name] = ModelRecord({**base, "id": name, "inputs": inputs, "capabilities": ["img2img"]})
    earth.service._catalogue = Catalogue(records)
    return earth


def png(size: int) -> bytes:
    """Return what begins like a picture and differs by its size alone."""
    return b"\x89PNG\r\n\x1a\n" + b"\0" * size


@pytest.fixture
def lay(tmp_path: Path) -> Callable[..., Place]:
    def laid(text: str = CUTS, earth: Earth | None = None, folder: str = ".", **files: bytes) -> Place:
        place = tmp_path / folder
        for name, content in files.items():
            path = place / "scans" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        place.mkdir(exist_ok=True)
        (place / "jobs.yaml").write_text(text)
        (place / "lines.txt").write_text("Good morning\nGood night\n")
        return Place(place, earth or with_tools())

    return laid


def bodies(place: Place) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in place.earth.service.submissions]


def results(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place.folder / "output/spring/results.json").read_text())
    return found


def lost(*fates: Fault | None) -> FaultPlan:
    return FaultPlan(script={Call.SUBMIT: list(fates)})


THREE = {"cat": png(10), "dog": png(20), "owl": png(30)}


def test_what_goes_in_is_all_that_is_sent_and_the_results_have_no_prompt(lay: Callable[..., Place]) -> None:
    place = lay(**THREE)
    assert place.run().verdict.exit is Exit.DONE
    sent = bodies(place)
    assert [list(one) for one in sent] == [["image"]] * 3
    assert len({one["image"] for one in sent}) == 3
    document = results(place)
    assert document["prompts"] == {}
    assert [(one["id"], one["prompt"]) for one in document["jobs"]] == [
        ("cat", None),
        ("dog", None),
        ("owl", None),
    ]
    rows = (place.folder / "output/spring" / CSV_NAME).read_text().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["cat", ""], ["dog", ""], ["owl", ""]]
    place.run()
    assert place.bought == 3
    (place.folder / "scans/cat.png").rename(place.folder / "scans/kitten.png")
    place.run()
    assert place.bought == 3, "the same picture under another name is the same job"


@pytest.mark.parametrize("text", [CUTS, SPOKEN], ids=["files", "texts"])
def test_a_lost_answer_is_found_again_by_what_went_in(lay: Callable[..., Place], text: str) -> None:
    earth = with_tools(faults=lost(Fault.CUT_AFTER, Fault.CUT_AFTER, None))
    place = lay(text, earth, **THREE)
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == len(results(place)["jobs"])
    taken = {one.remote_id: json.loads(one.body) for one in place.earth.service.submissions}
    for job in results(place)["jobs"]:
        assert taken[job["job_id"]] == job["params"]


def test_a_lost_answer_that_was_no_purchase_is_shown_absent_and_sent_again(lay: Callable[..., Place]) -> None:
    place = lay(CUTS, with_tools(faults=lost(None, Fault.CUT_BEFORE)), **THREE)
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 3
    assert len({one["image"] for one in bodies(place)}) == 3


def test_equal_pictures_are_equal_jobs_and_are_found_again_one_row_each(lay: Callable[..., Place]) -> None:
    earth = with_tools(faults=lost(Fault.CUT_AFTER, None, Fault.CUT_AFTER))
    place = lay(CUTS, earth, cat=png(10), dog=png(10), owl=png(10))
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 3
    assert len({one["job_id"] for one in results(place)["jobs"]}) == 3


def test_a_lost_journal_holds_the_pictures_that_may_be_bought_and_buys_the_others(
    lay: Callable[..., Place],
) -> None:
    place = lay(**THREE)
    place.run()
    shutil.rmtree(place.folder / "output")
    (place.folder / "scans/new.png").write_bytes(png(40))
    assert place.run().verdict.exit is Exit.DOUBT
    assert place.bought == 4, "only the new one; the others were sent again under other ids"
    assert place.states() == {State.HELD: 3, State.COLLECTED: 1}
    paid = {job.remote_id for job in place.earth.service.submissions[:3]}

    async def resolve(answers: Callable[[Mapping[str, str]], api.Answers]) -> Mapping[str, str]:
        async with api.settling(place.options()) as desk:
            rows = {
                one.entry.job.id: [row.remote.remote_id for row in one.candidates]
                for one in await desk.unsettled()
            }
            assert {len(found) for found in rows.values()} == {1}, "the size of a picture tells them apart"
            told = {name: found[0] for name, found in rows.items()}
            await desk.settle(answers(told))
            return told

    told = place.play(
        resolve(lambda rows: api.Answers(adopt={name: rows[name] for name in ("cat", "dog")}, absent=["owl"]))
    )
    assert set(told.values()) == paid
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 5, "what a person called absent is bought again, and not held again"


def test_a_lost_journal_holds_texts_that_look_bought(lay: Callable[..., Place]) -> None:
    place = lay(SPOKEN)
    place.run()
    shutil.rmtree(place.folder / "output")
    (place.folder / "lines.txt").write_text("Good morning\nGood night\nGood bye\n")
    assert place.run().verdict.exit is Exit.DOUBT
    assert place.states() == {State.HELD: 2, State.COLLECTED: 1}
    assert place.bought == 3


def test_what_failed_is_tried_again_with_the_same_body(lay: Callable[..., Place]) -> None:
    earth = with_tools(outcomes=Outcomes(failures=1.0))
    place = lay(CUTS.replace("jobs:", "retry: {attempts: 2}\njobs:"), earth, cat=png(10))
    assert place.run().verdict.exit is Exit.FAILED
    one, two = bodies(place)
    assert one == two
    shutil.rmtree(place.folder / "output")
    place.run()
    assert place.bought == 2, "both may be this job's: a person decides"


def test_pictures_of_another_folder_with_the_same_key_are_in_nobodys_way(lay: Callable[..., Place]) -> None:
    first = lay(folder="one", **THREE)
    first.run()
    second = lay(earth=first.earth, folder="two", fox=png(11), hen=png(21))
    assert second.run().verdict.exit is Exit.DONE
    assert second.bought == 5


def test_a_lost_journal_is_rebuilt_from_results_without_prompts(lay: Callable[..., Place]) -> None:
    place = lay(**THREE)
    place.run()
    shutil.rmtree(place.folder / "output/assets", ignore_errors=True)
    for one in (place.folder / "output").glob("journal.db*"):
        one.unlink()
    place.play(api.rebuild(place.options()))
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 3


def problems(place: Place) -> list[str]:
    with pytest.raises(InputError) as caught:
        place.play(api.validate(place.options()))
    return [f"{one.line}:{one.column}: {one.text}" for one in caught.value.problems]


def test_the_models_say_whether_a_job_needs_a_prompt(lay: Callable[..., Place]) -> None:
    text = (
        HEAD
        + "  - {prompt: a cat, params: {image: asset_1}}\n"
        + "  - {prompt: 'Hello {who}', matrix: {who: [you, me]}, model: model_speech}\n"
        + "  - {id: bare}\n"
        + "  - {model: model_imagen4-ultra, params: {aspectRatio: '1:1'}}\n"
        + "  - {model: model_imagen4-ultra, from: rows.csv, params: {aspectRatio: '{shape}'}}\n"
    )
    place = lay(text)
    (place.folder / "rows.csv").write_text("prompt,shape\na cat,1:1\na dog,3:4\n")
    assert problems(place) == [
        "6:14: prompt of model_cut: there is no such input; it takes image; leave prompt out",
        (
            "7:14: prompt of model_speech (2 jobs): there is no such input; it takes text and voice; "
            'write params: {text: "Hello {who}"} in place of prompt'
        ),
        "7:5: text of model_speech (2 jobs): missing; it is always needed",
        "8:5: image of model_cut: missing; it is always needed",
        "9:5: prompt of model_imagen4-ultra: missing; it is always needed",
        '10:5: prompt of model_imagen4-ultra: missing; it is always needed; write prompt: "{prompt}"',
    ]
    with pytest.raises(InputError):
        place.run()
    assert place.bought == 0


def test_without_the_models_it_is_said_that_nobody_knows_whether_prompts_are_missing(
    lay: Callable[..., Place],
) -> None:
    place = lay(**THREE)
    _, checked = place.play(api.validate(place.options(), offline=True))
    assert checked.skipped == (
        "models and their inputs were not checked, nor whether 3 jobs without a prompt may be: --offline"
    )


def test_what_is_odd_and_may_be_meant_is_noted(lay: Callable[..., Place]) -> None:
    text = (
        HEAD
        + f"  - {{id: bare, model: {SEEDANCE}}}\n"
        + f"  - {{id: '{{n}}', model: {SEEDANCE}, params: {{duration: '{{n}}'}}, from: rows.csv}}\n"
        + f"  - {{id: meant, model: {SEEDANCE}, params: {{image: asset_1}}}}\n"
    )
    place = lay(text)
    (place.folder / "rows.csv").write_text("prompt,n\na cat,5\na dog,6\n")
    _, checked = place.play(api.validate(place.options()))
    assert checked.notes == (
        f"{SEEDANCE}: 1 job with neither a prompt nor a file to work from; write prompt: if one is missing",
        (
            f"{SEEDANCE}: 2 jobs without a prompt, though the table has such a column; "
            'write prompt: "{prompt}" to use it'
        ),
    )
