"""A small batch with every kind of outcome, and its files on disk."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from batchgen.lifecycle import Record, State
from batchgen.model import File, Job, JobKey, Refund, Submission
from batchgen.output.entries import Parent, Row
from batchgen.output.kinds import kind_of
from batchgen.output.summary import Results
from batchgen.planning.chains import ChainCount

START = 1_790_000_000.25
HOSTILE = (
    '"><script>window.owned = 1</script></script><img src=x onerror="window.owned=1">{{ 7 * 7 }} \'& =1+1'
)

HOSTILE_TEXTS = (
    "</script><script>window.owned = 1</script>",
    "<!--<script>",
    "]]>",
    "\u202eevil\u202c \u200f",
    "a\0b\r\n\u2028\u2029",
    "{{ 7 * 7 }} {% raw %}",
    "half a pair \ud83d",
    "<b>\"'&amp;" + "x" * 10_000,
    "__proto__",
)


@pytest.fixture
def png() -> Callable[..., bytes]:
    def draw(
        size: tuple[int, int] = (640, 480), colour: str = "#c8643c", mode: str = "RGB", form: str = "PNG"
    ) -> bytes:
        out = io.BytesIO()
        image = Image.new("RGB", size, colour)
        pen = ImageDraw.Draw(image)
        pen.ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill="#f7e3b0")
        pen.rectangle((0, size[1] * 3 // 4, size[0], size[1]), fill="#27323f")
        image.convert(mode).save(out, form)
        return out.getvalue()

    return draw


@dataclass(frozen=True)
class Sheet:
    """What a manifest says of its jobs beside what is sent: of each its entry, its variables and its tags."""

    lines: Sequence[tuple[str, Mapping[str, Any], tuple[str, ...]]]

    def entry(self, index: int) -> str:
        return self.lines[index][0]

    def variables(self, index: int) -> Mapping[str, Any]:
        return self.lines[index][1]

    def tags(self, index: int) -> tuple[str, ...]:
        return self.lines[index][2]


SHEET = Sheet(
    [
        ("tower", {"material": "oak", "rarity": "rare", "height": 12}, ("cover", "hero, main")),
        ("tower", {"material": "=1+1", 'a "name", of\ntwo lines': True}, ()),
        ("", {"url": "https://x.test/a.png?Signature=abc", "heights": [1, -2.5], "none": None}, ("=cover",)),
        *[("", {}, ())] * 7,
    ]
)


@pytest.fixture
def shelve(tmp_path: Path) -> Callable[..., File]:
    def put(asset_id: str, name: str, data: bytes, **more: Any) -> File:
        path = tmp_path / "assets" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return File(
            asset_id=asset_id,
            path=f"assets/{name}",
            bytes=123_456,  # the golden documents must not depend on how well zlib packs
            sha256=hashlib.sha256(asset_id.encode()).hexdigest(),
            mime=kind_of(data[:4096]).mime,
            **more,
        )

    return put


def _row(id_: str, prompt: str, record: Record | None = None, **more: Any) -> Row:
    params: Mapping[str, Any] = more.pop("params", {"aspectRatio": "16:9"})
    model = more.pop("model", "model_imagen4-ultra")
    job = Job(id=id_, prompt=prompt, model=model, params=params)
    return Row(job=job, key=JobKey(f"v1:{id_}"), record=record, **more)


@pytest.fixture
def make_row() -> Callable[..., Row]:
    return _row


def _record(state: State, remote: str | None, **more: Any) -> Record:
    prompt = more.pop("prompt", "a prompt")
    charged = more.pop("charged", Decimal("7.25"))
    back = more.pop("refunded", None)
    refund = Refund.ASSUMED if back else Refund.NONE
    one = Submission(
        remote_id=remote or "", attempt=1, at=START, charged=charged, refund=refund, refunded=back
    )
    paid = (one,) if remote else ()
    body = json.dumps({"prompt": prompt, "aspectRatio": "16:9", "seed": 42})
    seed = more.pop("seed", 42.0)
    return Record(state=state, body=body, seed=seed, quoted=Decimal(7), submissions=paid, **more)


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return _record


@pytest.fixture
def results(png: Callable[..., bytes], shelve: Callable[..., File]) -> Results:
    """Nine jobs: two assets, one asset of the same prompt, and one of every other end."""
    drawn = {"width": 640, "height": 480, "kind": "image"}
    first = shelve("asset_A1", "tower-oak_0.png", png(), **drawn, type="texture-normal")
    second = shelve("asset_A2", "tower-oak_1.png", png(colour="#3c7d8c"), **drawn, duration=2.5)
    third = shelve("asset_B1", "tower again #2?_0.png", png(size=(300, 500)))
    ended = {"started_at": START + 1, "finished_at": START + 13.5}
    rows = (
        _row(
            "tower-oak",
            "an oak watch tower",
            _record(
                State.COLLECTED,
                "job_1",
                asset_ids=("asset_A1", "asset_A2"),
                files=(first, second),
                **ended,
            ),
        ),
        _row(
            "tower-again",
            "an oak watch tower",
            _record(State.COLLECTED, "job_2", asset_ids=("asset_B1",), files=(third,), **ended),
            model="model_bfl-flux-1-dev",
        ),
        _row("hostile", HOSTILE),
        _row("running", "a cat that runs", _record(State.RUNNING, "job_3")),
        _row("lost", "a cat out of sight", _record(State.RUNNING, "job_4"), out_of_sight=True),
        _row("doubt", "a cat in a box", _record(State.IN_DOUBT, None, error="the answer was cut off")),
        _row(
            "failed",
            "a cat that failed",
            _record(
                State.FAILED,
                "job_5",
                error="see https://x.test/e?Signature=abc",
                refunded=Decimal("7.25"),
                **ended,
            ),
        ),
        _row("refused", "a cat refused", _record(State.REFUSED, None, error="prompt is too long")),
        _row("gone", "a cat given up", _record(State.ABANDONED, None, error="by hand")),
        _row("canceled", "a cat canceled", _record(State.CANCELED, "job_6", charged=Decimal(0))),
    )
    old = _row("old", "a cat of last week", _record(State.SUCCEEDED, "job_7", asset_ids=("asset_C1",)))
    before = _row("tower-again", "an elm tower", _record(State.FAILED, "job_0", error="a reason"))
    made = [replace(row, words=SHEET, index=at) for at, row in enumerate(rows)]
    made[1] = replace(made[1], earlier=(before,))
    return Results(
        batch="spring",
        manifest_path="jobs/spring batch.yaml",
        manifest_sha256="ab" * 32,
        rows=made,
        removed=(old,),
        written_at=START + 60,
        reasons=("some jobs failed; try them again with --retry-failed",),
        exit=3,
    )


WHY = "blocked by hop, which failed; `batchgen retry jobs.yaml hop` tries it again and frees what it blocks"


@pytest.fixture
def chained(
    results: Results,
    make_row: Callable[..., Row],
    make_record: Callable[..., Record],
    shelve: Callable[..., File],
    png: Any,
) -> Results:
    """Three chains: one that is done, one that a failed step blocks, and one into which two jobs go."""

    def done(name: str, *parents: Parent, kept: bool = True) -> Row:
        file = shelve(f"asset_{name}", f"{name}.png", png(), width=640, height=480)
        record = make_record(
            "collected",
            f"job_{name}",
            asset_ids=(file.asset_id,),
            files=(file,) if kept else (),
            charged=Decimal(4),
            started_at=100.0,
            finished_at=112.5,
        )
        return make_row(name, f"a knight, {name}", record, parents=parents)

    rows = (
        done("idle"),
        done("idle-cut", Parent("idle", "asset_idle"), kept=False),
        done("idle-big", Parent("idle-cut", "asset_idle-cut")),
        make_row("hop", "a knight, hop", make_record("failed", "job_hop", error="<b>too dark</b>")),
        make_row(
            "hop-cut", "cut", parents=(Parent("hop", None),), blocked=WHY, waits_for=("hop",), params={}
        ),
        done("sheet", Parent("idle", "asset_idle"), Parent("hop", None)),
    )
    chains = {"idle-big": ["idle", "idle-cut"], "hop-cut": ["hop"], "sheet": ["idle", "hop"]}
    count = ChainCount(chains=3, done=2, steps=6, steps_done=4, waiting=0, blocked=1)
    return replace(results, rows=rows, removed=(), chains=chains, progress=count)
