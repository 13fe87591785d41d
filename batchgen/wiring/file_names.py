"""What files are called: the manifest's template with the words of each of its jobs, and the check before a run."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from batchgen.manifest.values import Manifest
from batchgen.model import Job
from batchgen.planning.file_names import FileNames, NameParts
from batchgen.planning.job_words import JobWords
from batchgen.planning.name_checks import check_names
from batchgen.planning.slots import began_at
from batchgen.wiring.batch import zone_of
from batchgen.wiring.options import Options

_UNKNOWN = "{id}_{index}"  # a job that the manifest does not have any more: it has no words
_BESIDE = 128  # bytes: the slot's folder, `earlier/`, and the tail of an asset's id
_LONGEST = 4096  # bytes of a path, where the system does not say


class Namer(Protocol):
    """Gives each file its path below ``assets/``."""

    def __call__(self, job: Job, *, index: int, asset_id: str, kind: str, extension: str) -> str:
        """Return the path, folders with ``/``.

        Args:
            job: the file's.
            index: of the asset among the job's, from 0.
            asset_id, kind: the service's; no kind where it does not say.
            extension: without the dot.
        """
        ...
