"""The summary of a results manifest as it lies on the disk, read without its jobs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from batchgen.model import Json
from batchgen.plain_files import FileFaultError, open_plain
from batchgen.planning.chains import NO_CHAINS, ChainCount

_SUMMARY = b' "summary": '  # how its line begins; those of prompts, chains and jobs begin further in


def saved_summary(path: Path) -> Mapping[str, Json]:
    """Return the summary of a results manifest.

    Raises:
        FileFaultError, OSError: it cannot be opened.
        ValueError, RecursionError: it is none of ours.
    """
    with open_plain(path) as file:
        line = next((one for one in file if one.startswith(_SUMMARY)), b"")
    summary: Mapping[str, Json] = json.loads(line[len(_SUMMARY) :].rstrip().removesuffix(b","))
    return summary


def written_at(path: Path) -> float | None:
    """Return when a results manifest was written, seconds since the epoch; None where it is none of ours."""
    try:
        return datetime.fromisoformat(saved_summary(path)["written_at"]).timestamp()
    except (FileFaultError, OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def saved_progress(path: Path) -> ChainCount:
    """Return how far the chains of a results manifest are; no chains where it is none, or says nothing."""
    try:
        told = saved_summary(path).get("chains", {})
        return ChainCount(**{name: int(told[name]) for name in asdict(NO_CHAINS)}) if told else NO_CHAINS
    except (FileFaultError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return NO_CHAINS
