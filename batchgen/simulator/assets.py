"""What jobs made, as the service shows it; every asset follows from its job and its place in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batchgen.model import Json
from batchgen.simulator import clips, meshes, sounds
from batchgen.simulator.dates import written
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Medium
from batchgen.simulator.inputs import InputFile, parent_of
from batchgen.simulator.jobs import SUCCESS, Submission
from batchgen.simulator.models import ModelRecord
from batchgen.simulator.outputs import Output, outputs_of
from batchgen.simulator.pictures import size_of

_PREVIEW = 200  # characters of a text that its asset shows without a download
_ID_SOURCE = Draws(0)  # ids of assets follow from their job's, which is drawn from the seed
_PROMPT_TYPE = "uploaded-text"  # of a prompt that is kept as a text


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """One asset: an output of a job, or its prompt kept as a text.

    Attributes:
        index: its place among the outputs; 0 for a text.
        output: what it is.
        inputs: what its job was sent and heeds.
        sources: the files it is made of.
        parent: the asset that it has as its parent, None for none.
        still: the asset that is a picture of it, None for none.
    """

    id: str
    job: Submission
    index: int
    output: Output
    inputs: Mapping[str, Json]
    sources: tuple[Medium, ...] = ()
    parent: str | None = None
    still: str | None = None

    @property
    def is_prompt(self) -> bool:
        """Whether this is a prompt kept as a text."""
        return self.output.type == _PROMPT_TYPE

    @property
    def prompt(self) -> str:
        """The prompt it was made from, or is."""
        return str(self.inputs.get("prompt") or "")

    def exists(self, now: float) -> bool:
        """Return whether it is there yet: outputs are when their job has succeeded."""
        return self.is_prompt or (self.job.ended(now) and self.job.end.word == SUCCESS)

    def medium(self) -> Medium:
        """Name the file."""
        seed = self.inputs.get("seed")
        notes = (self.output.type if self.output.type.startswith("texture-") else "", f"#{self.index}")
        label = " ".join(one for one in (*notes, "" if seed is None else f"seed {seed}") if one)
        medium = Medium(
            id=self.id,
            mime=self.output.mime,
            text=self.output.text or self.prompt,
            label=label,
            width=self.output.width,
            height=self.output.height,
            seconds=self.output.seconds,
            effect=self.output.effect,
            options=self.output.options,
        )
        return medium.made_of(self.sources) if self.sources else medium

    def file(self) -> InputFile:
        """Describe it as the input of another job."""
        output, medium = self.output, self.medium()
        return InputFile(
            kind=output.kind,
            medium=medium,
            size=size_of(medium),
            width=output.width,
            height=output.height,
            seconds=output.seconds if output.kind in {"audio", "video"} else None,
        )


class Assets:
    """All assets by id."""

    def __init__(self, *, other_sizes: bool = False) -> None:
        self._other_sizes = other_sizes
        self._by_id: dict[str, Made] = {}
        self._of_job: dict[str, tuple[str, ...]] = {}

    def add(self, job: Submission, model: ModelRecord, files: Sequence[InputFile] = ()) -> None:
        """Take in what a job will have made, and its prompt.

        Args:
            job: as it was accepted.
            model: which it runs.
            files: what it was given.
        """
        heeded = model.heeded(job.inputs)
        inputs = {**model.defaults(), **heeded}
        outputs = outputs_of(
            job.model, model.data["capabilities"], inputs, files, other_sizes=self._other_sizes
        )
        ids = [_ID_SOURCE.id("asset_", job.remote_id, index) for index in range(len(outputs))]
        sources = tuple(one.medium for one in files if one.medium is not None)
        parent = parent_of(job.inputs, model.file_inputs) if files else None
        stills = {place + one.still_of: ids[place] for place, one in enumerate(outputs) if one.still_of}
        made = [
            Made(
                id=ids[index],
                job=job,
                index=index,
                output=one,
                inputs=heeded,
                sources=sources,
                parent=parent,
                still=stills.get(index),
            )
            for index, one in enumerate(outputs)
        ]
        text = Output(kind="text", mime="text/plain", type=_PROMPT_TYPE)
        kept = Made(id=prompt_asset_id(job), job=job, index=0, output=text, inputs=job.inputs)
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
    date = written(job.created_at if made.is_prompt else job.end.at)
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
    output = made.output
    if output.kind == "text":
        text = output.text or made.prompt
        return {
            "charCount": len(text),
            "wordCount": len(text.split()),
            "preview": text[:_PREVIEW],
            "hasFullPreview": len(text) <= _PREVIEW,
        }
    if output.kind == "audio":
        rate = dict(output.options)["rate"]
        return {"duration": output.seconds, "sampleRate": rate, "channels": sounds.CHANNELS}
    if output.kind == "3d":
        return {"format": "glb", "vertexCount": meshes.VERTICES, "faceCount": meshes.FACES, "hasUVs": True}
    shape: dict[str, Json] = {"width": output.width, "height": output.height}
    if output.kind == "video":
        frames = clips.frames_of(output.seconds)
        shape |= {"duration": frames / clips.RATE, "nbFrames": frames, "frameRate": clips.RATE}
    return shape


def _metadata(made: Made, index: int) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": made.output.kind, "type": made.output.type}
    if made.is_prompt:
        return data
    data |= {"modelId": made.job.model, "outputIndex": index, "parentJobId": made.job.remote_id}
    if "prompt" in made.inputs:
        data["prompt"] = made.prompt
    if made.parent is not None:
        data["parentId"] = made.parent
    for name in ("seed", "numOutputs", "referenceImages"):
        if name in made.inputs:
            data[name] = str(made.inputs[name]) if name == "seed" else made.inputs[name]
    return data
