"""Several runs of one account under one ceiling, in virtual time."""

from collections.abc import Sequence

from batchgen.simulator.service import Service
from batchgen.simulator.settings import Limits, Settings
from bench.figures import Figure
from bench.isolated import isolated
from bench.setting import Setting
from tests.support.teams import Play, Team
from tests.support.virtual import Earth

_CEILING = 20


def shared(setting: Setting) -> list[Figure]:
    """The same jobs in one batch, in two and in four, each carried by an engine of its own."""
    count = setting.many(200, 80)
    walls = {among: isolated(_wall, _teams(count, among)) for among in (1, 2, 4)}
    what = f"{count} jobs of 21-45 s, ceiling {_CEILING} for all"
    return [
        Figure(
            what=f"{what}: wall of {among} runs over that of one",
            value=walls[among][0] / walls[1][0],
            most=1.05,
            note=f"{walls[among][0]:.0f} s over {walls[1][0]:.0f} s of virtual time; "
            f"{walls[among][2]} refusals; requests a job {walls[among][1]:.2f}, {walls[1][1]:.2f} of one",
        )
        for among in (2, 4)
    ]


def _teams(count: int, among: int) -> list[Team]:
    return [Team(name=f"batch-{n}", jobs=count // among) for n in range(among)]


def _wall(teams: Sequence[Team]) -> tuple[float, float, int]:
    """Return the seconds until the last has ended, the requests a job, and how many jobs were refused."""
    earth = Earth(service=Service(Settings(duration=(21.0, 45.0), limits=Limits(ceiling=_CEILING))))
    play = Play(earth, teams).go()
    jobs = sum(one.jobs for one in teams)
    assert play.done == jobs, f"{play.done} of {jobs} done"
    return max(play.took.values()), play.requests / jobs, len(play.refused)
