"""What the arguments of the public functions mean: which batch, and which of its jobs."""

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from batchgen.api.manifest import Manifest
from batchgen.errors import InputError
from batchgen.manifest.quantities import parse_duration
from batchgen.planning.selection import JobSelection
from batchgen.wiring.journals import JOURNAL_NAME
from batchgen.wiring.options import Allow, Options
from batchgen.wiring.word_lists import selection_of

Words = str | Iterable[str] | None  # that select jobs, in the language of the command line


def options_of(
    manifest: Manifest | str | Path,
    output: str | Path,
    credentials: tuple[str, str] | None,
    base_url: str | None,
    project: str | None,
    slot: str | None,
    *,
    simulate: bool,
    journal: str | None = None,
) -> Options:
    """Return what says which batch is meant, and where; see ``run`` for the arguments."""
    made = manifest if isinstance(manifest, Manifest) and manifest.path is None else None
    place = manifest.place if isinstance(manifest, Manifest) else Path(manifest)
    return Options(
        manifest=place,
        text=None if made is None else made.text,
        output=Path(output),
        environ=environ_of(credentials, base_url, journal),
        journal_address=journal,
        project=project,
        slot=slot,
        simulate=simulate,
    )


def seconds_of(name: str, given: float | str | None, *, from_zero: bool = True) -> float | None:
    """Return a duration in seconds; None where none is given.

    Args:
        name: of the argument.
        given: seconds, or a time such as ``"2h"``.
        from_zero: whether no time at all is a duration.

    Raises:
        InputError: it is none.
    """
    if given is None:
        return None
    try:
        seconds = parse_duration(given) if isinstance(given, str) else float(given)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: {error}") from error
    if not math.isfinite(seconds) or seconds < 0 or (seconds == 0 and not from_zero):
        least = "from 0" if from_zero else "above 0"
        raise InputError(f"{name}: {given!r} is no number of seconds {least}")
    return seconds


def meant_by(only: Words, without: Words) -> JobSelection:
    """Return what words mean that select jobs.

    Raises:
        InputError: ``only`` is there and has no word: that means no job, and never all of them.
    """
    meant, taken = _as_words(only), _as_words(without)
    if only is not None and not meant:
        raise InputError("only: there is no word in it, so no job is meant; leave it out to mean all")
    return selection_of((), meant, taken)


def _as_words(given: Words) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def environ_of(
    credentials: tuple[str, str] | None = None, base_url: str | None = None, journal: str | None = None
) -> Mapping[str, str]:
    """Return the environment with what was given in its place: no secret of it is shown in a message."""
    environ = dict(os.environ)
    if credentials is not None:
        environ["SCENARIO_SDK_API_KEY"], environ["SCENARIO_SDK_API_SECRET"] = credentials
    if base_url is not None:
        environ["SCENARIO_BASE_URL"] = base_url
    if journal is not None:
        environ[JOURNAL_NAME] = journal
    return environ


def allowed_of(words: Iterable[str]) -> frozenset[Allow]:
    """Return the guards that may be passed.

    Raises:
        InputError: a word is none.
    """
    try:
        return frozenset(Allow(one) for one in words)
    except ValueError as error:
        there = ", ".join(Allow)
        raise InputError(f"allow: {error}; there are: {there}") from error
