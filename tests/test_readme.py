"""The README is run: its manifest, its commands and its exit statuses are the program's."""

import re
from pathlib import Path

from batchgen.exits import Exit
from batchgen.manifest.reading import read_manifest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def test_the_manifest_of_the_first_screen_makes_the_jobs_that_it_shows(tmp_path: Path) -> None:
    shown = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    path = tmp_path / "spring.yaml"
    path.write_text(shown.group(1))
    ids = {job.id for job in read_manifest(path, environ={}).jobs}
    assert ids == set(re.findall(r"Z (\S+) accepted as", README))
    assert ids == {name.rsplit("_", 1)[0] for name in re.findall(r"assets/(\S+)\.\w+", README)}


def test_every_exit_status_is_explained() -> None:
    explained = {
        int(number)
        for row in re.findall(r"^\| ([\d, ]+) \|", OPERATIONS, re.MULTILINE)
        for number in row.split(",")
    }
    assert explained == {int(one) for one in Exit} | {130, 143}


def test_it_fits_on_three_screens() -> None:
    assert len(README.splitlines()) <= 120


def test_every_page_it_points_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (Path(__file__).parent.parent / target).exists(), target
