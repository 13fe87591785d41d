import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.manifest.file_templates import LONGEST, LONGEST_FOLDER
from batchgen.planning.file_names import FileNames, NameParts, folded

SHEET: dict[str, Any] = {"name": "sword", "rarity": "rare", "style": "", "level": 7, "none": None}
PARTS = NameParts(
    id="icon-sword",
    entry="icons",
    model="model_imagen4-ultra",
    prompt="A sword, steel: shiny",
    variables=SHEET,
    slot="2026-W49",
    date="2026-11-30",
)


def path(
    template: str = "{id}_{index}",
    parts: NameParts = PARTS,
    *,
    index: int = 0,
    asset_id: str = "asset_x1",
    kind: str = "image",
    extension: str = "png",
) -> str:
    return FileNames(template).path(parts, index=index, asset_id=asset_id, kind=kind, extension=extension)


def with_values(**values: Any) -> NameParts:
    return NameParts(id="icon", variables=values)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{id}_{index}", "icon-sword_0.png"),
        ("{asset_id}", "asset_x1.png"),
        ("{{{id}}}", "{icon-sword}.png"),
        ("icons/{rarity}/{name}_{level}", "icons/rare/sword_7.png"),
        ("{entry}/{model}/{prompt}", "icons/imagen4-ultra/a-sword-steel-shiny.png"),
        ("{kind}/{date}/{slot}_{id}", "image/2026-11-30/2026-W49_icon-sword.png"),
        ("{name}-{ rarity }", "sword-rare.png"),
        ("武器/سيف-{id}", "武器/سيف-icon-sword.png"),
    ],
)
def test_a_template_becomes_a_path(template: str, expected: str) -> None:
    assert path(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("../{id}", "icon-sword.png"),
        ("/etc/{id}", "etc/icon-sword.png"),
        ("C:\\x\\{id}", "C-x-icon-sword.png"),
        ("a//b/./{id}", "a/b/icon-sword.png"),
        ("{id}/", "icon-sword/asset_x1.png"),
        ("", "asset_x1.png"),
        ("CON", "_CON.png"),
        ("com1.{id}", "_com1.icon-sword.png"),
        ("aux/{id}", "_aux/icon-sword.png"),
        ("{style}", "asset_x1.png"),
        ("{style}/{id}", "icon-sword.png"),
        ("{none}-{nobody}", "-.png"),
    ],
)
def test_what_no_name_can_be_is_made_safe(template: str, expected: str) -> None:
    assert path(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{name}_{style?}", "sword.png"),
        ("{style?}_{name}", "sword.png"),
        ("{name}_{style?}_{rarity}", "sword_rare.png"),
        ("{name} - {style?}", "sword.png"),
        ("{rarity?}_{name}", "rare_sword.png"),
        ("{style?}/{name}", "sword.png"),
        ("{style?}{none?}/{name}", "sword.png"),
        ("x{style?}/{name}", "x/sword.png"),
    ],
)
def test_an_optional_variable_without_a_value_takes_what_joins_it_along(template: str, expected: str) -> None:
    assert path(template) == expected


@pytest.mark.parametrize("template", ["{", "}", "a{b", "{{}", "{name}}"])
def test_a_brace_that_opens_or_closes_nothing_is_refused(template: str) -> None:
    with pytest.raises(InputError, match=r"output\.files: a [{}] (opens|closes) no variable"):
        FileNames(template)


@pytest.mark.parametrize("template", ["{id.__class__}", "{id!r}", "{}", "{0}", "{id:>9}"])
def test_a_variable_is_a_name_and_nothing_is_looked_up_in_it(template: str) -> None:
    assert path(template) == "asset_x1.png"


def test_the_second_file_of_a_job_is_numbered_where_the_template_does_not_tell_them_apart() -> None:
    assert [path("{name}", index=at) for at in range(3)] == ["sword.png", "sword_2.png", "sword_3.png"]
    assert [path("{name}-{index}", index=at) for at in range(2)] == ["sword-0.png", "sword-1.png"]
    assert [path("{index}/{name}", index=at) for at in range(2)] == ["0/sword.png", "1/sword.png"]
    assert path("{asset_id}", index=1, asset_id="asset_x2") == "asset_x2.png"
    assert path("{kind}/{name}", index=1, kind="3d", extension="glb") == "3d/sword_2.glb"


def test_a_variable_of_the_sheet_goes_before_ours_but_for_what_tells_files_apart() -> None:
    own = with_values(
        kind="weapon", slot="hand", date="1812", entry="loot", id="7", index="9", asset_id="mine"
    )
    assert path("{kind} {slot} {date} {entry}", own) == "weapon hand 1812 loot.png"
    assert path("{id}_{index}_{asset_id}", own) == "icon_0_asset_x1.png"


def test_a_prompt_and_a_model_of_the_sheet_are_shortened_as_ours_are() -> None:
    own = with_values(prompt="A sword: 3/4 view", model="model_bfl-flux-1-dev")
    assert path("{prompt}/{model}", own) == "a-sword-3-4-view/bfl-flux-1-dev.png"
    assert path("{prompt}", NameParts(id="x", prompt="🗡")) != path("{prompt}", NameParts(id="x", prompt="🛡"))


def test_a_slash_makes_a_folder_in_the_path_of_a_file_and_nowhere_else() -> None:
    own = with_values(folder="scans/old", stem="castle", name="a/b")
    assert path("{folder}/{stem}", own) == "scans/old/castle.png"
    assert path("{name}", own) == "a-b.png"
    assert path("{folder}/x", with_values(folder="../../etc")) == "etc/x.png"
    assert path("{folder}/x", with_values(folder="/etc")) == "etc/x.png"


def test_braces_in_a_value_are_not_read_again() -> None:
    assert path(parts=NameParts(id="{asset_id}")) == "{asset_id}_0.png"


def test_a_column_may_be_called_by_a_question() -> None:
    names = FileNames("{rare?}", exact=["rare?"])
    parts = with_values(**{"rare?": "yes"})
    assert names.path(parts, index=0, asset_id="a", kind="", extension="png") == "yes.png"


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_a_value_that_is_no_text_stops_nothing(value: object) -> None:
    assert path("{name}", with_values(name=value)) == "asset_x1.png"


@pytest.mark.parametrize("extension", ["", "../x", "p/g", "tar.gz", "x" * 11])
def test_an_odd_extension_becomes_bin(extension: str) -> None:
    assert path(extension=extension) == "icon-sword_0.bin"


@pytest.mark.parametrize(
    "word",
    ["剣", "سيف", "חרב", "меч", "तलवार", "ดาบ", "칼", "👩‍🚀", "Café", "Straße", "ἀσπίς", "ñandú"],
)
def test_every_script_stays_as_it_is_in_its_composed_form(word: str) -> None:
    composed = unicodedata.normalize("NFC", word)
    for form in ("NFC", "NFD"):
        assert path("{name}", with_values(name=unicodedata.normalize(form, word))) == f"{composed}.png"


def test_long_names_that_differ_at_the_end_stay_different() -> None:
    made = {
        path("{name}/{name}", with_values(name="é" * 300 + end), index=at) for end in "12" for at in (0, 1)
    }
    assert len(made) == 4
    for one in made:
        folder, name = one.split("/")
        assert len(folder.encode()) <= LONGEST_FOLDER
        assert len(name.encode()) <= LONGEST


@pytest.mark.parametrize(
    ("one", "other"),
    [("Sword.png", "sword.png"), ("Straße", "STRASSE"), ("e\u0301", "\u00c9"), ("a/B", "A/b"), ("ς", "Σ")],
)
def test_paths_that_are_one_on_some_file_system_are_folded_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_other_paths_are_not() -> None:
    assert len({folded(one) for one in ("a", "a/b", "a-b", "ä", "\u0430", "a_b")}) == 6  # one is Cyrillic


ANY = st.text(st.characters(exclude_categories=()))
TEMPLATES = st.lists(
    st.sampled_from(
        [
            "{id}",
            "{index}",
            "{asset_id}",
            "{name}",
            "{folder}",
            "{name?}",
            "{kind}",
            "{prompt}",
            "{model}",
            "/",
            "..",
            "_",
        ]
    )
    | ANY.map(lambda text: text.replace("{", "").replace("}", ""))
).map("".join)


@given(
    template=TEMPLATES,
    job_id=ANY,
    value=ANY | st.none() | st.integers() | st.floats() | st.lists(ANY),
    asset_id=ANY,
    kind=ANY,
    index=st.integers(0, 10_000),
    extension=ANY,
)
def test_no_path_leaves_its_folder_or_upsets_a_file_system(
    template: str, job_id: str, value: Any, asset_id: str, kind: str, index: int, extension: str
) -> None:
    parts = NameParts(id=job_id, model=job_id, prompt=job_id, variables={"name": value, "folder": value})
    made = path(template, parts, index=index, asset_id=asset_id, kind=kind, extension=extension)
    assert not made.startswith("/")
    *folders, name = made.split("/")
    for one in (*folders, name):
        assert PurePosixPath(one).name == one
        assert PureWindowsPath(one).name == one
        assert not PureWindowsPath(one).is_reserved()
        assert one not in {"", ".", ".."}
        assert not one.startswith((".", " "))
        assert not one.endswith((".", " "))
        assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in one)
        assert unicodedata.is_normalized("NFC", one)
    assert len(os.fsencode(name)) <= LONGEST
    assert all(len(os.fsencode(one)) <= LONGEST_FOLDER for one in folders)


WORDS = st.text(st.characters(categories=["L", "N", "S"], exclude_characters="<>|"), min_size=1, max_size=8)


@given(one=st.tuples(WORDS, WORDS), other=st.tuples(WORDS, WORDS))
def test_two_paths_are_folded_alike_only_if_their_parts_are(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    made = [folded(path("x/{a}/y{b}", with_values(a=a, b=b))) for a, b in (one, other)]
    alike = all(folded(a) == folded(b) for a, b in zip(one, other, strict=True))
    assert (made[0] == made[1]) is alike
