"""A batch that repeats, over several nights: real files, a rehearsal over loopback, and a moved clock."""

import asyncio
import io
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from batchgen import api
from batchgen.api.results import Results
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import GuardError
from batchgen.exits import Exit
from batchgen.journal.file_store import FileStore
from batchgen.output.progress import Mode
from batchgen.output.run_events import RunEvent
from batchgen.output.saved_files import saved_of
from batchgen.usecases.audience import Audience
from batchgen.wiring.options import Options

DAY = 86_400.0
NIGHTLY = """\
version: 1
batch: nightly
period: day
defaults: {model: model_bfl-flux-1-dev}
jobs: [{prompt: a castle}, {prompt: a mill}]
"""


@dataclass
class Nights:
    """A manifest, its output folder and the time of day."""

    folder: Path
    ahead: float = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def options(self, **changed: Any) -> Options:
        plain = Options(
            manifest=self.folder / "jobs.yaml",
            output=self.folder / "output",
            environ={},
            simulate=True,
            machine_clock=self,
        )
        return replace(plain, **changed)

    def run(self, at_event: Callable[[RunEvent], None] | None = None, **changed: Any) -> api.RunOutcome:
        outcome = self.run_until(Interrupts(), at_event, **changed)
        assert outcome.verdict.exit is Exit.DONE, outcome.verdict.reasons
        return outcome

    def run_until(
        self,
        interrupts: Interrupts,
        at_event: Callable[[RunEvent], None] | None = None,
        **changed: Any,
    ) -> api.RunOutcome:
        audience = Audience(io.StringIO(), Mode.QUIET, at_event)
        return asyncio.run(api.run(self.options(**changed), interrupts, audience))

    def night(self, **changed: Any) -> api.RunOutcome:
        """Run a day later than before."""
        self.ahead += DAY
        return self.run(**changed)

    @property
    def batch(self) -> Path:
        return self.folder / "output" / "nightly"

    def slots(self) -> list[str]:
        return sorted(one.name for one in (self.batch / "slots").iterdir())

    def known(self) -> dict[str, str]:
        """Return the path on record of each file, by slot and job."""
        with FileStore(self.folder / "output").read() as file:
            return {
                f"{scope.slot} {record.job.id if record.job else ''}": one.path
                for scope in file.scopes()
                for record in file.batch(scope).records().values()
                for one in record.files
            }

    def lose_the_journal(self) -> None:
        for one in (self.folder / "output").glob("journal.db*"):
            one.unlink()


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    (tmp_path / "jobs.yaml").write_text(NIGHTLY)
    return Nights(tmp_path)


def stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    return {one: (one.lstat().st_ino, one.lstat().st_mtime_ns) for one in folder.rglob("*")}


def is_complete(folder: Path) -> bool:
    """Return whether a folder has all of a slot, and whatever its results name lies below it."""
    results = Results.load(folder)
    names = {one.name for one in folder.iterdir()}
    return (
        {"results.json", "results.csv", "report.html", "assets"} <= names
        and all(job.files for job in results.jobs)
        and all(one.path.is_relative_to(folder) for job in results.jobs for one in job.files)
        and all(one.path.stat().st_size == one.bytes for job in results.jobs for one in job.files)
    )


def test_every_night_has_a_folder_of_its_own_and_latest_leads_to_the_last(nights: Nights) -> None:
    for count in range(1, 4):
        outcome = nights.night()
        assert outcome.notes == ()
        assert outcome.results == nights.batch.resolve() / "slots" / nights.slots()[-1] / "results.json"
        assert len(nights.slots()) == count
        assert (nights.batch / "latest").readlink() == Path("slots") / nights.slots()[-1]
        assert all(is_complete(nights.batch / "slots" / slot) for slot in nights.slots())
        shown = nights.batch / "results.json"
        assert shown.read_bytes() == (nights.batch / "latest/results.json").read_bytes()
        for base in (nights.batch, nights.batch / "latest"):  # by the links, as a script does
            for job in json.loads(shown.read_text())["jobs"]:
                assert [(base / one["path"]).is_file() for one in job["files"]] == [True]
        assert Results.load(nights.batch).jobs[0].files[0].path.is_file()
    for name, path in nights.known().items():
        assert path.startswith(f"slots/{name.split()[0]}/assets/")
    before = stamps(nights.batch)
    assert "nothing" not in str(nights.run().notes)
    assert stamps(nights.batch) == before, "a run that changed nothing writes nothing"


def test_while_a_night_goes_on_the_last_one_is_shown_and_when_it_is_told_to_stop_too(nights: Nights) -> None:
    nights.night()

    def shown() -> tuple[bytes, Path, bytes]:
        copy, link = nights.batch / "results.json", nights.batch / "latest"
        return copy.read_bytes(), link.readlink(), (link / "results.json").read_bytes()

    before, seen = shown(), list[tuple[bytes, Path, bytes]]()
    interrupts = Interrupts()

    def stop(_: RunEvent) -> None:
        seen.append(shown())
        interrupts.drain()

    nights.ahead += DAY
    outcome = nights.run_until(interrupts, stop)
    assert outcome.verdict.exit is Exit.REMAINS
    assert len(nights.slots()) == 2
    assert len(seen) > 1
    assert {*seen, shown()} == {before}
    seen.clear()
    outcome = nights.run(lambda _: seen.append(shown()))
    assert set(seen[:-1]) == {before}, "the last event comes when all is written"
    assert shown()[1] == Path("slots") / nights.slots()[1]
    assert is_complete(nights.batch / "latest")


def test_a_first_night_that_is_told_to_stop_is_shown_for_there_is_no_other(nights: Nights) -> None:
    interrupts = Interrupts()
    interrupts.drain()
    assert nights.run_until(interrupts).verdict.exit is Exit.REMAINS
    assert (nights.batch / "latest").readlink() == Path("slots") / nights.slots()[0]


def test_a_night_of_the_past_writes_its_own_folder_and_moves_nothing(nights: Nights) -> None:
    nights.night(limit=1)
    nights.night()
    first, second = nights.slots()
    shown, latest = (nights.batch / "results.json").read_bytes(), (nights.batch / "latest").readlink()
    outcome = nights.run(slot=first)
    assert outcome.results.parent.name == first
    assert outcome.report is not None
    assert is_complete(nights.batch / "slots" / first)
    assert (nights.batch / "results.json").read_bytes() == shown
    assert (nights.batch / "latest").readlink() == latest == Path("slots") / second
    # one that is not due, while the one that is has not begun
    nights.ahead += DAY
    nights.run(slot=first)
    assert (nights.batch / "latest").readlink() == latest


def test_a_run_that_finds_the_last_one_cut_off_between_its_writes_completes_it(nights: Nights) -> None:
    nights.night()
    old = (nights.batch / "results.json").read_bytes()
    nights.night()
    first, second = nights.slots()
    home = nights.batch / "slots" / second
    whole = {one: one.read_bytes() for one in [nights.batch / "results.json", *home.glob("re*.*")]}
    assert len(whole) == 4

    def cut_off_before_the_link() -> None:
        (nights.batch / "latest").unlink()
        (nights.batch / "latest").symlink_to(f"slots/{first}")
        (nights.batch / "results.json").write_bytes(old)

    def cut_off_before_the_page() -> None:
        cut_off_before_the_link()
        (home / "report.html").unlink()
        (home / "results.csv").write_text("half")

    def cut_off_before_the_copy() -> None:
        (nights.batch / "results.json").write_bytes(old)
        (nights.batch / "assets").unlink()
        (nights.batch / ".assets.tmp").symlink_to("latest/assets")

    def never_shown() -> None:
        for one in nights.batch.iterdir():
            if one.name != "slots":
                one.unlink()

    for cut_off in (cut_off_before_the_link, cut_off_before_the_page, cut_off_before_the_copy, never_shown):
        cut_off()
        outcome = nights.run()
        assert not outcome.asked, "there was nothing to do but this"
        assert {one: one.read_bytes() for one in whole} == whole, cut_off
        assert (nights.batch / "latest").readlink() == Path("slots") / second
        assert (nights.batch / "assets").readlink() == Path("latest/assets")
        assert not (nights.batch / ".assets.tmp").is_symlink()


def test_the_paths_of_files_that_an_earlier_version_put_elsewhere_lead_to_them(nights: Nights) -> None:
    nights.night()
    [slot] = nights.slots()
    # as a version did that knew no folders of slots
    outcome = nights.run()
    home = nights.batch / "slots" / slot
    document = json.loads((home / "results.json").read_text())
    assert outcome.document["summary"] == document["summary"]
    del document["folder"]
    take_away = [one for one in nights.batch.iterdir() if one.is_symlink()]
    for one in take_away:
        one.unlink()
    (home / "assets").rename(nights.batch / "assets")
    shutil.rmtree(home)
    (nights.batch / "results.json").write_text(json.dumps(document))
    (nights.batch / f"slots/{slot}.json").write_text(json.dumps(document))
    loaded = Results.load(nights.batch)
    assert all(one.path.is_file() for job in loaded.jobs for one in job.files)
    nights.lose_the_journal()
    with pytest.raises(GuardError, match="the journal was lost"):
        nights.run()
    recovered = asyncio.run(api.rebuild(nights.options()))
    assert (recovered.slot, recovered.submitted) == (slot, 2)
    assert {one.split("/")[0] for one in nights.known().values()} == {"assets"}
    outcome = nights.run()
    assert not outcome.asked
    for job in outcome.document["jobs"]:
        assert [(home / one["path"]).resolve().is_file() for one in job["files"]] == [True]
    assert "this file is not where it was" not in (home / "report.html").read_text()
    assert Results.load(nights.batch).jobs[0].files[0].path.is_file()
    nights.night()
    assert is_complete(nights.batch / "slots" / nights.slots()[-1])


def test_a_lost_journal_is_seen_by_the_results_of_any_slot_and_rebuilt_from_each(nights: Nights) -> None:
    nights.night()
    nights.night()
    first, second = nights.slots()
    before = nights.known()
    nights.lose_the_journal()
    # the run of the first night was killed before its end: nothing is shown yet
    (nights.batch / "results.json").unlink()
    nights.ahead += DAY
    with pytest.raises(GuardError, match=f"slots/{second}/results.json lists 2 jobs as submitted"):
        nights.run()
    recovered = asyncio.run(api.rebuild(nights.options()))
    assert (recovered.slot, [one.slot for one in recovered.others]) == (second, [first])
    with pytest.raises(GuardError, match=f"about slot '{first}'.* --slot {first}"):
        nights.run(slot=None, machine_clock=_At(nights, -2 * DAY))
    again = asyncio.run(api.rebuild(nights.options(slot=first)))
    assert (again.slot, again.others) == (first, ())
    assert nights.known() == before
    counted = len(list((nights.batch / "slots").rglob("*_0.*")))
    assert not nights.run(slot=first).asked
    assert len(list((nights.batch / "slots").rglob("*_0.*"))) == counted == 4


@dataclass
class _At:
    nights: Nights
    by: float

    def now(self) -> float:
        return self.nights.now() + self.by


def test_two_slots_whose_names_differ_in_case_alone_share_no_folder(nights: Nights) -> None:
    for period in ("launch", "Launch", "LAUNCH"):
        nights.run(period=period)
    folders = nights.slots()
    assert len({one.casefold() for one in folders}) == 3
    assert "launch" in folders
    for name, path in nights.known().items():
        slot = name.split()[0]
        assert Results.load(nights.batch / Path(path).parent.parent).slot == slot
    assert Results.load(nights.batch).slot == "LAUNCH"
    assert not nights.run(period="Launch").asked
    assert nights.slots() == folders


def test_a_slot_begun_afresh_has_a_folder_and_what_came_before_keeps_its_own(nights: Nights) -> None:
    (nights.folder / "jobs.yaml").write_text(NIGHTLY.replace("period: day\n", ""))
    nights.run()
    assert is_complete(nights.batch)
    own = {one.name: one.read_bytes() for one in (nights.batch / "assets").iterdir()}
    outcome = nights.run(fresh=True)
    [slot] = nights.slots()
    assert slot.startswith("fresh-")
    assert is_complete(nights.batch / "slots" / slot)
    assert (nights.batch / "latest").readlink() == Path("slots") / slot
    assert [str(nights.batch / "assets") in one for one in outcome.notes] == [True]
    assert {one.name: one.read_bytes() for one in (nights.batch / "assets").iterdir()} == own
    assert Results.load(nights.batch).jobs[0].files[0].path.parent.parent.name == slot


def test_a_batch_that_repeats_no_more_writes_no_file_by_a_link_into_a_slot(nights: Nights) -> None:
    nights.night()
    [slot] = nights.slots()
    before = {one: one.read_bytes() for one in (nights.batch / "slots").rglob("*") if one.is_file()}
    (nights.folder / "jobs.yaml").write_text(NIGHTLY.replace("period: day\n", ""))
    nights.run()
    assert {one: one.read_bytes() for one in (nights.batch / "slots").rglob("*") if one.is_file()} == before
    assert not [one for one in nights.batch.iterdir() if one.is_symlink()]
    assert is_complete(nights.batch)
    shutil.rmtree(nights.batch / "assets")  # and a slot's link comes in the place of its files
    (nights.folder / "jobs.yaml").write_text(NIGHTLY)
    nights.run()
    assert (nights.batch / "assets").is_symlink()
    (nights.folder / "jobs.yaml").write_text(NIGHTLY.replace("period: day\n", ""))
    outcome = nights.run()
    assert outcome.asked, "the files of the slot without a name are fetched again, and not taken for edited"
    assert is_complete(nights.batch)
    assert (nights.batch / "assets").is_dir()
    assert not (nights.batch / "assets").is_symlink()
    assert is_complete(nights.batch / "slots" / slot)


def test_an_audit_puts_files_back_beside_a_link_and_not_into_the_slot_that_it_leads_to(
    nights: Nights,
) -> None:
    (nights.folder / "jobs.yaml").write_text(NIGHTLY.replace("period: day\n", ""))
    nights.run()
    shutil.rmtree(nights.batch / "assets")
    (nights.folder / "jobs.yaml").write_text(NIGHTLY)
    nights.run()
    assert (nights.batch / "assets").is_symlink()
    [slot] = nights.slots()
    before = stamps(nights.batch / "slots")
    told = asyncio.run(api.audit(nights.options(slot=""), offline=True))
    assert [one.found for one in told.damaged] == ["missing", "missing"], "what the link shows is another's"
    asyncio.run(api.audit(nights.options(slot=""), fix=True))
    assert not (nights.batch / "assets").is_symlink()
    assert len(list((nights.batch / "assets").iterdir())) == 2
    assert stamps(nights.batch / "slots") == before
    assert is_complete(nights.batch / "slots" / slot)


def test_a_slot_that_an_old_file_names_leads_nowhere_outside(nights: Nights) -> None:
    nights.night()
    for slot in ("../../../tmp/x", "/etc", "..", "a/b", ""):
        for path in saved_of(nights.batch, slot):
            assert path.resolve().is_relative_to(nights.batch.resolve())
    nights.lose_the_journal()
    place = nights.batch / "slots" / nights.slots()[0] / "results.json"
    document = json.loads(place.read_text())
    for path in (place, nights.batch / "results.json"):
        path.write_text(json.dumps({**document, "slot": "../../up"}))
    outside = {one for one in nights.folder.iterdir() if one.name != "output"}
    asyncio.run(api.rebuild(nights.options()))
    assert {one for one in nights.folder.iterdir() if one.name != "output"} == outside
