"""A journal that several hosts share, and the lease by which one of them leads its batch: all in memory.

It is to PostgreSQL what the journal in memory is to SQLite: a second implementation under the same contract.
Time is whatever clock it is given. A host can lose its way to the journal, and can stand still as a whole.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from batchgen.errors import BatchLockedError, FencedError, JournalAwayError
from batchgen.lifecycle import Event, Record
from batchgen.model import JobKey
from batchgen.planning.budget import Allowance, Amounts, Reservation
from batchgen.planning.room import Room
from batchgen.ports import Testimony
from tests.support.memory_journal import Disk, MemoryJournal

LENGTH = 30.0  # seconds of a lease


@dataclass
class _Leader:
    until: float
    is_accounted_for: bool = False  # it has ended, has testified, or is known to be dead


@dataclass
class SharedJournal:
    """The journal of one batch, at the server.

    Attributes:
        now: the server's clock, seconds.
        disk: what is kept.
        length: of a lease, seconds.
    """

    now: Callable[[], float]
    disk: Disk = field(default_factory=Disk)
    length: float = LENGTH
    _leaders: list[_Leader] = field(default_factory=list)
    _has_leader: bool = False

    @property
    def epoch(self) -> int:
        """Return the number of the leader that is or was the last, from 1."""
        return len(self._leaders)

    def lead(self, kind: "type[FencedJournal] | None" = None) -> "Led":
        """Take the lease.

        Args:
            kind: of the journal that goes with it.

        Raises:
            BatchLockedError: another one has it.
        """
        if self._has_leader and self.now() < self._leaders[-1].until:
            raise BatchLockedError("the batch is being run by another host", holder="another host")
        self._leaders.append(_Leader(self.now() + self.length))
        self._has_leader = True
        return Led(self, self.epoch, kind or FencedJournal)

    def renew(self, epoch: int) -> float:
        """Lengthen a lease; return when it ends.

        Raises:
            FencedError: another one leads.
        """
        self.check(epoch)
        self._leaders[-1].until = self.now() + self.length
        return self._leaders[-1].until

    def check(self, epoch: int) -> None:
        """Refuse whoever does not lead; a lease that has run out and that nobody took is still good.

        Raises:
            FencedError: another one leads.
        """
        if epoch != self.epoch:
            raise FencedError

    def end(self, epoch: int) -> None:
        """Give the lease back; whoever leads next waits for nobody."""
        self.account_for(epoch)
        if epoch == self.epoch:
            self._has_leader = False

    def account_for(self, epoch: int) -> None:
        """Take note that nothing more of a leader's POSTs is to be expected."""
        self._leaders[epoch - 1].is_accounted_for = True

    def silent_since(self, epoch: int) -> float | None:
        """Return until when a leader before one led of which nothing was heard; None if there is none."""
        silent = [one.until for one in self._leaders[: epoch - 1] if not one.is_accounted_for]
        return max(silent, default=None)


class Led:
    """One host's lease of the batch, and its journal. Renewed by whoever plays the host.

    Attributes:
        journal: its own, with what it has read when it began to lead.
        is_frozen: whether the host stands still as a whole: nobody looks at a clock then.
        is_away: whether the journal cannot be reached from here.
        spool: what was testified meanwhile.
    """

    def __init__(self, shared: SharedJournal, epoch: int, kind: "type[FencedJournal]") -> None:
        self.epoch = epoch
        self.is_frozen = self.is_away = self.is_lost = False
        self.spool: list[tuple[JobKey, Event]] = []
        self._shared = shared
        self._until = shared.now() + shared.length
        self.journal = kind(shared, self)

    def left(self) -> float:
        """Return the seconds that are left; see ``ports.Lease``."""
        if self.is_frozen:
            return self._shared.length
        return 0.0 if self.is_lost else self._until - self._shared.now()

    def silent_since(self) -> float | None:
        """See ``ports.Lease``."""
        return self._shared.silent_since(self.epoch)

    def renew(self) -> None:
        """Do what its thread does now and then."""
        if self.is_frozen or self.is_away or self.is_lost:
            return
        try:
            self._until = self._shared.renew(self.epoch)
        except FencedError:
            self.is_lost = True

    def come_back(self) -> None:
        """Reach the journal again; what was spooled is said first."""
        self.is_away = False
        while self.spool:
            key, event = self.spool.pop(0)
            self.journal.testify(key, event)

    def end(self) -> None:
        """Give it back."""
        if not self.is_away:
            self._shared.end(self.epoch)


class FencedJournal(MemoryJournal):
    """The journal as one host sees it: it writes as long as nobody else leads.

    Attributes:
        answers_are_lost: whether what is written is there, and nobody is told so.
        refused: how many appends were.
    """

    def __init__(self, shared: SharedJournal, led: Led) -> None:
        super().__init__(shared.disk)
        self._shared = shared
        self._led = led
        self.answers_are_lost = False
        self.refused = 0

    def _may_write(self) -> None:
        if self._led.is_away and not self.answers_are_lost:
            raise JournalAwayError
        try:
            self._shared.check(self._led.epoch)
        except FencedError:
            self.refused += 1
            self._led.is_lost = True
            raise

    def _may_answer(self) -> None:
        if self._led.is_away:
            raise JournalAwayError

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        self._may_write()
        record = super().append(key, *events, allowed=allowed, reserves=reserves, room=room)
        self._may_answer()
        return record

    def append_to_all(self, changes: Mapping[JobKey, Sequence[Event]]) -> None:
        self._may_write()
        super().append_to_all(changes)
        self._may_answer()

    def reserve(self, wanted: Mapping[JobKey, Reservation], *, allowed: Allowance | None = None) -> None:
        self._may_write()
        super().reserve(wanted, allowed=allowed)

    def release(self, keys: Collection[JobKey]) -> None:
        self._may_write()
        super().release(keys)

    def check_place(self) -> None:
        super().check_place()
        if self._led.left() <= 0:
            self._may_answer()
            self._may_write()

    def testify(self, key: JobKey, *events: Event) -> None:
        if self._led.is_away:
            self._led.spool += [(key, one) for one in events]
            return
        super().testify(key, *events)
        self._shared.account_for(self._led.epoch)

    def testimony(self) -> list[Testimony]:
        self._may_answer()
        return super().testimony()

    def heard(self, numbers: Collection[int]) -> None:
        self._may_write()
        super().heard(numbers)
