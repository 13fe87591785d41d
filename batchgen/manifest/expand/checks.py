"""What can be wrong with an entry as a whole: variables nobody defines, values that buy the same twice."""

from collections.abc import Iterable, Mapping, Sequence

from batchgen.identity import canonical
from batchgen.manifest.expand.axes import Axis
from batchgen.manifest.expand.braces import bare_name, foreign
from batchgen.manifest.expand.entry import Entry
from batchgen.manifest.naming import in_ascii, slug, wrong_with
from batchgen.manifest.origins import Path
from batchgen.manifest.schema import JobText
from batchgen.manifest.source.characters import unseen_in
from batchgen.manifest.source.document import Document
from batchgen.manifest.source.problems import Place, Problems, meant, shortened
from batchgen.manifest.source.scalars import plain, spelled, text_of
from batchgen.manifest.templates import parse, strings_in, wrong_with_text
from batchgen.model import Json

_EQUAL = "to buy the same again write"
_ENVIRONMENT = "the environment is read in project, output.files and paths only"


class Checks:
    """Notes what is wrong at its place in one manifest.

    Args:
        document: the manifest's file.
        problems: takes what is wrong.
        variables: those of the whole manifest.
    """

    def __init__(self, document: Document, problems: Problems, variables: Mapping[str, Json]) -> None:
        self._document = document
        self._problems = problems
        self._vars = variables

    @property
    def count(self) -> int:
        """How much is wrong so far."""
        return len(self._problems)

    def place(self, path: Path) -> Place:
        """Return the place of a value."""
        return self._document.place(path)

    def spelled(self, value: Json, *paths: Path) -> Json:
        """Return a value that keeps its file's spelling inside a text.

        Args:
            value: as it was read.
            paths: where it may be written.
        """
        if isinstance(value, str):
            return value
        written = (found for path in paths if (found := self._document.written(path)) is not None)
        return spelled(value, next(written, None))

    def note(self, path: Path, text: str, kind: str | None = None) -> None:
        """Note what is wrong with a value."""
        self._problems.add(self._document.place(path), text, kind=kind)

    def note_key(self, path: Path, text: str) -> None:
        """Note what is wrong with a key."""
        self._problems.add(self._document.key_place(path), text)

    def text(self, path: Path, said: str, text: str | None, bound: Mapping[str, Json]) -> None:
        """Check that every brace of a text belongs to a variable that can stand in it.

        Args:
            path: where it stands.
            said: what it is, in a message.
            text: None where there is none.
            bound: the variables that have one value for all jobs.
        """
        if text is not None and (wrong := wrong_with_text(text, bound)):
            self.note(path, f"{said}: {wrong}")

    def nulls(self, path: Path, idle: Iterable[Path]) -> None:
        """Note the nulls that take nothing away."""
        for below in idle:
            name = ".".join(map(str, below))
            self.note_key(
                (*path, *below),
                f"params.{name} has no value{unseen_in(name)}; write one or leave the key out",
            )

    def entry(self, path: Path, text: JobText, made: Entry, *, complete: bool) -> None:
        """Check an entry whose templates are parsed.

        Args:
            path: where it stands.
            text: what it says.
            made: what was made of it.
            complete: whether the defaults are whole: a parameter of theirs that was left out may use an axis.
        """
        if not made.models and complete:
            self.note(path, "model is missing; write model: here or under defaults", "model is missing")
        self._variables(path, text, made)
        self._twice(path, text, made)
        self._groups(path, text)
        self._samples(path, text)
        if complete:
            self._axes(path, text, made)
        if made.name is not None and not made.name.names:
            words = made.name.words
            if wrong := wrong_with(in_ascii(words) or slug(words)):
                self.note((*path, "id"), f'id: "{words}" cannot name a file: {wrong}')

    def foreign(self, path: Path, text: JobText, made: Entry, prompts: Sequence[str]) -> None:
        """Find variables that are written as other tools write them.

        Args:
            path: where the entry stands.
            text: what it says.
            made: what was made of it.
            prompts: the texts of its prompts, those in files read.
        """
        if not made.known:
            return
        texts: list[tuple[Path, str]] = [((*path, "id"), text.id or "")]
        texts += [((*path, "prompt", number), one) for number, one in enumerate(prompts) if text.prompt]
        origin = made.origin
        for name, value in {**origin.default_params, **origin.params}.items():
            for below, one in strings_in(value):
                texts.append((origin.find(("params", name, *below), prompt=0, model="")[0], one))
        used = {name for _, one in texts for name in parse(one).names}
        used.update(name for one in origin.models for name in parse(one).names)
        for place, one in texts:
            for found in foreign(one, made.known, labels=text.vars.keys() - used):
                if found.stops:
                    self.note(place, found.text)
                else:
                    self._problems.warn(self._document.place(place), found.text, kind="foreign variable")

    def _variables(self, path: Path, text: JobText, made: Entry) -> None:
        known = list(made.known)
        for place, names, written in self._texts(path, text, made, set(known)):
            for name in names:
                if name not in known:
                    self.note(place, _unknown(name, written, known), f"unknown variable {written}")
        self._hidden(path, text, made)

    def _texts(
        self, path: Path, text: JobText, made: Entry, known: set[str]
    ) -> Iterable[tuple[Path, Iterable[str], str]]:
        """Return the texts that name variables; those of the parameters only if one of them is unknown."""
        for index, one in enumerate(made.prompts):
            raw = text.prompt[index] if text.prompt else ""
            yield (*path, "prompt", index), one.names, raw if isinstance(raw, str) else ""
        if made.name is not None:
            yield (*path, "id"), made.name.names, text.id or ""
        for index, one in enumerate(made.models):
            base: Path = (*path, "model") if text.model else ("defaults", "model")
            yield (*base, index), one.names, ""
        if not set(made.params.names) <= known:
            origin = made.origin
            for name, value in {**origin.default_params, **origin.params}.items():
                for below, one_text in strings_in(value):
                    where, _ = origin.find(("params", name, *below), prompt=0, model="")
                    yield where, parse(one_text).names, one_text

    def _hidden(self, path: Path, text: JobText, made: Entry) -> None:
        """Find names that have a value here and another one under vars: nobody could say which is meant."""
        taken = self._vars.keys() | text.vars.keys()
        groups: list[tuple[Path, Iterable[str]]] = [((*path, "matrix"), text.matrix or {})]
        groups += [((*path, "zip", number), group) for number, group in enumerate(text.zip)]
        for place, names in groups:
            for name in names:
                if name in taken:
                    self.note_key((*place, name), f"{name} is one of the vars too; rename the axis")
        for name in taken & set(made.table.columns if made.table is not None else ()):
            self.note((*path, "from"), f"{name} is {_said(made)} and one of the vars; rename one")

    def _twice(self, path: Path, text: JobText, made: Entry) -> None:
        """Find values that are there twice: each would buy an equal job again."""
        prompts = [one if isinstance(one, str) else {"file": one.file} for one in text.prompt]
        lists: list[tuple[Path, Iterable[Json]]] = [
            ((*path, "prompt"), prompts),
            ((*path, "model"), made.origin.models),
            *(((*path, "matrix", name), one.of) for name, one in (text.matrix or {}).items()),
        ]
        for place, values in lists:
            is_text = "matrix" in place and made.tells(str(place[-1]))
            seen: dict[str, set[str]] = {}
            for index, value in enumerate(values):
                alike = seen.setdefault(canonical(value), set())
                if alike and (not is_text or self._text_of(place, index, value) in alike):
                    self.note((*place, index), f"{place[-1]} has this value twice; {_EQUAL} repeat: 2")
                alike.add(self._text_of(place, index, value) if is_text else "")

    def _text_of(self, place: Path, index: int, value: Json) -> str:
        """Return a value of an axis as it stands in a text: 1.1 and 1.10 are one number and two texts."""
        return text_of(self.spelled(value, (*place, index), (*place, "of", index)))

    def _groups(self, path: Path, text: JobText) -> None:
        names = list(text.matrix or {})
        for number, group in enumerate(text.zip):
            lengths = {name: len(values) for name, values in group.items()}
            if len(set(lengths.values())) > 1:
                shown = ", ".join(f"{name} has {count}" for name, count in lengths.items())
                self.note((*path, "zip", number), f"zip: what goes in step has equal lengths; {shown}")
            for name in group:
                if name in names:
                    self.note_key((*path, "zip", number, name), f"zip: {name} is an axis already; rename it")
                names.append(name)

    def _samples(self, path: Path, text: JobText) -> None:
        for name, one in (text.matrix or {}).items():
            if one.sample is not None and one.sample > len(one.of):
                said = f"sample: {one.sample} of {len(one.of)} values; write a smaller number"
                self.note((*path, "matrix", name, "sample"), said)

    def _axes(self, path: Path, text: JobText, made: Entry) -> None:
        columns = made.table.columns if made.table is not None else ()
        for place, axis in zip(_axis_places(path, text), made.axes, strict=True):
            for name in axis.names:
                if name in columns:
                    self.note_key((*place, name), f"{name} is {_said(made)} too; rename the axis")
            if not any(name in columns or name in self._vars or name in text.vars for name in axis.names):
                self._axis(place, axis, made)
        rows = made.table.count if made.table is not None else 0
        if rows > 1 and not any(made.uses(one) for one in columns):
            if made.table is not None and (made.table.is_files or made.table.is_jobs):
                of = "" if made.table.is_jobs else f" of {_source(made)}"
                said = f"none of the {made.table.counted(f'{rows:,}')}{of} goes in"
                right = '{job: "{job}"}' if made.table.is_jobs else '{file: "{path}"}'
                self.note((*path, "from"), f"{said}; write {right} in params")
                return
            text_ = f"no column of {_source(made)} is used in prompt or params, so its rows make equal jobs"
            self.note((*path, "from"), f"{text_}; {_EQUAL} repeat: {rows}")

    def _axis(self, place: Path, axis: Axis, made: Entry) -> None:
        used = [name for name in axis.names if made.uses(name)]
        steps = [
            canonical([_told(made, name, row[axis.names.index(name)]) for name in used]) for row in axis.rows
        ]
        if used and (len(set(steps)) == len(steps) or len(axis.names) == 1):  # or named already as twice
            return
        where = "not used in prompt or params" if len(made.prompts) <= 1 else "not used in every prompt"
        if used:
            said = f"{' and '.join(used)} has the same values twice"
        else:
            said = f"{' and '.join(axis.names)} is {where}, so its values make equal jobs"
        named: Sequence[str] = axis.names[:1]
        self.note_key((*place, *named), f"{said}; {_EQUAL} repeat: {len(axis.rows) if not used else 2}")


def _told(made: Entry, name: str, value: Json) -> Json:
    """Return what the service is told: a value's spelling where it is text, what it stands for elsewhere."""
    return value if made.tells(name) else plain(value)


def _axis_places(path: Path, text: JobText) -> Iterable[Path]:
    yield from ((*path, "matrix") for _ in text.matrix or {})
    yield from ((*path, "zip", number) for number in range(len(text.zip)))


def _said(made: Entry) -> str:
    return made.table.said if made.table is not None else ""


def _source(made: Entry) -> str:
    return made.table.source if made.table is not None else ""


def _unknown(name: str, written: str, known: list[str]) -> str:
    if f"${{{name}}}" in written:
        return f"${{{name}}}: {_ENVIRONMENT}"
    mark = "?" * (f"{{{name}?}}" in written)
    shown = f"unknown variable {{{shortened(name)}{mark}}}"
    if bare := bare_name(name, known):
        return f"{shown}; there are no formats and no filters: write {{{bare}}}"
    guess = meant(name, known)
    if guess:
        return shown + guess
    there = f"known here are {', '.join(known)}" if known else "there is no matrix and no table here"
    return f"{shown}; {there} (write {{{{ and }}}} for braces in text)"
