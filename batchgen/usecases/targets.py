"""What people name when they mean a batch: its manifest, or the name it has in the journal."""

from pathlib import Path

from batchgen.errors import InputError
from batchgen.journal.names import NO_FILE
from batchgen.manifest.reading import read_heading
from batchgen.wiring.options import Options
from batchgen.wiring.places import refuse_another_folder


def manifest_meant(options: Options) -> Path:
    """Return the manifest that is meant by a path, or by the name of a batch that was run here.

    Args:
        options: with the word that was typed as its manifest.

    Raises:
        InputError: it is neither.
        JournalError: the journal cannot be read.
    """
    word = options.manifest
    if word.exists() or word.suffix in {".yaml", ".yml"} or word.name != str(word):
        return word
    with options.journal.read() as file:
        paths = [one for one in file.names.manifests_of(str(word)) if one != NO_FILE]
        known = sorted({one.batch for one in file.scopes()})
    there = [Path(one) for one in paths if Path(one).is_file()]
    if there:
        return there[-1]
    if paths:
        raise InputError(f"the manifest of batch {str(word)!r} was {paths[-1]}, which is gone; give its path")
    batches = ", ".join(known) or "none"
    raise InputError(
        f"no file {str(word)!r}, and no batch of that name in {options.place}; there are: {batches}"
    )


def batch_meant(options: Options) -> str:
    """Return the name of the batch that is meant by its name, or by its manifest.

    Args:
        options: with the word that was typed as its manifest.

    Raises:
        InputError: the manifest is wrong.
    """
    word = options.manifest
    if word.is_file():
        batch = read_heading(word, environ=options.environ).batch
        refuse_another_folder(options, batch, of_any_kind=True)
        return batch
    return str(word)
