"""Manifests in Python, and the files that they are written to and read from."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen import Job, Manifest, ManifestError, load
from batchgen.identity import content_key
from batchgen.manifest.reading import read_manifest

FLUX = "model_bfl-flux-1-dev"


class Rarity(StrEnum):
    RARE = "007"


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
        prompt=st.none() | TEXT,
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
    assert told == [one.prompt and one.prompt.strip() for one in jobs]
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
budget: {total: 7.5, per_day: 20, trust_refunds: false, chains: steps, estimate: 2.5}
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


def words(made: Manifest) -> list[dict[str, Any]]:
    read = read_manifest(made.place, environ={}, text=made.text)
    return [read.variables(index) for index in range(len(read.jobs))]


def test_the_variables_of_a_job_are_said_of_it_used_or_not_and_change_no_identity() -> None:
    told = {"kind": "wind", "rarity": "007", "size": 1e22, "is_new": True, "due": date(2026, 1, 2)}
    with_vars = Job(model=FLUX, prompt="a {kind} mill", vars=told, params={"note": "{rarity} {size} {x?}"})
    with_vars = replace(with_vars, vars={**told, "x": None})
    plain = Job(model=FLUX, prompt="a wind mill", params={"note": "007 1e+22 "})
    made = Manifest(batch="spring", jobs=[with_vars])
    assert keys(made) == keys(Manifest(batch="spring", jobs=[plain]))
    assert words(made) == [{**told, "due": "2026-01-02"}]


WORDS = st.dictionaries(
    st.text(alphabet="ab {}$?#:'-12", min_size=1),
    st.text(alphabet="ab {}$#:'\"é\n-01e+.x~") | st.integers() | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False) | st.lists(st.text(alphabet="1e5ab"), max_size=2),
    max_size=3,
)  # fmt: skip


@settings(max_examples=50)
@given(told=WORDS, prompt=TEXT)
def test_variables_stay_the_same_values_through_files(
    tmp_path_factory: pytest.TempPathFactory, told: dict[str, Any], prompt: str
) -> None:
    folder = tmp_path_factory.mktemp("words")
    made = Manifest(
        batch="spring", base=folder, jobs=[Job(model=FLUX, prompt=prompt, vars=told, filled=True, id="a")]
    )
    loaded = load(made.dump(folder / "a.yaml"))
    again = load(loaded.dump(folder / "b.yaml"))
    for one in (made, loaded, again):
        assert repr(words(one)) == repr([told])
    assert [one.jobs[0].vars or {} for one in (loaded, again)] == [told, told]
    assert keys(made) == keys(Manifest(batch="spring", jobs=[Job(model=FLUX, prompt=prompt, id="a")]))
    assert keys(made) == keys(loaded) == keys(again)
    assert again.jobs[0].prompt == prompt.strip(), "a prompt that was loaded is what is sent"


def test_a_loaded_file_keeps_the_words_of_its_sheet(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name,rarity\nsword,007\nmap,\n")
    (tmp_path / "m.yaml").write_text(
        "version: 1\nvars: {finish: flat}\njobs:\n  - {from: t.csv, id: 'i-{name}', model: m,"
        " prompt: 'a {{name}} {name} {finish}', vars: {owner: ada}}\n"
    )
    loaded = load(tmp_path / "m.yaml")
    assert [one.prompt for one in loaded.jobs] == ["a {name} sword flat", "a {name} map flat"]
    said = [
        {"finish": "flat", "owner": "ada", "name": n, "rarity": r} for n, r in [("sword", "007"), ("map", "")]
    ]
    assert [one.vars for one in loaded.jobs] == words(loaded) == said
    assert keys(loaded) == keys_of_file(tmp_path / "m.yaml") == keys_of_file(loaded.dump(tmp_path / "b.yaml"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Decimal("7.5"), 7.5),
        (Path("in/a.png"), "in/a.png"),
        (Rarity.RARE, "007"),
        (HTTPStatus.OK, 200),
        (float("nan"), "NaN"),
        (("x", 2), ["x", 2]),
        ("1e5", "1e5"),
        ("0o7", "0o7"),
        ("yes", "yes"),
        ("~", "~"),
        (-0.0, -0.0),
        (-1e-07, -1e-07),
        (1e22, 1e22),
        ("1e+22", "1e+22"),
        ("1.5e3", "1.5e3"),
        ("+.5", "+.5"),
    ],
)
def test_values_of_other_kinds_are_said_as_a_file_holds_them(value: Any, said: Any) -> None:
    (found,) = words(Manifest(batch="spring", jobs=[Job(model=FLUX, prompt="x", vars={"v": value})]))
    assert (repr(found["v"]), type(found["v"])) == (repr(said), type(said))


def test_a_value_that_no_file_can_hold_is_named() -> None:
    made = Manifest(batch="spring", jobs=[Job(model=FLUX, prompt="x", id="mill", vars={"v": object()})])
    with pytest.raises(ManifestError, match=r"job 'mill': vars.v is of type object; write text, a number"):
        keys(made)


def test_jobs_of_one_entry_share_its_name_through_files(tmp_path: Path) -> None:
    jobs = [
        Job(model=FLUX, prompt=text, entry=name)
        for text, name in [("a", "t"), ("b", None), ("c", "T"), ("d", "u")]
    ]
    made = Manifest(batch="spring", base=tmp_path, jobs=jobs)
    plain = Manifest(batch="spring", jobs=[replace(one, entry=None) for one in jobs])
    assert keys(made) == keys(plain)
    loaded = load(made.dump(tmp_path / "a.yaml"))
    assert [one.entry for one in loaded.jobs] == ["t", None, "t", "u"]
    (tmp_path / "m.yaml").write_text(
        "version: 1\ndefaults: {model: m}\njobs:\n  - {id: 'x-{v}', prompt: 'a {v}', matrix: {v: [1, 2]}}\n"
        "  - {entry: big, prompt: 'b {v}', matrix: {v: [1, 2]}}\n"
    )
    again = load(load(tmp_path / "m.yaml").dump(tmp_path / "b.yaml"))
    assert [one.entry for one in again.jobs] == ["x", "x", "big", "big"]


def test_another_job_goes_in_as_in_a_file_and_stays_that_through_files(tmp_path: Path) -> None:
    made = Manifest(
        batch="b",
        base=tmp_path,
        jobs=[
            Job(model="m", prompt="x", id="k-idle"),
            Job(
                model="c",
                id="cut",
                params={"image": {"job": "k-idle"}, "more": [{"job": "k-idle", "output": 1}]},
            ),
            Job(
                model="c", id="big", params={"image": {"job": "k-{p}", "outputs": "all"}}, vars={"p": "idle"}
            ),
        ],
    )
    read = load(load(made.dump(tmp_path / "a.yaml")).dump(tmp_path / "b.yaml"))
    assert [dict(one.params or {}) for one in read.jobs] == [
        {},
        {"image": {"job": "k-idle"}, "more": [{"job": "k-idle", "output": 1}]},
        {"image": {"job": "k-idle", "outputs": "all"}},
    ]


def test_a_sheet_of_chains_is_jobs_when_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "version: 1\ndefaults: {model: m}\njobs:\n  - {id: 'k-{p}', prompt: '{p}', matrix: {p: [a, b]}}\n"
        "  - {id: '{job}-cut', from: {jobs: k}, params: {i: {job: '{job}'}}}\n"
    )
    read = load(load(path).dump(tmp_path / "b.yaml"))
    assert [(one.id, one.vars) for one in read.jobs[2:]] == [
        ("k-a-cut", {"p": "a", "job": "k-a"}),
        ("k-b-cut", {"p": "b", "job": "k-b"}),
    ]
    assert [one.params for one in read.jobs[2:]] == [{"i": {"job": "k-a"}}, {"i": {"job": "k-b"}}]


def test_what_no_job_is_called_is_said_in_python_as_of_a_file(tmp_path: Path) -> None:
    job = Job(model="m", id="cut", params={"image": {"job": "nobody"}, "at": {"job": "cut"}})
    path = Manifest(batch="b", base=tmp_path, jobs=[job]).dump(tmp_path / "a.yaml")
    with pytest.raises(ManifestError) as caught:
        load(path)
    assert [one.text for one in caught.value.problems] == [
        'params.image: no job has the id "nobody"',
        'params.at: "cut" goes into itself',
    ]
