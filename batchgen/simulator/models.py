"""The models the service knows: recorded input schemas, one JSON file each, read and never changed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from batchgen.model import Json
from batchgen.simulator.draws import Span

_OF_FILES = frozenset({"file", "file_array", "inputs_array"})
_LEFT_OUT_OF_LISTS = frozenset({"inputs", "uiConfig"})


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One model.

    Attributes:
        data: the whole record as the service shows it.
        inputs: the declared inputs, in order.
        file_inputs: those of them that take files.
    """

    data: Mapping[str, Any]
    inputs: tuple[Mapping[str, Any], ...] = field(init=False, repr=False)
    file_inputs: tuple[Mapping[str, Any], ...] = field(init=False, repr=False)
    _names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        inputs = tuple(self.data["inputs"])
        files = tuple(one for one in inputs if one["type"] in _OF_FILES)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "file_inputs", files)
        object.__setattr__(self, "_names", frozenset(one["name"] for one in inputs))

    @property
    def id(self) -> str:
        """The service's id."""
        return str(self.data["id"])

    @property
    def rank(self) -> int:
        """The plan that is needed, 0 for none."""
        return int(self.data["accessRestrictions"])

    @property
    def is_tool(self) -> bool:
        """Whether it works on one picture and makes none of words."""
        return list(self.data["capabilities"]) == ["img2img"]

    def defaults(self) -> dict[str, Json]:
        """Return the inputs that have a default, with it."""
        return {one["name"]: one["default"] for one in self.inputs if "default" in one}

    def heeded(self, inputs: Mapping[str, Json]) -> dict[str, Json]:
        """Return those inputs of a job that it declares, nulls left out; others do nothing."""
        return {name: one for name, one in inputs.items() if one is not None and name in self._names}

    def complete(self, inputs: Mapping[str, Json]) -> dict[str, Json]:
        """Return what a job runs with: what was sent of the declared inputs, and the defaults of the rest."""
        return {**self.defaults(), **self.heeded(inputs)}

    def row(self) -> dict[str, Json]:
        """Return the model as a listing shows it: without its inputs."""
        return {key: value for key, value in self.data.items() if key not in _LEFT_OUT_OF_LISTS}

    def detail(self, duration: Span | None) -> dict[str, Json]:
        """Return the model as it is shown alone.

        Args:
            duration: the seconds that its jobs take, to be published; None for not published.
        """
        if duration is None:
            return dict(self.data)
        low, high = duration
        half, most = low + 0.5 * (high - low), low + 0.75 * (high - low)
        key = str(self.data["capabilities"][0])
        variant = {
            "variantKey": key,
            "capability": key,
            "computedAt": self.data["updatedAt"],
            "inferenceLatencyP50Sec": half,
            "inferenceLatencyP75Sec": most,
            "totalLatencyP50Sec": half,
            "totalLatencyP75Sec": most,
        }
        return {**self.data, "performanceStats": {"default": key, "variants": [variant]}}


class Catalogue:
    """All models by id."""

    def __init__(self, records: Mapping[str, ModelRecord]) -> None:
        self._records = dict(sorted(records.items()))

    @classmethod
    def recorded(cls) -> "Catalogue":
        """Read the models that come with the package."""
        folder = resources.files("batchgen.simulator") / "models"
        texts = (one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".json"))
        records = (ModelRecord(json.loads(text)) for text in texts)
        return cls({one.id: one for one in records})

    def __iter__(self) -> Iterator[ModelRecord]:
        return iter(self._records.values())

    def get(self, model_id: str) -> ModelRecord | None:
        """Return a model, None where there is none of that id."""
        return self._records.get(model_id)
