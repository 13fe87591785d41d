"""One sync for many: nobody goes on before one has ended that began later; none follows a failure."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import JournalError
from batchgen.journal.group_sync import GroupSync
from tests.support.looped import run_virtually
from tests.support.syncers import NOT_KEPT, HeldSyncer

Play = Callable[[GroupSync, HeldSyncer], Awaitable[None]]


def nothing() -> None: ...


def in_a_loop(play: Play) -> None:
    async def main() -> None:
        disk = HeldSyncer()
        await play(GroupSync(disk, nothing, place="journal.db"), disk)

    run_virtually(main())


async def settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


def states(waits: list[asyncio.Task[None]]) -> list[bool]:
    return [one.done() for one in waits]


def test_one_sync_serves_all_who_wait_as_it_begins() -> None:
    async def play(group: GroupSync, disk: HeldSyncer) -> None:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(group.wait())
            await settle()
            later = [tasks.create_task(group.wait()) for _ in range(5)]
            await settle()
            disk.end()
            await settle()
            assert (first.done(), states(later), disk.begun) == (True, [False] * 5, 2)
            disk.end()
        assert disk.begun == 2

    in_a_loop(play)


def test_a_sync_that_has_begun_covers_nobody_who_comes_later() -> None:
    async def play(group: GroupSync, disk: HeldSyncer) -> None:
        async with asyncio.TaskGroup() as tasks:
            early = tasks.create_task(group.wait())
            await settle()
            late = tasks.create_task(group.wait())
            await settle()
            disk.end()
            await settle()
            assert states([early, late]) == [True, False]
            disk.end()

    in_a_loop(play)


def test_the_first_sync_that_fails_is_the_last_and_whoever_waits_or_comes_is_told() -> None:
    async def play(group: GroupSync, disk: HeldSyncer) -> None:
        waits = [asyncio.create_task(group.wait())]
        await settle()
        waits.append(asyncio.create_task(group.wait()))
        await settle()
        disk.end(NOT_KEPT)
        found = await asyncio.gather(*waits, group.wait(), group.wait(), return_exceptions=True)
        assert [type(one) for one in found] == [JournalError] * 4
        assert "did not keep what was written (Input/output error)" in str(found[0])
        assert disk.begun == 1, "the next one might end well, without what was lost"

    in_a_loop(play)


def test_who_is_cut_off_while_it_waits_takes_nobody_along() -> None:
    async def play(group: GroupSync, disk: HeldSyncer) -> None:
        waits = [asyncio.create_task(group.wait()) for _ in range(3)]
        await settle()
        more = [asyncio.create_task(group.wait()) for _ in range(2)]
        await settle()
        waits[0].cancel()
        more[0].cancel()
        await settle()
        disk.end()
        await settle()
        assert (states(waits), states(more)) == ([True] * 3, [True, False])
        disk.end()
        await more[1]
        with suppress(asyncio.CancelledError):
            await waits[0]

    in_a_loop(play)


def test_what_sqlite_says_of_the_disk_counts_like_a_sync_of_ours() -> None:
    async def play(group: GroupSync, disk: HeldSyncer) -> None:
        early = asyncio.create_task(group.wait())
        await settle()
        late = asyncio.create_task(group.wait())
        await settle()
        group.fail("disk I/O error")
        disk.end()  # well, but nobody knows what that one has seen
        found = await asyncio.gather(early, late, group.wait(), return_exceptions=True)
        assert [type(one) for one in found] == [JournalError] * 3
        assert disk.begun == 1

    in_a_loop(play)


def test_where_no_thread_can_be_had_nobody_waits_for_ever() -> None:
    class NoThread:
        def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
            del sync
            raise RuntimeError("can't start new thread")

    async def play(group: GroupSync, disk: HeldSyncer) -> None:
        group = GroupSync(NoThread(), nothing, place="journal.db")
        for _ in range(2):
            with pytest.raises(JournalError, match="can't start new thread"):
                await group.wait()
        assert not disk.begun

    in_a_loop(play)


@given(st.lists(st.sampled_from(["wait", "end", "cancel", "turn"]), max_size=40), st.integers(0, 12))
def test_whoever_goes_on_was_there_before_a_sync_began_that_ended_well(
    steps: list[str], failing: int
) -> None:
    """The kind: a wait that is let go by a sync which cannot know of it, or by none."""

    async def play(group: GroupSync, disk: HeldSyncer) -> None:
        waits: list[tuple[int, asyncio.Task[None]]] = []  # each with the number of syncs begun as it came

        async def come(begun: int) -> None:
            await group.wait()
            good = [number for number in ended if number > begun and number != failing]
            assert good, "let go by a sync that began before, or by one that failed"

        ended: list[int] = []
        for step in steps:
            if step == "wait":
                begun = disk.begun
                waits.append((begun, asyncio.create_task(come(begun))))
                await asyncio.sleep(0)
            elif step == "end" and disk.begun > disk.ended:
                ended.append(disk.begun)
                disk.end(NOT_KEPT if disk.begun == failing else None)
            elif step == "cancel" and waits:
                waits[len(waits) // 2][1].cancel()
            else:
                await asyncio.sleep(0)
        while not group.failed and any(not one.done() for _, one in waits):
            await settle()
            if disk.begun > disk.ended:
                ended.append(disk.begun)
                disk.end(NOT_KEPT if disk.begun == failing else None)
        await settle()
        found = await asyncio.gather(*(one for _, one in waits), return_exceptions=True)
        assert {type(one) for one in found} <= {type(None), JournalError, asyncio.CancelledError}
        assert not failing or disk.begun <= failing

    in_a_loop(play)
