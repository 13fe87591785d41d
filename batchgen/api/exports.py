"""The current files of a batch under other names, and what is said of its jobs line by line."""

from dataclasses import replace

from batchgen.model import Scope
from batchgen.planning.selection import JobSelection
from batchgen.usecases.export import Export, Exported, export_files, lines_of
from batchgen.usecases.export_lists import JobLines
from batchgen.usecases.page import records_elsewhere
from batchgen.wiring.opening import look_at
from batchgen.wiring.options import Options
from batchgen.wiring.outputs import export_disk


def export(options: Options, asked: Export) -> Exported:
    """Make a second tree of the current files of a batch; a run beside it is not disturbed.

    Raises:
        InputError: the manifest or the template is wrong, nothing is there to be exported, or something that
            is not ours is in the way; nothing was changed.
        JournalError: the journal cannot be read.
        OutputError: the disk is at fault; it says how far it came.
    """
    kept, lost = _kept(options), None
    while True:
        with look_at(options, kept=kept) as opened:
            exported = export_files(opened, asked, export_disk(asked.folder))
        if exported.lost in {(), lost}:
            return exported
        lost = exported.lost  # a run may have renamed it just now: what is there says the record then


def job_lines(options: Options) -> JobLines:
    """Return what results say of the jobs of a batch that are meant, each as it stands now.

    Raises:
        InputError: the manifest is wrong, nothing was run yet, or words that select jobs mean none.
        JournalError: the journal cannot be read.
    """
    with look_at(options, kept=_kept(options)) as opened:
        return lines_of(opened)


def _kept(options: Options) -> Scope | None:
    with look_at(replace(options, slot=None, selection=JobSelection())) as opened:
        return records_elsewhere(opened)
