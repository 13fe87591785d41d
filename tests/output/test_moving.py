"""Renames that were cut off are gone on with: each file is told from others by itself, not by its path."""

from hashlib import sha256

from batchgen.output.moving import carry_out, stamped
from batchgen.planning.file_moves import Move
from tests.support.renames import MemoryDisk


def _move(source: str, target: str, data: bytes) -> Move:
    return Move(
        asset_id=f"asset_{data.decode()}", source=source, target=target, sha256=sha256(data).hexdigest()
    )


def test_a_file_that_came_to_the_place_of_another_is_not_taken_for_that() -> None:
    """The kind: half of a chain is renamed, and a person deletes a file before the next run."""
    disk = MemoryDisk()
    disk.write("assets/a.png", b"first")
    disk.write("assets/b.png", b"second")
    moves = stamped(
        disk,
        [_move("assets/a.png", "assets/c.png", b"first"), _move("assets/b.png", "assets/a.png", b"second")],
    )
    disk.move("assets/a.png", "assets/c.png")
    disk.move("assets/b.png", "assets/a.png")
    disk.delete("assets/c.png")
    landed = carry_out(disk, moves)
    assert disk.names() == {"assets/a.png": b"second"}
    assert [(one.asset_id, place) for one, place in landed.places] == [("asset_second", "assets/a.png")]


def test_a_file_that_was_edited_at_its_old_place_is_renamed_all_the_same() -> None:
    disk = MemoryDisk()
    disk.write("assets/a.png", b"first")
    moves = stamped(disk, [_move("assets/a.png", "assets/c.png", b"first")])
    disk.write("assets/a.png", b"touched up")
    carry_out(disk, moves)
    assert disk.names() == {"assets/c.png": b"touched up"}
