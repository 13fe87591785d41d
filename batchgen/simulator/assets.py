"""What jobs made, as the service shows it; every asset follows from its job and its place in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batchgen.model import Json
from batchgen.simulator.dates import written
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Medium
from batchgen.simulator.jobs import SUCCESS, Submission
from batchgen.simulator.models import ModelRecord
from batchgen.simulator.outputs import Output, outputs_of
from batchgen.simulator.pictures import size_of

_PREVIEW = 200  # characters of a text that its asset shows without a download
_ID_SOURCE = Draws(0)  # ids of assets follow from their job's, which is drawn from the seed
_CLIP_SECONDS, _CLIP_FRAMES = 2, 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """One asset: an output of a job, or its prompt kept as a text.

    Attributes:
        index: its place among the outputs; 0 for a text.
        output: what it is.
    """

    id: str
    job: Submission
    index: int
    output: Output

    @property
    def is_text(self) -> bool:
        """Whether this is a prompt."""
        return self.output.kind == "text"

    @property
    def prompt(self) -> str:
        """The prompt it was made from, or is."""
        return str(self.job.inputs.get("prompt") or "")

    def exists(self, now: float) -> bool:
        """Return whether it is there yet: outputs are when their job has succeeded."""
        return self.is_text or (self.job.ended(now) and self.job.end.word == SUCCESS)

    def medium(self) -> Medium:
        """Name the file."""
        seed = self.job.inputs.get("seed")
        notes = (self.output.type if self.output.type.startswith("texture-") else "", f"#{self.index}")
        label = " ".join(one for one in (*notes, "" if seed is None else f"seed {seed}") if one)
        return Medium(
            id=self.id,
            mime=self.output.mime,
            text=self.prompt,
            label=label,
            width=self.output.width,
            height=self.output.height,
        )


class Assets:
    """All assets by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Made] = {}
        self._of_job: dict[str, tuple[str, ...]] = {}

    def add(self, job: Submission, model: ModelRecord) -> None:
        """Take in what a job will have made, and its prompt."""
        inputs = {**model.defaults(), **{name: one for name, one in job.inputs.items() if one is not None}}
        outputs = outputs_of(job.model, tuple(model.data["capabilities"]), inputs)
        made = [
            Made(id=_ID_SOURCE.id("asset_", job.remote_id, index), job=job, index=index, output=one)
            for index, one in enumerate(outputs)
        ]
        text = Output(kind="text", mime="text/plain", type="uploaded-text", width=0, height=0)
        kept = Made(id=prompt_asset_id(job), job=job, index=0, output=text)
        self._by_id.update({one.id: one for one in (*made, kept)})
        self._of_job[job.remote_id] = tuple(one.id for one in made)

    def find(self, asset_id: str, now: float) -> Made | None:
        """Return an asset, None where there is none of that id, or not yet."""
        made = self._by_id.get(asset_id)
        return made if made is not None and made.exists(now) else None

    def of(self, job: Submission) -> tuple[str, ...]:
        """Return the ids of a job's outputs, in the service's order."""
        return self._of_job[job.remote_id]


def prompt_asset_id(job: Submission) -> str:
    """Return the id of the asset that a job's prompt becomes."""
    return _ID_SOURCE.id("asset_", job.remote_id, "prompt")


def asset_object(
    made: Made, *, url: str, index_always_zero: bool, extras: Mapping[str, Json]
) -> dict[str, Json]:
    """Write an asset as the service shows it.

    Args:
        made: the asset.
        url: signed, and fresh.
        index_always_zero: whether every output says it is the first.
        extras: keys that nobody documented.
    """
    job, output = made.job, made.output
    date = written(job.created_at if made.is_text else job.end.at)
    return {
        "id": made.id,
        "url": url,
        "kind": output.kind,
        "mimeType": output.mime,
        "status": "success",
        "properties": {"size": size_of(made.medium()), **_properties(made)},
        "metadata": _metadata(made, 0 if index_always_zero else made.index),
        "source": output.type.replace("texture-", "texture:"),
        "ownerId": job.owner,
        "authorId": job.author,
        "createdAt": date,
        "updatedAt": date,
        "privacy": "private",
        "tags": [],
        "collectionIds": [],
        "editCapabilities": [],
        **extras,
    }


def _properties(made: Made) -> dict[str, Json]:
    if made.is_text:
        text = made.prompt
        return {
            "charCount": len(text),
            "wordCount": len(text.split()),
            "preview": text[:_PREVIEW],
            "hasFullPreview": len(text) <= _PREVIEW,
        }
    shape: dict[str, Json] = {"width": made.output.width, "height": made.output.height}
    if made.output.kind == "video":
        shape |= {"duration": _CLIP_SECONDS, "nbFrames": _CLIP_FRAMES, "frameRate": 12}
    return shape


def _metadata(made: Made, index: int) -> dict[str, Any]:
    inputs = made.job.inputs
    data: dict[str, Any] = {"kind": made.output.kind, "type": made.output.type}
    if made.is_text:
        return data
    data |= {
        "modelId": made.job.model,
        "prompt": made.prompt,
        "outputIndex": index,
        "parentJobId": made.job.remote_id,
    }
    for name in ("seed", "numOutputs", "referenceImages"):
        if inputs.get(name) is not None:
            data[name] = str(inputs[name]) if name == "seed" else inputs[name]
    return data
