"""Reading the manifest that the command line means."""

import os
from pathlib import Path

from batchgen.errors import InputError
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.values import Manifest
from batchgen.wiring.options import Options


def manifest_of(options: Options) -> Manifest:
    """Read the manifest that is meant.

    Raises:
        InputError: names everything that is wrong with it.
    """
    _refuse_unwritable_name(options.manifest)
    return read_manifest(
        options.manifest, environ=options.environ, max_jobs=options.max_jobs, text=options.text
    )


def _refuse_unwritable_name(path: Path) -> None:
    """Refuse a path that cannot be kept as text: the journal knows manifests by theirs.

    Raises:
        InputError: a name in it is no UTF-8.
    """
    try:
        os.path.realpath(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode("utf-8", "backslashreplace").decode()
        raise InputError(f"{shown}: this path is not UTF-8; rename the file or its folder") from error
    except OSError as error:
        raise InputError(f"{path}: the current folder is gone; change to one that is there") from error
