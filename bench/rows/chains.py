"""Chains: carried, beside a schedule that knows every end beforehand, and planned."""

from bench.figures import Figure
from bench.ideal import chained
from bench.isolated import isolated
from bench.rows.plans import chained as planned
from bench.setting import Setting
from bench.virtual import Virtual, virtually

_STEPS = 3


def chains(setting: Setting) -> list[Figure]:
    """Chains of three steps, carried under a ceiling with no rate to hold the looks back, and planned."""
    return [*_carried(setting), *planned(setting)]


def _carried(setting: Setting) -> list[Figure]:
    count, most = setting.many(1000, 12), 20
    case = Virtual(jobs=count, low=2.1, high=4.5, ceiling=most, steps=_STEPS)
    passed = isolated(virtually, case)
    jobs = count * _STEPS
    assert passed.carried.done == jobs, f"{passed.carried.done} of {jobs} done"
    best, looks = chained(passed.chains, most), passed.kinds["job"] + passed.kinds["jobs"]
    what = f"{count:,} chains of {_STEPS} steps, jobs of 2.1-4.5 s, ceiling {most}"
    return [
        Figure(what=f"{what}: wall over ideal, steps in their order", value=passed.carried.wall / best,
               most=1.08, note=f"{passed.carried.wall:.0f} s over {best:.0f} s of virtual time"),
        Figure(what=f"{what}: status requests a job", value=looks / jobs, most=0.7,
               note=f"{passed.kinds['job']} looks at one job, {passed.kinds['jobs']} listings"),
    ]  # fmt: skip
