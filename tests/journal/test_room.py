"""What every journal must do whose batches share the room: in memory, in a file, in a database."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import pytest

from batchgen.errors import NoRoomError
from batchgen.journal.opened import OpenJournal
from batchgen.journal.store import JournalStore
from batchgen.journal.stores import store_of
from batchgen.lifecycle import Accepted, AnswerLost, Failed, Held, State, SubmitStarted
from batchgen.model import JobKey, KeptCeiling, Scope
from batchgen.planning.room import Elsewhere, Limit, Room, Taken, Waiting
from batchgen.ports import CeilingMemory, Journal, SharedRoom
from tests.support.lives import JOB
from tests.support.shared_account import Account

NOW = 1_800_000_000.0
IMAGES, VIDEOS = "model_images", "model_videos"
TWO, THREE = (Room(limits=[Limit(most=most)]) for most in (2, 3))


def key(number: int) -> JobKey:
    return JobKey(f"v1:{number}", 1)


def intent(at: float = NOW, model: str = IMAGES) -> SubmitStarted:
    return SubmitStarted(at=at, job=replace(JOB, model=model), attempt=1, body="{}")


class Sharers(Protocol):
    """The batches of one account."""

    def journal(self, batch: str) -> Journal: ...

    def room(self, batch: str) -> SharedRoom: ...

    def ceilings(self, batch: str) -> CeilingMemory: ...

    def lead(self, batch: str, *, at: float) -> None:
        """Have a run of a batch be under way."""


@dataclass
class InMemory:
    account: Account = field(default_factory=Account)

    def journal(self, batch: str) -> Journal:
        return self.account.batch(batch).journal()

    def room(self, batch: str) -> SharedRoom:
        return self.account.batch(batch)

    def ceilings(self, batch: str) -> CeilingMemory:
        return self.account.batch(batch)

    def lead(self, batch: str, *, at: float) -> None:
        del at
        self.account.led.add(batch)


def scope_of(batch: str, slot: str = "") -> Scope:
    return Scope(origin="http://127.0.0.1/v1", project="", batch=batch, slot=slot)


@dataclass
class InStore:
    """Each batch over a connection of its own, as of a process of its own."""

    store: Callable[[], JournalStore]
    held: ExitStack
    opened: dict[str, OpenJournal] = field(default_factory=dict)

    def _opened(self, batch: str) -> OpenJournal:
        if batch not in self.opened:
            store = self.store()
            self.held.enter_context(store.hold(batch, stamp=NOW))
            self.opened[batch] = self.held.enter_context(store.opened())
        return self.opened[batch]

    def journal(self, batch: str) -> Journal:
        return self._opened(batch).batch(scope_of(batch))

    def room(self, batch: str) -> SharedRoom:
        return self._opened(batch).room(scope_of(batch))

    def ceilings(self, batch: str) -> CeilingMemory:
        return self._opened(batch).ceilings(scope_of(batch))

    def lead(self, batch: str, *, at: float) -> None:
        from batchgen.journal.runs import RunKept  # noqa: PLC0415

        self._opened(batch)
        records = self.store().runs()
        assert records is not None
        with records:
            records.begin(
                RunKept(token=batch, scope=scope_of(batch), pid=1, host="here", began_at=at, seen_at=at)
            )


KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sharers]:
    if request.param == "memory":
        yield InMemory()
        return
    url = request.getfixturevalue("database") if request.param == "postgres" else None
    if url is not None:
        prepared(url, tmp_path)
    with ExitStack() as held:
        yield InStore(lambda: store_of(url, tmp_path), held)


def prepared(url: str, folder: Path) -> None:
    from batchgen.journal.store import ServerStore  # noqa: PLC0415

    store = store_of(url, folder)
    assert isinstance(store, ServerStore)
    store.prepare()


def test_an_intent_takes_room_that_all_batches_share(account: Sharers) -> None:
    spring, autumn = account.journal("spring"), account.journal("autumn")
    spring.append(key(1), intent(), room=TWO)
    autumn.append(key(2), intent(), room=TWO)
    with pytest.raises(NoRoomError):
        spring.append(key(3), intent(), room=Room(limits=[Limit(most=2, mine=1)]))
    assert key(3) not in spring.records()
    assert account.journal("spring").records().keys() == {key(1)}, "nothing was written"
    spring.append(key(3), intent(), room=Room(limits=[Limit(most=3, mine=1)]))
    with pytest.raises(NoRoomError):
        autumn.append(key(4), intent(), room=Room(limits=[Limit(most=3, mine=1)]))


def test_the_same_intent_is_taken_when_there_is_room_again(account: Sharers) -> None:
    spring, autumn = account.journal("spring"), account.journal("autumn")
    one = Room(limits=[Limit(most=1)])
    autumn.append(key(2), intent(), Accepted(at=NOW, remote_id="job_1"), room=one)
    with pytest.raises(NoRoomError):
        spring.append(key(1), intent(), room=one)
    autumn.append(key(2), Failed(at=NOW + 1))
    assert spring.append(key(1), intent(NOW + 2), room=one).state is State.SUBMITTING


def test_what_runs_or_may_run_counts_and_nothing_else(account: Sharers) -> None:
    autumn = account.journal("autumn")
    lost = AnswerLost(at=NOW, reason="no answer")
    autumn.append(key(1), intent())
    autumn.append(key(2), intent(), lost)
    autumn.append(key(3), intent(model=VIDEOS), Accepted(at=NOW, remote_id="job_1"))
    autumn.append(key(4), intent(), lost, Held(at=NOW, reason="who knows"))
    autumn.append(key(5), intent(), Accepted(at=NOW, remote_id="job_2"), Failed(at=NOW))
    room = account.room("spring").elsewhere(at=NOW)
    assert set(room.taken) == {Taken("autumn", IMAGES, 2), Taken("autumn", VIDEOS, 1)}
    assert account.room("autumn").elsewhere(at=NOW).taken == []


def test_jobs_of_a_batch_that_nobody_leads_count_for_half_an_hour(account: Sharers) -> None:
    account.journal("autumn").append(key(1), intent())
    spring = account.room("spring")
    assert spring.elsewhere(at=NOW + 1799).taken == [Taken("autumn", IMAGES, 1)]
    assert spring.elsewhere(at=NOW + 1801).taken == []
    account.lead("autumn", at=NOW + 1800)
    assert spring.elsewhere(at=NOW + 1801).taken == [Taken("autumn", IMAGES, 1)]


def test_only_jobs_of_the_models_of_a_limit_count_against_it(account: Sharers) -> None:
    spring, autumn = account.journal("spring"), account.journal("autumn")
    autumn.append(key(1), intent(model=VIDEOS))
    but = Limit(most=1, models=frozenset({VIDEOS}))
    videos = Limit(most=1, models=frozenset({VIDEOS}), but=False)
    with pytest.raises(NoRoomError):
        spring.append(key(2), intent(model=VIDEOS), room=Room(limits=[but, videos]))
    spring.append(key(2), intent(), room=Room(limits=[but]))
    with pytest.raises(NoRoomError):
        autumn.append(key(3), intent(), room=Room(limits=[but]))


def test_an_intent_is_refused_when_another_run_was_taught_another_limit(account: Sharers) -> None:
    spring, autumn = account.journal("spring"), account.journal("autumn")
    learned = KeptCeiling(action="", models=(), limit=5, told=5, refused_at=NOW + 0.1, quiet=300.0)
    account.ceilings("autumn").keep_ceiling(learned)
    for limits in ([], [Limit(most=9)]):
        with pytest.raises(NoRoomError):
            spring.append(key(1), intent(), room=Room(limits=limits))
    assert list(account.ceilings("spring").ceilings()) == [learned]
    spring.append(key(1), intent(), room=Room(limits=[Limit(most=5)], learned_at=NOW + 0.1))
    autumn.append(key(2), intent())


def test_of_two_that_learn_of_one_limit_the_later_one_is_kept(account: Sharers) -> None:
    learned = KeptCeiling(action="", models=(), limit=5, told=5, refused_at=NOW + 1, quiet=300.0)
    account.ceilings("autumn").keep_ceiling(learned)
    account.ceilings("spring").keep_ceiling(replace(learned, limit=9, refused_at=NOW))
    assert list(account.ceilings("spring").ceilings()) == [learned]


def test_nobody_goes_beyond_its_share_while_another_one_waits(account: Sharers) -> None:
    spring, autumn = account.journal("spring"), account.journal("autumn")
    account.room("autumn").wait(IMAGES, at=NOW)
    for number in range(2):
        spring.append(key(number), intent(), room=Room(limits=[Limit(most=4, mine=number)]))
    beyond = Room(limits=[Limit(most=4, mine=2)])
    with pytest.raises(NoRoomError):
        spring.append(key(3), intent(), room=beyond)
    autumn.append(key(4), intent(), room=Room(limits=[Limit(most=4)]))
    account.room("autumn").rest()
    spring.append(key(3), intent(), room=beyond)


def test_who_waits_for_another_limit_keeps_nobody_back(account: Sharers) -> None:
    account.room("autumn").wait(VIDEOS, at=NOW)
    images = Limit(most=2, models=frozenset({IMAGES}), but=False, mine=1)
    account.journal("spring").append(key(1), intent(), room=Room(limits=[images]))


def test_who_says_no_more_that_it_waits_is_passed_over(account: Sharers) -> None:
    account.room("autumn").wait(IMAGES, at=NOW)
    spring, beyond = account.journal("spring"), Room(limits=[Limit(most=2, mine=1)])
    with pytest.raises(NoRoomError):
        spring.append(key(1), intent(NOW + 7.9), room=beyond)
    spring.append(key(1), intent(NOW + 8.1), room=beyond)


def test_where_not_all_have_a_share_it_goes_round(account: Sharers) -> None:
    journals = {name: account.journal(name) for name in ("spring", "autumn", "winter")}
    for moment, name in enumerate(journals):
        account.room(name).wait(IMAGES, at=NOW + moment)
    one, at, turns = Room(limits=[Limit(most=1)]), NOW + 3, list[str]()
    for number in range(6):
        for name, journal in journals.items():
            account.room(name).wait(IMAGES, at=at)
            with suppress(NoRoomError):
                journal.append(key(number), intent(at), room=one)
                turns.append(name)
        bought = journals[turns[-1]]
        bought.append(key(number), Accepted(at=at, remote_id=f"job_{number}"), Failed(at=at))
        at += 1
    assert turns == ["spring", "autumn", "winter"] * 2


def test_who_waits_is_told_from_us(account: Sharers) -> None:
    spring, autumn = account.room("spring"), account.room("autumn")
    assert spring.elsewhere(at=NOW) == Elsewhere(taken=[], waiting=[])
    autumn.wait(IMAGES, at=NOW)
    autumn.wait(VIDEOS, at=NOW + 5)
    assert spring.elsewhere(at=NOW + 6).waiting == [Waiting("autumn", VIDEOS, NOW)]
    assert spring.elsewhere(at=NOW + 6).since is None
    assert autumn.elsewhere(at=NOW + 6).since == NOW
    autumn.wait(IMAGES, at=NOW + 20)
    assert spring.elsewhere(at=NOW + 20).waiting == [Waiting("autumn", IMAGES, NOW + 20)], "it was silent"


def drawn(chance: random.Random) -> Limit:
    return Limit(
        most=chance.randint(1, 9),
        models=frozenset(chance.sample([IMAGES, VIDEOS], chance.randint(0, 2))),
        but=chance.random() < 0.7,
        mine=chance.randint(0, 3),
    )


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(3))
def test_a_database_decides_as_the_program_does(database: str, tmp_path: Path, seed: int) -> None:
    prepared(database, tmp_path)
    chance, at, answers = random.Random(seed), NOW, {True: 0, False: 0}
    with ExitStack() as held:
        both: list[Sharers] = [InMemory(), InStore(lambda: store_of(database, tmp_path), held)]
        for number in range(150):
            at += chance.choice([0.25, 1.0, 3.0])
            batch = chance.choice(["spring", "autumn", "winter", "summer"])
            model, wanted = chance.choice([IMAGES, VIDEOS]), chance.random() < 0.4
            room = Room(limits=[drawn(chance) for _ in range(chance.randint(0, 2))])
            ends, fits = chance.random() < 0.7, set[bool]()
            expected = room.has_room(both[0].room(batch).elsewhere(at=at))
            for one in both:
                journal = one.journal(batch)
                try:
                    journal.append(key(number), intent(at, model), room=room)
                except NoRoomError:
                    fits.add(False)
                else:
                    fits.add(True)
                    if ends:
                        accepted = Accepted(at=at, remote_id=f"job_{number}")
                        journal.append(key(number), accepted, Failed(at=at))
                if wanted:
                    one.room(batch).wait(model, at=at)
            assert fits == {expected}
            answers[expected] += 1
            told = [one.room(batch).elsewhere(at=at) for one in both]
            assert sorted(told[0].taken) == sorted(told[1].taken)
            assert sorted(told[0].waiting) == sorted(told[1].waiting)
            assert told[0].since == told[1].since
    assert min(answers.values()) > 20, answers


def test_what_is_at_the_service_is_counted_without_reading_a_record(tmp_path: Path) -> None:
    from batchgen.journal.file_connection import connect  # noqa: PLC0415
    from batchgen.journal.room import MODELS, SCOPES  # noqa: PLC0415

    store_of(None, tmp_path).opened().close()
    file = connect(tmp_path / "journal.db")
    wanted = dict.fromkeys(("origin", "project", "batch", "alive", "young", "scope", "since"), 1)
    for query in (SCOPES, MODELS):
        steps = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {query}", wanted)]
        of_records = [one for one in steps if " records" in one]
        assert of_records
        assert all("COVERING INDEX records_at_service" in one for one in of_records)
    file.close()


def test_a_file_of_an_earlier_version_counts_what_is_at_the_service(tmp_path: Path) -> None:
    from batchgen.journal.file_connection import connect  # noqa: PLC0415

    store = store_of(None, tmp_path)
    with store.opened() as opened:
        opened.batch(scope_of("autumn")).append(key(1), intent())
    file = connect(tmp_path / "journal.db")
    for statement in (
        "DROP INDEX records_at_service",
        "DROP TABLE waiting",
        "ALTER TABLE records DROP COLUMN model",
        "ALTER TABLE records DROP COLUMN intent_at",
    ):
        file.execute(statement)
    file.close()
    with store.opened() as opened:
        found = opened.room(scope_of("spring")).elsewhere(at=NOW)
    assert found.taken == [Taken("autumn", IMAGES, 1)]
