"""Two manifests of one batch: the second is refused, where it is not the first by another way.

The kind: what a batch is known by (a name) is less than what people mean by it (a file).
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from batchgen import api
from batchgen.errors import GuardError
from batchgen.exits import Exit
from batchgen.wiring.options import Allow
from tests.support.place import Place

MANIFEST = """\
version: 1
output: {{download: false}}
defaults: {{model: model_bfl-flux-1-dev}}
jobs: [{{prompt: a {what}}}]
"""


def write(path: Path, what: str, head: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + MANIFEST.format(what=what))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder in which ``a/jobs.yaml`` was run."""
    place = Place(tmp_path)
    write(tmp_path / "a/jobs.yaml", "mill")
    assert run(place, "a/jobs.yaml") is Exit.DONE
    return place


def run(place: Place, path: str, *allow: Allow, output: str = "output") -> Exit:
    outcome = place.run(manifest=place.folder / path, allow=frozenset(allow), output=place.folder / output)
    return outcome.verdict.exit


def test_a_second_manifest_of_the_batch_is_refused_before_anything_is_sent(place: Place) -> None:
    write(place.folder / "b/jobs.yaml", "well")
    asked = sum(place.earth.service.counts.values())
    with pytest.raises(GuardError) as caught:
        run(place, "b/jobs.yaml")
    text = str(caught.value)
    assert str(place.folder / "a/jobs.yaml") in text
    assert "`batch: b-jobs`" in text
    assert "--allow shared-batch" in text
    assert sum(place.earth.service.counts.values()) == asked
    assert run(place, "a/jobs.yaml") is Exit.DONE, "and the first goes on as before"
    shown = place.play(api.plan(place.options(manifest=place.folder / "b/jobs.yaml"), offline=True))
    assert shown.found.stopped == text


def test_with_a_name_of_its_own_it_runs(place: Place) -> None:
    write(place.folder / "b/jobs.yaml", "well", "batch: b-jobs\n")
    assert run(place, "b/jobs.yaml") is Exit.DONE


def test_a_choice_is_remembered_for_the_two_and_for_no_third(place: Place) -> None:
    write(place.folder / "b/jobs.yaml", "well")
    assert run(place, "b/jobs.yaml", Allow.SHARED_BATCH) is Exit.DONE
    assert run(place, "b/jobs.yaml") is Exit.DONE
    assert run(place, "a/jobs.yaml") is Exit.DONE, "in both directions"
    write(place.folder / "c/jobs.yaml", "barn")
    with pytest.raises(GuardError, match="shared-batch"):
        run(place, "c/jobs.yaml")


def test_one_that_is_written_on_purpose_with_the_name_of_another_is_asked_once(place: Place) -> None:
    write(place.folder / "a/more.yaml", "well", "batch: jobs\n")
    with pytest.raises(GuardError, match="`batch: jobs-more`"):
        run(place, "a/more.yaml")
    assert run(place, "a/more.yaml", Allow.SHARED_BATCH) is Exit.DONE
    assert run(place, "a/more.yaml") is Exit.DONE


def test_a_manifest_that_another_run_left_behind_the_last_one_counts_as_well(place: Place) -> None:
    write(place.folder / "b/jobs.yaml", "well")
    run(place, "b/jobs.yaml", Allow.SHARED_BATCH)
    (place.folder / "b/jobs.yaml").unlink()
    write(place.folder / "c/jobs.yaml", "barn")
    with pytest.raises(GuardError, match=r"a/jobs\.yaml"):
        run(place, "c/jobs.yaml")


def linked(place: Place) -> str:
    (place.folder / "link.yaml").symlink_to(place.folder / "a/jobs.yaml")
    return "link.yaml"


def linked_folder(place: Place) -> str:
    (place.folder / "again").symlink_to(place.folder / "a")
    return "again/jobs.yaml"


def hard_linked(place: Place) -> str:
    os.link(place.folder / "a/jobs.yaml", place.folder / "jobs.yaml")
    return "jobs.yaml"


def moved_folder(place: Place) -> str:
    (place.folder / "a").rename(place.folder / "moved")
    write(place.folder / "moved/jobs.yaml", "quay")
    return "moved/jobs.yaml"


def renamed(place: Place) -> str:
    (place.folder / "a/jobs.yaml").unlink()
    write(place.folder / "a/new.yaml", "mill", "batch: jobs\n")
    return "a/new.yaml"


def copied_file(place: Place) -> str:
    shutil.copytree(place.folder / "a", place.folder / "copy")
    return "copy/jobs.yaml"


def made_another_batch(place: Place) -> str:
    write(place.folder / "a/jobs.yaml", "mill", "batch: other\n")
    write(place.folder / "b/jobs.yaml", "well")
    return "b/jobs.yaml"


@pytest.mark.parametrize(
    "other",
    [linked, linked_folder, hard_linked, moved_folder, renamed, copied_file, made_another_batch],
    ids=lambda one: one.__name__,
)
def test_the_same_manifest_by_another_way_is_no_second_one(
    place: Place, other: Callable[[Place], str]
) -> None:
    path = other(place)
    if path == "link.yaml":  # its batch is named by the link
        write(place.folder / "a/jobs.yaml", "mill", "batch: jobs\n")
    assert run(place, path) is Exit.DONE


def test_a_copy_whose_table_is_another_is_a_second_one(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for name, what in (("a", "mill"), ("b", "well")):
        write(tmp_path / name / "jobs.yaml", "WHAT, drawn")
        text = (tmp_path / name / "jobs.yaml").read_text()
        (tmp_path / name / "jobs.yaml").write_text(
            text.replace("a WHAT, drawn", '"a {what}", from: rows.csv')
        )
        (tmp_path / name / "rows.csv").write_text(f"what\n{what}\n")
    assert run(place, "a/jobs.yaml") is Exit.DONE
    with pytest.raises(GuardError, match="shared-batch"):
        run(place, "b/jobs.yaml")
    (tmp_path / "b/rows.csv").write_text("what\nmill\n")
    assert run(place, "b/jobs.yaml") is Exit.DONE


def test_a_copy_that_was_changed_is_a_second_one(place: Place) -> None:
    shutil.copytree(place.folder / "a", place.folder / "copy")
    write(place.folder / "copy/jobs.yaml", "quay")
    with pytest.raises(GuardError, match="shared-batch"):
        run(place, "copy/jobs.yaml")


def test_a_folder_that_was_copied_with_its_journal_is_a_place_of_its_own(tmp_path: Path) -> None:
    place = Place(tmp_path)
    write(tmp_path / "here/jobs.yaml", "mill")
    assert run(place, "here/jobs.yaml", output="here/output") is Exit.DONE
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    write(tmp_path / "there/jobs.yaml", "well")
    assert run(place, "there/jobs.yaml", output="there/output") is Exit.DONE
    assert run(place, "here/jobs.yaml", output="here/output") is Exit.DONE


def test_a_second_work_tree_that_shares_the_output_is_refused_and_one_with_its_own_is_not(
    place: Place,
) -> None:
    write(place.folder / "tree/jobs.yaml", "well")
    with pytest.raises(GuardError, match="shared-batch"):
        run(place, "tree/jobs.yaml")
    assert run(place, "tree/jobs.yaml", output="tree/output") is Exit.DONE


def test_manifests_made_in_python_are_known_by_their_batch_alone(place: Place) -> None:
    text = MANIFEST.format(what="well").encode()
    made = place.run(manifest=place.folder / "jobs", text=text)
    assert made.verdict.exit is Exit.DONE
    assert run(place, "a/jobs.yaml") is Exit.DONE
