"""The JSON Schema of a manifest, for editors: made from the classes that read one, never written by hand.

Draft 7, which the language server for YAML reads. What each key is for stands beside
it there; what a model's inputs add in ``editor_models``.
"""

import ast
import inspect
from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from batchgen.catalog.editor_models import ANY_INPUT, about_models, params_of
from batchgen.manifest import schema
from batchgen.manifest.references import ONLY_KEPT
from batchgen.manifest.validation import FREE
from batchgen.model import Model

DRAFT = "http://json-schema.org/draft-07/schema#"
_SCALAR: JsonSchemaValue = {"type": ["string", "number", "boolean"]}
_SOME = {"type": "string", "pattern": r"\S"}
_TEXT_OF_RATE = (
    r"^\s*([0-9]+(\.[0-9]+)?\s*/\s*([0-9]+(\.[0-9]+)?)?\s*(s|sec|second|min|minute|h|hour)|none)\s*$"
)
_TEXT_OF_TIME = r"^\s*([0-9]+(\.[0-9]+)?|([0-9]+(\.[0-9]+)?\s*(ms|s|min|m|h|d)\s*)+)\s*$"

# What the functions take that check a value, by their names: pydantic cannot look into them.
_TAKES: Mapping[str, JsonSchemaValue] = {
    "_version": {"const": 1},
    "read_rate": {"type": "string", "pattern": _TEXT_OF_RATE},
    "_in_flight": {"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1}]},
    "read_duration": {
        "anyOf": [{"type": "string", "pattern": _TEXT_OF_TIME}, {"type": "number", "exclusiveMinimum": 0}]
    },
    "_seed": {"const": "none"},
    "_download": {"anyOf": [{"enum": ["all", "last", "none"]}, {"type": "boolean"}]},
    "read_amount": {"type": "number", "minimum": 0},
    "read_estimate": {"type": "number", "exclusiveMinimum": 0},
    "_some": _SOME,
    "_model_id": {"type": "string", "pattern": r"^[^\s/\\?#%]+$"},
    "_entry": {
        "type": "string",
        "maxLength": 100,
        "pattern": r"^[^\s{},*?\[\]]([^\r\n{},*?\[\]]*[^\s{},*?\[\]])?$",
    },
    "_axis_value": _SCALAR,
    "read_only": {"const": ONLY_KEPT},
    "_variable": {"not": {"type": "null"}},
    "_period": {
        "type": "string",
        "pattern": "^(?!fresh-)(?!((hour|day|week|month|quarter|year)(s|ly)|quarter|year|daily)$)"
        "[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    },
}


class _Writer(GenerateJsonSchema):
    """Writes what a manifest may hold before it is read: one or many, texts of rates and durations."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        match _name(schema):
            case "_many":
                return {"anyOf": [inner["items"], inner]}
            case "_of":
                many = {"type": "array", "items": {**_SCALAR}, "minItems": 1}
                return {"anyOf": [inner, {**_SCALAR}, many]}
            case _:
                return inner

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        taken = _TAKES.get(_name(schema))
        return (
            self.generate_inner(schema["schema"]) if taken is None else deepcopy(taken)
        )  # it is written into

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        return deepcopy(_TAKES[_name(schema)])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave defaults out that stand for a key that is not there."""
        shown = super().default_schema(schema)
        if shown.get("default") in (None, [], {}) or isinstance(shown.get("default"), dict):
            shown = {key: one for key, one in shown.items() if key != "default"}
        return shown

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave null out: a key without a value is a problem, not a way to leave it out."""
        return self.generate_inner(schema["schema"])


def _name(schema: Mapping[str, Any]) -> str:
    # pydantic's own functions, which check a length, are partial ones and have no name
    return getattr(schema["function"]["function"], "__name__", "")


def manifest_schema(models: Sequence[Model] = ()) -> dict[str, Any]:
    """Return the schema of a manifest.

    Args:
        models: whose inputs are described too, where a job or the defaults name them.
    """
    made = schema.ManifestText.model_json_schema(
        schema_generator=_Writer, ref_template="#/definitions/{model}"
    )
    definitions, words = made.pop("$defs"), _words()
    for name, part in {**definitions, "ManifestText": made}.items():
        _describe(name, part, words[name])
    definitions["input"] = deepcopy(ANY_INPUT)
    for name in ("JobText", "DefaultsText"):
        definitions[name]["properties"]["params"]["additionalProperties"] = {"$ref": "#/definitions/input"}
    made["patternProperties"] = {f"^{FREE}": True}
    made["properties"]["jobs"]["minItems"] = 1
    made["anyOf"] = [{"required": ["jobs"]}, {"required": ["include"]}]
    if models:
        definitions |= {f"params of {model.id}": params_of(model) for model in models}
        definitions["JobText"]["allOf"] = [about_models(model, "job") for model in models]
        definitions["DefaultsText"]["allOf"] = [about_models(model, "defaults") for model in models]
        made["allOf"] = [about_models(model, "file") for model in models]
    return {
        "$schema": DRAFT,
        "title": "batchgen manifest",
        **{key: one for key, one in made.items() if key != "title"},
        "definitions": definitions,
    }


def _describe(name: str, part: dict[str, Any], words: Mapping[str, str]) -> None:
    """Return what a mapping and its keys are for; draft 7 reads nothing beside a reference."""
    for key, value in part.get("properties", {}).items():
        value.pop("title", None)
        if reference := value.pop("$ref", None):
            value["allOf"] = [{"$ref": reference}]
        value["description"] = words[key]
    part["title"] = name.removesuffix("Text").lower()
    part["description"] = part["description"].replace("``", "")


def _words() -> Mapping[str, Mapping[str, str]]:
    """Return what each key is for, by the class that reads the mapping: the text below the key there.

    A key without one is an error where the schema is made. Pydantic can read these texts itself, at every
    start; only an editor needs them.
    """
    found: dict[str, dict[str, str]] = {}
    for one in ast.parse(inspect.getsource(schema)).body:
        if isinstance(one, ast.ClassDef):
            keys = found.setdefault(one.name, {})
            for field, text in pairwise(one.body):
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                    keys[ast.unparse(field.target).rstrip("_")] = ast.literal_eval(text.value)
    return found
