"""What the journal remembers of a person's word, and for which batch."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.model import Acceptance, JobKey, Scope
from tests.support.journals import Journals
from tests.support.opened import OpenedFile as JournalFile

SCOPE = Scope(origin="http://127.0.0.1/v1", project="p", batch="spring", slot="2026-11-23")
WORD = {Acceptance("tower", "v1:new"): JobKey("v1:old", 2)}


def test_a_word_is_kept_and_taken_back(journals: Journals) -> None:
    with journals.open() as file:
        file.accepted(SCOPE).keep(WORD, at=1.0)
        file.accepted(SCOPE).keep({Acceptance("mill", "v1:m"): JobKey("v1:o", 0)}, at=2.0)
    with journals.open() as file:
        file.accepted(SCOPE).forget([Acceptance("mill", "v1:m")])
        assert file.accepted(SCOPE).read() == WORD


@pytest.mark.parametrize(
    "other",
    [
        replace(SCOPE, origin="https://other/v1"),
        replace(SCOPE, project="q"),
        replace(SCOPE, batch="autumn"),
        replace(SCOPE, slot=""),
    ],
)
def test_it_is_of_one_batch_and_slot(journals: Journals, other: Scope) -> None:
    with journals.open() as file:
        file.accepted(SCOPE).keep(WORD, at=1.0)
        assert not file.accepted(other).read()


def test_a_later_word_takes_the_place_of_an_earlier_one(journals: Journals) -> None:
    later = {Acceptance("tower", "v1:new"): JobKey("v1:older", 0)}
    with journals.open() as file:
        file.accepted(SCOPE).keep(WORD, at=1.0)
        file.accepted(SCOPE).keep(later, at=2.0)
        assert file.accepted(SCOPE).read() == later


def test_where_there_is_no_journal_yet_nothing_is_kept(tmp_path: Path) -> None:
    with JournalFile.open_to_read(tmp_path / "journal.db") as file:
        assert not file.accepted(SCOPE).read()
