"""A model's inputs as JSON Schema, for the ``params`` of whoever names the model.

An editor's help and no more: what the inputs must be is decided in ``inputs``. Wherever a value is
due, a template stands as well, and null takes a default away.
"""

from collections.abc import Mapping
from typing import Any, Literal

from batchgen.catalog.declared import PROMPT, Declared, declare
from batchgen.model import Model

Schema = dict[str, Any]

_NAME: Schema = {
    "type": "string",
    "pattern": r"\S",
    "description": "The id of another job, whose output goes in.",
}
_NUMBER: Schema = {
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"\{[^{}]+\}"}],
    "description": "Which of its assets, from 0.",
}
_EVERY: Schema = {
    "type": "object",
    "properties": {"job": _NAME, "outputs": {"const": "all", "description": "All of its assets."}},
    "required": ["job", "outputs"],
    "additionalProperties": False,
}
_JOB: Schema = {
    "type": "object",
    "properties": {"job": _NAME, "output": _NUMBER},
    "required": ["job"],
    "additionalProperties": False,
}
# any value of params: a mapping of these keys alone is another job, at whatever depth
ANY_INPUT: Schema = {
    "if": {
        "type": "object",
        "required": ["job"],
        "propertyNames": {"enum": ["job", "output", "outputs"]},
    },
    "then": {"anyOf": [_JOB, _EVERY]},
    "else": {
        "additionalProperties": {"$ref": "#/definitions/input"},
        "items": {"$ref": "#/definitions/input"},
    },
}
_TEMPLATE: Schema = {"type": "string", "pattern": r"\{[^{}]+\}"}
_FILE: Schema = {
    "anyOf": [
        {"type": "string", "pattern": "^(asset_|data:)"},
        {
            "type": "object",
            "properties": {"file": {"type": "string", "description": "A path from the manifest's folder."}},
            "required": ["file"],
            "additionalProperties": False,
        },
        _JOB,
    ]
}


def params_of(model: Model) -> Schema:
    """Describe the inputs of a model but its prompt."""
    return {
        "type": "object",
        "description": f"Inputs of {model.id}.",
        "properties": {name: _property(one) for name, one in declare(model).inputs.items() if name != PROMPT},
    }


def about_models(model: Model, where: Literal["job", "defaults", "file"]) -> Schema:
    """Return what holds of the params of a job, of the defaults, or of the jobs that the defaults are for.

    The defaults of a model may hold what another one takes; a job's own parameters may not.
    """
    reference = {"$ref": f"#/definitions/params of {model.id}".replace(" ", "%20")}
    names = {one.name: True for one in model.inputs}
    closed = {"allOf": [reference], "properties": names, "additionalProperties": False}
    prompt = _prompt_of(model)
    checked = {"not": {"required": ["unchecked"]}}
    if where != "file":
        then = _with_params(closed, prompt) if where == "job" else _with_params(reference, {})
        return {"if": {**_names(model), **checked}, "then": then}
    inherits = {"not": {"anyOf": [{"required": ["model"]}, {"required": ["unchecked"]}]}}
    jobs = {"items": {"if": inherits, "then": _with_params(closed, prompt)}}
    return {
        "if": {"properties": {"defaults": {**_names(model), **checked}}, "required": ["defaults"]},
        "then": {"properties": {"jobs": jobs}},
    }


def _with_params(params: Schema, prompt: Schema) -> Schema:
    return {**prompt, "properties": {"params": params, **prompt.get("properties", {})}}


def _prompt_of(model: Model) -> Schema:
    """Say whether a job of this model has a prompt: it may, it must, or there is no such input."""
    inputs = declare(model).inputs
    if not inputs:
        return {}
    if PROMPT not in inputs:
        return {"properties": {PROMPT: False}}
    if inputs[PROMPT].required.always and inputs[PROMPT].default is None:
        return {"anyOf": [{"required": [PROMPT]}, {"required": ["from"]}]}  # a text file's lines are prompts
    return {}


def _names(model: Model) -> Schema:
    one = {"const": model.id}
    return {
        "properties": {"model": {"anyOf": [one, {"type": "array", "contains": one}]}},
        "required": ["model"],
    }


def _property(declared: Declared) -> Schema:
    described = {"description": declared.description} if declared.description else {}
    default = {} if declared.default is None else {"default": declared.default}
    return {**described, **default, "anyOf": [_value(declared), _TEMPLATE, {"type": "null"}]}


def _value(declared: Declared) -> Schema:
    if not declared.many:
        return _one(declared, measured=True)
    every = [_EVERY] if declared.item == "file" else []
    items = {"anyOf": [_one(declared, measured=False), _TEMPLATE, *every]}
    span = dict(_span("Items", declared))
    if every:
        span.pop("minItems", None)  # one item may be all that came out of a job
        return {"anyOf": [{"type": "array", "items": items, **span}, *every]}
    return {"type": "array", "items": items, **span}


def _one(declared: Declared, *, measured: bool) -> Schema:
    if declared.allowed is not None:
        return {"enum": list(declared.allowed)}
    match declared.item:
        case "number":
            bounds = (("minimum", declared.low), ("maximum", declared.high))
            return {
                "type": "integer" if declared.whole else "number",
                **{key: bound for key, bound in bounds if bound is not None},
            }
        case "boolean":
            return {"type": "boolean"}
        case "file":
            return _FILE
        case "inputs":
            inner = {name: _property(one) for name, one in declared.inputs.items()}
            return {
                "type": "object",
                "properties": inner,
                **({"additionalProperties": False} if inner else {}),
            }
        case "string" | "model":
            return {"type": "string", **(_span("Length", declared) if measured else {})}
        case _:
            return {}


def _span(what: str, declared: Declared) -> Mapping[str, int]:
    spans = ((f"min{what}", declared.shortest), (f"max{what}", declared.longest))
    return {key: length for key, length in spans if length is not None}
