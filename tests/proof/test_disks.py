"""Seeds of the proof on slow disks, some of which fail: a POST leaves when its intent is on the disk."""

from tests.proof.disks import on_a_slow_disk
from tests.proof.play import play_out
from tests.proof.rare import draw

# in each of these something goes wrong with one or more of the faults planted in what waits for the disk
_SEEDS = (0, 9, 17, 21, 22, 34, 42, 49, 50, 53, 55)


def test_whatever_a_slow_disk_has_not_kept_nothing_is_paid_twice_and_nothing_paid_is_lost() -> None:
    failed = 0
    for seed in _SEEDS:
        report = play_out(on_a_slow_disk(draw(seed)))
        assert not report.wrong, str(report)
        failed += report.tally["failed syncs"]
    assert failed, "no disk of these fails: choose others"
