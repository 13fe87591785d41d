"""Where earlier runs have written results: by this version, or by one that kept slots in a file each."""

from pathlib import Path

from batchgen.output.results import JSON_NAME
from batchgen.planning.slots import FOLDER, homes_of


def saved_in(folder: Path) -> list[Path]:
    """Return where results of a batch may be, whatever slot they are of, those written last first.

    Args:
        folder: the batch's.
    """
    kept = sorted((*folder.glob(f"{FOLDER}/*/{JSON_NAME}"), *folder.glob(f"{FOLDER}/*.json")))
    return sorted((folder / JSON_NAME, *kept), key=_age)


def saved_of(folder: Path, slot: str) -> list[Path]:
    """Return where results of a slot may be; a file that is there may be of another one.

    Args:
        folder: the batch's.
        slot: its name; empty for a batch without slots.
    """
    if not slot:
        return [folder / JSON_NAME]
    plain, alone = homes_of(slot)
    # a file beside the slots' folders is what earlier versions wrote
    names = (f"{alone}/{JSON_NAME}", f"{plain}/{JSON_NAME}", f"{plain}.json", JSON_NAME)
    return [folder / one for one in names]


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0
