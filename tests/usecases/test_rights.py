"""A key that may do less: each right that is missing is named once, and the run goes on where it can.

The kind: a 403 (or a 401 or 404 that means the same) of one call is not the end of all others.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from batchgen import api
from batchgen.exits import Exit
from batchgen.output.progress import Mode
from batchgen.rights import Right
from batchgen.simulator.exchange import Call, Reply, Request, refusal
from batchgen.simulator.settings import Denied
from batchgen.usecases.audience import Audience
from tests.support.builders import make_earth
from tests.support.place import Place
from tests.support.virtual import SEEDED

FILES = "model_openai-gpt-image-2"
MANIFEST = """\
version: 1
batch: spring
{more}
jobs:
  - {{id: plain, model: model_bfl-flux-1-dev, prompt: a mill}}
  - {{id: lone, model: model_imagen4-ultra, prompt: a well}}
  - id: drawn
    model: model_openai-gpt-image-2
    prompt: a barn
    params: {{referenceImages: [{{file: a.png}}]}}
"""
KEPT = "output: {download: false}"
CAPPED = f"{KEPT}\nbudget: {{total: 900}}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A right, and what a run comes to without it.

    Attributes:
        says: part of the one sentence.
        done, exit: how many of the three jobs are done, and the run's exit status.
        reason: part of a reason for that status; empty where it is 0.
    """

    right: Right
    says: str
    done: int
    exit: Exit
    reason: str = ""
    more: str = KEPT
    status: int = 403


CASES = [
    Case(right=Right.GENERATE, says="; nothing more is bought; what runs is collected", done=0,
         exit=Exit.CREDENTIALS, reason="may not start jobs (POST /generate/custom/MODEL): Missing scope"),
    Case(right=Right.PRICES, says="may not ask prices", done=3, exit=Exit.DONE),
    Case(right=Right.PRICES, says="may not ask prices", done=0, exit=Exit.CREDENTIALS, more=CAPPED,
         reason="3 jobs not bought: this key may not ask prices"),
    Case(right=Right.UPLOADS, says="(POST /assets, POST /uploads): Missing scope asset.write", done=2,
         exit=Exit.CREDENTIALS, reason="1 job not bought: this key may not upload files"),
    Case(right=Right.UPLOADS, says="may not upload files", done=2, exit=Exit.CREDENTIALS, status=404,
         reason="1 job not bought: this key may not upload files"),
    Case(right=Right.UPLOADS, says="may not upload files", done=2, exit=Exit.CREDENTIALS, status=401,
         reason="1 job not bought: this key may not upload files"),
    Case(right=Right.LISTING, says="may not list jobs", done=0, exit=Exit.CREDENTIALS,
         reason="--allow no-listing"),
    Case(right=Right.LISTING, says="may not list jobs", done=0, exit=Exit.CREDENTIALS, status=401,
         reason="--allow no-listing"),
    Case(right=Right.MODELS, says="may not read models", done=0, exit=Exit.CREDENTIALS,
         reason="these models: this key may not read models"),
    Case(right=Right.LIMITS, says="may not read the limits of its team", done=3, exit=Exit.DONE),
    Case(right=Right.LIMITS, says="may not read the limits of its team", done=3, exit=Exit.DONE, status=401),
    Case(right=Right.LIMITS, says="may not read the limits of its team", done=3, exit=Exit.DONE, status=404),
]  # fmt: skip


def place_of(folder: Path, *rights: Right, more: str = KEPT, status: int = 403) -> Place:
    (folder / "jobs.yaml").write_text(MANIFEST.format(more=more))
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    (folder / "a.png").write_bytes(picture.getvalue())
    return Place(folder, make_earth(denied=Denied(rights=frozenset(rights), status=status)))


def run(place: Place, **changed: object) -> tuple[api.RunOutcome, str]:
    stream = io.StringIO()
    audience = Audience(stream, Mode.PLAIN)
    outcome = place.play(api.run(place.options(**changed), place.interrupts, audience))
    return outcome, stream.getvalue()


def done(outcome: api.RunOutcome) -> list[str]:
    rows = json.loads(outcome.results.read_text())["jobs"]
    return [row["id"] for row in rows if row["status"] == "succeeded"]


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one.right}-{one.status}-{one.exit}")
def test_a_missing_right_is_named_once_and_the_run_goes_on_where_it_can(tmp_path: Path, case: Case) -> None:
    place = place_of(tmp_path, case.right, more=case.more, status=case.status)
    outcome, said = run(place)
    assert said.count(case.says) == 1, said
    assert (len(done(outcome)), outcome.verdict.exit) == (case.done, case.exit), outcome.verdict
    assert case.reason in "; ".join(outcome.verdict.reasons)
    assert place.bought == case.done


def test_what_the_service_has_of_files_is_bought_by_a_key_that_may_not_upload(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    run(place)
    place.earth.service.deny(Denied(rights=frozenset({Right.UPLOADS})))
    (tmp_path / "jobs.yaml").write_text(MANIFEST.format(more=KEPT).replace("a barn", "another barn"))
    outcome, _ = run(place)
    assert outcome.verdict.exit is Exit.DONE, outcome.verdict


def test_models_that_were_described_before_are_bought_by_a_key_that_may_not_read_them(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    whole = MANIFEST.format(more=KEPT)
    (tmp_path / "jobs.yaml").write_text(whole[: whole.index("  - {id: lone")])
    run(place)
    place.earth.service.deny(Denied(rights=frozenset({Right.MODELS})))
    place.earth.clock_offset += 7200
    (tmp_path / "jobs.yaml").write_text(whole.replace("a mill", "a quay"))
    outcome, _ = run(place)
    assert (done(outcome), outcome.verdict.exit) == (["plain"], Exit.CREDENTIALS)
    [reason] = outcome.verdict.reasons
    assert reason.startswith(f"1 job of model_imagen4-ultra, 1 job of {FILES} not bought: ")


def test_files_that_may_not_be_read_stay_at_the_service_and_no_exit_says_again(tmp_path: Path) -> None:
    place = place_of(tmp_path, Right.BULK, Right.ASSETS, more="output: {download: true}")
    outcome, said = run(place)
    assert outcome.verdict.exit is Exit.CREDENTIALS
    [reason] = outcome.verdict.reasons
    assert reason.startswith(
        "3 jobs paid for, with their files left at the service: this key may not read assets"
    )
    assert said.count("this key may not read assets (") == 1
    assert place.earth.service.counts["assets"] <= 6, "no asking again and again"
    assert all(row["asset_ids"] for row in json.loads(outcome.results.read_text())["jobs"])


def test_the_key_of_a_wrong_project_is_no_key_that_lacks_a_right(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    place.earth.service._settings = make_earth(project="proj_other").service._settings
    outcome, said = run(place, project="proj_mine")
    assert outcome.verdict.exit is Exit.CREDENTIALS
    assert "You are not allowed to access this project" in "; ".join(outcome.verdict.reasons)
    assert "this key may not" not in said + "; ".join(outcome.verdict.reasons)


def test_a_plan_names_what_the_key_may_not_see_and_plans_all_the_same(tmp_path: Path) -> None:
    place = place_of(tmp_path, Right.LIMITS, Right.PRICES)
    outlook = place.play(api.plan(place.options()))
    assert sum("this key may not" in one for one in outlook.outlook.notes) == 2
    assert outlook.outlook.quoted.unknown == 3


@pytest.mark.parametrize("right", Right)
def test_every_right_can_be_missing(tmp_path: Path, right: Right) -> None:
    """Whatever a key lacks, a run ends in order, and nothing is paid twice by the next one that may."""
    place = place_of(tmp_path, right)
    run(place)
    place.earth.service.deny(Denied())
    outcome, _ = run(place)
    assert outcome.verdict.exit is Exit.DONE
    assert place.bought == 3


def test_a_manifest_whose_models_may_not_be_read_is_not_wrong_but_not_checked(tmp_path: Path) -> None:
    place = place_of(tmp_path, Right.MODELS)
    outlook = place.play(api.plan(place.options())).outlook
    [note] = [one for one in outlook.notes if "this key may not read models" in one]
    assert note.startswith("models and their inputs were not checked: ")


def test_one_model_that_may_not_be_read_is_closed_alone_whichever_is_asked_first(tmp_path: Path) -> None:
    """A 403 in words that name no model is still for one model where another can be read."""
    place = place_of(tmp_path)
    plain = place.earth.service._calls[Call.MODEL]

    def model(request: Request, name: str, now: float) -> Reply:
        if name == SEEDED:
            return refusal(403, "You do not have permission to perform this action", name="ForbiddenError")
        return plain(request, name, now)

    place.earth.service._calls = {**place.earth.service._calls, Call.MODEL: model}
    outcome, said = run(place)
    assert done(outcome) == ["lone", "drawn"]
    assert outcome.verdict.exit is Exit.CREDENTIALS
    assert "this key may not read models" not in said
