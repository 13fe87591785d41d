"""What models declared when they were last asked for, kept beside the journal for an hour.

A copy that spares requests and no more: what cannot be read, is of another model or too old is as good
as not there. Only descriptions are in it: no credentials, no URLs, nothing that was bought.
"""

import hashlib
import json
import re
from pathlib import Path

from batchgen.errors import OutputError
from batchgen.model import Model
from batchgen.output.atomic import write_bytes
from batchgen.plain_files import FileFaultError, read_bytes
from batchgen.scenario.fields import WireError, as_mapping, as_number, parse_object
from batchgen.scenario.wire import parse_model

FRESH = 3600.0  # seconds: models change by the week, and a run asks again for what is older
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}", re.ASCII)


class ModelCache:
    """The descriptions of one origin and project."""

    def __init__(self, output: Path, *, origin: str, project: str) -> None:
        """Name the place; nothing is made before something is kept.

        Args:
            output: the folder of the journal.
            origin: whose models they are.
            project: as which project they were asked for: others may see others.
        """
        self._output = output
        owner = hashlib.sha256(f"{origin}\x00{project}".encode()).hexdigest()[:16]
        self._folder = output / "models" / owner

    def get(self, model_id: str, *, now: float) -> Model | None:
        """Return a model that was described within the hour, None otherwise."""
        model, asked_at = self._kept(model_id)
        return model if asked_at is not None and 0 <= now - asked_at < FRESH else None

    def last(self, model_id: str) -> Model | None:
        """Return a model as it was last described, however long ago; None if it never was."""
        return self._kept(model_id)[0]

    def _kept(self, model_id: str) -> tuple[Model | None, float | None]:
        """Return what is on the disk, and when it was asked for in seconds since the epoch."""
        try:
            kept = parse_object(read_bytes(self._path(model_id)))
            model = parse_model(as_mapping(kept.get("model")))
        except (FileFaultError, WireError):
            return None, None
        return (model, as_number(kept.get("asked_at"))) if model.id == model_id else (None, None)

    def put(self, model: Model, *, now: float) -> None:
        """Keep a model, where there is an output folder: to look at a manifest makes none."""
        if not self._output.is_dir():
            return
        document = {"asked_at": now, "model": model.raw}
        try:
            write_bytes(
                self._path(model.id), json.dumps(document, ensure_ascii=False).encode(), durable=False
            )
        except OutputError:  # it is asked for again, that is all
            return

    def _path(self, model_id: str) -> Path:
        plain = _PLAIN.fullmatch(model_id)
        name = model_id if plain else hashlib.sha256(model_id.encode("utf-8", "replace")).hexdigest()
        return self._folder / f"{name}.json"
