"""Recorded models, small ones made by hand, and a manifest that says where its parts are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchgen.catalog.inputs import Findings, check_jobs
from batchgen.manifest.source.problems import Place
from batchgen.model import Job, Json, Model
from batchgen.scenario.fields import parse_object
from batchgen.scenario.wire import parse_model
from batchgen.simulator.models import Catalogue

RECORDED: Mapping[str, Model] = {
    one.id: parse_model(parse_object(json.dumps(one.data).encode())) for one in Catalogue.recorded()
}
RAW: Mapping[str, Sequence[Mapping[str, Any]]] = {one.id: one.inputs for one in Catalogue.recorded()}


def made(*inputs: Mapping[str, Json], **fields: Json) -> Model:
    """A model of these inputs, a prompt before them."""
    prompt = {"name": "prompt", "type": "string", "maxLength": 50}
    record = {"id": "model_made", "type": "custom", "inputs": [prompt, *inputs], **fields}
    return parse_model(parse_object(json.dumps(record).encode()))


@dataclass(frozen=True)
class SourceFile:
    """Jobs whose places are the names of their parts."""

    jobs: tuple[Job, ...]
    literal: bool = True
    off: frozenset[str] = field(default_factory=frozenset)
    table: frozenset[str] = field(default_factory=frozenset)

    def place_of(self, index: int, *path: str | int) -> Place:
        return Place(f"{index}/{'/'.join(map(str, path))}")

    def is_literal(self, index: int, *path: str | int) -> bool:
        assert index < len(self.jobs)
        assert path
        return self.literal

    def written(self, index: int, *path: str | int) -> Json:
        return self.jobs[index].prompt if path == ("prompt",) else None

    def columns(self, index: int) -> frozenset[str]:
        assert index < len(self.jobs)
        return self.table

    def goes_through_kept(self, index: int) -> bool:  # noqa: ARG002 - as of a manifest
        return False

    def unchecked(self, index: int) -> frozenset[str]:
        assert index < len(self.jobs)
        return self.off


def promptless(*inputs: Mapping[str, Json], **fields: Json) -> Model:
    """A model of these inputs alone, such as a tool that takes a picture."""
    record = {"id": "model_tool", "type": "custom", "inputs": [*inputs], **fields}
    return parse_model(parse_object(json.dumps(record).encode()))


CUT_OUT = promptless({"name": "image", "type": "file", "kind": "image", "required": {"always": True}})
SPEECH = promptless(
    {"name": "text", "type": "string", "maxLength": 5000, "required": {"always": True}},
    {"name": "voice", "type": "string", "allowedValues": ["Rachel", "Adam"], "default": "Rachel"},
)


def paper(
    params: Mapping[str, Json], model: Model, *, prompt: str | None = "a tower", **says: Any
) -> SourceFile:
    return SourceFile((Job(id="tower", prompt=prompt, model=model.id, params=params),), **says)


def check(params: Mapping[str, Json], model: Model, **says: Any) -> Findings:
    return check_jobs(paper(params, model, **says), {model.id: model})


def complaints(params: Mapping[str, Json], model: Model, **says: Any) -> list[str]:
    """The problems as ``place: text``, without the job's number and the model's name."""
    found = check(params, model, **says).problems
    return [str(one).removeprefix("0/").replace(f" of {model.id}", "", 1) for one in found]
