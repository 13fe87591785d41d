"""Who a job is, and the seed and the exact body that follow from it.

Two jobs are the same job if their content keys are equal; nothing outside this module
decides that. A change to the canonical form would make every job new and buy it again,
hence the ``v1:`` in front and the golden values in the tests.
"""

import hashlib
import json
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from batchgen.errors import InputError
from batchgen.model import Job, JobKey, Json, Model, ModelInput, Scope

SEED_BOUNDS = (0, 2_147_483_647)  # what the recorded schemas declare; used where a model names none

_TEXTS = frozenset({"string", "string_array"})  # the types of inputs that take text

_FILE = {"file", "sha256"}  # the keys of a local file among the inputs: as it is written, and its content

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


def content_key(job: Job) -> str:
    """Name what a job asks for: its model and its inputs as the manifest says them, nothing else.

    A local file is its content, wherever it lies. A job without a prompt says nothing of one.
    """
    asked = {"model": job.model, "params": job.inputs}
    return "v1:" + hashlib.sha256(_asked_text(asked).encode()).hexdigest()


def _asked_text(asked: Mapping[str, Json]) -> str:
    params = asked["params"]
    if _PLAIN.issuperset(map(type, params.values())):
        text = _encode(asked)
        if text.isascii():
            return text  # nearly all jobs: such values have their one form already
    return canonical({**asked, "params": _with_files(params, _by_content)})


_PLAIN = frozenset({str, int, bool, type(None)})


def _by_content(file: Mapping[str, str]) -> Json:
    return {"sha256": file["sha256"]}


def files_of(job: Job) -> tuple[str, ...]:
    """Return the SHA-256 of every local file among a job's inputs, each once, in their order."""
    found: dict[str, None] = {}

    def note(file: Mapping[str, str]) -> Json:
        found[file["sha256"]] = None

    _with_files(job.params, note)
    return tuple(found)


def is_file(value: Json) -> bool:
    """Return whether a value of a parameter stands for a local file."""
    return (
        isinstance(value, Mapping)
        and value.keys() == _FILE
        and all(isinstance(one, str) for one in value.values())
    )


def has_file(value: Json) -> bool:
    """Return whether a local file stands anywhere in a value."""
    found: list[bool] = []
    _with_files(value, lambda _: found.append(True))
    return bool(found)


def _with_files(value: Json, instead: Callable[[Mapping[str, str]], Json]) -> Json:
    """Return the value with something else in place of each local file, at whatever depth."""
    if value is None or isinstance(value, str | int | float):
        return value  # nearly all values: there may be a hundred thousand jobs
    if isinstance(value, Mapping):
        if is_file(value):
            return instead(value)
        return {key: _with_files(one, instead) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [_with_files(one, instead) for one in value]
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
        InputError: a local file has no asset id: its path must not be sent in place of it.
    """
    sent = _with_files(job.params, lambda file: _asset_of(file, assets or {}))
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


def _as_text(value: Json) -> Json:
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return json.dumps(value) if isinstance(value, bool | int | float) else value
