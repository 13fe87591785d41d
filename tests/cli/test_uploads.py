"""Local files as inputs, with the installed command: sent once, and never in place of what they hold."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.cli.conftest import Service, Shell

Simulator = Callable[..., Service]

RUN = ("run", "jobs.yaml", "--rate", "50/s")
MANIFEST = """\
version: 1
batch: spring
jobs:
  - id: edit
    prompt: [make it night, make it day]
    model: model_google-gemini-3-1-flash
    params: {referenceImages: [{file: ref.png}]}
"""


def test_a_file_is_sent_once_and_is_its_content_wherever_it_lies(
    shell: Shell, simulator: Simulator, tmp_path: Path
) -> None:
    service = simulator("--speed", "40", "--duration", "2-4")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "ref.png")
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    sent = [job["params"]["referenceImages"] for job in here.results()["jobs"]]
    assert sent[0] == sent[1]
    assert sent[0][0].startswith("asset_")
    (tmp_path / "ref.png").rename(tmp_path / "moved.png")
    shell.write("jobs.yaml", MANIFEST.replace("ref.png", "moved.png"))
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 2, "the same content is the same job"
    (tmp_path / "moved.png").write_text("hello")
    wrong = here.call(*RUN)
    assert (wrong.status, "jobs.yaml:7:" in wrong.err, "holds something else" in wrong.err) == (2, True, True)
    assert len(service.charged) == 2
