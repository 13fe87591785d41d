import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.output.names import LONGEST, check_template, file_name


def name(
    template: str = "{id}_{index}", job_id: str = "tower", asset_id: str = "asset_x1", extension: str = "png"
) -> str:
    return file_name(template, id=job_id, index=0, asset_id=asset_id, extension=extension)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{id}_{index}", "tower_0.png"),
        ("{asset_id}", "asset_x1.png"),
        ("{{{id}}}", "{tower}.png"),
        ("a/b/{id}", "a-b-tower.png"),
        ("../{id}", "-tower.png"),
        ("", "asset_x1.png"),
        ("CON", "_CON.png"),
        ("com1.{id}", "_com1.tower.png"),
    ],
)
def test_a_template_becomes_a_name(template: str, expected: str) -> None:
    assert name(template) == expected


@pytest.mark.parametrize("template", ["{name}", "{", "}", "{id.__class__}", "{id!r}", "{}", "{0}"])
def test_a_template_that_names_what_does_not_exist_is_refused(template: str) -> None:
    with pytest.raises(InputError, match=r"none of \{asset_id\}, \{id\}, \{index\}"):
        check_template(template)


def test_braces_in_a_value_are_not_read_again() -> None:
    assert name(job_id="{asset_id}") == "{asset_id}_0.png"


@pytest.mark.parametrize("extension", ["", "../x", "p/g", "tar.gz", "x" * 11])
def test_an_odd_extension_becomes_bin(extension: str) -> None:
    assert name(extension=extension) == "tower_0.bin"


def test_long_names_that_differ_at_the_end_stay_different() -> None:
    one, other = name(job_id="é" * 300 + "1"), name(job_id="é" * 300 + "2")
    assert one != other
    assert max(len(one.encode()), len(other.encode())) <= LONGEST


@given(
    template=st.text().map(lambda text: text.replace("{", "").replace("}", "") + "{id}"),
    job_id=st.text(st.characters(exclude_categories=())),
    asset_id=st.text(),
    extension=st.text(),
)
def test_no_name_leaves_its_folder_or_upsets_a_file_system(
    template: str, job_id: str, asset_id: str, extension: str
) -> None:
    made = file_name(template, id=job_id, index=0, asset_id=asset_id, extension=extension)
    assert PurePosixPath(made).name == made
    assert PureWindowsPath(made).name == made
    assert not PureWindowsPath(made).is_reserved()
    assert made not in {"", ".", ".."}
    assert not made.startswith((".", " "))
    assert len(os.fsencode(made)) <= LONGEST
    assert not any(unicodedata.category(one) in {"Cc", "Cs"} for one in made)
