"""Seeds in which a batch is run under several names."""

from tests.proof.play import play
from tests.proof.rare import draw

# stopped by their names, joined, and joined where both had records
_NAMED = (36, 54, 65, 88, 94, 187, 199, 202, 213, 261, 391, 440, 452, 503, 522)
_BOTH = (627, 953, 1008, 2100, 2171, 2207, 2460, 2761, 2947)


def test_under_whatever_name_nothing_is_paid_twice_and_nothing_paid_is_left() -> None:
    stopped = joined = 0
    for seed in _NAMED:
        assert draw(seed).legs[-1].name, f"seed {seed} has one name: choose another one"
        report = play(seed)
        assert not report.wrong, str(report)
        stopped += report.tally["runs that were stopped by other names"]
        joined += report.tally["names joined"]
    assert stopped
    assert joined


def test_records_of_two_names_of_one_account_are_carried_on_together() -> None:
    both = 0
    for seed in _BOTH:
        report = play(seed)
        assert not report.wrong, str(report)
        both += report.tally["names joined, of which both had records"]
    assert both
