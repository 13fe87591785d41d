"""Entries to jobs: rows, prompts, models, choices and repeats, in this order, each job with its id.

What is expanded was counted before. An id depends on what its job is made of, not on its number,
so that a value added to an axis renames nothing.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import product, repeat
from typing import NamedTuple

from batchgen.identity import canonical, references_of
from batchgen.manifest.expand.braces import left_in
from batchgen.manifest.expand.doubles import Doubles
from batchgen.manifest.expand.entry import Entry
from batchgen.manifest.expand.fixed import (
    FixedParts,
    RowError,
    as_told,
    fixed_parts,
    params_of,
    start_of_id,
    text_of_value,
)
from batchgen.manifest.expand.ids import Ids, Owner
from batchgen.manifest.expand.subject import told_apart
from batchgen.manifest.naming import (
    LONG,
    LONGEST,
    SHORT,
    alike,
    joined,
    part_of_id,
    shortened_id,
    slug,
    with_hash,
    without_gaps,
    wrong_with,
)
from batchgen.manifest.origins import Origins
from batchgen.manifest.schema import wrong_with_model
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.scalars import text_of
from batchgen.manifest.tables.error_values import is_error, word_for_nothing
from batchgen.manifest.templates import Template, is_empty
from batchgen.manifest.values import Places
from batchgen.model import Job, Json
from batchgen.shared_values import SharedParams


class _Named(NamedTuple):
    """The user's own id of a job.

    Attributes:
        id: fit to name a file.
        written: what the user wrote, where that is another text; empty where it is the id.
    """

    id: str
    written: str


class _Source(NamedTuple):
    """What of its entry a job comes from.

    Attributes:
        prompt, row, combination: their numbers.
        values: of the variables that it or another entry fills in.
    """

    place: Place
    prompt: int
    row: int
    combination: int
    values: Mapping[str, Json]


class Expansion:
    """Makes the jobs of one manifest.

    Attributes:
        jobs: made so far.
        places: where each of them comes from.
        origins: what the entry of each of them says.
        parents: by number the jobs that each of them names, as far as it names any.
    """

    def __init__(self, problems: Problems) -> None:
        self.jobs: list[Job] = []
        self.places = Places()
        self.origins = Origins()
        self.parents: dict[int, tuple[str, ...]] = {}
        self._problems = problems
        self._ids = Ids()
        self._ready: dict[int, FixedParts] = {}
        self._starts = array("Q")  # for each row of the entry at hand the number of its first job
        self._spans: dict[int, int] = {}  # by entry the number of its first job, in the order they were made
        self._doubles = Doubles()
        self._params = SharedParams()

    def add(self, number: int, entry: Entry) -> None:
        """Make the jobs of the next entry, and note what is wrong with single rows of it."""
        ready = self._ready[number] = fixed_parts(entry)
        suspect = entry.is_suspect
        self._starts = array("Q")
        self._spans[number] = len(self.jobs)
        for row, (place, values, kept) in enumerate(_rows(entry)):
            self._starts.append(len(self.jobs))
            if suspect and not self._meant({**kept, **values}, place):
                continue
            if self._complete(values, entry, place, row):
                try:
                    self._add_row(number, ready, values, kept, place, row)
                except RowError as error:
                    text, said = str(error), _says(entry, row)
                    self._problems.add(place, text if said in text else said + text, kind=error.kind)

    def _complete(self, values: Mapping[str, Json], entry: Entry, place: Place, row: int) -> bool:
        if None not in values.values() and "" not in values.values():
            return True
        missing = [name for name, value in values.items() if name in entry.needed and is_empty(value)]
        for name in missing:
            text = f"{_says(entry, row)}{name} is empty; where it may be, write {{{name}?}}"
            self._problems.add(place, text, kind=f"{name} is empty")
        return not missing

    def finish(self) -> None:
        """Note the jobs that ask for the same as another one, and bring all into the order of their files."""
        self._doubles.warn(self.jobs, self.places, self._problems)
        for ready in self._ready.values():
            ready.entry.made.values.clear()  # nobody goes through them any more
        self._put_in_order()

    def _put_in_order(self) -> None:
        """Bring the jobs into the order of their entries, where they were made in another."""
        made = [*self._spans]
        if made == sorted(made):
            return
        ends = dict(zip(made, [*[*self._spans.values()][1:], len(self.jobs)], strict=True))
        order = [job for number in sorted(made) for job in range(self._spans[number], ends[number])]
        places = Places()
        for job in order:
            places.add(self.places[job])
        self.jobs, self.places = [self.jobs[job] for job in order], places
        self.origins = self.origins.in_order(order)

    def _meant(self, values: Mapping[str, Json], place: Place) -> bool:
        """Return whether no cell has an error in place of a value; note also what is a word for nothing."""
        wrong = [name for name, value in values.items() if is_error(value)]
        for name in wrong:
            text = f"{name} is {values[name]}, an error of the spreadsheet; mend it there and save it again"
            self._problems.add(place, text, kind=f"{name} is an error")
        for name, value in values.items():
            if whose := word_for_nothing(value):
                text = f"{name} is {value}, {whose} for nothing, and goes out as text; empty the cell"
                self._problems.warn(place, text, kind=f"{name} is a word for nothing")
        return not wrong

    def _add_row(
        self,
        number: int,
        ready: FixedParts,
        values: dict[str, Json],
        kept: Mapping[str, Json],
        place: Place,
        row: int,
    ) -> None:
        row_label = [slug(text_of_value(as_told(ready.spelled, name, values[name]))) for name in ready.shown]
        for prompt, model, combination in product(ready.prompts, ready.models, ready.combinations):
            if combination.models is not None and model.number not in combination.models:
                continue
            known = {**values, **combination.values} if combination.values else values
            text = None if prompt.template is None else _rendered(prompt.template, known).strip()
            if text == "":
                raise RowError("the prompt is empty", "empty prompt")
            if text is not None and "{" in text:
                self._warn_of_braces(ready.entry, prompt.number, text, place)
            named = _name(ready, known)
            name = None if named is None else named.id
            if name is None or not ready.exact:
                start = prompt.label if name is not None or ready.entry.name is None else ""
                if not start and (text is not None or name is None):
                    start = start_of_id(ready, model, known) if text is None else slug(text)
                parts = [start] if name is None else [name, start if len(ready.prompts) > 1 else ""]
                name = joined([*parts, *row_label, combination.label, model.label])
            params = combination.params
            job = Job(
                id=name,
                prompt=text,
                model=_model(model.template, known),
                params=self._params.of(params_of(ready.entry, known)) if params is None else params,
                derive_seed=ready.entry.derive_seed,
            )
            told = {**kept, **known} if ready.entry.made.values else known
            source = _Source(place, prompt.number, row, combination.number, told)
            self._add(number, ready, job, source, named, known)

    def _warn_of_braces(self, entry: Entry, prompt: int, text: str, place: Place) -> None:
        """Note what looks like a variable in a filled prompt, unless the manifest itself says it as text."""
        left, written = left_in(text, entry.known), entry.origin.prompts[prompt]
        if left is not None and written is not None and f"{{{left}}}" not in written:
            said = f"a value has {left} in it, which is sent as it is; only the text of prompt: is filled in"
            self._problems.warn(place, said, kind=f"value with {left}")

    def _add(
        self,
        number: int,
        ready: FixedParts,
        job: Job,
        source: _Source,
        named: _Named | None,
        known: Mapping[str, Json],
    ) -> None:
        exact = ready.exact and named is not None
        first = Owner(len(self.jobs), number, named is not None, named.written if named else "")
        start = self._told_apart(job, first, known, exact=exact)
        parents = tuple(one.job for one in references_of(job))
        for turn in range(1, ready.entry.repeat + 1):
            wanted = start if turn == 1 else f"{start}-{turn}"
            # before it is taken: an id that nobody gets stands in no other's way
            if ready.unchecked and (wrong := wrong_with(wanted)):
                raise RowError(f'id: "{wanted}" cannot name a file: {wrong}', "id unsafe")
            owner = first if turn == 1 else first._replace(job=len(self.jobs))
            name = self._ids.take(start, owner, turn=turn, exact=exact)
            if isinstance(name, Owner):
                file = self._file_of(name, ready.entry) if name.entry == number else None
                said = self._taken_by(name, wanted) if file is None else f'id: "{wanted}" is taken by {file}'
                raise RowError(said, "id taken")
            if turn == 1:  # the others are meant
                self._doubles.add(job, len(self.jobs), parents)
            if parents:
                self.parents[len(self.jobs)] = parents
            self.jobs.append(job if name == job.id else _renamed(job, name))
            self.places.add(source.place)
            self.origins.add(
                ready.entry.origin, source.prompt, row=source.row, combination=source.combination
            )
            if ready.entry.is_source:
                self._keep(ready.entry, name, source)

    def _keep(self, entry: Entry, name: str, source: _Source) -> None:
        """Keep a job for the entries that go through it, with what they fill in."""
        entry.made.add(name, row=source.row, combination=source.combination)
        for variable, values in entry.made.values.items():
            values.append(source.values[variable] if variable in source.values else entry.known[variable])

    def _told_apart(self, job: Job, owner: Owner, known: Mapping[str, Json], *, exact: bool) -> str:
        """Return a job's id, with a hash where another has it that says something else.

        A number would hang on the order: a row put in before would move it, and files with it.

        Args:
            job: with the id that it should have.
            owner: the same job.
            known: the variables that its texts use.
            exact: whether the user wrote all of the id.
        """
        other = self._ids.owner(job.id)
        if other is None:
            return job.id
        alike = other.entry == owner.entry
        if owner.explicit and other.explicit and owner.written != other.written:
            text = owner.written or job.id
        elif (exact or not other.explicit or not alike) if owner.explicit else (other.explicit and not alike):
            return job.id  # a mistake of the user's, or somebody else's own name
        else:
            if self._says_the_same(other, owner.entry, job, known):
                return job.id
            said = self._said(owner.entry, job, known)
            several = len(self._ready[owner.entry].models) > 1
            text = f"{said} {job.model}" if several else said
        tries = (with_hash(job.id, text, length) for length in (SHORT, LONG))
        return next(filter(self._ids.is_free, tries), job.id)

    def _said(self, entry: int, job: Job, known: Mapping[str, Json]) -> str:
        """Return what ids are to tell apart: the text of a job, or what it is about, and its variables."""
        subject = self._ready[entry].subject
        text = subject.text(known) if job.prompt is None and subject is not None else job.prompt
        return canonical([text, known])

    def _says_the_same(self, other: Owner, entry: int, job: Job, known: Mapping[str, Json]) -> bool:
        before = self.jobs[other.job]
        if before.prompt != job.prompt and (before.prompt or "").isascii():
            return False
        if other.entry == entry and before.model != job.model:
            return False
        variables = self.origins.variables(other.job)
        used = {name: variables[name] for name in self._ready[other.entry].used}
        return self._said(entry, job, known) == self._said(other.entry, before, used)

    def _file_of(self, owner: Owner, entry: Entry) -> str | None:
        """Return which file has an id, and what tells it from this one; None where rows are no files."""
        rows = (bisect_right(self._starts, owner.job) - 1, len(self._starts) - 1)
        return None if entry.table is None else told_apart(entry.table, rows)

    def _taken_by(self, owner: Owner, name: str) -> str:
        where = f"the job at {self.places[owner.job]}"
        given = "was given it" if self.jobs[owner.job].prompt is None else "got it from its prompt"
        has = "has it already" if owner.explicit else given
        return f'id: "{name}" is taken, {where} {has} (upper and lower case are one file)'


def _says(entry: Entry, row: int) -> str:
    return entry.table.says(row) if entry.table is not None else ""


def _rows(entry: Entry) -> Iterable[tuple[Place, dict[str, Json], Mapping[str, Json]]]:
    """Return for each row its place, what its own texts fill in, and what other entries do."""
    table = entry.table
    if table is None:
        return [(entry.place, {}, {})]
    rows = range(table.count)
    kept = [name for name in entry.made.values if name in table.columns]
    others = table.all_values(kept, rows) if kept else repeat({}, table.count)
    return zip(map(table.place, rows), table.all_values(entry.columns, rows), others, strict=True)


def _renamed(job: Job, name: str) -> Job:
    # dataclasses.replace takes three times as long, and there may be 100,000
    return Job(id=name, prompt=job.prompt, model=job.model, params=job.params, derive_seed=job.derive_seed)


def _name(ready: FixedParts, values: Mapping[str, Json]) -> _Named | None:
    """Return the user's own id; None where there is none, or nothing of it has a value in this row."""
    template = ready.entry.name
    if template is None or ready.name is None:
        return None
    texts, parts = {}, {}
    for name in template.names:
        try:
            text = texts[name] = "" if values[name] is None else text_of(values[name])
            parts[name] = _part_of_id(text, is_path=name in ready.paths)
        except ValueError as error:
            shown = f'id: {name} "{" ".join(text_of_value(values[name]).split())[:60]}" cannot name a file'
            raise RowError(f"{shown}: {error}", f"id {name}") from None
    made = ready.name.render(parts)
    if "" in parts.values():
        made = without_gaps(made)
    if ready.name is template and parts == texts and len(made) <= LONGEST:  # as nearly all are
        return _Named(made, "") if made else None
    written = template.render(texts)
    safe = shortened_id(made, written)
    return _Named(safe, "" if safe == written else alike(written)) if made else None


def _part_of_id(text: str, *, is_path: bool) -> str:
    if not text:
        return ""
    return part_of_id(text.strip("./").replace("/", "-") if is_path else text)


def _rendered(template: Template, values: Mapping[str, Json]) -> str:
    try:
        return template.render(values)
    except ValueError as error:
        raise RowError(f"prompt: {error}", "value in text") from None


def _model(template: Template, values: Mapping[str, Json]) -> str:
    if not template.names:
        return template.literals[0]
    try:
        model = template.render(values).strip()
    except ValueError as error:
        raise RowError(f"model: {error}", "value in text") from None
    if wrong := wrong_with_model(model):
        raise RowError(f"model: {wrong}", "model id")
    return model
