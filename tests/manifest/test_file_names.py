"""What is wrong with the names of files, told with a place and before anything is bought."""

from collections.abc import Callable

import pytest

from batchgen.errors import ManifestError
from batchgen.manifest.values import Manifest
from batchgen.planning.name_checks import check_names
from tests.manifest.conftest import Complain, Read

Wrong = Callable[..., list[str]]

HEAD = "version: 1\ndefaults: {model: model_imagen4-ultra}\n"
ROWS = """jobs:
  - id: icon
    from: icons.csv
    prompt: "{name}, {note}"
"""
ROOM = 4000


def with_files(files: str, rest: str = "jobs: [{prompt: a tower, vars: {}}]\n") -> str:
    return f"{HEAD}output: {{files: {files!r}}}\n{rest.replace(', vars: {}', '')}"


def wrong_names(manifest: Manifest, *, period: str | None = None, room: int = ROOM) -> list[str]:
    try:
        check_names(manifest, period=period or manifest.period, room=room)
    except ManifestError as error:
        return [f"{one.source}:{one.line}:{one.column}: {one.text}" for one in error.problems]
    return []


@pytest.fixture
def wrong(read: Read) -> Wrong:
    """Give what is wrong with the names of a table's jobs."""

    def looking(
        files: str,
        rows: str,
        jobs: str = ROWS,
        *,
        more: str = "",
        period: str | None = None,
        room: int = ROOM,
    ) -> list[str]:
        manifest = read(with_files(files, more + jobs), files={"icons.csv": rows})
        return wrong_names(manifest, period=period, room=room)

    return looking


# A template that can name no file, by its own text.


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            "/srv/{id}",
            '"/srv/{id}" is a path from elsewhere; files lie below assets/, write a path from there',
        ),
        ("~/icons/{id}", "is a path from elsewhere"),
        ("C:/icons/{id}", "is a path from elsewhere"),
        ("\\\\srv\\{id}", "is a path from elsewhere"),
        ("icons\\{id}", "has a backslash; folders are made by /"),
        ("../{id}", "has .. for a folder"),
        ("a/../../{id}", "has .. for a folder"),
        ("a/./{id}", "has . for a folder"),
        ("{entry}/..", "has .. for a folder"),
        ("icons/", "is a folder; write behind it what the files are called"),
        ("{rarity}/", "is a folder"),
        ("a//{id}", "has a folder without a name"),
        ("ab:{id}", '":" (colon, U+003A) cannot stand in a file name'),
        ("{id}*", '"*" (asterisk, U+002A) cannot stand in a file name'),
        ("{id}?x", '"?" (question mark, U+003F) cannot stand in a file name'),
        ("<{id}>", '"<" (less-than sign, U+003C) cannot stand in a file name'),
        ("con/{id}", "Windows keeps this name for a device"),
        ("{id}/Lpt1.x", "Windows keeps this name for a device"),
        (".{id}", "a dot cannot begin a file name"),
        ("x/.git/{id}", "a dot cannot begin a file name"),
        ("{id}.", "a dot cannot end a file name"),
        ("{id} /x", "a space cannot end a file name"),
        ("x" * 185 + "{id}", "has a name of more than 184 bytes"),
        ("{id", "a { opens no variable; write {{ for a brace in the text"),
        ("id}", "a } closes no variable"),
        ("{idd}", "unknown variable {idd}; did you mean id?"),
        ("{asset}", "unknown variable {asset}; did you mean asset_id?"),
        ("{id|lower}", "unknown variable {id|lower}; there are no formats and no filters: write {id}"),
        ("{index:03}", "unknown variable {index:03}; there are no formats and no filters: write {index}"),
        ("{id?}_{index}", "{id} always has a value; write it without the ?"),
        ("{}", "unknown variable {}; known here are {rarity}, {id}, {index}"),
    ],
)
def test_a_template_that_cannot_name_files_is_a_problem_at_its_place(
    complain: Complain, files: str, said: str
) -> None:
    jobs = "vars: {rarity: rare}\njobs: [{prompt: x}]\n"
    found = complain(f"{HEAD}output: {{files: '{files}'}}\n{jobs}")
    assert found[0].startswith("jobs.yaml:3:17: output.files: ")
    assert said in found[0]
    assert len([one for one in found if one.startswith("jobs.yaml")]) == 1


def test_an_unknown_variable_is_told_with_all_that_there_are(complain: Complain) -> None:
    jobs = ROWS.replace("{note}", "{style}") + "    matrix: {style: [flat, ink]}\n"
    (found, *_) = complain(with_files("{zzz}", jobs), files={"icons.csv": "name,note\na,b\n"})
    ours = "{id}, {index}, {asset_id}, {entry}, {model}, {prompt}, {kind}, {slot}, {date}"
    assert f"unknown variable {{zzz}}; known here are {{name}}, {{note}}, {{style}}, {ours} (write" in found


def test_what_a_table_may_have_is_not_told_as_unknown_where_it_cannot_be_read(complain: Complain) -> None:
    found = complain(with_files("{rarity}/{id}", ROWS))
    assert not any("unknown variable" in one for one in found)
    assert any("icons.csv" in one for one in found)


def test_doubled_braces_around_a_variable_are_a_mistake_as_in_a_prompt(complain: Complain) -> None:
    (found, *_) = complain(with_files("{{name}}_{id}", ROWS), files={"icons.csv": "name,note\na,b\n"})
    assert "output.files: {{name}} is the text {name}, the same in every job; for the variable" in found


def test_a_type_in_the_template_is_a_warning(read: Read) -> None:
    (found,) = read(with_files("icons/{id}.png")).warnings
    assert (found.line, found.column) == (3, 17)
    assert found.text.endswith('such as x.png.png; write "icons/{id}"')
    assert read(with_files("v1.2/{id}")).warnings == ()


@pytest.mark.parametrize("value", ["sword.png", "sword.PNG", "model.glb", "take.jpeg"])
def test_a_type_in_a_value_is_a_warning_at_its_row(read: Read, value: str) -> None:
    rows = f"name,note\naxe,1\n{value},2\nv1.2,3\n"
    (found,) = check_names(
        read(with_files("{name}", ROWS), files={"icons.csv": rows}), period=None, room=ROOM
    )
    assert (found.source, found.line) == ("icons.csv", 3)
    assert f'this file will be "{value}.png" or the like' in found.text


def test_the_environment_may_bring_folders_and_not_lead_out(read: Read, complain: Complain) -> None:
    text = with_files("${TEAM}/{id}")
    assert read(text, environ={"TEAM": "art/icons"}).output.files == "art/icons/{id}"
    assert "has .. for a folder" in complain(text, environ={"TEAM": ".."})[0]
    assert "names no file; write {id}" in complain(with_files("${TEAM}"), environ={"TEAM": ""})[0]


@pytest.mark.parametrize(
    "files",
    [
        "{id}",
        "same",
        "{entry?}/{id}",
        "{prompt}",
        "{model}-{kind}",
        "武器/{id}",
        "a b/{id}",
        "{{x}}{id}",
        "v1.2/{id}",
    ],
)
def test_a_template_that_can_name_files_is_none(read: Read, files: str) -> None:
    assert wrong_names(read(with_files(files))) == []


# Slots.


@pytest.mark.parametrize("name", ["date", "slot"])
def test_the_words_of_a_slot_need_a_period(read: Read, name: str) -> None:
    manifest = read(with_files(f"{{{name}}}/{{id}}"))
    (found,) = wrong_names(manifest)
    assert found.startswith(
        f"jobs.yaml:3:17: output.files: {{{name}}} is that of the slot, and without period"
    )
    assert found.endswith("write period: day")
    for period in ("hour", "day", "week", "month"):
        assert wrong_names(manifest, period=period) == []
    assert wrong_names(read(with_files(f"{{{name}?}}/{{id}}"))) == []
    assert (
        wrong_names(read(with_files(f"{{{name}}}/{{id}}", "vars: {date: x, slot: y}\njobs: [{prompt: x}]\n")))
        == []
    )


def test_what_else_is_wrong_is_told_beside_a_period_that_is_missing(read: Read) -> None:
    found = wrong_names(read(with_files("{date}/{prompt}", "jobs: [{prompt: a tower, repeat: 2}]\n")))
    assert len(found) == 2
    assert 'would both be "2026-12-01/a-tower"' in found[1]


def test_a_period_that_begins_on_no_day_has_no_date(read: Read) -> None:
    text = with_files("{date}/{id}", "period: launch\njobs: [{prompt: x}]\n")
    (found,) = wrong_names(read(text))
    assert 'and "launch" begins on none; write {slot}' in found
    assert wrong_names(read(text.replace("{date}", "{slot}"))) == []


# A value of the sheet that no file system takes: told with its row and the value, never mended.


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Potion: Healing", 'name is "Potion: Healing", and ":" (colon, U+003A) cannot stand in a file name'),
        ("a/b", 'name is "a/b", and only {folder} and {path} have a / in them'),
        ("/", 'name is "/", and only {folder}'),
        ("..", 'the file would be "x/..", and a dot cannot begin a file name'),
        ("../up", 'name is "../up", and only'),
        ("a\\b", 'and "\\" (reverse solidus, U+005C) cannot stand'),
        ("what?", 'and "?" (question mark, U+003F) cannot stand'),
        ("5*", 'and "*" (asterisk, U+002A) cannot stand'),
        ("a|b", 'and "|" (vertical line, U+007C) cannot stand'),
        ("<b>", 'and "<" (less-than sign, U+003C) cannot stand'),
        ("a\x07b", "a control character (U+0007) cannot stand"),
        ("a\u200fb", "a right-to-left mark (U+200F) cannot stand"),
        ("con", 'the file would be "x/con", and Windows keeps this name for a device'),
        ("NUL.tar", "Windows keeps this name for a device"),
        ("com¹", "Windows keeps this name for a device"),
        (".hidden", "a dot cannot begin a file name"),
        ("etc.", "a dot cannot end a file name (Windows drops it)"),
        ("", "name is empty; where it may be, write {name?}"),
    ],
)
def test_a_value_that_no_file_can_be_called_by_is_a_problem_with_its_row(
    wrong: Wrong, value: str, said: str
) -> None:
    rows = f'name,note\nsword,1\n"{value}",2\n'
    (found,) = wrong("x/{name}", rows, ROWS.replace("{name}, ", ""))
    assert found.startswith("icons.csv:3:0: output.files: ")
    assert said in found


@pytest.mark.parametrize("value", ["a\nb", "tab\there", " edge", "edge "])
def test_what_only_other_files_can_hold_is_a_problem_too(read: Read, value: str) -> None:
    text = with_files(
        "{name}", f"jobs: [{{id: x, prompt: 'a {{name}}', matrix: {{name: [ok, {value!r}]}}}}]\n"
    )
    (found,) = wrong_names(
        read(text.replace(repr(value), '"' + value.encode("unicode_escape").decode() + '"'))
    )
    assert found.startswith("jobs.yaml:4:8: output.files: ")


@pytest.mark.parametrize(
    "value", ["剣", "سيف", "Café", "Cafe\u0301", "👩‍🚀", "it's 50% off!", "#1 & co", "a.b", "Straße"]
)
def test_any_script_and_every_other_sign_is_fine(wrong: Wrong, value: str) -> None:
    assert wrong("{name}/{name}", f"name,note\n{value},2\n") == []


def test_a_list_in_the_sheet_names_no_file(read: Read) -> None:
    jobs = "jobs:\n  - {id: '{n}', from: rows.jsonl, prompt: 'x {n}'}\n"
    manifest = read(
        with_files("{parts}", jobs),
        files={"rows.jsonl": '{"n": "a", "parts": ["x"]}\n{"n": "b", "parts": {}}\n'},
    )
    one, other = wrong_names(manifest)
    assert one.startswith("rows.jsonl:1:0: output.files: parts is a list, which is no part of a file name")
    assert other.startswith("rows.jsonl:2:0: output.files: parts is a mapping")


def test_what_one_entry_has_and_another_has_not_is_told_at_that_entry(read: Read) -> None:
    jobs = """jobs:
  - {id: a, prompt: "a {rarity}", matrix: {rarity: [rare, common]}}
  - {id: b, prompt: "b"}
"""
    (found,) = wrong_names(read(with_files("{rarity}/{id}", jobs)))
    assert found.startswith(
        "jobs.yaml:6:5: output.files: this job has no variable rarity; add it to its entry, or"
    )
    assert wrong_names(read(with_files("{rarity?}/{id}", jobs))) == []


def test_what_a_job_has_not_of_ours_is_told_with_what_to_write(read: Read) -> None:
    jobs = "jobs: [{model: model_x, params: {image: asset_a}}]\n"
    (found,) = wrong_names(read(with_files("{prompt}", jobs)))
    assert "this job has no prompt; where it need not have one, write {prompt?}" in found
    (found,) = wrong_names(read(with_files("{entry}/{id}")))
    assert "this job's entry has no name; write entry: there" in found


def test_a_name_of_which_nothing_is_left_is_a_problem(wrong: Wrong) -> None:
    (found,) = wrong("x/{name?}", "name,note\n,1\nb,2\n", ROWS.replace("{name}, ", ""))
    assert found.startswith("icons.csv:2:0: ")
    assert "there is nothing left to name it by" in found


def test_prompts_models_and_ids_are_mended_and_no_problem(wrong: Wrong) -> None:
    rows = "name,note\nPotion: of/Healing?,x\nCON,y\n"
    assert wrong("{prompt}/{model}/{id}", rows) == []


# Files of this machine: their folders are folders.


def test_a_tree_of_files_may_be_mirrored_and_not_left(read: Read) -> None:
    jobs = """jobs:
  - from: {files: "scans/**/*.txt"}
    prompt: "{stem}"
"""
    files = {"scans/a/one.txt": "1", "scans/b/one.txt": "2"}
    assert wrong_names(read(with_files("{folder}/{stem}", jobs), files=files)) == []
    (found, *_) = wrong_names(read(with_files("{stem}", jobs), files=files))
    assert 'would both be "one"; tell them apart: "{stem}_{' in found


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("../up", 'folder is "../up", which leads out of the folder of the files'),
        ("/etc", 'folder is "/etc", which leads out of the folder of the files'),
        ("a/../../b", "which leads out of the folder of the files"),
        ("a:/b", '":" (colon, U+003A) cannot stand in a file name'),
        ("a//b", "there is nothing left to name it by"),
        ("a/aux", "Windows keeps this name for a device"),
    ],
)
def test_a_folder_that_leads_out_is_a_problem(wrong: Wrong, value: str, said: str) -> None:
    (found,) = wrong("{folder}/x", f"folder,note\n{value},1\n", ROWS.replace("{name}, ", ""))
    assert said in found


# Two jobs of one name.


def test_two_jobs_of_one_name_are_told_with_both_places_and_what_tells_them_apart(wrong: Wrong) -> None:
    (found,) = wrong("icons/{name}", "name,note\nsword,long\naxe,long\nsword,short\n")
    assert found == (
        'icons.csv:4:0: output.files: "icon-sword-long" (icons.csv:2) and "icon-sword-short" would both be '
        '"icons/sword"; tell them apart: "icons/{name}_{note}"'
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("Sword", "sword"), ("Café", "Cafe\u0301"), ("Straße", "STRASSE"), ("ΣΑΣ", "σας")],
)
def test_names_that_are_one_on_some_file_system_collide(wrong: Wrong, one: str, other: str) -> None:
    (found,) = wrong("{name}", f"name,note\n{one},1\n{other},2\n")
    assert "would both be" in found


def test_as_many_variables_are_shown_as_it_takes(read: Read) -> None:
    jobs = """jobs:
  - id: icon
    prompt: "{name}, {style}"
    model: [model_a, model_b]
    matrix: {name: [sword, axe], style: [flat, ink]}
"""
    found = wrong_names(read(with_files("{name}", jobs)))
    assert 'tell them apart: "{name}_{style}_{model}"' in found[0]
    assert len(found) == 6


def test_repeats_are_told_apart_by_their_ids(read: Read) -> None:
    (found,) = wrong_names(read(with_files("{prompt}", "jobs: [{prompt: a tower, repeat: 2}]\n")))
    assert 'tell them apart: "{prompt}_{id}"' in found


def test_two_optional_values_that_are_not_there_make_one_name(wrong: Wrong) -> None:
    rows = "name,note,look\nsword,,a\nsword,x,a\nsword,,b\n"
    (found,) = wrong("{name}_{note?}", rows, ROWS.replace("{note}", "{note?} {look}"))
    assert found.startswith("icons.csv:4:0: ")
    assert 'tell them apart: "{name}_{note?}_{look}"' in found


def test_two_models_may_give_two_kinds_and_one_model_gives_one(read: Read) -> None:
    jobs = "jobs: [{prompt: a tower, model: [model_a, model_b]}]\n"
    assert wrong_names(read(with_files("{kind}/{prompt}", jobs))) == []
    jobs = "jobs: [{prompt: a tower, repeat: 2}]\n"
    assert len(wrong_names(read(with_files("{kind}/{prompt}", jobs)))) == 1


def test_an_asset_s_id_tells_every_file_from_every_other(read: Read) -> None:
    jobs = "jobs: [{prompt: a tower, repeat: 3}]\n"
    assert wrong_names(read(with_files("{prompt}/{asset_id}", jobs))) == []


def test_the_second_file_of_a_job_has_a_name_too(read: Read) -> None:
    jobs = """jobs:
  - {id: tower, prompt: a, params: {numOutputs: 2}}
  - {id: tower_2, prompt: b}
"""
    (found,) = wrong_names(read(with_files("{id}", jobs)))
    assert found.startswith("jobs.yaml:6:5: ")
    assert '"tower" (jobs.yaml:5:5) gives more than one file, and one of them would be "tower_2" too' in found
    assert wrong_names(read(with_files("{id}", jobs.replace("numOutputs: 2", "numOutputs: 1")))) == []
    assert wrong_names(read(with_files("{id}_{index}", jobs))) == []


def test_the_number_of_a_model_is_none_of_a_file(read: Read) -> None:
    jobs = """jobs:
  - {id: one, prompt: a, model: m, params: {numOutputs: 2}}
  - {id: two, prompt: a, model: m_2}
"""
    assert wrong_names(read(with_files("{kind}/{prompt}", jobs))) == []


def test_folders_that_differ_in_case_alone_are_a_warning(read: Read) -> None:
    rows = "name,rarity\nsword,Rare\naxe,rare\nbow,rare\n"
    manifest = read(with_files("{rarity}/{name}", ROWS.replace("note", "rarity")), files={"icons.csv": rows})
    one, _ = check_names(manifest, period=None, room=ROOM)
    assert (one.source, one.line) == ("icons.csv", 3)
    assert 'the folders "Rare" and "rare" are one on some systems and two on others' in one.text


def test_warnings_of_the_manifest_stand_beside_what_is_wrong_with_names(read: Read) -> None:
    manifest = read(with_files("{prompt}.png", "jobs: [{prompt: a tower, repeat: 2}]\n"))
    with pytest.raises(ManifestError) as caught:
        check_names(manifest, period=None, room=ROOM)
    assert (len(caught.value.problems), caught.value.warnings) == (1, manifest.warnings)


# Length.


def test_a_name_that_is_too_long_is_a_problem_that_says_which_variable_is(wrong: Wrong) -> None:
    rows = f"name,note\n{'剣' * 61},1\n{'剣' * 62},2\n"
    (found,) = wrong("{name}", rows)
    assert found.startswith(
        "icons.csv:3:0: output.files: the file's name would have 186 bytes, and 184 may be"
    )
    assert "shorten {name}" in found
    assert wrong("{name}/x{note}", f"name,note\n{'剣' * 85},1\n") == []
    (found,) = wrong("{name}/x{note}", f"name,note\n{'剣' * 86},1\n")
    assert "a folder's name would have 258 bytes, and 255 may be" in found


def test_a_path_that_is_too_long_as_a_whole_is_a_problem(wrong: Wrong) -> None:
    rows = f"name,note\n{'a' * 50},1\n"
    assert wrong("{name}/{name}/{name}", rows, room=168) == []
    (found,) = wrong("{name}/{name}/{name}", rows, room=167)
    assert "the path to the file would have 168 bytes, and 167 may be" in found


def test_the_longest_id_is_looked_at_where_nothing_else_is(read: Read) -> None:
    jobs = f"jobs: [{{id: {'a' * 100}, prompt: x}}, {{id: b, prompt: y}}]\n"
    assert wrong_names(read(with_files("x" * 83 + "_{id}", jobs))) == []
    assert len(wrong_names(read(with_files("x" * 84 + "_{id}_{index}", jobs)))) == 1


# Many.


def test_one_mistake_in_a_column_is_one_problem_and_not_one_a_row(wrong: Wrong) -> None:
    rows = "name,note\n" + "".join(f"a:{number},x\n" for number in range(1000))
    found = wrong("{name}", rows)
    assert len(found) == 4
    assert found[-1].endswith("and 997 more rows like this (lines 5-1001)")
    found = wrong("{note}", rows, ROWS)
    assert len(found) == 4
    assert found[-1].endswith("and 996 more rows like this (lines 6-1001)")


def test_mistakes_of_several_kinds_are_told_at_once(wrong: Wrong) -> None:
    rows = "name,note\na:b,1\ncon,2\nok,3\nOK,4\n,5\n"
    found = wrong("{name}", rows, ROWS.replace("{name}, ", ""))
    assert [one.split(":")[1] for one in found] == ["2", "3", "5", "6"]


def test_the_default_template_needs_no_words_and_no_look(read: Read) -> None:
    manifest = read(f"{HEAD}jobs: [{{prompt: x}}]\n")
    assert manifest.output.files == "{id}_{index}"
    assert wrong_names(manifest) == []
