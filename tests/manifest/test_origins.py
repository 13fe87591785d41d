"""Where each part of a job is written: what a message about it points to."""

from pathlib import Path

from tests.manifest.conftest import Read

TEXT = """version: 1
vars: {mood: calm}
defaults:
  model: m
  params: {size: 1, deep: {a: 1, b: 2}, refs: [x, y]}
  tags: [base]
  unchecked: [mask]
jobs:
  - id: first
    prompt: [one, "two {mood}"]
    model: [m, n]
    params: {deep: {b: 3}, mood: "{mood}"}
    tags: [own, second]
    unchecked: image
  - prompt: "{name}"
    from: t.csv
    model: "{model}"
    params: {seed: "{seed}", size: 2}
"""
FILES = {"t.csv": "name,model,seed\na,m,1\nb,n,2\n"}


def test_a_part_is_where_it_is_written_and_else_in_the_defaults(read: Read) -> None:
    manifest = read(TEXT, files=FILES)
    places = [
        (0, ("params", "size"), "jobs.yaml:5:18"),
        (0, ("params", "deep", "a"), "jobs.yaml:5:31"),
        (0, ("params", "deep", "b"), "jobs.yaml:12:24"),
        (0, ("params", "refs", 1), "jobs.yaml:5:51"),
        (0, ("model",), "jobs.yaml:11:13"),
        (1, ("model",), "jobs.yaml:11:16"),
        (0, ("prompt",), "jobs.yaml:10:14"),
        (3, ("prompt",), "jobs.yaml:10:19"),
        (0, ("params", "none"), "jobs.yaml:12:13"),
        (0, ("id",), "jobs.yaml:9:9"),
        (4, ("params", "size"), "jobs.yaml:18:36"),
    ]
    assert [str(manifest.place_of(index, *path)) for index, path, _ in places] == [one for *_, one in places]


def test_what_a_row_fills_in_is_in_the_row(read: Read) -> None:
    manifest = read(TEXT, files=FILES)
    for part in (("params", "seed"), ("model",), ("prompt",)):
        assert str(manifest.place_of(5, *part)) == "t.csv:3"
    assert str(read("version: 1\njobs: [{from: t.txt, model: m}]", files={"t.txt": "\nx"}).place_of(0)) == (
        "jobs.yaml:2:8"
    )


def test_only_what_stands_as_it_is_is_literal(read: Read) -> None:
    manifest = read(TEXT, files=FILES)
    assert manifest.is_literal(0, "params", "size")
    assert manifest.is_literal(0, "prompt")
    assert manifest.is_literal(0, "model")
    assert not manifest.is_literal(2, "prompt")
    assert not manifest.is_literal(0, "params", "mood")
    assert not manifest.is_literal(4, "params", "seed")
    assert not manifest.is_literal(4, "model")
    assert not manifest.is_literal(0, "params", "none")


def test_tags_and_unchecked_inputs_replace_those_of_the_defaults(read: Read) -> None:
    manifest = read(TEXT, files=FILES)
    assert (manifest.tags(0), manifest.tags(4)) == (("own", "second"), ("base",))
    assert (manifest.unchecked(0), manifest.unchecked(4)) == (frozenset({"image"}), frozenset({"mask"}))


def test_a_file_that_was_changed_meanwhile_is_not_pointed_into(read: Read) -> None:
    manifest = read(TEXT, files=FILES)
    Path("jobs.yaml").write_text("# another\n" + TEXT)
    assert str(manifest.place_of(0, "params", "size")) == "jobs.yaml:9:5"
