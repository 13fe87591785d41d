"""The price of a chain before and at the door, with the installed command and a service over loopback."""

from collections.abc import Callable

from tests.cli.conftest import Service, Shell

MANIFEST = """\
version: 1
batch: spring
limits: {rate: none}
jobs:
  - entry: knight
    id: "knight-{pose}"
    prompt: "a knight, {pose}"
    model: model_bfl-flux-1-dev
    params: {width: 1024, height: 1024}
    matrix: {pose: [idle, run]}
  - {entry: cut, id: "{job}-cut", from: {jobs: knight}, model: model_birefnet-background-removal,
     params: {image: {job: "{job}"}}}
  - {entry: big, id: "{job}-big", from: {jobs: cut}, model: model_topaz-image-upscale,
     params: {image: {job: "{job}"}, upscaleFactor: 4x}}
"""


def test_a_plan_sends_blank_pictures_only_if_asked_to_and_a_run_asks_again_with_what_goes_in(
    shell: Shell, simulator: Callable[..., Service]
) -> None:
    service = simulator("--duration", "0.1-0.2")
    there = shell.at(service)
    there.write("jobs.yaml", MANIFEST)
    plain = there.call("plan", "jobs.yaml", "--json").json["cost"]
    assert (plain["high"], plain["unpriced"], plain["estimated"]["jobs"]) == (8, 4, 0), "nothing was sent"
    exact = there.call("plan", "jobs.yaml", "--exact", "--json").json
    assert (exact["cost"]["low"], exact["cost"]["high"], exact["cost"]["unpriced"]) == (92, 92, 0)
    assert exact["cost"]["estimated"] == {"jobs": 2, "low": 80, "high": 80}
    assert [one["estimated"]["jobs"] for one in exact["entries"]] == [0, 0, 2]
    told = there.call("plan", "jobs.yaml", "--budget", "60").out
    assert "12 CU, and about 80 CU for 2 jobs whose input does not exist yet" in told
    assert "92 CU more" in told, "a cap counts estimates at their upper end"
    part = there.call("plan", "jobs.yaml", "--only", "entry:knight", "--json").json
    assert part["rest"]["estimated"]["jobs"] == 2
    assert service.charged == []
    done = there.call("run", "jobs.yaml", "--budget", "92")
    assert done.status == 0, done.err
    quoted = {one["id"]: one["cost"]["quoted"] for one in there.results()["jobs"]}
    assert {units for name, units in quoted.items() if name.endswith("-big")} == {40}
    assert len(service.charged) == 6
