"""Local files to the simulator over real HTTP: once each, whatever is lost on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.backoff import Backoff
from batchgen.errors import InputError, RefusedError, TransientError
from batchgen.journal.file import JournalFile
from batchgen.journal.file_connection import connect
from batchgen.journal.uploads import UploadRecords
from batchgen.model import Upload
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport
from batchgen.scenario.parts import HttpParts, Part
from batchgen.scenario.retry import CallRetry
from batchgen.scenario.uploads import (
    MOST_PARTS,
    PART,
    SMALL_IMAGE,
    Patience,
    UploadClient,
    is_small_image,
    part_size,
    unfit,
)
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.front import serve
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings
from batchgen.simulator.uploads import Imports
from batchgen.wiring.clock import SystemClock
from batchgen.wiring.uploads import Uploads, check_file
from tests.scenario.fakes import OpenGate

PNG = b"\x89PNG\r\n\x1a\n"
QUICK = CallRetry(backoff=Backoff(first=0.001, ceiling=0.002))
SOON = Imports(duration=(0.01, 0.02))
HASTY = Patience(first=0.005, longest=0.01, whole=3.0)


def settings(**faults: list[Fault | None]) -> Settings:
    script = {Call(name): fault for name, fault in faults.items()}
    return Settings(latency=(0.0, 0.0), fault_retry_after=0.001, faults=FaultPlan(script=script))


@dataclass
class World:
    """A service, a folder of files and a journal."""

    folder: Path
    service: Service
    base_url: str
    gate: OpenGate = field(default_factory=OpenGate)
    files: dict[str, Path] = field(default_factory=dict)

    def file(self, content: bytes, name: str = "a.png") -> str:
        path = self.folder / name
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        self.files[sha256] = path
        return sha256

    @property
    def sent(self) -> int:
        """How many assets the service was given."""
        return len(self.service._uploads)

    @asynccontextmanager
    async def run(
        self, patience: Patience = HASTY, records: type[UploadRecords] = UploadRecords
    ) -> AsyncIterator[Uploads]:
        """One life of the program."""
        path = self.folder / "journal.db"
        JournalFile.open(path).close()
        with records(connect(path), path, origin=self.base_url, project="") as opened:
            async with (
                HttpTransport(self.base_url, Credentials(key="key", secret="secret")) as transport,
                HttpParts() as parts,
            ):
                client = UploadClient(
                    transport, self.gate, project=None, parts=parts, retry=QUICK, patience=patience
                )
                yield Uploads(files=self.files, client=client, records=opened, clock=SystemClock())


@asynccontextmanager
async def world(folder: Path, how: Settings | None = None, imports: Imports = SOON) -> AsyncIterator[World]:
    async with serve(how or settings(), imports=imports) as running:
        yield World(folder, running.service, running.base_url)


LARGE = PNG + bytes(SMALL_IMAGE)
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt "


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [(PNG + b"x", "a.png", "image"), (LARGE, "b.png", "image"), (WAV, "c.wav", "audio")],
)
async def test_a_file_is_sent_once_for_ever(tmp_path: Path, content: bytes, name: str, kind: str) -> None:
    async with world(tmp_path) as there:
        sha256 = there.file(content, name)
        async with there.run() as uploads:
            assert uploads.known([sha256]) is None
            first = await uploads.ensure([sha256, sha256])
            assert uploads.known([sha256]) == first
        async with there.run() as uploads:
            assert await uploads.ensure([sha256]) == first
        assert there.sent == 1
        sent = there.service._uploads.find(first[sha256], 1e12)
        assert sent is not None
        assert (sent.content, sent.kind, sent.name) == (content, kind, name)
        assert there.service.counts["store_credentials"] == 0


async def test_a_large_file_goes_in_parts_of_which_only_calls_pass_the_gate(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        content = PNG + bytes(PART) + b"the end"
        sha256 = there.file(content)
        async with there.run() as uploads:
            asset_id = (await uploads.ensure([sha256]))[sha256]
        sent = there.service._uploads.find(asset_id, 1e12)
        assert sent is not None
        assert sent.content == content
        assert there.service.counts[Call.DOWNLOAD] == 2
        assert len(there.gate.turns) == there.service.counts[Call.ASSETS]


async def test_jobs_that_need_the_same_file_at_once_send_it_once(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        small, large = there.file(PNG + b"1"), there.file(LARGE, "b.png")
        async with there.run() as uploads:
            asked = [uploads.ensure(files) for files in ([small], [small, large], [large], [large, small])]
            answers = await asyncio.gather(*asked)
        assert there.sent == 2
        assert answers[1] == answers[3] == {**answers[0], **answers[2]}


ACCIDENTS = [
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.ERROR_AFTER,
    Fault.BAD_GATEWAY,
    Fault.THROTTLED,
    Fault.NO_JSON,
]


@pytest.mark.parametrize("fault", ACCIDENTS)
@pytest.mark.parametrize("nth", range(3))  # announced, completed, looked at
async def test_a_lost_answer_costs_no_more_than_a_further_try(tmp_path: Path, fault: Fault, nth: int) -> None:
    async with world(tmp_path, settings(assets=[*[None] * nth, fault])) as there:
        sha256 = there.file(WAV, "a.wav")
        async with there.run() as uploads:
            asset_id = (await uploads.ensure([sha256]))[sha256]
        assert there.service._uploads.find(asset_id, 1e12) is not None
        assert there.sent == 1


async def test_a_lost_answer_to_a_small_image_leaves_an_asset_that_nobody_names(tmp_path: Path) -> None:
    async with world(tmp_path, settings(assets=[Fault.CUT_AFTER])) as there:
        sha256 = there.file(PNG)
        async with there.run() as uploads:
            await uploads.ensure([sha256])
        assert there.sent == 2


async def test_parts_are_put_again(tmp_path: Path) -> None:
    faults: list[Fault | None] = [Fault.CUT_BEFORE, Fault.UNAVAILABLE, Fault.REDIRECT, Fault.EXPIRED]
    async with world(tmp_path, settings(download=faults)) as there:
        sha256 = there.file(WAV, "a.wav")
        async with there.run() as uploads:
            await uploads.ensure([sha256])
        assert there.service.counts[Call.DOWNLOAD] == 5
        assert there.sent == 1


async def test_an_upload_whose_places_have_lapsed_is_begun_again(tmp_path: Path) -> None:
    async with world(tmp_path, settings(download=[Fault.EXPIRED] * QUICK.attempts)) as there:
        sha256 = there.file(WAV, "a.wav")
        async with there.run() as uploads:
            await uploads.ensure([sha256])
        assert there.sent == 1


class Mortal(UploadRecords):
    """The process dies as it would make its n-th record."""

    left = 0

    def keep(self, upload: Upload) -> None:
        self.left -= 1
        if self.left < 0:
            raise asyncio.CancelledError
        super().keep(upload)


class MortalAtTheSecond(Mortal):
    left = 1


@pytest.mark.parametrize(
    ("content", "records", "sent", "parts"),
    [
        (PNG, Mortal, 2, 0),  # the image is there and nobody knows
        (WAV, Mortal, 1, 2),  # its parts are there and it is not completed
        (WAV, MortalAtTheSecond, 1, 1),  # it is imported, and its upload is on record
    ],
)
async def test_a_kill_between_upload_and_record_costs_at_most_one_more_upload(
    tmp_path: Path, content: bytes, records: type[UploadRecords], sent: int, parts: int
) -> None:
    async with world(tmp_path) as there:
        sha256 = there.file(content)
        async with there.run(records=records) as uploads:
            with pytest.raises(asyncio.CancelledError):
                await uploads.ensure([sha256])
            assert uploads.known([sha256]) is None
        async with there.run() as uploads:
            await uploads.ensure([sha256])
        assert there.sent == sent
        assert there.service.counts[Call.DOWNLOAD] == parts


async def test_a_run_that_dies_during_the_import_leaves_it_to_the_next(tmp_path: Path) -> None:
    async with world(tmp_path, imports=Imports(duration=(0.5, 0.5))) as there:
        sha256 = there.file(WAV, "a.wav")
        async with there.run() as uploads:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await uploads.ensure([sha256])
            assert uploads.known([sha256]) is None
        async with there.run() as uploads:
            await uploads.ensure([sha256])
        assert there.sent == 1
        assert there.service.counts[Call.DOWNLOAD] == 1


async def test_an_import_that_takes_too_long_may_still_come(tmp_path: Path) -> None:
    async with world(tmp_path, imports=Imports(duration=(60.0, 60.0))) as there:
        sha256 = there.file(WAV, "a.wav")
        async with there.run(Patience(first=0.01, longest=0.01, whole=0.05)) as uploads:
            with pytest.raises(TransientError, match="still importing"):
                await uploads.ensure([sha256])
        assert there.sent == 1


async def test_what_the_service_no_longer_shows_is_sent_again(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        sha256, other = there.file(PNG), there.file(PNG + b"2", "b.png")
        async with there.run() as uploads:
            first = await uploads.ensure([sha256, other])
        del there.service._uploads._assets[first[sha256]]
        async with there.run() as uploads:
            second = await uploads.ensure([sha256, other])
            assert second[sha256] != first[sha256]
            assert second[other] == first[other]
            uploads.forget([second[sha256]])
            assert uploads.known([sha256]) is None


async def test_a_file_that_has_changed_is_not_sent(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        small, large = there.file(PNG + b"1"), there.file(LARGE, "b.png")
        for path in there.files.values():
            path.write_bytes(path.read_bytes()[:-1] + b"!")
        async with there.run() as uploads:
            for sha256 in (small, large):
                with pytest.raises(InputError, match="has changed since it was read"):
                    await uploads.ensure([sha256])
        assert there.sent == 0


async def test_one_hopeless_file_does_not_stop_the_others_and_is_tried_once(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        good, bad, gone = there.file(PNG), there.file(b"PK\x03\x04", "a.zip"), there.file(PNG + b"2", "c.png")
        there.files[gone].unlink()
        async with there.run() as uploads:
            with pytest.raises(InputError, match=r"a\.zip: is no file that the service takes"):
                await uploads.ensure([good, bad])
            assert uploads.known([good]) is not None
            with pytest.raises(InputError, match=r"c\.png: there is no such file"):
                await uploads.ensure([gone])
            with pytest.raises(InputError, match="no file with the content"):
                await uploads.ensure(["00" * 32])
        assert there.sent == 1


async def test_a_failed_import_is_said_in_the_service_s_words(tmp_path: Path) -> None:
    async with world(tmp_path, imports=Imports(duration=(0.0, 0.0), failures=1.0)) as there:
        sha256 = there.file(WAV, "a.wav")
        async with there.run() as uploads:
            for _ in range(2):
                with pytest.raises(
                    RefusedError, match="could not import it: The file could not be validated"
                ):
                    await uploads.ensure([sha256])
        assert there.service.counts[Call.DOWNLOAD] == 1, "the same bytes would fail again"


@pytest.mark.parametrize("url", ["http://store.example/x", "ftp://127.0.0.1/x", "nowhere", "https://[x"])
async def test_a_part_goes_to_no_place_that_others_can_read(url: str) -> None:
    async with HttpParts() as parts:
        with pytest.raises(RefusedError):
            await parts.put(Part(number=1, url=url), b"x", "image/png")


def test_a_signed_place_is_not_shown() -> None:
    assert "Signature" not in repr(Part(number=1, url="https://store.example/x?Signature=s"))


@given(st.integers(1, 5 * 2**40))
def test_every_size_has_parts_that_the_store_takes(size: int) -> None:
    step = part_size(size)
    assert step >= PART
    assert 1 <= -(-size // step) <= MOST_PARTS


@pytest.mark.parametrize(
    ("mime", "size", "said"),
    [
        ("image/png", 1, None),
        ("video/mp4", 10**10, None),
        ("model/gltf-binary", 10, None),
        ("text/plain", 10, None),
        ("image/png", 0, "is empty"),
        ("video/mp4", 6 * 2**40, "is larger than the service takes"),
        ("image/bmp", 10, "is an image of a kind that the service does not take"),
        ("application/zip", 10, "is no file that the service takes"),
    ],
)
def test_what_cannot_be_an_input_is_said_before_anything_is_sent(
    mime: str, size: int, said: str | None
) -> None:
    found = unfit(mime, size)
    assert found is None if said is None else found is not None and found.startswith(said)


def test_only_small_images_go_in_one_call() -> None:
    assert is_small_image("image/png", SMALL_IMAGE)
    assert not is_small_image("image/png", SMALL_IMAGE + 1)
    assert not is_small_image("audio/wav", 10)


def test_a_file_is_told_by_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"PK\x03\x04")
    (tmp_path / "b.zip").write_bytes(PNG)
    assert check_file(tmp_path / "b.zip") is None
    assert "application/zip" in (check_file(tmp_path / "a.png") or "")
    assert "there is no such file" in (check_file(tmp_path / "none.png") or "")
