"""Who a job is, and the seed and the exact body that follow from it.

Two jobs are the same job if their content keys are equal; nothing outside this module
decides that. A change to the canonical form would make every job new and buy it again,
hence the ``v1:`` in front and the golden values in the tests.
"""

import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping, Sequence

from batchgen.model import Job, JobKey, Json, Model, ModelInput, Scope

SEED_BOUNDS = (0, 2_147_483_647)  # what the recorded schemas declare; used where a model names none

_MOST_SEEDS = 2.0**53  # more, and floats cannot tell one from the next


def canonical(value: Json) -> str:
    """Write a JSON value in the one form that equal values share.

    Strings are NFC, keys sorted, ``1`` and ``1.0`` alike.

    Raises:
        ValueError: a number that JSON cannot carry.
    """
    return json.dumps(
        _normal(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def _normal(value: Json) -> Json:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {unicodedata.normalize("NFC", key): _normal(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [_normal(one) for one in value]
    return value


def content_key(job: Job) -> str:
    """Name what a job asks for: its model and its inputs as the manifest says them, nothing else."""
    asked = {"model": job.model, "params": {**job.params, "prompt": job.prompt}}
    return "v1:" + hashlib.sha256(canonical(asked).encode()).hexdigest()


def derive_seed(scope: Scope, key: JobKey, attempt: int, declared: ModelInput) -> int | float:
    """Give the seed of one attempt at a job, fitted to the bounds and step the model declares.

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
    """Give the seed to send: the manifest's own, else a derived one, None where there is none."""
    if "seed" in job.params:
        given = job.params["seed"]
        return given if isinstance(given, int | float) else None
    declared = model.seed_input
    if declared is None or not job.derive_seed:
        return None
    return derive_seed(scope, key, attempt, declared)


def compose_body(job: Job, seed: float | None) -> str:
    """Write the exact body of a submit: made once, journaled, and never made again."""
    # the job's own prompt, whatever stands among its parameters: it is the one in its key
    inputs = {"prompt": job.prompt} | {name: one for name, one in job.params.items() if name != "prompt"}
    if seed is not None:
        inputs["seed"] = seed
    return json.dumps(inputs, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
