"""What a journal on a real file must do when the file, the disk or another process is in the way."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.errors import JournalError
from batchgen.journal import schema
from batchgen.journal.batch import BatchJournal
from batchgen.journal.file_store import FileStore
from batchgen.journal.filesystem import refuse_network
from batchgen.lifecycle import Accepted, Collected, State, SubmitStarted, Succeeded
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Reservation, Window
from tests.support.lives import JOB
from tests.support.opened import OpenedFile as JournalFile

SCOPE = Scope(origin="http://127.0.0.1/v1", project="", batch="spring")
KEY = JobKey("v1:a")
STARTED = SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "output" / "journal.db"


def test_the_folder_is_made(path: Path) -> None:
    with JournalFile.open(path) as file:
        assert file.scopes() == []
    assert path.is_file()


def test_intents_and_receipts_are_synced_and_other_events_only_logged(path: Path) -> None:
    file = JournalFile.open(path)
    journal = file.batch(SCOPE)
    said: list[str] = []
    file._connection.set_trace_callback(said.append)

    def how(*events: object) -> str:
        journal.append(KEY, *events)  # type: ignore[arg-type]  # events, as the callers give them
        (level,) = file._connection.execute("PRAGMA synchronous").fetchone()
        return {1: "logged", 2: "synced"}[level]

    assert how(STARTED) == "synced"
    assert how(Accepted(at=2.0, remote_id="job_1")) == "synced"
    assert how(Succeeded(at=3.0)) == "logged"
    assert how(Collected(at=4.0)) == "logged"
    pragma, begin = (
        next(n for n, one in enumerate(said) if one.startswith(word))
        for word in ("PRAGMA synchronous = N", "BEGIN")
    )
    assert said[pragma + 2].startswith("BEGIN") or said[pragma + 1].startswith("BEGIN")
    assert begin < pragma  # the first two ran as the file was opened: synced


def test_a_reader_sees_what_is_there_and_blocks_nobody(path: Path) -> None:
    before = JournalFile.open_to_read(path)
    assert (before.scopes(), dict(before.batch(SCOPE).records())) == ([], {})
    assert not path.exists()
    writer = JournalFile.open(path).batch(SCOPE)
    writer.append(KEY, STARTED)
    reader = JournalFile.open_to_read(path)
    reader._connection.execute("BEGIN")
    assert reader.batch(SCOPE).records()[KEY].state is State.SUBMITTING
    writer.append(KEY, Accepted(at=2.0, remote_id="job_1"))
    assert reader.batch(SCOPE).records()[KEY].state is State.SUBMITTING, "its own moment"
    reader._connection.execute("COMMIT")
    assert reader.batch(SCOPE).records()[KEY].state is State.RUNNING
    with pytest.raises(JournalError, match="read-only"):
        reader.batch(SCOPE).append(KEY, Succeeded(at=3.0))


@pytest.fixture
def copy_to_look_at() -> Iterator[Path]:
    """A journal in a folder where nobody may write, as a copy on a disk that is mounted to be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.db")
        with JournalFile.open(path) as file:
            file.batch(SCOPE).append(KEY, STARTED)
        was, is_root = os.geteuid(), os.geteuid() == 0
        Path(folder).chmod(0o555)
        try:
            if is_root:  # who may write anywhere
                os.seteuid(65534)
            yield path
        finally:
            if is_root:
                os.seteuid(was)
            Path(folder).chmod(0o755)


def test_a_copy_that_nobody_may_write_is_read_by_all_that_only_looks(copy_to_look_at: Path) -> None:
    """The kind: each reader opened the file in its own way, and one alone knew of a folder without a log."""
    with JournalFile.open_to_read(copy_to_look_at) as file:
        assert file.batch(SCOPE).records()[KEY].state is State.SUBMITTING
    with FileStore(copy_to_look_at.parent).uploads_to_read(origin=SCOPE.origin, project="") as uploads:
        assert not uploads.find(["aa"])
    assert (
        not FileStore(copy_to_look_at.parent).quotes(origin=SCOPE.origin, project="").find(["a"], since=0.0)
    )
    assert not FileStore(copy_to_look_at.parent).purchases(origin=SCOPE.origin).known()
    with pytest.raises(JournalError):
        JournalFile.open(copy_to_look_at)


def test_a_file_of_a_newer_program_is_refused(path: Path) -> None:
    JournalFile.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    for way in (JournalFile.open, JournalFile.open_to_read):
        with pytest.raises(JournalError, match="written by a newer batchgen"):
            way(path)


def test_a_file_that_is_made_is_opened_again_as_it_is(path: Path) -> None:
    JournalFile.open(path).batch(SCOPE).append(KEY, STARTED)
    with JournalFile.open(path) as file:
        assert KEY in file.batch(SCOPE).records()


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be looked at" * 40, b"\x00" * 5000]
)
def test_a_file_that_is_no_journal_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"journal\.db: .*journal"):
        JournalFile.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [1, 14])
def test_a_file_of_a_development_version_is_refused_with_what_to_do_and_left_alone(
    path: Path, version: int
) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE scopes (id INTEGER PRIMARY KEY)")
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = path.read_bytes()
    for way in (JournalFile.open, JournalFile.open_to_read):
        with pytest.raises(
            JournalError, match=r"a development version of batchgen .*another output folder with -o"
        ):
            way(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_named_with_what_to_do(path: Path) -> None:
    with JournalFile.open(path) as file:
        journal = file.batch(SCOPE)
        for number in range(300):
            journal.append(JobKey(f"v1:{number}"), STARTED)
    size = path.stat().st_size
    with path.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (size - 4096))
    with pytest.raises(JournalError, match="damaged"), JournalFile.open(path) as file:
        file.batch(SCOPE)


def test_a_row_that_cannot_be_read_is_damage_too(path: Path) -> None:
    with JournalFile.open(path) as file:
        file.batch(SCOPE).append(KEY, STARTED)
        file._connection.execute("UPDATE records SET fields = '{\"no\": 1}'")
        with pytest.raises(JournalError, match="damaged"):
            file.batch(SCOPE)


def fill(journal: BatchJournal) -> None:
    for number in range(10_000):
        journal.append(JobKey(f"v1:{number}"), STARTED)


def test_a_full_disk_loses_nothing_that_was_there(path: Path) -> None:
    file = JournalFile.open(path)
    journal = file.batch(SCOPE)
    journal.append(KEY, STARTED)
    (pages,) = file._connection.execute("PRAGMA page_count").fetchone()
    file._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="disk is full"):
        fill(journal)
    there = dict(journal.records())
    file._connection.execute("PRAGMA max_page_count = 100000")
    assert dict(JournalFile.open(path).batch(SCOPE).records()) == there
    journal.append(KEY, Accepted(at=2.0, remote_id="job_1"))


def test_two_writers_of_a_batch_cannot_overwrite_each_other(path: Path) -> None:
    one, other = JournalFile.open(path).batch(SCOPE), JournalFile.open(path).batch(SCOPE)
    one.append(KEY, STARTED)
    with pytest.raises(JournalError, match="another process"):
        other.append(KEY, STARTED)
    late = JournalFile.open(path).batch(SCOPE)
    one.append(KEY, Accepted(at=2.0, remote_id="job_1"))
    with pytest.raises(JournalError, match="another process"):
        late.append(KEY, Accepted(at=2.0, remote_id="job_2"))
    again = JournalFile.open(path).batch(SCOPE)
    assert [submission.remote_id for submission in again.records()[KEY].submissions] == ["job_1"]
    assert len(list(again.history())) == 2


def test_a_journal_that_is_removed_under_a_run_takes_no_intent(path: Path) -> None:
    journal = JournalFile.open(path).batch(SCOPE)
    journal.append(KEY, STARTED)
    path.rename(path.with_suffix(".old"))
    with pytest.raises(JournalError, match="removed or replaced"):
        journal.append(JobKey("v1:b"), STARTED)


def test_a_folder_in_the_journals_place_is_an_error_that_says_so(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError, match="not a regular file, but a folder"):
        JournalFile.open(path)


def test_events_cannot_be_changed_or_deleted(path: Path) -> None:
    file = JournalFile.open(path)
    file.batch(SCOPE).append(KEY, STARTED)
    for statement in ("DELETE FROM events", "UPDATE events SET name = 'Refused'"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            file._connection.execute(statement)


def test_scopes_do_not_see_each_other_but_share_the_remote_ids_of_an_origin(path: Path) -> None:
    file = JournalFile.open(path)
    spring, autumn = file.batch(SCOPE), file.batch(Scope(origin=SCOPE.origin, project="", batch="autumn"))
    rehearsal = file.batch(Scope(origin="simulator", project="", batch="spring"))
    for journal in (spring, autumn, rehearsal):
        journal.append(KEY, STARTED)
    spring.append(KEY, Accepted(at=2.0, remote_id="job_1"))
    with pytest.raises(JournalError, match="already belongs"):
        autumn.append(KEY, Accepted(at=2.0, remote_id="job_1"))
    rehearsal.append(KEY, Accepted(at=2.0, remote_id="job_1"))
    assert autumn.records()[KEY].state is State.SUBMITTING
    assert [scope.batch for scope in file.scopes()] == ["spring", "autumn", "spring"]


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/me/local\\040disk ext4 rw 0 0
//nas/share /mnt/nas cifs rw 0 0
server:/x /mnt/\u00e9t\u00e9\\040x nfs4 rw 0 0
"""
# fmt: off
NOT_LOCAL = (
    "nfs", "nfs4", "cifs", "smb3", "afs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "davfs",
    "9p", "drvfs", "vboxsf", "vmhgfs", "prl_fs", "fuse", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse",
    "fuse.rclone", "fuse.goofys", "fuse.blobfuse", "fuse.blobfuse2", "fuse.juicefs", "fuse.glusterfs",
    "fuse.ceph-fuse", "fuse.mount-s3", "fuse.davfs2", "fuse.s3ql", "fuse.ossfs", "fuse.cosfs",
    "fuse.vmhgfs-fuse", "fuse.grpcfuse",
)
LOCAL = (
    "ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "f2fs", "bcachefs", "vfat", "exfat", "ntfs3",
    "fuseblk", "fuse.fuse-overlayfs", "fuse.encfs", "fuse.gocryptfs", "fuse.mergerfs", "fuse.bindfs",
    "ecryptfs", "virtiofs", "apfs",
)
# fmt: on


@pytest.mark.parametrize("folder", ["/home/me", "/mnt/nas/output", "/home", "/mnt/\u00e9t\u00e9 x/output"])
def test_a_network_file_system_is_refused(folder: str) -> None:
    with pytest.raises(JournalError, match="network file system"):
        refuse_network(Path(folder), MOUNTS)


def test_what_other_machines_see_too_is_refused_of_whatever_kind() -> None:
    """Network disks, object stores behind fuse, folders of the host of a guest; unknown kinds of fuse."""
    for kind in NOT_LOCAL:
        mounts = f"/dev/vda / ext4 rw 0 0\nit /data {kind} rw 0 0\n"
        with pytest.raises(JournalError, match=rf"/data/output: .*\({kind}\), .*local disk with -o"):
            refuse_network(Path("/data/output"), mounts)
        refuse_network(Path("/work/output"), mounts)


def test_what_only_this_machine_sees_is_taken_of_whatever_kind() -> None:
    for kind in LOCAL:
        refuse_network(Path("/data/output"), f"/dev/vda / ext4 rw 0 0\nit /data {kind} rw 0 0\n")
    refuse_network(Path("/data/output"), "none / 9p rw,trans=fd 0 0\n")  # the root of a sandbox is its own
    with pytest.raises(JournalError, match="shared with another system"):
        refuse_network(Path("/mnt/c/output"), "none / ext4 rw 0 0\nC:\\134 /mnt/c 9p rw,aname=drvfs 0 0\n")


@pytest.mark.parametrize("folder", ["/work", "/home/me/local disk/output", "/mnt", "/homes"])
def test_a_local_disk_is_taken_wherever_it_is_mounted(folder: str) -> None:
    refuse_network(Path(folder), MOUNTS)
    refuse_network(Path(folder), "")
    assert folder


NEXT = JobKey("v1:next")


def test_what_is_kept_for_later_steps_is_made_in_the_transaction_of_the_intent(path: Path) -> None:
    file = JournalFile.open(path)
    journal = file.batch(SCOPE)
    said: list[str] = []
    file._connection.set_trace_callback(said.append)
    journal.append(KEY, replace(STARTED, reserved=Decimal(1)), reserves={NEXT: Decimal("0.25")})
    written = [one.split()[2] for one in said if one.startswith("INSERT INTO")]
    assert [one for one in said if one in ("BEGIN IMMEDIATE", "COMMIT")] == ["BEGIN IMMEDIATE", "COMMIT"]
    assert {"events", "records", "reservations", "totals"} <= set(written)
    assert said[0].startswith("PRAGMA synchronous = FULL") or said[0] == "BEGIN IMMEDIATE"


def test_a_journal_from_before_reservations_has_none_and_gets_them(path: Path) -> None:
    with JournalFile.open(path) as file:
        file.batch(SCOPE).append(KEY, STARTED)
        file._connection.execute("DROP TABLE reservations")
    with JournalFile.open_to_read(path) as older:
        assert dict(older.batch(SCOPE).reservations()) == {}
    with JournalFile.open(path) as file:
        file.batch(SCOPE).reserve({NEXT: Reservation(Decimal(2), 1.0, KEY)})
        assert list(file.batch(SCOPE).reservations()) == [NEXT]


def test_what_a_killed_run_of_a_batch_kept_is_dropped_in_all_of_its_slots_and_in_no_other_batch(
    path: Path,
) -> None:
    file = JournalFile.open(path)
    scopes = [replace(SCOPE, slot=slot) for slot in ("", "monday")] + [replace(SCOPE, batch="autumn")]
    for scope in scopes:
        file.batch(scope).append(KEY, STARTED, reserves={NEXT: Decimal(2)})
    opened = file.batch(SCOPE)
    file.drop_reservations("spring")
    opened.release([NEXT])
    opened.release([NEXT])
    day = Allowance(windows=(Window(name="today", cap=Decimal(9), since=0.0),))
    assert [len(file.batch(one).reservations()) for one in scopes] == [0, 0, 1]
    assert list(opened.spent(day)) == [2]


@pytest.mark.parametrize("body", ["{}", '{"image":"asset_1"}'], ids=["a prompt", "with a picture"])
def test_a_look_for_equals_in_doubt_costs_the_same_beside_thousands(path: Path, body: str) -> None:
    """Of a kind: what is done for each job must not go through all that ask for the same."""
    with JournalFile.open(path) as file:
        journal = file.batch(SCOPE)

        def steps_beside(first: int, count: int) -> int:
            for ordinal in range(first, count):
                journal.append(JobKey("v1:a", ordinal), replace(STARTED, body=body))
                journal.append(
                    JobKey("v1:a", ordinal), Accepted(at=2.0, remote_id=f"job_{ordinal}"), Succeeded(at=3.0)
                )
            steps: list[None] = []
            file._connection.set_progress_handler(lambda: steps.append(None), 1)
            assert journal.bodies_in_doubt(JobKey("v1:b"), body) == frozenset()
            assert journal.bodies_in_doubt(JobKey("v1:a", count), body) == frozenset()
            file._connection.set_progress_handler(None, 1)
            return len(steps)

        assert steps_beside(0, 4) == steps_beside(4, 40)
