"""What a job without a prompt is about, by which it is called where nobody names it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from batchgen.manifest.naming import may_be_id, slug, slug_of_file
from batchgen.manifest.references import JOB, is_reference
from batchgen.manifest.tables.table import Table
from batchgen.manifest.templates import Template
from batchgen.manifest.trees import LocalFile, OtherJob, Tree, Whole
from batchgen.model import TEXT_INPUTS, Json


class Subject(NamedTuple):
    """What a job without a prompt is about: its first local file or other job, else its text.

    Attributes:
        template: the path, the id or the text.
        is_path, is_job: whether it is one of a file, and whether it is the id of another job.
    """

    template: Template
    is_path: bool = False
    is_job: bool = False

    def start(self, values: Mapping[str, Json], *, with_folders: bool) -> str:
        """Return what an automatic id begins with; empty where there is nothing to read in it.

        Args:
            values: of the variables.
            with_folders: whether it takes the folders of a path to tell files apart.
        """
        text = self.text(values)
        if self.is_job and may_be_id(text):
            return text
        return slug_of_file(text, with_folders=with_folders) if self.is_path else slug(text)

    def text(self, values: Mapping[str, Json]) -> str:
        """Return the path or the text; empty where it has a value that is none, which is named elsewhere."""
        try:
            return self.template.render(values)
        except ValueError:
            return ""

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that tell it apart: of a path those in the file's own name."""
        if not self.is_path:
            return self.template.names
        folders = [number for number, one in enumerate(self.template.literals) if "/" in one]
        return self.template.names[folders[-1] if folders else 0 :]


def subject_of(params: Tree) -> Subject | None:
    """Return what a job without a prompt is about; None where it has no file, no job and no text."""
    if (first := next(_inputs(params.shape), None)) is not None:
        return first
    found = (params.shape.get(name) for name in TEXT_INPUTS) if isinstance(params.shape, dict) else ()
    text = next((one for one in map(_template, found) if one is not None), None)
    return None if text is None else Subject(text)


def _inputs(shape: Json) -> Iterator[Subject]:
    match shape:
        case LocalFile() | OtherJob():
            is_job = isinstance(shape, OtherJob)
            yield Subject(shape.template, is_path=not is_job, is_job=is_job)
        case {"file": str(path), "sha256": str()}:
            yield Subject(Template((path,), ()), is_path=True)
        case dict() if is_reference(shape):
            yield Subject(Template((shape[JOB],), ()), is_job=True)
        case dict():
            for one in shape.values():
                yield from _inputs(one)
        case list():
            for one in shape:
                yield from _inputs(one)
        case _:
            return


def _template(shape: Json) -> Template | None:
    match shape:
        case str():
            return Template((shape,), ())
        case Template():
            return shape
        case Whole():
            return Template(("", ""), (shape.name,))
        case _:
            return None


def are_stems_alike(table: Table) -> bool:
    """Return whether two files have one name but for their folders and types."""
    if not table.is_files:
        return False
    stems = {str(one["stem"]).lower() for one in table.all_values(["stem"], range(table.count))}
    return len(stems) < table.count


def told_apart(table: Table, rows: Sequence[int]) -> str | None:
    """Return the first of two files and what tells them apart in an id; None where rows are no files."""
    if not table.is_files:
        return None
    one, other = table.all_values(("name", "folder"), rows)
    apart = "write {folder} in the id too"
    if one["folder"] == other["folder"]:
        is_case = str(one["name"]).lower() == str(other["name"]).lower()
        alike = "rename one of them, for upper and lower case are one file"
        apart = alike if is_case else "write {name} in the id in place of {stem}"
    return f"{table.says(rows[0]).removesuffix(': ')}; {apart}"
