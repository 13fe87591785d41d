"""From a path to a manifest: the stages in their order, and every problem of all of them at once."""

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from batchgen.errors import InputError
from batchgen.manifest.document import Document, read_document
from batchgen.manifest.entries import Entry, Preparation
from batchgen.manifest.environment import filled
from batchgen.manifest.expansion import Expansion
from batchgen.manifest.naming import batch_from, wrong_with
from batchgen.manifest.problems import Problems, meant
from batchgen.manifest.schema import OutputText
from batchgen.manifest.sources import read_bytes
from batchgen.manifest.tables import Tables
from batchgen.manifest.templates import parse
from batchgen.manifest.validation import Sound, validate
from batchgen.manifest.values import Doubt, Limits, Manifest, Output

MOST_JOBS = 100_000
FILE_VARIABLES = ("id", "index", "asset_id")


def read_manifest(path: Path, *, environ: Mapping[str, str], max_jobs: int = MOST_JOBS) -> Manifest:
    """Read a manifest and expand it to jobs.

    Args:
        path: the YAML file; paths in it begin at its folder.
        environ: what ``${NAME}`` is looked up in.
        max_jobs: stops an accidental product of axes before it is expanded.

    Raises:
        InputError: with every problem found, each with its place.
    """
    with _uncollected():
        return _read(path, environ, max_jobs)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the cyclic collector: it walks a million nodes that all stay, a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(path: Path, environ: Mapping[str, str], max_jobs: int) -> Manifest:
    raw = read_bytes(path, str(path))
    problems = Problems(str(path))
    try:
        document = read_document(raw, str(path), problems)
    except InputError as error:
        problems.take(error)
        problems.raise_any()
        raise
    sound = validate(document, problems)
    reader = _Reader(document, sound, problems, environ)
    project, output = reader.project(), reader.output()
    entries = reader.entries(Tables(path.parent))
    if not reader.bounded(entries, max_jobs):
        problems.raise_any()
    expansion = Expansion(problems)
    for number, entry in entries:
        expansion.add(number, entry)
    problems.raise_any()
    text = sound.text
    return Manifest(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        batch=text.batch or batch_from(path),
        project=project,
        jobs=tuple(expansion.jobs),
        places=expansion.places,
        limits=Limits(rate=text.limits.rate, in_flight=text.limits.in_flight),
        timeout=text.timeout,
        doubt=Doubt(
            resubmit=text.doubt.then == "resubmit",
            settle=text.doubt.settle,
            settle_max=text.doubt.settle_max,
        ),
        attempts=text.retry.attempts,
        output=output,
    )


class _Reader:
    """The parts of a validated file, one by one."""

    def __init__(
        self, document: Document, sound: Sound, problems: Problems, environ: Mapping[str, str]
    ) -> None:
        self._document = document
        self._sound = sound
        self._problems = problems
        self._environ = environ

    def project(self) -> str | None:
        """Give the project with the environment filled in."""
        given = self._sound.text.project
        if given is None:
            return None
        project = self._filled(("project",), given)
        if not project.strip():
            self._problems.add(
                self._document.place(("project",)), "project: empty once the environment is filled in"
            )
        return project.strip()

    def output(self) -> Output:
        """Give what is to be written, the template of file names checked."""
        given: OutputText = self._sound.text.output
        path = ("output", "files")
        files = self._filled(path, given.files)
        for wrong in _wrong_with_files(files):
            self._problems.add(self._document.place(path), f"output.files: {wrong}")
        return Output(download=given.download, files=files)

    def entries(self, tables: Tables) -> list[tuple[int, Entry]]:
        """Prepare the entries that are sound."""
        text = self._sound.text
        preparation = Preparation(
            self._document,
            self._problems,
            tables=tables,
            environ=self._environ,
            defaults=text.defaults if self._sound.defaults else None,
        )
        prepared = (
            (number, preparation.entry(number, one))
            for number, one in zip(self._sound.numbers, text.jobs, strict=True)
        )
        return [(number, entry) for number, entry in prepared if entry is not None]

    def bounded(self, entries: Sequence[tuple[int, Entry]], max_jobs: int) -> bool:
        """Tell whether the jobs may be expanded, and note which entry makes too many."""
        total = sum(entry.count for _, entry in entries)
        if total <= max_jobs:
            return True
        allowed = f"more than the {max_jobs:,} allowed at once; --max-jobs raises that"
        large = [(entry.place, entry) for _, entry in entries if entry.count > max_jobs]
        for place, entry in large:
            self._problems.add(place, f"{_arithmetic(entry)} = {entry.count:,} jobs, {allowed}")
        if not large:
            self._problems.add(self._document.key_place(("jobs",)), f"{total:,} jobs in all, {allowed}")
        return False

    def _filled(self, path: tuple[str, ...], text: str) -> str:
        try:
            return filled(text, self._environ)
        except ValueError as error:
            self._problems.add(self._document.place(path), f"{'.'.join(path)}: {error}")
            return text


def _arithmetic(entry: Entry) -> str:
    return " x ".join(f"{factor:,} {what}" for factor, what in entry.factors if factor > 1)


def _wrong_with_files(files: str) -> list[str]:
    """Say what keeps a template from naming every file apart."""
    if "${" in files:  # the environment was named already as missing
        return []
    try:
        template = parse(files)
    except ValueError as error:
        return [str(error)]
    names = template.names
    wrong = [
        f"unknown variable {{{name}}}"
        + (meant(name, FILE_VARIABLES) or "; known are {id}, {index} and {asset_id}")
        for name in names
        if name not in FILE_VARIABLES
    ]
    # what fills the variables in is safe: it is enough to look at the text around them
    if found := wrong_with(template.literals[0][:1] + "a") or wrong_with(f"a{''.join(template.literals)}a"):
        wrong.append(f'"{files}" cannot name a file: {found}')
    if not wrong and "asset_id" not in names and not {"id", "index"} <= set(names):
        wrong = ["two files would share a name; write {id} and {index} both, or {asset_id}"]
    return wrong
