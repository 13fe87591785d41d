"""Seeds whose jobs show late what came out of them."""

from tests.proof.play import play
from tests.proof.rare import draw

# in each of these an asset was left behind, or its lack was not named, before jobs were asked again
_LATE = (0, 60, 69, 73, 103, 110, 121, 130, 135, 139, 146, 157, 163, 189)


def test_what_is_shown_late_is_fetched_or_named_as_missing() -> None:
    for seed in _LATE:
        report = play(seed)
        assert not report.wrong, str(report)


def test_the_seeds_show_outputs_late_in_listings_alone_and_everywhere_soon_and_never() -> None:
    views = [draw(seed).settings.views for seed in _LATE]
    assert all(one.late_outputs for one in views)
    assert {one.outputs_late_in_jobs for one in views} == {True, False}
    assert min(one.outputs_whole_after[1] for one in views) < 100.0
    assert max(one.outputs_whole_after[1] for one in views) > 1e6
