"""A batch by its manifest or by its name."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.errors import InputError
from batchgen.usecases.targets import batch_meant, manifest_meant
from tests.support.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place.with_jobs(tmp_path, 1)
    place.run()
    return place


def test_a_batch_that_was_run_is_meant_by_its_name(place: Place) -> None:
    named = replace(place.options(), manifest=Path("spring"))
    assert manifest_meant(named) == place.folder / "jobs.yaml"


def test_a_path_means_itself_also_where_nothing_is(place: Place) -> None:
    for path in (Path("jobs.yaml"), Path("folder/spring"), place.folder / "jobs.yaml"):
        assert manifest_meant(replace(place.options(), manifest=path)) == path


def test_a_name_that_is_none_is_said_with_those_there_are(place: Place) -> None:
    with pytest.raises(InputError, match=r"no batch of that name in .*; there are: spring"):
        manifest_meant(replace(place.options(), manifest=Path("summer")))


def test_a_manifest_that_is_gone_is_said_to_be(place: Place) -> None:
    (place.folder / "jobs.yaml").rename(place.folder / "moved.yaml")
    with pytest.raises(InputError, match=r"was .*jobs\.yaml, which is gone; give its path"):
        manifest_meant(replace(place.options(), manifest=Path("spring")))


def test_a_file_beside_a_batch_of_the_same_name_is_the_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    Path("spring").write_text("version: 1\nbatch: other\njobs: [{prompt: a mill}]\n")
    named = replace(place.options(), manifest=Path("spring"))
    assert (manifest_meant(named), batch_meant(named)) == (Path("spring"), "other")
    Path("spring").unlink()
    assert batch_meant(named) == "spring"
