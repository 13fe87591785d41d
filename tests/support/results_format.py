"""results.json held against its schema, with every key refused that the schema does not name."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from batchgen.output.results import results_schema


def closed(schema: Any) -> Any:
    """Return the schema with no further keys allowed where it names some."""
    if isinstance(schema, dict):
        inner = {name: closed(one) for name, one in schema.items()}
        named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
        return {**inner, "additionalProperties": False} if named else inner
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(closed(json.loads(results_schema())))


def faults(document: Any) -> list[str]:
    """Return what is not as the schema says, each with its place."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(document)]
