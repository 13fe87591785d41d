"""What is in flight, counted against the limits of the service.

There is one pool for all models until a refusal names another limit than the one known so far:
then the model that met it counts against that one. What was learned is kept, and serves the next run.
"""

from collections.abc import Collection, Iterator, KeysView
from contextlib import suppress
from dataclasses import replace

from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.sharing import Sharing
from batchgen.errors import JournalError
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey, KeptCeiling
from batchgen.planning.room import Limit, Room
from batchgen.ports import CeilingMemory, Clock, SharedRoom

_OTHERS_STAY = 3600.0  # seconds after which other people's jobs no longer count against us
_SOON = 30.0  # seconds until one more than the account's number is tried: it may be an old one

_EVERYTHING = ""  # the pool of every model that no refusal has put into another


def limit_now(kept: KeptCeiling, *, now: float) -> int:
    """Return what is left of a limit that was learned: what other people took of it does not last.

    Args:
        kept: what was learned.
        now: seconds since the epoch.
    """
    if kept.told is not None and now - kept.refused_at > _OTHERS_STAY:
        return kept.told
    return kept.limit


class Pools:
    """The jobs in flight by pool, and what each pool holds."""

    def __init__(
        self,
        ceiling: Ceiling,
        *,
        memory: CeilingMemory | None = None,
        clock: Clock | None = None,
        room: SharedRoom | None = None,
    ) -> None:
        """Begin with what earlier runs have learned, and others at this moment.

        Args:
            ceiling: what is known otherwise.
            memory: where it is kept; None keeps nothing.
            clock: the wall's, for what is kept.
            room: knows what other batches of the account have in flight; None where there are none.

        Raises:
            JournalError: it cannot be read.
        """
        self.sharing = Sharing(room, clock)
        self._learned_at = 0.0  # the latest of what is kept
        self._bound = ceiling.bound
        self._memory = memory
        self._clock = clock
        self._ceilings = {_EVERYTHING: ceiling}
        self._action = _EVERYTHING  # the service's name for the limit of the first pool
        self._pools_of: dict[str, tuple[str, ...]] = {}
        self._in_flight: dict[JobKey, str] = {}
        self._kept: dict[str, KeptCeiling] = {}
        self._recall_all()

    def __repr__(self) -> str:
        held = ", ".join(f"{name or 'all'}: {one.limit}" for name, one in self._ceilings.items())
        return f"<Pools [{len(self._in_flight)} in flight; {held}]>"

    @property
    def in_flight(self) -> KeysView[JobKey]:
        """The jobs that run or may run."""
        return self._in_flight.keys()

    @property
    def limit(self) -> int | None:
        """How many may be in flight as far as is known; None if nothing is."""
        limits = [one.limit for one in self._ceilings.values()]
        known = [one for one in limits if one is not None]
        own = sum(known) if len(known) == len(limits) else None
        bounds = [one for one in (own, self._bound) if one is not None]
        return min(bounds) if bounds else None

    def bound(self, most: int | None) -> None:
        """Set the user's upper bound; None leaves it to the service."""
        self._bound = most
        self._ceilings = {name: replace(one, bound=most) for name, one in self._ceilings.items()}

    def expect(self, limit: int) -> None:
        """Take over what the service says that it allows, unless a refusal has taught it already."""
        first = self._ceilings[_EVERYTHING]
        if first.taught is None:
            self._ceilings[_EVERYTHING] = replace(first, taught=limit, refused_at=loop_time(), quiet=_SOON)

    def model_of(self, key: JobKey) -> str:
        """Name the model of a job in flight."""
        return self._in_flight[key]

    def put(self, key: JobKey, model: str) -> None:
        """Count a job that runs or may run."""
        self._in_flight[key] = model

    def take(self, key: JobKey) -> None:
        """Count it no longer."""
        if self._in_flight.pop(key, None) is not None:
            self.sharing.one_ended()

    def see(self) -> None:
        """Look at what the other batches of the account have, want and were taught.

        Raises:
            JournalError: it cannot be read.
        """
        self._recall_all()
        self.sharing.look()

    def no_room(self, model: str) -> None:
        """Learn that an intent was refused: others have more than was known, or were taught something.

        Raises:
            JournalError: it cannot be read.
        """
        self._recall_all()
        self.sharing.was_refused(model)

    def room(self, key: JobKey) -> Room | None:
        """Return what a job that is counted already takes of the room; None if it is not shared."""
        if not self.sharing.is_shared:
            return None
        model = self._in_flight[key]
        mine = [replace(one, mine=one.mine - 1) for one in self._limits(model)]
        return Room(limits=mine, learned_at=self._learned_at)

    def has_room(self, model: str, late: Collection[JobKey]) -> bool:
        """Return whether one more job of a model may be submitted.

        Args:
            model: the service's id.
            late: jobs in flight whose answer is long due or lost, which keep nobody waiting.
        """
        if self._bound is not None and len(self._in_flight) >= self._bound:
            return False
        own = self.has_room_alone(model, late)
        return (not self.sharing.is_shared or self.sharing.has_room(model, self._limits(model))) and own

    def has_room_alone(self, model: str, late: Collection[JobKey]) -> bool:
        """Return the same as if there were no other batches; see ``has_room``."""
        if self._bound is not None and len(self._in_flight) >= self._bound:
            return False
        return all(self._pool_has_room(pool, late) for pool in self._pools(model))

    def holds(self, key: JobKey) -> bool:
        """Return whether a job that is counted already is within the limits as they are known now."""
        if self._bound is not None and len(self._in_flight) > self._bound:
            return False
        limits = self._limits(self._in_flight[key])
        return all(one.mine + self.sharing.elsewhere.count(one) <= one.most for one in limits)

    def _limits(self, model: str) -> list[Limit]:
        """Return the limits of the account that jobs of a model count against."""
        return [
            self._limit(pool, taught)
            for pool in self._pools(model)
            if (taught := self._ceilings[pool].taught) is not None
        ]

    def _limit(self, pool: str, most: int) -> Limit:
        but = pool == _EVERYTHING
        models = frozenset(model for model, pools in self._pools_of.items() if (pool in pools) is not but)
        return Limit(most=most, models=models, but=but, mine=self._count(pool))

    def _count(self, pool: str) -> int:
        return len(self._in_flight) if len(self._ceilings) == 1 else sum(1 for _ in self._members(pool))

    def accepted(self, model: str, doubtful: Collection[JobKey]) -> None:
        """Learn from an acceptance, which is counted already.

        Args:
            model: of the job.
            doubtful: jobs in flight of which it is not known whether they run.
        """
        for pool in self._pools(model):
            if len(self._ceilings) == 1:
                count = len(self._in_flight) - len(doubtful)
            else:
                count = sum(1 for key in self._members(pool) if key not in doubtful)
            self._ceilings[pool] = self._ceilings[pool].accepted(count)

    def refused(self, key: JobKey, *, action: str, told: int | None, cooldown: float | None) -> int:
        """Learn from a refusal for the ceiling; give how many others its pool has in flight, of all batches.

        Args:
            key: the job that was refused, which is counted still.
            action: the service's name for the limit; empty where it names none.
            told: the ceiling it named.
            cooldown: the seconds it asked to wait.
        """
        model = self._in_flight[key]
        pool = self._pool_for(action, model) if told is not None else self._pools(model)[0]
        self.see()
        theirs = self.sharing.elsewhere.count(self._limit(pool, 0))
        others = theirs + sum(one != key for one in self._members(pool))
        ceiling = self._ceilings.get(pool) or Ceiling(bound=self._bound, proven=others)
        self._ceilings[pool] = ceiling.refused(others, told=told, cooldown=cooldown, now=loop_time())
        if told is not None:
            self.keep()
        return others

    def keep(self) -> None:
        """Keep what was learned for the next run.

        Raises:
            JournalError: it could not be written.
        """
        if self._memory is None or self._clock is None:
            return
        lag = self._clock.now() - loop_time()
        for pool, ceiling in self._ceilings.items():
            if ceiling.taught is None or ceiling.told is None:
                continue  # what an account says is asked for anew
            named = pool != _EVERYTHING
            kept = KeptCeiling(
                action=pool if named else self._action,
                models=tuple(sorted(one for one, pools in self._pools_of.items() if named and pool in pools)),
                limit=ceiling.taught,
                told=ceiling.told,
                refused_at=ceiling.refused_at + lag,
                quiet=ceiling.quiet,
            )
            if self._kept.get(kept.action) != kept:
                self._memory.keep_ceiling(kept)
                self._kept[kept.action] = kept
                self._learned_at = max(self._learned_at, kept.refused_at)

    def end(self) -> None:
        """Keep what was learned, and let others have the room.

        Raises:
            JournalError: it could not be written.
        """
        self.keep()
        self.sharing.rest()

    def _recall_all(self) -> None:
        if self._memory is None:
            return
        all_kept = list(self._memory.ceilings())
        self._learned_at = max((one.refused_at for one in all_kept), default=0.0)
        for one in all_kept:
            if self._kept.get(one.action) != one:
                self._recall(one)

    def _recall(self, kept: KeptCeiling) -> None:
        assert self._clock is not None
        now = self._clock.now()
        pool = kept.action if kept.models else _EVERYTHING
        self._ceilings[pool] = replace(
            self._ceilings.get(pool) or Ceiling(bound=self._bound),
            taught=limit_now(kept, now=now),
            told=kept.told,
            refused_at=kept.refused_at - now + loop_time(),
            quiet=kept.quiet,
        )
        self._kept[kept.action] = kept
        if pool == _EVERYTHING:
            self._action = kept.action
        for model in kept.models:
            if pool not in (known := self._pools_of.get(model, ())):
                self._pools_of[model] = (*known, pool)

    def _pools(self, model: str) -> tuple[str, ...]:
        return self._pools_of.get(model, (_EVERYTHING,))

    def _pool_for(self, action: str, model: str) -> str:
        """Return the pool of a limit that a model has met, and count the model against it from now on."""
        if action == _EVERYTHING or self._action in {_EVERYTHING, action}:
            self._action = self._action or action
            pool = _EVERYTHING
        else:
            pool = action
        known = self._pools_of.get(model, ())
        if pool == _EVERYTHING and not known:
            return pool
        if pool not in known:
            self._pools_of[model] = (*known, pool)
        return pool

    def _members(self, pool: str) -> Iterator[JobKey]:
        return (key for key, model in self._in_flight.items() if pool in self._pools(model))

    def _pool_has_room(self, pool: str, late: Collection[JobKey]) -> bool:
        before = self._ceilings[pool]
        ceiling = self._ceilings[pool] = before.probed(loop_time())
        if ceiling is not before and self.sharing.is_shared:
            with suppress(JournalError):  # the others try the same one then, and no further
                self.keep()
        if len(self._ceilings) == 1:
            return ceiling.has_room(len(self._in_flight), len(late))
        members = set(self._members(pool))
        return ceiling.has_room(len(members), sum(1 for key in late if key in members))
