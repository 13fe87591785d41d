"""A batch made without a service: real pictures, and the results that a run would have written."""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

STYLES = ("flat vector", "pixel art", "watercolour")
MODELS = ("model_imagen4-ultra", "model_bfl-flux-1-dev")
_THINGS = ("sword", "shield", "potion", "scroll", "crown", "amulet", "lantern", "compass", "anvil", "chalice")
_MADE_OF = ("oak", "iron", "bone", "jade", "amber", "silver", "obsidian", "brass", "coral", "glass")
_RARITIES = ("common", "uncommon", "rare", "epic", "legendary")
_REASONS = (
    "the prompt was stopped by moderation",
    "the service gave no reason",
    "the model ran out of memory",
)
_PARAMS = {"aspectRatio": "1:1", "guidance": 3.5, "steps": 28, "format": "png"}


def drawn(number: int, edge: int) -> bytes:
    """Return a picture of its own, as a PNG."""
    dice = random.Random(number)
    colours = [tuple(dice.randrange(40, 230) for _ in range(3)) for _ in range(4)]
    ground = Image.new("RGB", (2, 2))
    ground.putdata(colours)
    image = ground.resize((edge, edge), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(5):
        x, y, r = dice.randrange(edge), dice.randrange(edge), dice.randrange(edge // 10, edge // 3)
        colour = tuple(dice.randrange(256) for _ in range(3))
        draw = pen.ellipse if dice.random() < 0.6 else pen.rectangle
        draw((x - r, y - r, x + r, y + r), fill=colour)
    out = BytesIO()
    image.filter(ImageFilter.SMOOTH).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _written(task: tuple[Path, int, int]) -> tuple[int, str]:
    path, number, edge = task
    data = drawn(number, edge)
    path.write_bytes(data)
    return len(data), hashlib.sha256(data).hexdigest()


def batch(folder: Path, cards: int, *, edge: int = 512, failed: int = 0) -> dict[str, Any]:
    """Draw the pictures of a batch into its folder, and return its results document.

    Args:
        folder: of the batch.
        cards: how many jobs, each with one picture: names in three styles by two models.
        edge: of the pictures, in pixels.
        failed: every so many jobs one has failed; 0 for none.
    """
    (folder / "assets").mkdir(parents=True)
    tasks = [(folder / f"assets/{_id(number)}.png", number, edge) for number in range(cards)]
    with ProcessPoolExecutor() as pool:
        files = list(pool.map(_written, tasks, chunksize=50))
    return document([_job(number, files[number], edge, failed) for number in range(cards)])


def document(jobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return results of these jobs, as ``results.json`` has them."""
    done = sum(one["status"] == "succeeded" for one in jobs)
    counts = {"succeeded": done, "failed": len(jobs) - done}
    charged = sum(one["cost"]["charged"] for one in jobs)
    cost = {
        "quoted": charged,
        "charged": charged,
        "refunded": 0,
        "net": charged,
        "refunds": {"assumed": None, "confirmed": None},
    }
    return {
        "format": "batchgen/results@1",
        "batch": "icons",
        "manifest": {"path": "icons.yaml", "sha256": "ab" * 32},
        "prompts": {},
        "chains": {},
        "summary": {
            "jobs": len(jobs),
            "statuses": counts,
            "counts": {"done": done, "failed": counts["failed"]},
            "assets": done,
            "files": done,
            "cost": cost,
            "written_at": "2026-12-01T08:00:00.000Z",
            "exit": 0,
        },
        "jobs": jobs,
    }


def _words(number: int) -> tuple[str, str, str, str]:
    """Return the name, the rarity, the style and the model of a job."""
    item, variant = divmod(number, len(STYLES) * len(MODELS))
    style, model = divmod(variant, len(MODELS))
    kind, made_of = item % len(_THINGS), item // len(_THINGS)
    name = f"{_MADE_OF[made_of % len(_MADE_OF)]} {_THINGS[kind]}"
    if made_of >= len(_MADE_OF):
        name += f" {made_of // len(_MADE_OF) + 1}"
    return name, _RARITIES[item % 7 % len(_RARITIES)], STYLES[style], MODELS[model]


def _id(number: int) -> str:
    name, _, style, model = _words(number)
    return f"{name}-{style}-{'flux' if 'flux' in model else 'imagen'}".replace(" ", "-")


def _job(number: int, file: tuple[int, str], edge: int, failed: int) -> dict[str, Any]:
    name, rarity, style, model = _words(number)
    is_failed = bool(failed) and number % failed == failed - 1
    asset = f"asset_{hashlib.sha256(str(number).encode()).hexdigest()[:24]}"
    size, sha256 = file
    day, second = 1 + number // 8000, number % 50
    made = {
        "asset_id": asset, "path": f"assets/{_id(number)}.png", "bytes": size, "sha256": sha256,
        "mime": "image/png", "width": edge, "height": edge, "duration": None,
        "kind": "image", "type": "txt2img",
    }  # fmt: skip
    return {
        "id": _id(number),
        "prompt": f"game icon of a {rarity} {name}, {style}, centred on a plain background, soft light",
        "model": model,
        "params": dict(_PARAMS),
        "entry": "icon",
        "vars": {"name": name, "rarity": rarity, "style": style},
        "tags": ["cover"] if number % 90 < 6 else [],
        "parents": [],
        "status": "failed" if is_failed else "succeeded",
        "job_id": f"job_{number:024d}",
        "asset_ids": [] if is_failed else [asset],
        "files": [] if is_failed else [made],
        "cost": {"quoted": 8, "charged": 8 if "imagen" in model else 3, "refunded": 0},
        "attempts": 1,
        "seed": number * 7919,
        "times": {
            "submitted": f"2026-12-{day:02d}T07:{second:02d}:00.000Z",
            "started": f"2026-12-{day:02d}T07:{second:02d}:01.000Z",
            "finished": f"2026-12-{day:02d}T07:{second:02d}:{9 + number % 40:02d}.250Z",
        },
        "error": {"message": _REASONS[number % len(_REASONS)]} if is_failed else None,
        "earlier": [],
    }  # fmt: skip


def changed(document: Mapping[str, Any], folder: Path, number: int) -> dict[str, Any]:
    """Return the same results with another picture in the place of one."""
    jobs = list(document["jobs"])
    job = json.loads(json.dumps(jobs[number]))
    size, sha256 = _written((folder / job["files"][0]["path"], -1 - number, job["files"][0]["width"]))
    job["files"][0] |= {"bytes": size, "sha256": sha256}
    jobs[number] = job
    return {**document, "jobs": jobs}
