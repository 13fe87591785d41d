"""A slot that was missed is begun late: bought as it would have been, and nothing goes back to it."""

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from batchgen import api
from batchgen.api import plans, reports, runs
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import GuardError, InputError
from batchgen.exits import Exit
from batchgen.journal.file_store import FileStore
from batchgen.lifecycle import State
from batchgen.planning.selection import of_ids
from batchgen.scenario.transport import Answer, Call
from batchgen.wiring.batch import due_since
from batchgen.wiring.options import Options
from batchgen.wiring.reading import manifest_of
from tests.support.place import Place, quiet
from tests.support.virtual import VirtualTransport

DAY = 86_400.0
MANIFEST = """version: 1
batch: nightly
period: day
output: {download: false}
defaults: {model: model_bfl-flux-1-dev}
jobs: [{prompt: a castle}, {prompt: a mill}]
"""


class Nights(Place):
    """Nights of 2027: the first one is that of the 15th of January."""

    @property
    def batch(self) -> Path:
        return self.folder / "output" / "nightly"

    def write(self, old: str = "", new: str = "") -> None:
        (self.folder / "jobs.yaml").write_text(MANIFEST.replace(old, new))

    def night(self, **changed: Any) -> api.RunOutcome:
        """Run, and let a day go by."""
        outcome = self.run(**changed)
        self.earth.clock_offset += DAY
        return outcome

    def shown(self) -> tuple[str, bytes]:
        """Return what the batch's folder shows: the slot, and the document."""
        copy = (self.batch / "results.json").read_bytes()
        assert copy == (self.batch / "latest" / "results.json").read_bytes()
        slot = json.loads(copy)["slot"]
        assert (self.batch / "latest").readlink() == Path("slots") / slot
        return slot, copy

    def begun(self) -> list[str]:
        with FileStore(self.folder / "output").read() as file:
            return [one.slot for one in file.scopes()]

    def states_of(self, slot: str) -> dict[State, int]:
        [one] = [one for one in api.status(self.options()) if one.scope.slot == slot]
        return dict(one.states)

    def bodies(self) -> list[str]:
        """Return what was sent, with its seed, in the order in which it arrived."""
        return [one.body for one in self.earth.service.submissions]


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    place = Nights(tmp_path)
    place.write()
    return place


def test_whenever_a_missed_slot_is_begun_the_batch_s_folder_shows_the_latest_one(nights: Nights) -> None:
    nights.night()
    assert nights.shown()[0] == "2027-01-15"
    nights.earth.clock_offset += DAY  # the machine is off on the 16th
    nights.run(slot="2027-01-16")  # before the run of the 17th
    assert nights.shown()[0] == "2027-01-16", "no later one has begun"
    before = nights.shown()
    nights.run(slot="2027-01-13")
    assert nights.shown() == before, "the last one that was begun is not the latest"
    outcome = nights.run(slot="2027-01-13")
    assert (nights.shown(), outcome.asked) == (before, False)
    nights.run()
    before = nights.shown()
    assert before[0] == "2027-01-17"
    nights.run(slot="2027-01-14", limit=1)  # after it
    nights.run(slot="2027-01-14")
    assert nights.shown() == before
    nights.run()
    assert nights.shown() == before
    nights.earth.clock_offset += DAY
    nights.run()
    assert nights.shown()[0] == "2027-01-18"
    assert nights.begun() == [f"2027-01-{day}" for day in (15, 16, 13, 17, 14, 18)]
    assert nights.bought == 2 * 6
    for slot in nights.begun():
        document = json.loads((nights.batch / "slots" / slot / "results.json").read_text())
        assert (document["slot"], document["summary"]["counts"]["done"]) == (slot, 2)


def test_a_first_slot_may_be_a_missed_one_and_is_shown_until_a_later_one_has_run(nights: Nights) -> None:
    nights.run(slot="2027-01-11")
    assert nights.shown()[0] == "2027-01-11"
    nights.run(slot="2027-01-10")
    assert nights.shown()[0] == "2027-01-11"
    nights.run(slot="2027-01-15")  # the present one, by its name
    assert nights.shown()[0] == "2027-01-15"
    assert not nights.run().asked


def test_a_slot_begun_late_is_bought_as_it_would_have_been_in_its_time(tmp_path: Path) -> None:
    """The same bodies with the same seeds: of the slot, and not of the day on which it is bought."""
    places = [Nights(tmp_path / name) for name in ("in-time", "late")]
    for place in places:
        place.folder.mkdir()
        place.write()
    in_time, late = places
    in_time.night()
    late.earth.clock_offset += 3 * DAY
    late.run()
    late.run(slot="2027-01-15")
    bodies = late.bodies()
    assert len(bodies) == 4
    assert sorted(bodies[2:]) == sorted(in_time.bodies())
    assert set(bodies[:2]).isdisjoint(bodies[2:]), "another slot has other seeds"


def refused(nights: Nights, work: Callable[[Options], Any], **changed: Any) -> str:
    """Return why something is refused, by which nothing is bought or begun."""
    before = nights.bought, nights.begun()
    with pytest.raises(InputError) as found:
        work(nights.options(**changed))
    assert (nights.bought, nights.begun()) == before
    return str(found.value)


def ran(nights: Nights) -> Callable[[Options], Any]:
    return lambda options: nights.play(runs.run(options, Interrupts(), quiet()))


@pytest.mark.parametrize(
    ("slot", "why"),
    [
        ("2027-01-16", "'2027-01-16' is yet to come: it begins at 2027-01-16 00:00 (UTC)"),
        ("2027-01", "'2027-01' is not a day; write one as 2026-11-12"),
        ("2027-01-32", "not a day"),
        ("last night", "not a day"),
        ("", "not a day"),
        ("2027-01-14.fresh-20270114T080000Z", "not a day"),
    ],
)
def test_a_slot_that_has_not_begun_or_is_none_is_refused_with_the_form_and_those_that_there_are(
    nights: Nights, slot: str, why: str
) -> None:
    nights.run()
    for work in (ran(nights), lambda options: nights.play(plans.plan(options))):
        said = refused(nights, work, slot=slot)
        assert why in said
        assert said.endswith("there are: '2027-01-15'")


def test_commands_that_begin_nothing_refuse_a_slot_of_which_nothing_is_on_record(nights: Nights) -> None:
    """Those that look, edit, collect or buy again what failed or came out."""
    nights.run()
    some = {"selection": of_ids(["a-castle"])}
    works: Sequence[tuple[Callable[[Options], Any], dict[str, Any]]] = (
        (reports.report, {}),
        (api.accept, {}),
        (api.forget, {}),
        (api.jobs_meant, some),
        (lambda options: asyncio.run(api.audit(options, offline=True)), {}),
        (lambda options: nights.play(plans.plan(options)), {"redo": True, **some}),
        (ran(nights), {"redo": True, **some}),
        (ran(nights), {"retry": True, **some}),
        (ran(nights), {"limit": 0}),  # --collect-only
    )
    for work, changed in works:
        said = refused(nights, work, slot="2027-01-14", **changed)
        assert "has no slot '2027-01-14'; `batchgen run " in said
        assert "--slot 2027-01-14` begins one that was missed; there are: '2027-01-15'" in said
    assert not (nights.batch / "slots" / "2027-01-14").exists()


def test_without_a_calendar_period_no_slot_is_begun_unless_the_command_line_has_one(nights: Nights) -> None:
    for name in ("", "period: launch\n"):
        nights.write("period: day\n", name)
        said = refused(nights, ran(nights), slot="2027-01-14")
        assert "begun with a calendar period, --period or `period:` (hour, day, week, month)" in said
    nights.write("period: day\n", "")
    nights.run(slot="2027-01-14", period="day")
    nights.run(slot="2027-01-14")
    assert (nights.begun(), nights.bought) == (["2027-01-14"], 2)


@pytest.mark.parametrize(
    ("period", "typed", "slot", "due"),
    [
        ("hour", "2027-01-15T06:30", "2027-01-15T0600Z", "2027-01-15T0800Z"),
        ("week", "2027-01-08", "2027-W01", "2027-W02"),
        ("month", "2026-12-24", "2026-12", "2027-01"),
        ("month", "2026-12", "2026-12", "2027-01"),
    ],
)
def test_what_is_in_a_slot_stands_for_it_and_further_commands_are_told_by_its_own_name(
    nights: Nights, period: str, typed: str, slot: str, due: str
) -> None:
    nights.write("day", period)
    said = refused(nights, ran(nights), slot=typed, unattended=True)
    assert f"--slot {slot}" in said
    nights.run()
    preview = nights.play(plans.plan(nights.options(slot=typed)))
    assert (preview.batch.scope.slot, len(preview.batch.plan.to_submit)) == (slot, 2)
    assert f"slot {slot} begins: nothing of it is on record" in preview.outlook.notes
    nights.run(slot=typed, limit=1)
    nights.run(slot=typed)
    assert (nights.begun(), nights.shown()[0], nights.bought) == ([due, slot], due, 4)


def test_where_the_slot_of_a_day_was_begun_afresh_the_day_means_that_one(nights: Nights) -> None:
    nights.night(fresh=True)
    [fresh] = nights.begun()
    assert fresh.startswith("2027-01-15.fresh-")
    assert not nights.run(slot="2027-01-15").asked
    assert (nights.begun(), nights.bought) == ([fresh], 2)


def test_a_run_that_waited_over_midnight_goes_on_with_the_slot_that_its_day_was_begun_afresh_in(
    nights: Nights,
) -> None:
    nights.run(limit=1)
    nights.run(fresh=True, allow=frozenset({api.Allow.UNFINISHED_SLOT}))
    began, options = nights.earth.now(), nights.options(begins_missed=True)
    manifest = manifest_of(options)
    assert due_since(options, manifest, began) is options
    nights.earth.clock_offset += DAY
    assert due_since(options, manifest, began).slot == nights.begun()[1] != "2027-01-15"
    nights.earth.clock_offset += DAY
    assert due_since(options, manifest, began + DAY).slot == "2027-01-16"


def test_a_missed_slot_is_bought_by_the_usual_rules(nights: Nights) -> None:
    """Nobody to ask, no cap: refused. A cap on a day is that of the purchase; a total is the slot's."""
    with pytest.raises(GuardError, match=r"plan .* --slot 2027-01-14"):
        nights.run(slot="2027-01-14", unattended=True)
    assert nights.begun() == []
    nights.run()
    [[first], [spent]] = [[one["cost"]["charged"]] for one in entries(nights, "2027-01-15")]
    total = first + spent
    nights.write("jobs:", f"budget: {{per_day: {total * 1.5}, total: {total}}}\njobs:")
    outcome = nights.run(slot="2027-01-14", unattended=True)
    assert (outcome.verdict.exit, nights.bought) == (Exit.BUDGET, 3), "it is this day's money"
    nights.earth.clock_offset += DAY
    assert nights.run(slot="2027-01-14", unattended=True).verdict.exit is Exit.DONE
    assert nights.bought == 4


def entries(nights: Nights, slot: str) -> list[dict[str, Any]]:
    document = json.loads((nights.batch / "slots" / slot / "results.json").read_text())
    return list(document["jobs"])


def test_a_kill_between_intent_and_receipt_of_a_late_slot_loses_nothing_and_buys_nothing_twice(
    nights: Nights,
) -> None:
    nights.run()
    output, disk = nights.folder / "output", nights.folder / "as-the-kill-left-it"

    def killed(call: Call, answer: Answer) -> Answer:
        if call.once and not disk.exists():  # the service has it, and the receipt is not written
            shutil.copytree(output, disk, symlinks=True)
        return answer

    nights.run(slot="2027-01-12", limit=1, transport=VirtualTransport(nights.earth, twist=killed))
    shutil.rmtree(output)
    disk.rename(output)
    assert (nights.bought, nights.states_of("2027-01-12")) == (3, {State.SUBMITTING: 1})
    shown = nights.shown()
    nights.earth.clock_offset += DAY
    outcome = nights.run()
    assert outcome.verdict.exit is Exit.DONE
    assert nights.states_of("2027-01-12") == {State.COLLECTED: 1}
    assert nights.bought == 5, "two of the 16th, none of the 12th"
    assert (shown[0], nights.shown()[0]) == ("2027-01-15", "2027-01-16")
    notes = "\n".join(outcome.notes)
    assert "slot 2027-01-12: 1 job collected that was paid for there" in notes
    assert "slot 2027-01-12: 1 job not bought: batchgen run " in notes
    again = nights.run(slot="2027-01-12", limit=0)
    assert (again.verdict.exit, nights.bought) == (Exit.DONE, 5), "--collect-only"
    shown = nights.shown()
    nights.run(slot="2027-01-12")
    assert (nights.shown(), nights.bought) == (shown, 6)


def test_where_many_were_made_up_for_the_last_night_is_still_named_for_what_it_has_not_bought(
    nights: Nights,
) -> None:
    nights.run(limit=1)
    for day in range(5, 12):
        nights.run(slot=f"2027-01-{day:02}")
    nights.earth.clock_offset += DAY
    notes = "\n".join(nights.run().notes)
    assert "slot 2027-01-15: 1 job not bought" in notes
    assert notes.count("not bought") == 1


def test_a_name_that_looks_like_a_month_is_that_month(nights: Nights) -> None:
    nights.run(period="2027-01")
    nights.write("day", "month")
    assert not nights.run().asked
    assert (nights.begun(), nights.bought) == (["2027-01"], 2)
    nights.earth.clock_offset += 31 * DAY
    nights.run()
    assert (nights.begun(), nights.bought) == (["2027-01", "2027-02"], 4)


@pytest.mark.parametrize("name", ["2027-01", "2027-02", "2027-01-15"])
def test_what_was_bought_under_such_a_name_before_it_begins_is_found_without_a_journal(
    nights: Nights, name: str
) -> None:
    """One's own name says nothing of when it was bought: it may be for the month to come."""
    nights.earth.clock_offset -= 8 * 3600.0 + 60.0  # the 14th is not over
    nights.run(period=name)
    shutil.rmtree(nights.folder / "output")
    nights.earth.clock_offset += 3600.0
    assert nights.run(period=name).verdict.exit is Exit.DONE
    assert (nights.begun(), nights.bought) == ([name], 2)
