"""The page of what came out, written without a run."""

from dataclasses import replace
from pathlib import Path

from batchgen.output.sending import SentPage
from batchgen.planning.selection import JobSelection
from batchgen.usecases.page import Sending, records_elsewhere, write_page
from batchgen.wiring.opening import look_at
from batchgen.wiring.options import Options


def report(options: Options, *, alone: bool = False, zip_to: Path | None = None) -> SentPage:
    """Write the page of what came out, of all jobs or of those that are selected, and return where it lies.

    Args:
        options: which batch, and which of its jobs.
        alone: as one file to be sent, with its pictures inside.
        zip_to: as a zip there, with its pictures and files.

    Raises:
        InputError: the manifest is wrong, nothing was run yet, words that select jobs mean none, or it is too
            much to be sent.
        JournalError, OutputError: the disk is at fault.
    """
    with look_at(replace(options, slot=None, selection=JobSelection())) as opened:
        kept = records_elsewhere(opened)
    with look_at(options, kept=kept) as opened:
        return write_page(opened, Sending(alone=alone, zip=zip_to))
