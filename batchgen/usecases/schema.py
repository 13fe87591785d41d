"""The JSON Schema of a manifest as a file, with what the service says of models where that is wanted."""

import json
from collections.abc import Sequence

from batchgen.catalog.editor import manifest_schema
from batchgen.usecases.model_search import describe_models
from batchgen.wiring.options import Options


async def schema_text(options: Options, model_ids: Sequence[str] = ()) -> str:
    """Write the schema; nothing is asked where no model is named.

    Raises:
        InputError: names every id that the service does not show.
        ServiceError: the service did not answer, or does not accept the credentials.
    """
    models = await describe_models(options, model_ids) if model_ids else []
    return bare_schema() if not models else _written(manifest_schema(models))


def bare_schema() -> str:
    """Write the schema that knows no model."""
    return _written(manifest_schema())


def _written(schema: object) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
