"""From a path to a manifest: the stages in their order, and every problem of all of them at once."""

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from batchgen.errors import InputError
from batchgen.manifest.environment import filled
from batchgen.manifest.expand.chains import Chains
from batchgen.manifest.expand.checks import Checks
from batchgen.manifest.expand.entries import Preparation, Surroundings
from batchgen.manifest.expand.entry import Entry
from batchgen.manifest.expand.expansion import Expansion
from batchgen.manifest.expand.job_tables import keep_for_children
from batchgen.manifest.expand.prompts import Prompts
from batchgen.manifest.expand.sources import sources_of
from batchgen.manifest.file_templates import faults_in
from batchgen.manifest.inclusion import Inclusion, Sheet
from batchgen.manifest.naming import batch_from
from batchgen.manifest.schema import OutputText
from batchgen.manifest.source.document import read_document
from batchgen.manifest.source.problems import Problems
from batchgen.manifest.source.text_files import read_bytes
from batchgen.manifest.tables.files import Files, Filing
from batchgen.manifest.tables.tables import Tables
from batchgen.manifest.validation import validate
from batchgen.manifest.values import Budget, Doubt, Heading, Limits, Manifest, Output

MOST_JOBS = 100_000
_CHOICES = 3  # for each job allowed: so many combinations of axes are looked at before any is excluded


def read_manifest(
    path: Path, *, environ: Mapping[str, str], max_jobs: int = MOST_JOBS, text: bytes | None = None
) -> Manifest:
    """Read a manifest and expand it to jobs.

    Args:
        path: the YAML file; paths in it begin at its folder.
        environ: what ``${NAME}`` is looked up in.
        max_jobs: stops an accidental product of axes before it is expanded.
        text: what the file would have, where there is none.

    Raises:
        InputError: with every problem found, each with its place.
    """
    with uncollected():
        return _read(path, environ, max_jobs, text)


def read_heading(path: Path, *, environ: Mapping[str, str]) -> Heading:
    """Read no more of a manifest than which batch it is of; no job is expanded, no other file opened.

    Raises:
        InputError: with every problem of the file's own values, each with its place.
    """
    problems = Problems(str(path))
    raw = read_bytes(path, str(path))
    document = read_document(raw, str(path), problems)
    sheet = Sheet(path=path, raw=raw, document=document, sound=validate(document, problems))
    project = _Reader(sheet, problems, environ).project()
    problems.raise_any()
    return Heading(batch=sheet.sound.text.batch or batch_from(path), project=project)


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the cyclic collector: it walks a million nodes that all stay, a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(path: Path, environ: Mapping[str, str], max_jobs: int, text: bytes | None) -> Manifest:
    problems = Problems(str(path))
    try:
        inclusion = Inclusion(problems, environ)
        sheets = inclusion.sheets(path, text)
    except InputError as error:
        problems.take(error)
        problems.raise_any()
        raise
    inclusion.check_names(sheets)
    files = Files()
    reader = _Reader(sheets[0], problems, environ)
    project = reader.project()
    prepared = _prepare(sheets, problems, environ, files, max_jobs)
    entries = [one for one in prepared.entries if one is not None]
    output = reader.output(sheets, entries)
    if not reader.bounded(entries, max_jobs):
        problems.raise_any()
    expansion = _expand(prepared, problems)
    problems.raise_any()
    made = _manifest(sheets[0], expansion, entries, project=project, output=output, files=files)
    return replace(made, warnings=problems.warnings)


class _Prepared(NamedTuple):
    """The entries of all files.

    Attributes:
        entries: in the order of the files; None for one that is not sound.
        order: their places in the order in which they are expanded.
        words: for each what stands in every one of its ids; none where that is not known.
        complete: whether there are no others.
    """

    entries: Sequence[Entry | None]
    order: Sequence[int]
    words: Sequence[tuple[str, ...]]
    complete: bool


def _prepare(
    sheets: Sequence[Sheet], problems: Problems, environ: Mapping[str, str], files: Files, max_jobs: int
) -> _Prepared:
    """Make the entries of all files ready, those whose jobs others go through before them."""
    preparations = [_preparation(one, problems, environ, files, max_jobs) for one in sheets]
    said = [
        (preparation, number, one)
        for sheet, preparation in zip(sheets, preparations, strict=True)
        for number, one in zip(sheet.sound.numbers, sheet.sound.text.jobs, strict=True)
    ]
    called = [preparation.called(number, one) for preparation, number, one in said]
    complete = len(said) == sum(map(_count, sheets))
    sources = sources_of(called, problems, complete=complete)
    wanted = {place for of in sources.of for place in of or ()}
    entries: list[Entry | None] = [None] * len(said)
    for place in sources.order:
        preparation, number, one = said[place]
        before = [entries[source] for source in sources.of[place] or ()]
        entries[place] = preparation.entry(number, one, before, is_source=place in wanted)
    return _Prepared(entries, sources.order, [one.words for one in called], complete)


def _preparation(
    sheet: Sheet, problems: Problems, environ: Mapping[str, str], files: Files, max_jobs: int
) -> Preparation:
    folder, text = sheet.path.parent, sheet.sound.text
    around = Surroundings(
        paper=sheet.paper,
        tables=Tables(folder),
        prompts=Prompts(folder, environ),
        filing=Filing(files, folder),
        environ=environ,
        most_choices=_CHOICES * max_jobs,
    )
    return Preparation(Checks(sheet.document, problems, text.vars), problems, around, sheet.sound)


def _expand(prepared: _Prepared, problems: Problems) -> Expansion:
    """Make the jobs of all entries, and note which of them name no other job, or go round."""
    expansion = Expansion(problems)
    left_out: set[tuple[str, ...]] = set() if prepared.complete else {()}
    keep_for_children(one for place in prepared.order if (one := prepared.entries[place]) is not None)
    for place in prepared.order:
        before = len(problems)
        if (entry := prepared.entries[place]) is not None:
            expansion.add(place, entry)
        if entry is None or len(problems) != before:
            left_out.add(prepared.words[place])
    chains = Chains(expansion.jobs, expansion.parents, expansion.places, expansion.origins)
    chains.check(problems, left_out=left_out)
    expansion.finish()
    return expansion


def _manifest(
    sheet: Sheet,
    expansion: Expansion,
    entries: Sequence[Entry],
    *,
    project: str | None,
    output: Output,
    files: Files,
) -> Manifest:
    text = sheet.sound.text
    return Manifest(
        path=sheet.path,
        sha256=hashlib.sha256(sheet.raw).hexdigest(),
        batch=text.batch or batch_from(sheet.path),
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
        budget=Budget(
            total=text.budget.total,
            per_job=text.budget.per_job,
            per_day=text.budget.per_day,
            per_month=text.budget.per_month,
            trust_refunds=text.budget.trust_refunds,
            whole_chains=text.budget.chains == "whole",
            estimate=text.budget.estimate,
        ),
        output=output,
        origins=expansion.origins,
        period=text.period,
        tz=text.tz,
        files=files.by_content,
        previews=tuple(entry.preview for entry in entries),
    )


def _count(sheet: Sheet) -> int:
    """Return how many entries a file has, sound or not."""
    jobs = sheet.document.data.get("jobs")
    return len(jobs) if isinstance(jobs, list) else 0


class _Reader:
    """The parts of a validated file, one by one."""

    def __init__(self, sheet: Sheet, problems: Problems, environ: Mapping[str, str]) -> None:
        self._document = sheet.document
        self._sound = sheet.sound
        self._problems = problems
        self._environ = environ

    def project(self) -> str | None:
        """Return the project with the environment filled in."""
        given = self._sound.text.project
        if given is None:
            return None
        project = self._filled(("project",), given)
        if not project.strip():
            self._problems.add(
                self._document.place(("project",)), "project: empty once the environment is filled in"
            )
        return project.strip()

    def output(self, sheets: Sequence[Sheet], entries: Sequence[Entry]) -> Output:
        """Return what is to be written, the template of file names checked.

        Args:
            sheets: the files of the manifest.
            entries: those of their entries that are sound, which know their variables.
        """
        given: OutputText = self._sound.text.output
        path = ("output", "files")
        files, place = self._filled(path, given.files), self._document.place(path)
        if "${" not in files:  # the environment was named already as missing
            known = {name: value for entry in entries for name, value in entry.known.items()}
            for fault in faults_in(files, known, complete=len(entries) == sum(map(_count, sheets))):
                note = self._problems.add if fault.stops else self._problems.warn
                note(place, f"output.files: {fault.text}")
        download = given.download
        return Output(download=download != "none", only_last=download == "last", files=files, place=place)

    def bounded(self, entries: Sequence[Entry], max_jobs: int) -> bool:
        """Return whether the jobs may be expanded, and note which entry makes too many."""
        counts = [entry.count for entry in entries]
        if sum(counts) <= max_jobs and all(entry.choices is not None for entry in entries):
            return True
        allowed = f"more than the {max_jobs:,} allowed at once; --max-jobs raises that"
        large = [entry for entry, count in zip(entries, counts, strict=True) if count > max_jobs]
        for entry in large:
            self._problems.add(entry.place, f"{entry.arithmetic}, {allowed}")
        for entry in (one for one in entries if one.choices is None and one not in large):
            self._problems.add(entry.place, f"{entry.arithmetic}, more than can be expanded; split the entry")
        if not large and sum(counts) > max_jobs:
            self._problems.add(self._document.key_place(("jobs",)), f"{sum(counts):,} jobs in all, {allowed}")
        return False

    def _filled(self, path: tuple[str, ...], text: str) -> str:
        try:
            return filled(text, self._environ)
        except ValueError as error:
            self._problems.add(self._document.place(path), f"{'.'.join(path)}: {error}")
            return text
