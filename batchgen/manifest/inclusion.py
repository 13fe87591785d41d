"""Manifests that take in the jobs of others: which files make one batch, and in which order.

Each file has its own variables, defaults and folder. What a run needs to know beside its jobs is
said by the first one only.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from batchgen.errors import InputError
from batchgen.manifest.environment import filled
from batchgen.manifest.naming import alike
from batchgen.manifest.origins import SourceFile
from batchgen.manifest.source.document import Document, read_document
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.text_files import read_bytes
from batchgen.manifest.validation import Validated, validate

DEEPEST = 10  # files that include each other in a chain


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One file of a manifest.

    Attributes:
        path: as it was named, from the working folder.
        raw: its bytes.
        sound: what of it can be read on.
    """

    path: Path
    raw: bytes
    document: Document
    sound: Validated

    @property
    def paper(self) -> SourceFile:
        """The file, to be opened again when a place in it is asked for."""
        return SourceFile(self.path, self.document.source, self.raw)


class Inclusion:
    """Reads the files of one manifest, each once.

    Args:
        problems: takes what is wrong.
        environ: what ``${NAME}`` is looked up in.
    """

    def __init__(self, problems: Problems, environ: Mapping[str, str]) -> None:
        self._problems = problems
        self._environ = environ
        self._seen: dict[Path, Place] = {}

    def sheets(self, path: Path, text: bytes | None = None) -> list[Sheet]:
        """Return the manifest and then the files it includes, each before those that it includes itself.

        Args:
            path: of the manifest.
            text: what it has, where it is in no file.

        Raises:
            InputError: the manifest itself cannot be read.
        """
        raw = read_bytes(path, str(path)) if text is None else text
        first = self._sheet(path, raw, included=False)
        self._seen[path.resolve()] = Place(str(path))
        return [first, *self._below(first, (path.resolve(),))]

    def check_names(self, sheets: Iterable[Sheet]) -> None:
        """Note the entries of all files that are called alike: nobody could say which is meant."""
        seen: dict[str, Place] = {}
        for sheet in sheets:
            for number, one in zip(sheet.sound.numbers, sheet.sound.text.jobs, strict=True):
                if one.entry is None:
                    continue
                place = sheet.document.place(("jobs", number, "entry"))
                other = seen.setdefault(alike(one.entry), place)
                if other != place:
                    said = (
                        f'"{one.entry}" is taken, the entry at {other} has it (upper and lower case are one)'
                    )
                    self._problems.add(place, f"entry: {said}; give one of them another name")

    def _sheet(self, path: Path, raw: bytes, *, included: bool) -> Sheet:
        document = read_document(raw, str(path), self._problems)
        sound = validate(document, self._problems, included=included)
        return Sheet(path=path, raw=raw, document=document, sound=sound)

    def _below(self, sheet: Sheet, chain: tuple[Path, ...]) -> Iterator[Sheet]:
        for number, name in enumerate(sheet.sound.text.include):
            place = sheet.document.place(("include", number))
            try:
                path = sheet.path.parent / filled(name, self._environ)
                resolved = path.resolve()
            except (ValueError, OSError, RuntimeError) as error:  # not set, a NUL, a loop of links
                self._problems.add(place, f"include: {error}")
                continue
            if wrong := self._wrong_with(path, resolved, chain):
                self._problems.add(place, f"include: {wrong}")
                continue
            self._seen[resolved] = place
            try:
                below = self._sheet(path, read_bytes(path, str(path)), included=True)
            except InputError as error:
                self._problems.take(error, named=place)
                continue
            yield below
            yield from self._below(below, (*chain, resolved))

    def _wrong_with(self, path: Path, resolved: Path, chain: tuple[Path, ...]) -> str | None:
        if resolved in chain:
            return f"{path} includes itself"
        if resolved in self._seen:
            return f"{path} is included already, at {self._seen[resolved]}; its jobs would be bought twice"
        if len(chain) >= DEEPEST:
            return f"{path}: more than {DEEPEST} files include each other"
        return None
