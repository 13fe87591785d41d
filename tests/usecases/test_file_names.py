"""Names of files from the manifest to the run: checked before a purchase, and made of a job's words."""

from pathlib import Path

import pytest

from batchgen import api
from batchgen.errors import ManifestError
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.values import Manifest
from batchgen.model import Job
from batchgen.wiring.file_names import day_of, manifest_namer
from tests.support.place import Place

MANIFEST = """version: 1
batch: spring
period: week
tz: Pacific/Auckland
output: {{files: "{files}"}}
defaults: {{model: model_bfl-flux-1-dev}}
jobs:
  - id: icon
    entry: icons
    prompt: "a {{name}}, {{style}}"
    matrix: {{name: [sword, axe], style: [flat, ink]}}
    vars: {{rarity: rare}}
"""


def manifest(files: str) -> Manifest:
    return read_manifest(Path("jobs.yaml"), environ={}, text=MANIFEST.format(files=files).encode())


def names(files: str, *, slot: str = "2026-W49", job: Job | None = None) -> list[str]:
    made = manifest(files)
    namer = manifest_namer(made, slot=slot)
    jobs = made.jobs if job is None else [job]
    return [namer(one, index=0, asset_id="asset_1", kind="image", extension="png") for one in jobs]


def test_files_are_called_by_the_words_of_their_jobs() -> None:
    assert names("{slot}/{entry}/{rarity}/{name}_{style}") == [
        f"2026-W49/icons/rare/{name}_{style}.png" for name in ("sword", "axe") for style in ("flat", "ink")
    ]


def test_a_job_that_the_manifest_has_no_more_is_called_by_its_id() -> None:
    gone = Job(id="tower", prompt="a tower", model="model_x")
    assert names("{rarity}/{name}", job=gone) == ["tower_0.png"]
    assert names("{model}/{prompt}", job=gone) == ["x/a-tower.png"]


def test_a_job_of_the_manifest_is_known_by_its_id_however_it_was_made_again() -> None:
    again = Job(id="icon-axe-ink", prompt="as it was bought", model="model_bfl-flux-1-dev")
    assert names("{rarity}/{name}_{style}", job=again) == ["rare/axe_ink.png"]


@pytest.mark.parametrize(
    ("slot", "day"),
    [
        ("2026-W49", "2026-11-30"),
        ("2026-12-01", "2026-12-01"),
        ("2026-12", "2026-12-01"),
        ("2026-11-30T1100Z", "2026-12-01"),  # it is midnight in Auckland
        ("2026-12-01.fresh-20261201T120000Z", "2026-12-02"),  # a day begins earlier in Auckland
        ("fresh-20261201T100000Z", "2026-12-01"),
        ("launch", ""),
        ("", ""),
    ],
)
def test_the_date_is_the_day_on_which_the_slot_began_by_the_manifest_s_clock(slot: str, day: str) -> None:
    assert day_of(slot, manifest("{id}")) == day
    assert names("{date?}/{id}", slot=slot)[0] == f"{day}/icon-sword-flat.png".lstrip("/")


BAD = """version: 1
batch: spring
output: {download: false, files: "{name}"}
defaults: {model: model_bfl-flux-1-dev}
jobs:
  - id: icon
    prompt: "a {name}, {style}"
    matrix: {name: ["a:b", axe], style: [flat, ink]}
"""


def test_every_command_before_a_purchase_finds_what_is_wrong_and_nothing_is_bought(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 1)
    (tmp_path / "jobs.yaml").write_text(BAD)
    options = place.options()
    found = []
    for work in (
        lambda: place.play(api.validate(options, offline=True)),
        lambda: place.play(api.plan(options, offline=True)),
        place.run,
    ):
        with pytest.raises(ManifestError) as caught:
            work()
        found.append([one.text for one in caught.value.problems])
    assert found[0] == found[1] == found[2]
    assert [text.partition(",")[0] for text in found[0]] == [
        'output.files: name is "a:b"',
        'output.files: "icon-axe-flat" ('
        + str(tmp_path / "jobs.yaml")
        + ':6:5) and "icon-axe-ink" would both be "axe"; '
        'tell them apart: "{name}_{style}"',
    ]
    assert place.bought == 0
    assert not (tmp_path / "output").exists()


def test_a_period_of_the_command_line_counts(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 1)
    text = (tmp_path / "jobs.yaml").read_text().replace("false}", "false, files: '{date}/{id}'}")
    (tmp_path / "jobs.yaml").write_text(text)
    with pytest.raises(ManifestError, match="without period there is none"):
        place.run()
    assert place.run(period="day").verdict.exit == 0
