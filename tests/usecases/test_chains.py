"""Chains as commands show and end them: what waits, what is blocked, by whom, and with which exit status."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchgen import api
from batchgen.exits import Exit
from batchgen.identity import with_references
from batchgen.lifecycle import Accepted, Collected, State, SubmitStarted, Succeeded
from batchgen.model import File, Upload
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Denied, Outcomes
from batchgen.wiring.opening import look_at
from batchgen.wiring.word_lists import selection_of
from tests.support.builders import make_earth
from tests.support.place import Place

HEAD = """\
version: 1
batch: spring
output: {download: false}
jobs:
"""
PARENTS = """\
  - id: "knight-{pose}"
    prompt: "a knight, {pose}"
    model: model_bfl-flux-1-dev
    matrix: {pose: [idle, run, jump]}
"""
CUTS = """\
  - id: "{job}-cut"
    from: {jobs: knight}
    model: model_birefnet-background-removal
    params: {image: {job: "{job}"}}
"""
BIGS = """\
  - id: "{job}-big"
    from: {jobs: "{job}-cut"}
    model: model_topaz-image-upscale
    params: {image: {job: "{job}"}}
"""
CHAINS = HEAD + PARENTS + CUTS + BIGS


def place_of(folder: Path, manifest: str = CHAINS, **settings: Any) -> Place:
    (folder / "jobs.yaml").write_text(manifest)
    return Place(folder, make_earth(duration=(2.0, 3.0), **settings))


def let_them_succeed(failing: Outcomes) -> None:
    """Let no job fail from now on: the service has no switch for it while it lives."""
    object.__setattr__(failing, "failures", 0.0)


def results(place: Place) -> Any:
    return json.loads((place.folder / "output" / "spring" / "results.json").read_text())


def by_id(place: Place) -> dict[str, Any]:
    return {one["id"]: one for one in results(place)["jobs"]}


def test_chains_that_are_done_are_done(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    outcome = place.run()
    assert (outcome.verdict.exit, outcome.verdict.reasons) == (Exit.DONE, ())
    assert results(place)["chains"]["knight-run-cut-big"] == ["knight-run", "knight-run-cut"]
    jobs = by_id(place)
    assert jobs["knight-run-cut"]["parents"] == [
        {"job": "knight-run", "asset_id": jobs["knight-run"]["asset_ids"][0]}
    ]
    [status] = api.status(place.options())
    assert str(status.chains) == "3 of 3 chains done, 9 of 9 steps"


def test_what_a_failed_parent_blocks_is_said_with_it_and_is_no_reason_to_run_again(tmp_path: Path) -> None:
    failing = Outcomes(failures=1.0)
    place = place_of(tmp_path, outcomes=failing)
    outcome = place.run()
    assert outcome.verdict.exit is Exit.FAILED
    assert not any("run the same command" in one for one in outcome.verdict.reasons)
    assert any(
        one.startswith("2 jobs are blocked by knight-run, which failed; `batchgen retry ")
        for one in outcome.verdict.reasons
    )
    told = by_id(place)["knight-run-cut-big"]
    assert (told["status"], told["waits_for"]) == ("blocked", ["knight-run-cut"])
    assert "blocked by knight-run, which failed" in told["error"]["message"]
    assert told["params"] == {"image": {"job": "knight-run-cut"}}
    assert results(place)["summary"]["statuses"]["blocked"] == 6
    [status] = api.status(place.options())
    assert (status.chains.blocked, status.chains.waiting) == (6, 0)
    let_them_succeed(failing)
    again = place.run()
    assert (again.verdict.exit, place.bought) == (Exit.FAILED, 3), "a further run buys nothing"


def test_retrying_a_parent_frees_its_children_in_the_same_run(tmp_path: Path) -> None:
    failing = Outcomes(failures=1.0)
    place = place_of(tmp_path, outcomes=failing)
    place.run()
    let_them_succeed(failing)
    place.run(retry=True, selection=selection_of(["knight-run"]))
    ends = {one: told["status"] for one, told in by_id(place).items() if "run" in one}
    assert ends == {
        "knight-run": "succeeded",
        "knight-run-cut": "succeeded",
        "knight-run-cut-big": "succeeded",
    }
    assert place.bought == 6


@pytest.mark.parametrize("more", ["", ", output: 0"])
def test_a_parent_with_two_assets_blocks_with_the_line_to_add(tmp_path: Path, more: str) -> None:
    two = PARENTS + "    params: {numOutputs: 2}\n"
    cut = CUTS.replace('{job: "{job}"}', '{job: "{job}"' + more + "}")
    place = place_of(tmp_path, HEAD + two + cut + BIGS)
    outcome = place.run()
    if more:
        assert outcome.verdict.exit is Exit.DONE
        return
    assert outcome.verdict.exit is Exit.FAILED
    (first, *_) = outcome.verdict.reasons
    assert "2 jobs are blocked by knight-idle, which has 2 assets" in first
    assert "{job: knight-idle, output: 0}" in first
    told = by_id(place)
    assert (told["knight-run-cut"]["status"], told["knight-run-cut-big"]["status"]) == ("blocked", "blocked")
    assert told["knight-run-cut-big"]["waits_for"] == ["knight-run-cut"]
    assert place.bought == 3


def test_what_waits_for_a_parent_is_not_bought_and_said_so(tmp_path: Path) -> None:
    place = place_of(tmp_path, HEAD.replace("jobs:", "budget: {total: 10}\njobs:") + PARENTS + CUTS + BIGS)
    outcome = place.run()
    assert outcome.verdict.exit is Exit.BUDGET
    jobs = by_id(place)
    waiting = [one for one in jobs.values() if one.get("waits_for")]
    assert waiting
    assert {one["status"] for one in waiting} == {"pending"}
    assert results(place)["summary"]["chains"]["waiting"] == len(waiting)


def test_states_are_those_of_the_table_whatever_waits(tmp_path: Path) -> None:
    failing = Outcomes(failures=1.0)
    place = place_of(tmp_path, outcomes=failing)
    place.run()
    assert place.states() == {State.FAILED: 3}


def test_what_waits_and_what_is_blocked_is_found_by_its_status(tmp_path: Path) -> None:
    place = place_of(tmp_path, outcomes=Outcomes(failures=1.0))
    place.run(limit=1)
    chosen = {}
    for word in ("blocked", "waiting", "pending"):
        meant = place.options(selection=selection_of((), (f"status:{word}",)))
        shown = place.play(api.plan(meant)).batch.plan.shown
        chosen[word] = {one.job.id for one in shown.entries}
    assert chosen["blocked"] == {"knight-idle-cut", "knight-idle-cut-big"}
    assert chosen["waiting"] == {f"knight-{one}-cut{end}" for one in ("run", "jump") for end in ("", "-big")}
    assert chosen["pending"] == {"knight-run", "knight-jump", *chosen["waiting"]}


def made_of_another(place: Place, asset_id: str) -> None:
    """Let the journal say that a child was bought with an asset that is not its parent's."""
    options = place.options()
    with options.journal.opened() as file, look_at(options) as opened:
        journal, plan = file.batch(opened.batch.scope), opened.batch.plan
        parent, child = (plan.by_id[name] for name in ("knight-run", "knight-run-cut"))
        kept = File(
            asset_id=parent.record.asset_ids[0],
            path="assets/a.png",
            bytes=9,
            sha256="00" * 32,
            mime="image/png",
        )
        journal.append(parent.key, Collected(at=place.earth.now(), files=(kept,)))
        bound = with_references(child.job, lambda one: one._replace(ordinal=0, assets=(asset_id,)))
        journal.append(
            child.key,
            SubmitStarted(at=1.0, job=bound, attempt=1, body="{}"),
            Accepted(at=2.0, remote_id="job_by_hand", charged=Decimal(2)),
            Succeeded(at=3.0, asset_ids=("asset_cut",)),
            Collected(at=4.0),
        )


def test_a_child_of_what_its_parent_no_longer_has_is_named_and_not_bought_again(tmp_path: Path) -> None:
    place = place_of(tmp_path, HEAD + PARENTS + CUTS)
    place.run(selection=selection_of(["entry:knight"]))
    made_of_another(place, "asset_old")
    told = (
        "knight-run-cut was made of asset_old, which knight-run no longer has as its own; no run makes it "
        "again for that, `batchgen redo` does (it has cost 2 CU)"
    )
    preview = place.play(api.plan(place.options()))
    assert [str(one) for one in preview.outlook.chains.outdated] == [told]
    assert "knight-run-cut" not in {one.job.id for one in preview.batch.plan.to_submit}
    audit = place.play(api.audit(place.options(), offline=True))
    assert [str(one) for one in audit.outdated] == [told]


def test_a_child_of_what_was_sent_again_from_the_disk_is_up_to_date(tmp_path: Path) -> None:
    place = place_of(tmp_path, HEAD + PARENTS + CUTS)
    place.run(selection=selection_of(["entry:knight"]))
    made_of_another(place, "asset_again")
    options = place.options()
    with look_at(options) as opened:
        origin, project = opened.batch.scope.origin, opened.batch.project
    with options.journal.uploads(origin=origin, project=project) as sent:
        sent.keep(Upload(sha256="00" * 32, asset_id="asset_again", name="a.png", bytes=9, at=1.0))
    assert place.play(api.plan(options)).outlook.chains.outdated == ()


def test_a_parent_that_needs_a_decision_blocks_with_the_status_for_that(tmp_path: Path) -> None:
    lost = FaultPlan(script={Call.SUBMIT: (Fault.CUT_AFTER,)})
    place = place_of(tmp_path, HEAD + PARENTS + CUTS, faults=lost, denied=Denied(listing=True))
    outcome = place.run(allow=frozenset({api.Allow.NO_LISTING}))
    assert outcome.verdict.exit is Exit.DOUBT
    jobs = by_id(place)
    (name,) = [one for one, told in jobs.items() if told["status"] == "in_doubt"]
    cut = jobs[f"{name}-cut"]
    assert (cut["status"], cut["waits_for"]) == ("blocked", [name])
    assert f"1 job is blocked by {name}, which needs your decision; `batchgen resolve" in "\n".join(
        outcome.verdict.reasons
    )
    assert place.bought == 5, "the other chains go on"
