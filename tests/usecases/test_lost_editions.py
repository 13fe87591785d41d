"""Jobs that were made again when the journal is lost, put back or rebuilt: each edition is what it was."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchgen import api
from batchgen.cli.awaited import awaited
from batchgen.errors import GuardError
from batchgen.planning.selection import of_ids
from batchgen.reconcile.look_back import BLIND
from batchgen.record import State
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Outcomes, Settings
from batchgen.wiring.opening import look_at, open_batch
from tests.support.redone import Redone

SEEDLESS = "model_imagen4-ultra"


def of_seedless(place: Redone) -> Redone:
    manifest = place.folder / "jobs.yaml"
    manifest.write_text(manifest.read_text().replace("model_bfl-flux-1-dev", SEEDLESS))
    return place


@pytest.fixture(params=["by seed", "without a seed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Redone:
    made = Redone.with_jobs(tmp_path, 2)
    assert isinstance(made, Redone)
    return made if request.param == "by seed" else of_seedless(made)


def is_by_seed(place: Redone) -> bool:
    return SEEDLESS not in (place.folder / "jobs.yaml").read_text()


def made_again(place: Redone, times: int = 1) -> Redone:
    place.run()
    for _ in range(times):
        place.redo("job-0")
        place.run()
    assert place.bought == 2 + times
    return place


@pytest.mark.parametrize("times", [1, 2, 3])
def test_every_edition_comes_back_and_the_same_one_is_the_jobs_own(place: Redone, times: int) -> None:
    made_again(place, times)
    before, editions = place.row("job-0"), place.editions("job-0")
    place.lose_the_journal()
    recovery = place.rebuild()
    assert (recovery.exit, recovery.submitted) == (0, 2 + times)
    assert place.owned() == place.paid()
    assert place.editions("job-0").all == editions.all
    assert place.run().verdict.exit == 0
    after = place.row("job-0")
    assert (after["job_id"], after["earlier"]) == (before["job_id"], before["earlier"])
    assert place.editions("job-0") == editions
    assert place.bought == 2 + times


@pytest.mark.parametrize("back", [0, 1])
def test_one_that_was_restored_is_the_jobs_own_again_and_not_the_newest(place: Redone, back: int) -> None:
    made_again(place, 2)
    ordinals = sorted(one.ordinal for one in place.editions("job-0").all)
    place.restore("job-0", ordinals[back])
    place.run()
    before = place.row("job-0")
    place.lose_the_journal()
    place.rebuild()
    place.run()
    assert place.row("job-0")["job_id"] == before["job_id"]
    assert place.editions("job-0").current.ordinal == ordinals[back]
    assert place.bought == 4


def test_a_rebuild_that_is_made_twice_adds_nothing(place: Redone) -> None:
    made_again(place, 2)
    place.restore("job-0", place.editions("job-0").all[0].ordinal)
    place.run()
    place.lose_the_journal()
    place.rebuild()
    before = place.records()
    place.rebuild()
    assert place.records() == before


def test_nothing_goes_on_with_a_journal_that_is_older_than_the_results(place: Redone) -> None:
    place.run()
    copy = place.copied("copy")
    place.redo("job-0")
    place.run()
    before = place.row("job-0")
    place.put_back(copy)
    for go_on in (
        place.run,
        lambda: place.play(api.plan(replace(place.options(selection=of_ids(["job-0"])), redo=True))),
        lambda: awaited(api.restore(place.options(selection=of_ids(["job-0"])), api.Restoring())),
        lambda: awaited(api.mark(place.options(selection=of_ids(["job-0"])), api.Marking(mark="kept"))),
    ):
        with pytest.raises(GuardError, match=r"the journal is an older copy.*journal rebuild"):
            go_on()
    assert (place.row("job-0"), place.bought) == (before, 3)
    place.rebuild()
    assert place.run().verdict.exit == 0
    assert place.row("job-0")["job_id"] == before["job_id"]


def test_a_journal_of_before_it_was_made_again_learns_of_it_from_the_results(place: Redone) -> None:
    place.run()
    copy = place.copied("copy")
    place.redo("job-0")
    place.run()
    before = place.row("job-0")
    place.put_back(copy)
    place.rebuild()
    assert place.owned() == place.paid()
    place.run()
    assert place.row("job-0")["job_id"] == before["job_id"]
    assert place.bought == 3


def test_one_that_was_asked_for_and_not_bought_is_forgotten_and_said(place: Redone) -> None:
    made_again(place, 1)
    place.redo("job-0", "job-1")
    place.write_results()
    place.lose_the_journal()
    recovery = place.rebuild()
    assert recovery.again == 2
    place.run()
    assert place.bought == 3


def of_seeds(folder: Path, count: int = 2) -> Redone:
    made = Redone.with_jobs(folder, count)
    assert isinstance(made, Redone)
    return made


@pytest.mark.parametrize("times", [1, 2, 3])
def test_from_the_listing_alone_the_highest_edition_is_the_jobs_own(tmp_path: Path, times: int) -> None:
    place = made_again(of_seeds(tmp_path), times)
    before = place.row("job-0")
    place.lose_the_journal()
    place.lose_the_results()
    outcome = place.run()
    assert outcome.verdict.exit == 0, outcome.verdict.reasons
    assert place.bought == 2 + times
    assert place.owned() == place.paid()
    after = place.row("job-0")
    assert after["job_id"] == before["job_id"]
    assert [one["job_id"] for one in after["earlier"]] == [one["job_id"] for one in before["earlier"]]
    place.run()
    assert place.bought == 2 + times


@pytest.mark.parametrize("times", [1, 2])
def test_a_rebuild_from_the_listing_alone_finds_them_too(tmp_path: Path, times: int) -> None:
    place = made_again(of_seeds(tmp_path), times)
    before = place.row("job-0")
    place.lose_the_journal()
    place.lose_the_results()
    assert place.rebuild().exit == 0
    assert place.owned() == place.paid()
    place.run()
    assert place.row("job-0")["job_id"] == before["job_id"]
    assert place.bought == 2 + times


def test_what_a_journal_of_before_does_not_know_is_adopted_where_something_else_is_bought(
    tmp_path: Path,
) -> None:
    place = of_seeds(tmp_path)
    place.run()
    copy = place.copied("copy")
    place.redo("job-0")
    place.run()
    before = place.row("job-0")
    place.put_all_back(copy)
    place.add_a_job()
    assert place.run().verdict.exit == 0
    assert place.bought == 4
    assert place.owned() == place.paid()
    assert place.row("job-0")["job_id"] == before["job_id"]


CHAIN = """\
version: 1
batch: spring
output: {download: false}
jobs:
  - {id: knight, prompt: a knight, model: model_bfl-flux-1-dev}
  - {id: cut, model: MODEL, params: {image: {job: knight}}PROMPT}
"""
CHILDREN = {
    "a child without a seed": ("model_birefnet-background-removal", ""),
    "a child by seed": ("model_upscale-v3", ""),
}


@pytest.fixture(params=list(CHILDREN))
def chain(request: pytest.FixtureRequest, tmp_path: Path) -> Redone:
    model, prompt = CHILDREN[request.param]
    text = CHAIN.replace("MODEL", model).replace("PROMPT", prompt)
    (tmp_path / "jobs.yaml").write_text(text)
    return Redone(tmp_path)


@pytest.mark.parametrize("results", [True, False], ids=["rebuilt from results", "by the listing alone"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_a_child_is_found_again_whichever_edition_of_its_parent_went_in(
    chain: Redone, order: str, results: bool
) -> None:
    if order == "before":
        chain.run()
        chain.redo("knight")
        chain.run()
    else:
        chain.run(selection=of_ids(["knight"]))
        chain.redo("knight")
        chain.run(selection=of_ids(["knight"]))
        chain.run()
    assert chain.bought == 3
    before = {name: chain.row(name)["job_id"] for name in ("knight", "cut")}
    assert chain.row("cut")["parents"][0]["asset_id"]
    chain.lose_the_journal()
    if results:
        chain.rebuild()
    else:
        chain.lose_the_results()
    chain.run()
    assert chain.bought == 3
    assert chain.owned() == chain.paid()
    assert {name: chain.row(name)["job_id"] for name in before} == before
    assert chain.run().verdict.exit == 0
    assert chain.bought == 3


def test_an_audit_names_an_edition_that_no_record_has_and_a_rebuild_adopts_it(tmp_path: Path) -> None:
    place = of_seeds(tmp_path)
    place.run()
    copy = place.copied("copy")
    place.redo("job-0")
    place.run()
    newest = place.row("job-0")["job_id"]
    assert not place.play(api.audit(place.options())).surplus, "an edition that a record has is no orphan"
    place.put_all_back(copy)
    assert place.run().verdict.exit == 0
    audit = place.play(api.audit(place.options()))
    [found] = audit.surplus
    assert (found.row.remote_id, found.sent.job.id) == (newest, "job-0")
    assert (found.situation, found.certain, audit.verdict.exit) == (api.Situation.EDITION, True, 7)
    place.rebuild()
    place.run()
    assert place.row("job-0")["job_id"] == newest
    assert place.play(api.audit(place.options())).verdict.exit == 0
    assert place.bought == 3


@pytest.mark.parametrize(
    ("status", "answered"), [("running", True), ("running", False), ("in_doubt", False), ("failed", True)]
)
def test_what_was_under_way_by_the_results_is_carried_to_its_end(
    place: Redone, status: str, answered: bool
) -> None:
    made_again(place, 2)
    newest = place.row("job-0")["job_id"]
    place.write_as_under_way("job-0", status, answered=answered)
    place.lose_the_journal()
    assert not place.rebuild().again
    assert place.run().verdict.exit == 0
    assert place.row("job-0")["job_id"] == newest
    assert len(place.row("job-0")["earlier"]) == 2
    assert place.owned() == place.paid()
    assert place.bought == 4


def test_one_that_failed_when_it_was_made_again_is_told_as_failed_and_not_bought(place: Redone) -> None:
    place.run()
    whole = place.earth.service
    place.earth.service = Service(Settings(outcomes=Outcomes(failures=1.0)))
    place.earth.service.restore(whole.submissions)
    place.redo("job-0")
    place.run()
    before = place.row("job-0")
    assert before["redo"]["status"] == "failed"
    place.lose_the_journal()
    place.rebuild()
    place.run()
    after = place.row("job-0")
    assert (after["job_id"], after["redo"]["job_id"]) == (before["job_id"], before["redo"]["job_id"])
    assert after["redo"]["status"] == "failed"
    assert place.bought == 3


def test_a_job_that_was_edited_keeps_its_editions_apart_from_those_of_before(place: Redone) -> None:
    made_again(place, 1)
    manifest = place.folder / "jobs.yaml"
    manifest.write_text(manifest.read_text().replace("a house of 0 rooms", "a tower"))
    place.run()
    place.redo("job-0")
    place.run()
    assert place.bought == 5
    before = {key: record.editions for key, record in place.records().items()}
    place.lose_the_journal()
    place.rebuild()
    assert {key: record.editions for key, record in place.records().items()} == before
    assert place.run().verdict.exit == 0
    assert place.bought == 5


def test_a_redo_that_a_journal_put_back_takes_for_planned_is_not_bought_again(place: Redone) -> None:
    place.run()
    place.redo("job-0")
    copy = place.copied("copy")
    place.run()
    newest, before = place.row("job-0")["job_id"], place.row("job-0")["earlier"][0]["job_id"]
    place.put_all_back(copy)
    outcome = place.run()
    assert place.bought == 3
    if is_by_seed(place):
        assert (outcome.verdict.exit, place.row("job-0")["job_id"]) == (0, newest)
    else:  # nothing tells whose the row is: the old one stays, and a person decides
        assert (outcome.verdict.exit, place.row("job-0")["job_id"]) == (7, before)
        assert place.row("job-0")["redo"]["status"] == "in_doubt"


def test_what_has_no_seed_is_held_with_all_its_rows_when_all_is_lost(tmp_path: Path) -> None:
    place = made_again(of_seedless(of_seeds(tmp_path)), 1)
    rows = {one["job_id"] for one in (place.row("job-0"), *place.row("job-0")["earlier"])}
    place.lose_the_journal()
    place.lose_the_results()
    assert place.run().verdict.exit == 7
    assert place.bought == 3, "held, and not bought again"
    held = next(one for one in place.records().values() if one.job and one.job.id == "job-0")
    assert (held.state, all(row in held.error for row in rows)) == (State.HELD, True)


def test_ordinals_that_were_taken_back_hide_nothing_that_was_bought_after_them(tmp_path: Path) -> None:
    place = of_seeds(tmp_path)
    place.run()
    for _ in range(6):
        place.redo("job-0")
        place.restore("job-0", 0)
    place.redo("job-0")
    place.run()
    newest = place.row("job-0")["job_id"]
    place.lose_the_journal()
    place.lose_the_results()
    assert place.run().verdict.exit == 0
    assert (place.bought, place.row("job-0")["job_id"]) == (3, newest)


def test_an_edition_is_there_where_the_first_is_too_old_to_be_listed(tmp_path: Path) -> None:
    place = of_seeds(tmp_path, 1)
    place.run()
    place.earth.clock_offset += 2 * BLIND
    for _ in range(2):
        place.redo("job-0")
        place.run()
    newest = place.row("job-0")["job_id"]
    place.lose_the_journal()
    place.lose_the_results()
    assert place.run().verdict.exit == 0
    assert (place.bought, place.row("job-0")["job_id"]) == (3, newest)
    assert place.run().verdict.exit == 0
    assert place.bought == 3


@pytest.mark.parametrize("also", ["the child alone", "parent and child"])
def test_a_child_that_was_made_again_is_known_by_what_went_in_and_nobody_is_asked(
    chain: Redone, also: str
) -> None:
    chain.run()
    if also == "parent and child":
        chain.redo("knight")
        chain.run()
    chain.redo("cut")
    chain.run()
    before = {name: chain.row(name)["job_id"] for name in ("knight", "cut")}
    bought = chain.bought
    chain.lose_the_journal()
    chain.lose_the_results()
    assert chain.run().verdict.exit == 0
    assert {name: chain.row(name)["job_id"] for name in before} == before
    assert (chain.bought, chain.owned()) == (bought, chain.paid())


def test_what_was_adopted_before_a_kill_and_told_to_no_job_is_told_by_the_next_run(tmp_path: Path) -> None:
    place = of_seeds(tmp_path)
    place.run()
    copy = place.copied("copy")
    place.redo("job-0")
    place.run()
    newest = place.row("job-0")["job_id"]
    with look_at(place.options()) as opened:
        [edition] = [key for key in opened.batch.journal.records() if key.ordinal == 1]
        life = [event for key, event in opened.batch.journal.history() if key == edition]
    place.put_back(copy)
    with open_batch(place.options()) as opened:
        opened.batch.journal.append(edition, *life)
    place.run()
    assert place.row("job-0")["job_id"] == newest
    assert len(place.row("job-0")["earlier"]) == 1
    assert place.bought == 3


@pytest.mark.parametrize("results", [True, False], ids=["rebuilt from results", "by the listing alone"])
@pytest.mark.parametrize("name", ["job-0", "job-1"])
def test_equal_jobs_keep_what_each_of_them_had(place: Redone, name: str, results: bool) -> None:
    manifest = place.folder / "jobs.yaml"
    manifest.write_text(
        manifest.read_text().replace("of 0 rooms", "of many").replace("of 1 rooms", "of many")
    )
    place.run()
    place.redo(name)
    place.run()
    before = {one: place.row(one)["job_id"] for one in ("job-0", "job-1")}
    place.lose_the_journal()
    if results:
        place.rebuild()
    else:
        place.lose_the_results()
    outcome = place.run()
    assert place.bought == 3
    if results:
        assert {one: place.row(one)["job_id"] for one in before} == before
    elif is_by_seed(place):  # of equals any has it: it is bought, and of nobody else
        assert place.owned() == place.paid()
        assert sum(len(place.row(one)["earlier"]) for one in before) == 1
    else:
        assert outcome.verdict.exit == 7


def test_a_child_is_not_bought_again_where_only_later_editions_of_it_are_listed(chain: Redone) -> None:
    chain.run()
    chain.earth.clock_offset += 2 * BLIND
    chain.redo("knight")
    chain.run()
    chain.redo("cut")
    chain.run()
    before = {name: chain.row(name)["job_id"] for name in ("knight", "cut")}
    chain.lose_the_journal()
    chain.lose_the_results()
    assert chain.run().verdict.exit == 0
    assert {name: chain.row(name)["job_id"] for name in before} == before
    assert chain.bought == 4


def test_what_may_be_paid_for_with_a_seed_that_nothing_tells_is_forgotten_and_said(tmp_path: Path) -> None:
    place = made_again(of_seeds(tmp_path), 2)
    newest = place.row("job-0")["job_id"]
    place.write_as_under_way("job-0", "in_doubt", answered=False, tells_seed=False)
    place.lose_the_journal()
    recovery = place.rebuild()
    assert recovery.again == 1
    assert {one.state for one in recovery.found if one.id == "job-0"} <= {State.SUCCEEDED, State.COLLECTED}
    assert place.run().verdict.exit == 0
    assert (place.bought, place.row("job-0")["job_id"]) == (4, newest), "the listing shows it all the same"
