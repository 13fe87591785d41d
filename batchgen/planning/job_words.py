"""What the jobs of a manifest have to say for the names of their files."""

from collections.abc import Iterator

from batchgen.manifest.file_templates import FIXED, exact_in
from batchgen.manifest.values import Manifest
from batchgen.manifest.variables import Variables
from batchgen.model import Job
from batchgen.planning.file_names import FileNames, NameParts


class JobWords:
    """The words of each job of a manifest, and the template that they fill in.

    Attributes:
        names: the template.
        needed: whether it says anything that only the manifest knows of a job: its entry or a variable.

    Args:
        manifest: whose jobs.
        slot: the one that they belong to; empty where the batch has none.
        date: the day on which that began; empty where that is not known.
    """

    def __init__(self, manifest: Manifest, *, slot: str = "", date: str = "") -> None:
        sheet = {name for one in manifest.origins.entries for name in names_of(one.variables)}
        self.names = FileNames(manifest.output.files, exact=exact_in(sheet))
        self.needed = not (sheet | {"entry"}).isdisjoint(frozenset(self.names.names) - FIXED)
        self._entry = "entry" in self.names.names
        self._manifest = manifest
        self._slot = slot
        self._date = date

    def parts(self, index: int, *, whole: bool = False) -> NameParts:
        """Return what is known of a job, as far as the template asks for it.

        Args:
            index: the job's number.
            whole: whether everything is wanted, whatever the template asks for.
        """
        job = self._manifest.jobs[index]
        if not whole and not self.needed:
            return self.parts_of(job)
        return NameParts(
            id=job.id,
            entry=self._manifest.entry(index) if whole or self._entry else "",
            model=job.model,
            prompt=job.prompt,
            variables=self._manifest.variables(index),
            slot=self._slot,
            date=self._date,
        )

    def parts_of(self, job: Job) -> NameParts:
        """Return what a job says by itself, which is enough where nothing else is needed."""
        return NameParts(id=job.id, model=job.model, prompt=job.prompt, slot=self._slot, date=self._date)


def names_of(variables: Variables) -> Iterator[str]:
    """Return the names of what the jobs of an entry have: its axes, its columns, and ``vars``."""
    for one in variables.axes:
        yield from one.names
    if variables.table is not None:
        yield from variables.table.columns
    yield from variables.fixed
