"""Names of files over many nights: jobs are edited, renamed, swapped and taken back, templates change, people
edit, delete and add files, and runs are killed before any change of the disk or the journal.

The folder, the journal and the renaming are the real ones; what a run would buy is put there without a
service. What must hold is read from the disk: no byte is lost, records tell the truth, each job has its name.
"""

import asyncio
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import cast

from batchgen.lifecycle import DONE, Accepted, Collected, Record, State, SubmitStarted, Succeeded
from batchgen.model import File
from batchgen.output.asset_store import AssetStore
from batchgen.output.kinds import Kind
from batchgen.output.transfer import Arrived
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import extension_of, kind_word, under
from batchgen.planning.plan import Entry
from batchgen.usecases.arranging import Arranged, Arranger, files_in_order, look
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import OpenBatch, open_batch
from batchgen.wiring.outputs import namer_of
from tests.proof.acts import Act, What, notes_of
from tests.proof.redo_law import Families
from tests.support.place import Place

SHARE = 0.03  # of the seeds
_REDONE = 0.5  # of these
_IDS = ("tower", "mill", "Gate", "barn-2", "wälle", "塔")
_TEMPLATES = ("{id}_{index}", "{id}", "{kind}/{id}", "{prompt}/{id}", "{id}/{id}_{index}", "x-{id}")
_CHANGES = frozenset({"os.link", "os.remove", "os.mkdir", "os.rmdir", "os.rename", "shutil.copyfile"})
_TEXT = Kind(mime="text/plain", extension="txt")
_LAST = 90  # changes of a run: more than nearly all have, so that some runs are not cut
_FORKS = multiprocessing.get_context("fork")


@dataclass(frozen=True, kw_only=True)
class Night:
    """One run, and what happened before it.

    Attributes:
        jobs: prompts by id, as the manifest has them.
        files: the template.
        people: what people do to files before it (``edit``, ``delete``, ``add``), with a number to choose by.
        arriving: how many of the jobs that wait get their files.
        dies_at: before which change of the disk or the journal it is killed; 0 for never.
        acts: which jobs people have made again before it, or give back what they had.
    """

    jobs: tuple[tuple[str, str], ...]
    files: str
    people: tuple[tuple[str, int], ...]
    arriving: int
    dies_at: int
    acts: tuple[Act, ...] = ()


def is_of_names(seed: int) -> bool:
    """Return whether a seed plays this too."""
    return random.Random(f"batchgen proof {seed}, names of files").random() < SHARE


def nights_of(seed: int) -> list[Night]:
    """Draw the nights of a seed; nothing happens in the last two."""
    chance = random.Random(f"batchgen proof {seed}, nights")
    jobs = {one: chance.choice("abcd") for one in chance.sample(_IDS, chance.randint(2, 4))}
    files = chance.choice(_TEMPLATES[:2])
    nights = []
    for _ in range(chance.randint(3, 7)):
        nights.append(
            Night(
                jobs=tuple(jobs.items()),
                files=files,
                people=tuple(
                    (chance.choice(["edit", "delete", "add"]), chance.randrange(1000))
                    for _ in range(chance.choice([0, 0, 0, 1, 2]))
                ),
                arriving=chance.choice([0, 1, 9, 9]),
                dies_at=chance.choice([0, chance.randint(1, _LAST)]),
            )
        )
        jobs = dict(_changed(jobs, chance))
        files = chance.choice(_TEMPLATES) if chance.random() < 0.4 else files
    calm = Night(jobs=tuple(jobs.items()), files=files, people=(), arriving=9, dies_at=0)
    return [*_made_again(seed, nights), calm, calm]


def _made_again(seed: int, nights: Iterable[Night]) -> Iterator[Night]:
    """Let people have jobs made again before some nights; the others stay as they were."""
    chance = random.Random(f"batchgen proof {seed}, nights, redos")
    kinds = [What.REDO, What.REDO, What.RESTORE, What.UNDO] if chance.random() < _REDONE else []
    for night in nights:
        acts = (
            Act(what=one, share=0.6, salt=chance.randrange(1000))
            for one in chance.sample(kinds, 2 if kinds else 0)
        )
        yield replace(night, acts=tuple(acts)) if kinds and chance.random() < 0.7 else night


def _changed(jobs: dict[str, str], chance: random.Random) -> Iterator[tuple[str, str]]:
    """Return the manifest after an edit: prompts change or change places, ids come, go and are renamed."""
    ids, prompts = list(jobs), list(jobs.values())
    free = [one for one in _IDS if one.lower() not in {id_.lower() for id_ in ids}]
    match chance.randrange(6):
        case 0:
            chance.shuffle(prompts)
        case 1:
            prompts[0] = chance.choice("abcd")
        case 2:
            ids[0] = chance.choice(free or ids[:1])
        case 3:
            ids, prompts = ids[1:] or ids, prompts[1:] or prompts
        case 4:
            ids = [one.swapcase() for one in ids]
        case _:
            ids, prompts = [*ids, *free[:1]], [*prompts, chance.choice("abcd")]
    return zip(ids, prompts, strict=False)


@dataclass
class NamesWorld:
    """One batch and its folder.

    Attributes:
        wrong: what must not have happened.
        bytes_of: what each asset's file holds by now; those that people deleted are left out.
        edited, deleted: assets whose files people have changed, or thrown away.
        foreign: people's own files by their paths.
    """

    folder: Path
    seed: int
    wrong: list[str] = field(default_factory=list)
    bytes_of: dict[str, bytes] = field(default_factory=dict)
    edited: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    foreign: dict[str, bytes] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._place = Place(self.folder)
        self._top = self.folder / "output" / "spring"
        self._on_record = frozenset[str]()

    def play(self) -> list[str]:
        """Play every night, and judge what is on the disk after each."""
        died = False
        for number, night in enumerate(nights_of(self.seed), 1):
            self._write(night)
            for what, at in night.people:
                # where renames are not on record yet, an edited file may be taken for somebody's own
                if not (died and what == "edit"):
                    self._let_people(what, at)
            self._act(night)
            died = self._run(night)
            self.tally["runs that rename files"] += 1
            self.tally["of those cut"] += died
            self._judge(whole=not died)
            if self.wrong:
                self.wrong = [f"night {number}, {night}: {one}" for one in self.wrong]
                return self.wrong
        if (done := self._again()) is not None:
            self.wrong.append(f"a further run renames: {done}")
        return self.wrong

    def _write(self, night: Night) -> None:
        jobs = "\n".join(f"  - {{id: {one}, model: m, prompt: {prompt}}}" for one, prompt in night.jobs)
        text = f"version: 1\nbatch: spring\noutput: {{files: '{night.files}'}}\njobs:\n{jobs}\n"
        (self.folder / "jobs.yaml").write_text(text, encoding="utf-8")

    def _act(self, night: Night) -> None:
        """Note what people want to be made again, or given back."""
        for act in night.acts:
            with open_batch(self._place.options()) as opened:
                journal, plan = opened.batch.journal, opened.batch.plan
                if notes := notes_of(act, plan, journal.records(), at=5.0):
                    journal.append_to_all(notes)
                    self.tally[f"files under {act.what}"] += 1

    def _let_people(self, what: str, at: int) -> None:
        known = {data: one for one, data in self.bytes_of.items()}
        there = [(path, known[data]) for path, data in sorted(self._files().items()) if data in known]
        if what == "add":
            name = f"{_IDS[at % len(_IDS)]}{'_0' if at % 2 else ''}.txt"
            path = f"assets/{'text/' if at % 5 == 0 else ''}{name}"
            # in the place of one of ours it would be an edited file
            if folded(path) not in {folded(one) for one in (*self._files(), *self._on_record)}:
                data = f"somebody's own, {at}".encode()
                (self._top / path).parent.mkdir(parents=True, exist_ok=True)
                (self._top / path).write_bytes(data)
                self.foreign[path] = data
                self.tally["files that people added"] += 1
        elif there:
            path, asset_id = there[at % len(there)]
            if what == "delete":
                (self._top / path).unlink()
                del self.bytes_of[asset_id]
                self.edited.discard(asset_id)
                self.deleted.add(asset_id)
            else:
                data = f"touched up {asset_id} {at}".encode()
                (self._top / path).write_bytes(data)
                self.bytes_of[asset_id] = data
                self.edited.add(asset_id)
            self.tally[f"files that people {what}ed".replace("eed", "ed")] += 1

    def _files(self) -> dict[str, bytes]:
        found = (one for one in self._top.rglob("*") if one.is_file() and one.suffix == ".txt")
        return {str(one.relative_to(self._top)): one.read_bytes() for one in found}

    def _run(self, night: Night) -> bool:
        """Run in a process of its own; return whether it was killed."""
        process = _FORKS.Process(target=_one_run, args=(self._place, night))
        process.start()
        process.join(60)
        died = process.exitcode == -signal.SIGKILL
        if not died and process.exitcode != 0:
            self.wrong.append(f"the run ended with {process.exitcode}")
        return died

    def _judge(self, *, whole: bool) -> None:
        files = self._files()
        with open_batch(self._place.options()) as opened:
            records = opened.batch.journal.records()
            there = Counter(files.values())
            self._on_record = frozenset(file.path for one in records.values() for file in one.files)
            for file in (file for record in records.values() for file in record.files):
                if file.asset_id in self.deleted and files.get(file.path) == data_of(file.asset_id):
                    self.deleted.remove(file.asset_id)  # it was fetched again
                if file.asset_id not in self.deleted:
                    self.bytes_of.setdefault(file.asset_id, data_of(file.asset_id))
            for asset_id, data in self.bytes_of.items():
                if not there[data]:
                    self.wrong.append(f"the file of {asset_id} is lost")
            for path, data in self.foreign.items():
                if files.get(path) != data:
                    self.wrong.append(f"{path}, somebody's own, is not as it was")
            if whole and not self.wrong:
                self._judge_names(opened, files)

    def _judge_names(self, opened: OpenBatch, files: dict[str, bytes]) -> None:
        batch = opened.batch
        if opened.file.moves(batch.scope).pending():
            self.wrong.append("renames are left on record")
        self.wrong += [f"{one} is left" for one in (".moving", ".parts") if (self._top / one).exists()]
        left = look(batch)
        if not left.is_nothing:
            self.wrong.append(f"the next run would rename: {left}")
        blocked = {one.name for one in left.blocked}
        for file, wanted in _names_of(batch):
            if file.asset_id not in self.deleted:
                self._judge_one(file, files, wanted, is_blocked=wanted in blocked)
        records = batch.journal.records()
        families = Families(records)
        now = {one.job.id: _own(one, families) for one in batch.plan.entries}
        for entry in batch.plan.entries:
            family = families[entry.key]
            for key in set(family.order) - {family.current(records)}:
                self._judge_old(entry.job.id, records.get(key, Record()), now, files)
        for entry in batch.plan.removed:
            self._judge_old(entry.job.id, entry.record, now, files)
        paths = [folded(file.path) for one in batch.journal.records().values() for file in one.files]
        if len(set(paths)) != len(paths):
            self.wrong.append(f"two files have one path: {sorted(paths)}")

    def _judge_one(self, file: File, files: dict[str, bytes], wanted: str, *, is_blocked: bool) -> None:
        if files.get(file.path) != self.bytes_of[file.asset_id]:
            self.wrong.append(f"{file.asset_id} is not at {file.path}")
        if file.path != wanted and not is_blocked:
            self.wrong.append(f"{file.path} should be {wanted}, and nobody is told why it is not")
        self.tally["names that something else has"] += is_blocked

    def _judge_old(
        self, name: str, record: Record, now: Mapping[str, Record], files: dict[str, bytes]
    ) -> None:
        """What a job had before is aside, once it has its new files; an edited file stays."""
        for file in record.files:
            if file.asset_id not in self.bytes_of:
                continue
            if files.get(file.path) != self.bytes_of[file.asset_id]:
                self.wrong.append(f"{file.asset_id}, of before, is not at {file.path}")
            new = now.get(name)
            if new is None or new.state not in DONE or not new.files or file.asset_id in self.edited:
                continue
            if any(one.asset_id in self.deleted for one in new.files):
                continue
            self.tally["files that went aside"] += 1
            if not file.path.startswith("earlier/"):
                self.wrong.append(f"{file.path} is of an earlier form of {name}")

    def _again(self) -> Arranged | None:
        before = {path: (self._top / path).stat().st_mtime_ns for path in self._files()}
        with open_batch(self._place.options()) as opened:
            _, done = asyncio.run(files_in_order(opened))
        after = {path: (self._top / path).stat().st_mtime_ns for path in self._files()}
        return None if done.is_nothing and before == after else done


def _names_of(batch: Batch) -> Iterator[tuple[File, str]]:
    """Return the files of the manifest's jobs, each with the path that it should have."""
    namer, families = namer_of(batch), Families(batch.journal.records())
    for entry in batch.plan.entries:
        for index, file in enumerate(_own(entry, families).files):
            extension = extension_of(file.path)
            name = namer(
                entry.job,
                index=index,
                asset_id=file.asset_id,
                kind=kind_word(file.mime),
                extension=extension,
            )
            yield file, under(batch.home, f"assets/{name}")


def _own(entry: Entry, families: Families) -> Record:
    """Return what is on record of the purchase that is a job's own."""
    return families.records.get(families[entry.key].current(families.records), Record())


def data_of(asset_id: str) -> bytes:
    """Return what the file of an asset holds."""
    return f"the picture of {asset_id}".encode()


def _one_run(place: Place, night: Night) -> None:
    """Do what a run does with files, and die before the change that the night tells."""
    left = night.dies_at

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with open_batch(place.options()) as opened:
        sys.addaudithook(lambda event, _: step() if event in _CHANGES else None)
        connection = cast("sqlite3.Connection", opened.file._connection)
        connection.set_trace_callback(lambda sql: step() if sql == "COMMIT" else None)
        in_order, _ = asyncio.run(files_in_order(opened))
        collect(in_order, most=night.arriving)
        asyncio.run(Arranger(in_order.batch, in_order.file).arrange())


def collect(opened: OpenBatch, *, most: int) -> None:
    """Buy what waits and fetch what is missing, as far as it arrives."""
    batch = opened.batch
    store = AssetStore(batch.folder, namer=namer_of(batch), home=batch.home)
    store.prepare()
    wanted = [one for one in batch.plan.entries if one.vanished or not one.record.files]
    for entry in wanted if most > len(wanted) else wanted[:most]:
        before = next(iter(entry.record.files), None)
        asset_id = f"asset_{entry.key.content[-12:]}{entry.key.ordinal}"
        data, part = data_of(asset_id), store.part(asset_id)
        part.write_bytes(data)
        arrived = Arrived(size=len(data), sha256=sha256(data).hexdigest(), head=data)
        lay = "" if before is None else before.path
        path = store.place(part, arrived, job=entry.job, index=0, asset_id=asset_id, kind=_TEXT, lay=lay)
        digest = arrived.sha256
        file = File(asset_id=asset_id, path=path, bytes=len(data), sha256=digest, mime=_TEXT.mime)
        if entry.record.state is State.PLANNED:
            batch.journal.append(
                entry.key,
                SubmitStarted(at=1.0, job=entry.job, attempt=1, body="{}"),
                Accepted(at=2.0, remote_id=f"job_{asset_id}"),
                Succeeded(at=3.0, asset_ids=(asset_id,)),
            )
        batch.journal.append(entry.key, Collected(at=4.0, files=(file,)))
    store.close()
