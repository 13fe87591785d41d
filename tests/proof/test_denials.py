"""Seeds in which something is denied, or slots end; ``make prove`` plays a sixth of all so."""

import pytest

from tests.proof.play import play
from tests.proof.rare import draw

_SEEDS = {
    "a model is closed": (129, 133, 150, 162, 170, 176, 227),
    "no listing": (197, 214, 218, 253),
    "no listing, and told to go on": (130, 143, 215, 246, 250, 331),
    "an id is not found for long": (146, 158, 169, 172, 174, 211),
    "slots end": (163, 181, 208, 285, 291),
}


@pytest.mark.parametrize("kind", _SEEDS)
def test_what_is_denied_keeps_nothing_else_from_its_end(kind: str) -> None:
    for seed in _SEEDS[kind]:
        report = play(seed)
        assert not report.wrong, str(report)


def test_the_seeds_are_what_their_names_say() -> None:
    for kind, seeds in _SEEDS.items():
        for scenario in map(draw, seeds):
            denial = scenario.denial
            found = {
                "a model is closed": bool(denial and denial.denied.models),
                "no listing": bool(denial and denial.unlisted and not denial.allowed),
                "no listing, and told to go on": bool(denial and denial.unlisted and denial.allowed),
                "an id is not found for long": scenario.settings.views.job_lag >= 60,
                "slots end": bool(scenario.legs[-1].slot),
            }
            assert found[kind], f"seed {scenario.seed}: choose another one"
