"""Who a job is, and the seed and the exact body that follow from it.

Two jobs are the same job if their content keys are equal; nothing outside this module
decides that. A change to the canonical form would make every job new and buy it again,
hence the ``v1:`` in front and the golden values in the tests.
"""

import hashlib
import json
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from batchgen.errors import InputError
from batchgen.model import Job, JobKey, Json, Model, ModelInput, Scope

SEED_BOUNDS = (0, 2_147_483_647)  # what the recorded schemas declare; used where a model names none

_TEXTS = frozenset({"string", "string_array"})  # the types of inputs that take text

_FILE = {"file", "sha256"}  # the keys of a local file among the inputs: as it is written, and its content
_SAID = frozenset({"job", "output", "outputs"})  # the keys of a job among them, as the manifest says it
_REFERENCE = _SAID | {"content", "ordinal", "assets"}  # and as it is known later: see Reference
_VERSION = "v1:"  # of the canonical form
ASSET = "asset_"  # what the ids of assets begin with
EVERY = "all"  # what ``outputs`` says

_MOST_SEEDS = 2.0**53  # more, and floats cannot tell one from the next


def canonical(value: Json) -> str:
    """Write a JSON value in the one form that equal values share.

    Strings are NFC, keys sorted, ``1`` and ``1.0`` alike.

    Raises:
        ValueError: a number that JSON cannot carry.
    """
    return _encode(_normal(value))


# made once: there may be a hundred thousand jobs
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _normal(value: Json) -> Json:
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else value
    if isinstance(value, dict | Mapping):  # the first is what nearly all are, and quick to tell
        return {_normal(key): _normal(one) for key, one in value.items()}
    if isinstance(value, list | Sequence):
        return [_normal(one) for one in value]
    return value


class Reference(NamedTuple):
    """Another job, the parent, whose output goes in.

    Among the parameters it is a mapping with the keys ``job`` and ``output`` or ``outputs``, as the manifest
    says it; with ``content`` once it is known who the parent is, and with ``ordinal`` and ``assets`` once it
    is known what came out of it.

    Attributes:
        job: the parent's id.
        output: which of its assets, from 0; None for the only one, or for all.
        every: whether all of its assets go in.
        content: of the parent's key; empty as long as it is not known.
        ordinal: of the parent's key, once the assets are known.
        assets: what goes in; none as long as that is not known.
    """

    job: str
    output: int | None = None
    every: bool = False
    content: str = ""
    ordinal: int | None = None
    assets: tuple[str, ...] = ()

    @classmethod
    def read(cls, value: Mapping[str, Json]) -> "Reference":
        """Read what stands among the parameters."""
        if len(value) == 1:  # nearly all: there may be a hundred thousand
            return cls(value["job"])
        if len(value) == 2 and "content" in value:  # noqa: PLR2004 - nearly all others
            return cls(value["job"], None, False, value["content"])  # noqa: FBT003 - a tuple's field
        return cls(
            value["job"],
            value.get("output"),
            value.get("outputs") == EVERY,
            value.get("content", ""),
            value.get("ordinal"),
            tuple(value.get("assets", ())),
        )

    @property
    def key(self) -> JobKey | None:
        """The parent's key; None as long as it is not bound."""
        return None if self.ordinal is None else JobKey(self.content, self.ordinal)

    @property
    def value(self) -> dict[str, Json]:
        """What stands among the parameters."""
        value = {"job": self.job, **self.asked}
        if self.content:
            value["content"] = self.content
        if self.ordinal is not None:
            value |= {"ordinal": self.ordinal, "assets": list(self.assets)}
        return value

    @property
    def asked(self) -> dict[str, Json]:
        """Which of the parent's assets are asked for, as the manifest says it."""
        if self.every:
            return {"outputs": EVERY}
        return {} if self.output is None else {"output": self.output}


def content_key(job: Job) -> str:
    """Name what a job asks for: its model and its inputs as the manifest says them, nothing else.

    A local file is its content, wherever it lies. Another job's output is the content of that job's key and
    the output's number, whatever the job is called and whatever asset it became. A job without a prompt
    says nothing of one.
    """
    asked = {"model": job.model, "params": job.inputs}
    return _VERSION + hashlib.sha256(_asked_text(asked).encode()).hexdigest()


def _asked_text(asked: Mapping[str, Json]) -> str:
    params = asked["params"]
    simple = params
    for name, one in params.items():
        if type(one) not in _PLAIN:
            if not is_reference(one):
                return canonical({**asked, "params": _with_inputs(params, _by_content, _by_parent)})
            simple = {**simple, name: _by_parent(one)}
    text = _encode(asked if simple is params else {**asked, "params": simple})
    if text.isascii():
        return text  # nearly all jobs: such values have their one form already
    return canonical({**asked, "params": simple})


_PLAIN = frozenset({str, int, bool, type(None)})


def _by_content(file: Mapping[str, str]) -> Json:
    return {"sha256": file["sha256"]}


def _by_parent(value: Mapping[str, Json]) -> Json:
    # as long as it is not known what the parent asks for, its name has to do
    return {
        "job": value.get("content") or value["job"],
        **{key: value[key] for key in _WHICH if key in value},
    }


_WHICH = ("output", "outputs")


def files_of(job: Job) -> tuple[str, ...]:
    """Return the SHA-256 of every local file among a job's inputs, each once, in their order."""
    found: dict[str, None] = {}

    def note(file: Mapping[str, str]) -> Json:
        found[file["sha256"]] = None

    if not _PLAIN.issuperset(map(type, job.params.values())):
        _with_inputs(job.params, note, _as_it_is)
    return tuple(found)


def references_of(job: Job) -> tuple[Reference, ...]:
    """Return every job whose output goes into a job, as often as it is named, in the order of the inputs."""
    found: list[Reference] = []
    for value in job.params.values():
        if type(value) in _PLAIN:
            continue  # nearly all values: there may be a hundred thousand jobs
        if is_reference(value):
            found.append(Reference.read(value))
        else:
            found += references_in(value)
    return tuple(found)


def references_in(value: Json) -> Iterator[Reference]:
    """Return every job that is named in a value of the parameters, at whatever depth."""
    if isinstance(value, dict | Mapping):
        if is_reference(value):
            yield Reference.read(value)
            return
        for one in value.values():
            yield from references_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from references_in(one)


def with_parents(job: Job, content_of: Callable[[str], str]) -> Job:
    """Return the job with what its parents ask for.

    Args:
        job: as the manifest has it.
        content_of: gives the content of the key of the job of a name; empty where there is none.
    """
    params = dict(job.params)
    for name, value in job.params.items():
        if type(value) not in _PLAIN:
            if is_reference(value):  # nearly all
                params[name] = _with_content(value, content_of)
            else:
                params[name] = _with_inputs(value, _as_it_is, lambda one: _with_content(one, content_of))
    return _with_params(job, params)


def _with_content(value: Mapping[str, Json], content_of: Callable[[str], str]) -> dict[str, Json]:
    content = content_of(value["job"])
    return {**value, "content": content} if content else dict(value)


def with_references(job: Job, instead: Callable[[Reference], Reference]) -> Job:
    """Return the job with other references in place of its own."""
    params = _with_inputs(job.params, _as_it_is, lambda value: instead(Reference.read(value)).value)
    return _with_params(job, params)


def _with_params(job: Job, params: Mapping[str, Json]) -> Job:
    # dataclasses.replace takes three times as long, and there may be 100,000
    return Job(id=job.id, prompt=job.prompt, model=job.model, params=params, derive_seed=job.derive_seed)


def content_with_assets(job: Job) -> str:
    """Name what a job asks for by the assets that go in, in place of the jobs that they came from.

    Raises:
        InputError: it is not known what came out of one of them.
    """
    return content_key(_with_params(job, _with_inputs(job.params, _as_it_is, _bound_assets)))


def is_file(value: Json) -> bool:
    """Return whether a value of a parameter stands for a local file."""
    return (
        isinstance(value, Mapping)
        and value.keys() == _FILE
        and all(isinstance(one, str) for one in value.values())
    )


def is_reference(value: Json) -> bool:
    """Return whether a value of a parameter stands for another job's output."""
    if not isinstance(value, dict | Mapping) or "job" not in value:
        return False
    content = value.get("content")
    if content is None:
        return value.keys() <= _SAID
    # an input of a model may well have such keys: what was added here begins with what only we write
    return isinstance(content, str) and content.startswith(_VERSION) and value.keys() <= _REFERENCE


def has_asset(value: Json) -> bool:
    """Return whether the id of an asset stands anywhere in a value."""
    if isinstance(value, str):
        return value.startswith(ASSET)
    if isinstance(value, dict | Mapping):
        return any(map(has_asset, value.values()))
    return isinstance(value, list | tuple) and any(map(has_asset, value))


def as_said(value: Json) -> Json:
    """Return a value with each reference in it as the manifest says it, and no more."""
    return _with_inputs(value, _as_it_is, lambda one: {key: one[key] for key in one if key in _SAID})


def has_file(value: Json) -> bool:
    """Return whether a local file stands anywhere in a value."""
    found: list[bool] = []
    _with_inputs(value, lambda _: found.append(True), _as_it_is)
    return bool(found)


def _as_it_is(value: Mapping[str, Json]) -> Json:
    return value


def _with_inputs(
    value: Json,
    for_file: Callable[[Mapping[str, str]], Json],
    for_reference: Callable[[Mapping[str, Json]], Json],
) -> Json:
    """Return the value with something else in place of each local file and each job, at whatever depth.

    Several in place of one that stands in a list stand in that list.
    """
    if value is None or isinstance(value, str | int | float):
        return value  # nearly all values: there may be a hundred thousand jobs
    if isinstance(value, Mapping):
        if is_file(value):
            return for_file(value)
        if is_reference(value):
            return for_reference(value)
        return {key: _with_inputs(one, for_file, for_reference) for key, one in value.items()}
    if isinstance(value, Sequence):
        made: list[Json] = []
        for one in value:
            instead = _with_inputs(one, for_file, for_reference)
            if isinstance(instead, list) and is_reference(one):
                made += instead
            else:
                made.append(instead)
        return made
    return value


def derive_seed(scope: Scope, key: JobKey, attempt: int, declared: ModelInput) -> int | float:
    """Return the seed of one attempt at a job, fitted to the bounds and step the model declares.

    The same after the journal is lost, another one in every slot and for every equal job, so
    that a submission whose answer was lost can be told from all others.
    """
    named = "\x00".join((scope.batch, scope.slot, key.content, str(key.ordinal), str(attempt)))
    number = int.from_bytes(hashlib.sha256(named.encode()).digest()[:8])
    low = declared.minimum if declared.minimum is not None else SEED_BOUNDS[0]
    high = declared.maximum if declared.maximum is not None else max(low, SEED_BOUNDS[1])
    step = declared.step or 1
    if not (high - low) / step < _MOST_SEEDS:  # bounds that only say that there are none
        low, high, step = *SEED_BOUNDS, 1
    places = math.floor((high - low) / step) + 1
    seed = low + step * (number % max(1, places))
    return int(seed) if float(seed).is_integer() else seed


def seed_for(job: Job, model: Model, scope: Scope, key: JobKey, attempt: int) -> int | float | None:
    """Return the seed to send: the manifest's own, else a derived one, None where there is none."""
    if "seed" in job.params:
        given = job.params["seed"]
        return given if isinstance(given, int | float) else None
    declared = model.seed_input
    if declared is None or not job.derive_seed:
        return None
    return derive_seed(scope, key, attempt, declared)


def compose_body(
    job: Job,
    seed: float | None,
    model: Model | None = None,
    *,
    assets: Mapping[str, str] | None = None,
) -> str:
    """Write the exact body of a submit: made once, journaled, and never made again.

    Args:
        job: what is asked for.
        seed: sent with it; None for none.
        model: as the service declares it; None where that is not known. A number or a boolean, such
            as a table's cell gives, is sent as text to an input that takes text.
        assets: the asset id of every local file of the job, by its SHA-256.

    Raises:
        InputError: a local file has no asset id, or it is not known what came out of another job: neither
            path nor name must be sent in place of it.
    """
    sent = _with_inputs(job.params, lambda file: _asset_of(file, assets or {}), _bound_assets)
    # the job's own prompt, whatever stands among its parameters: it is the one in its key
    inputs = {name: one for name, one in sent.items() if name != "prompt"}
    if job.prompt is not None:
        inputs = {"prompt": job.prompt, **inputs}
    for declared in model.inputs if model else ():
        if declared.type in _TEXTS and declared.name in inputs:
            inputs[declared.name] = _as_text(inputs[declared.name])
    if seed is not None:
        inputs["seed"] = seed
    return json.dumps(inputs, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _asset_of(file: Mapping[str, str], assets: Mapping[str, str]) -> str:
    asset_id = assets.get(file["sha256"])
    if not asset_id:
        raise InputError(f"{file['file']}: was not uploaded, so the job that needs it cannot be sent")
    return asset_id


def _bound_assets(value: Mapping[str, Json]) -> Json:
    one = Reference.read(value)
    if not one.assets:
        raise InputError(f"{one.job}: nothing came out of it yet, so the job that needs it cannot be sent")
    return list(one.assets) if one.every else one.assets[0]


def _as_text(value: Json) -> Json:
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return json.dumps(value) if isinstance(value, bool | int | float) else value
