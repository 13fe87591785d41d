"""Manifests in Python, and the files that they are written to and read from."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen import Job, Manifest, ManifestError, load
from batchgen.identity import content_key
from batchgen.manifest.reading import read_manifest

FLUX = "model_bfl-flux-1-dev"


def keys(made: Manifest) -> list[tuple[str, str]]:
    read = read_manifest(made.place, environ={}, text=made.text)
    return [(one.id, content_key(one)) for one in read.jobs]


def keys_of_file(path: Path) -> list[tuple[str, str]]:
    return [(one.id, content_key(one)) for one in read_manifest(path, environ={}).jobs]


TEXT = st.text(alphabet="ab {}$#:'\"é\n-*&!%@`", min_size=1).filter(lambda text: bool(text.strip()))
VALUE = st.one_of(TEXT, st.integers(-9, 9), st.booleans(), st.lists(TEXT, max_size=2))
JOBS = st.lists(
    st.builds(
        lambda prompt, params, derive, number: Job(
            model=FLUX, prompt=prompt, params=params, derive_seed=derive, id=f"job-{number}"
        ),
        prompt=TEXT,
        params=st.dictionaries(st.sampled_from(["style", "width", "note"]), VALUE, max_size=2),
        derive=st.booleans(),
        number=st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda job: job.id,
)


@settings(max_examples=50)
@given(jobs=JOBS)
def test_whatever_is_dumped_and_loaded_and_dumped_again_asks_for_the_same(
    tmp_path_factory: pytest.TempPathFactory, jobs: list[Job]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    made = Manifest(batch="spring", jobs=jobs, base=folder)
    told = [one.prompt for one in load(made.dump(folder / "a.yaml")).jobs]
    assert told == [(one.prompt or "").strip() for one in jobs]
    again = load(folder / "a.yaml").dump(folder / "b.yaml")
    assert keys(made) == keys_of_file(folder / "a.yaml") == keys_of_file(again)


def test_everything_that_a_file_says_is_in_it_after_a_round(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "style.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    first = tmp_path / "in" / "a.yaml"
    first.write_text("""\
version: 1
batch: spring
project: proj_1
limits: {rate: 30/min, in_flight: 3}
budget: {total: 7.5, per_day: 20, trust_refunds: false}
timeout: 20m
doubt: {then: hold}
retry: {attempts: 2}
output: {download: false}
period: day
tz: Europe/Paris
jobs:
  - prompt: a {material} tower
    matrix: {material: [oak, brass]}
    model: model_bfl-flux-1-dev
    params: {referenceImages: [{file: style.png}]}
    tags: [cover]
""")
    loaded = load(first)
    again = loaded.dump(tmp_path / "b.yaml")
    one, two = (read_manifest(path, environ={}) for path in (first, again))
    assert [content_key(job) for job in one.jobs] == [content_key(job) for job in two.jobs]
    for name in ("batch", "project", "limits", "timeout", "doubt", "attempts", "budget", "output"):
        assert getattr(one, name) == getattr(two, name), name
    assert (one.period, one.tz, one.tags(0)) == (two.period, two.tz, two.tags(0))
    assert [path.resolve() for path in two.files.values()] == [(tmp_path / "in" / "style.png").resolve()]
    assert load(again).jobs[0].params == {"referenceImages": [{"file": "in/style.png"}]}


def test_braces_are_plain_text_unless_there_are_variables() -> None:
    plain = Manifest(batch="spring", jobs=[Job(model=FLUX, prompt="a {mill}")])
    filled = Manifest(
        batch="spring",
        jobs=[Job(model=FLUX, prompt="a {kind} mill", vars={"kind": "wind"}, params={"note": "{kind}"})],
    )
    read = [read_manifest(one.place, environ={}, text=one.text).jobs[0] for one in (plain, filled)]
    assert [(one.prompt, dict(one.params)) for one in read] == [
        ("a {mill}", {}),
        ("a wind mill", {"note": "wind"}),
    ]


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"prompt": "a {knid} mill", "vars": {"kind": "wind"}}, r"unknown variable \{knid\}; vars has: kind"),
        ({"prompt": "a { mill", "vars": {}}, "write {{ for a brace"),
        ({}, "prompt is missing"),
        ({"prompt": "a mill", "id": "a/b"}, "cannot name a file"),
        ({"prompt": "a mill", "params": {"image": {"file": "nosuch.png"}}}, "there is no such file"),
    ],
)
def test_what_is_wrong_with_a_job_is_said(tmp_path: Path, job: dict[str, Any], said: str) -> None:
    made = Manifest(batch="spring", base=tmp_path, jobs=[Job(model=FLUX, **job)])
    with pytest.raises(ManifestError, match=said):
        keys(made)


def test_a_rate_of_none_stays_that_when_a_manifest_is_loaded_and_written(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("version: 1\nlimits: {rate: none}\njobs: [{prompt: x, model: m}]\n")
    loaded = load(tmp_path / "m.yaml")
    assert loaded.limits == {"rate": "none"}
    assert load(loaded.dump(tmp_path / "again.yaml")).limits == {"rate": "none"}
