"""A run under its name, held against all other names of its journal before anything is bought.

Another project or address may be the same account, and another batch the same jobs: whatever is, or may
be, paid for there is carried on, or a person says that it is to be bought once more. What is decided is on
record before the first purchase, and holds from then on.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from batchgen.errors import GuardError
from batchgen.formats import counted, units
from batchgen.journal.opened import OpenJournal
from batchgen.lifecycle import IN_FLIGHT, State
from batchgen.model import Scope
from batchgen.planning.plan import Plan
from batchgen.ports import Clock
from batchgen.reconcile.accounts import Place, Relation, ShowsJobs, relation, worth_asking
from batchgen.scenario.credentials import may_be_one_service, plain_address
from batchgen.usecases.rename_check import Elsewhere, LiesThere, found_elsewhere
from batchgen.wiring.options import Allow

RENAMED = "renamed"  # the name of the choice between two batches

_UNDER_WAY = frozenset({*IN_FLIGHT, State.SUCCEEDED})
_EVER_PAID = frozenset(State) - {State.PLANNED, State.REFUSED}  # what failed was an attempt, too
_MAY_BE_PAID = frozenset({*IN_FLIGHT, State.SUCCEEDED, State.COLLECTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class NamesFound:
    """What other names mean for a run.

    Attributes:
        joined: scopes of its batch that are its own under other names, oldest first; where there are any,
            it goes on in the first, and only then are other batches looked at.
        beside: batches that have or may have what it would buy.
        stopped: why it must not go on; empty where it may.
        let: names of batches beside which a person lets it go on.
    """

    joined: tuple[Scope, ...] = ()
    beside: tuple[Elsewhere, ...] = ()
    stopped: str = ""
    let: tuple[str, ...] = ()


class Naming:
    """The names of one journal, as a run sees them."""

    def __init__(
        self,
        file: OpenJournal,
        service: ShowsJobs | None,
        clock: Clock,
        *,
        lies_there: LiesThere,
        allow: frozenset[Allow] = frozenset(),
        renames: bool = True,
    ) -> None:
        """Take the parts.

        Args:
            file: the journal.
            service: asked for a few jobs, where owners do not tell; under the run's own name. None for a
                look that asks nobody.
            clock: the wall's.
            lies_there: whether the manifest of a batch of this name is still where it was.
            allow: what a person lets pass.
            renames: whether the batch may have had another name before: not where it is in no file.
        """
        self._file = file
        self._service = service
        self._clock = clock
        self._lies_there = lies_there
        self._allow = allow
        self._renames = renames

    async def look(self, scope: Scope, plan: Plan) -> NamesFound:
        """Look at all other names; nothing is changed.

        Args:
            scope: where the run's records are, before other names are known.
            plan: what it would do.

        Raises:
            StoppedError: the credentials are not accepted.
            TransientError: the service does not answer.
        """
        wanted = Counter(entry.key.content for entry in plan.to_submit)
        joined = list[Scope]()
        # a run that buys nothing still collects what is on its way
        for other in self._under_other_names(scope, _EVER_PAID if wanted else _UNDER_WAY):
            told = await self._relation(scope, other)
            is_let = Allow.OTHER_PROJECT in self._allow and self._is_one_address(scope, other)
            if told is Relation.SAME or is_let:
                joined.append(other)
            elif told is Relation.UNKNOWN and self._may_have(scope, other, wanted):
                return NamesFound(stopped=_not_known(scope, other))
        return NamesFound(joined=tuple(joined)) if joined else await self.look_beside(scope, wanted)

    def _under_other_names(self, scope: Scope, states: Collection[State]) -> Iterator[Scope]:
        """Find the batch under other projects and addresses, once each, where a job is in such a state."""
        seen = {(scope.origin, scope.project)}
        for other in self._file.scopes():
            place = (other.origin, other.project)
            if other.batch != scope.batch or place in seen:
                continue
            records = self._file.batch(other).records().values()
            matters = any(one.state in states for one in records)
            if matters and may_be_one_service(scope.origin, other.origin):
                seen.add(place)
                yield other

    def _may_have(self, scope: Scope, other: Scope, wanted: Counter[str]) -> bool:
        """Return whether another name may have what is wanted: in this slot, or on its way in another."""
        for one in self._slots_of(other):
            states = _MAY_BE_PAID if one.slot == scope.slot else IN_FLIGHT
            records = self._file.batch(one).records().items()
            if any(record.state in states and wanted[key.content] for key, record in records):
                return True
        return False

    async def look_beside(self, scope: Scope, wanted: Counter[str]) -> NamesFound:
        """Look at other batches alone; see ``look``."""
        if not self._renames:
            return NamesFound()
        beside, let = list[Elsewhere](), list[str]()
        for one in found_elsewhere(self._file, scope, wanted, self._lies_there):
            other = one.scopes[0]
            if self._file.names.is_chosen(RENAMED, scope.batch, one.batch):
                continue
            if not may_be_one_service(scope.origin, other.origin):
                continue
            if not one.stops_a_run:
                # whose another project is, is not worth a question where nothing is to be stopped
                beside += [one] if (other.origin, other.project) == (scope.origin, scope.project) else []
                continue
            if await self._relation(scope, other) is Relation.OTHER:
                continue
            beside.append(one)
            if Allow.RENAMED not in self._allow:
                return NamesFound(beside=tuple(beside), stopped=_renamed(scope.batch, one))
            let.append(one.batch)
        return NamesFound(beside=tuple(beside), let=tuple(let))

    async def _relation(self, scope: Scope, other: Scope) -> Relation:
        records = (one for slot in self._slots_of(other) for one in self._file.batch(slot).records().values())
        return await relation(
            self._place(scope), self._place(other), worth_asking(records), self._service, self._clock
        )

    def _slots_of(self, scope: Scope) -> list[Scope]:
        return [one for one in self._file.scopes() if replace(one, slot=scope.slot) == scope]

    def _is_one_address(self, scope: Scope, other: Scope) -> bool:
        return plain_address(scope.origin) == plain_address(other.origin)

    def _place(self, scope: Scope) -> Place:
        owners = self._file.names.owners()
        known = {
            of for one, of in owners.items() if (one.origin, one.project) == (scope.origin, scope.project)
        }
        address = plain_address(scope.origin)
        return Place(address=address, project=scope.project, owners=frozenset(known))

    def settle(self, scope: Scope, found: NamesFound) -> None:
        """Put on record what was found: from then on the name leads to the scope that the run goes on in.

        Raises:
            InputError: the run must not go on; nothing was changed.
            JournalError: it could not be recorded.
        """
        if found.stopped:
            raise GuardError(found.stopped)
        now = self._clock.now()
        for other in (*found.joined[1:], *([scope] if found.joined else [])):
            self._file.names.join(other, found.joined[0], at=now)
        for batch in found.let:
            self._file.names.choose(RENAMED, scope.batch, batch, at=now)


def _not_known(scope: Scope, other: Scope) -> str:
    return (
        f"batch {scope.batch!r} has jobs that are, or may be, paid for in {_project(other)}, and the service "
        f"does not say whether that is the account of {_project(scope)}: they might be bought again. Run it "
        f"with {_as_before(other)} to go on there; with --allow other-project to go on with those records in "
        f"{_project(scope)}; or give it another `batch:` to buy all of it there"
    )


def _project(scope: Scope) -> str:
    return f"project {scope.project!r}" if scope.project else "the key's own project"


def _as_before(scope: Scope) -> str:
    return f"--project {scope.project}" if scope.project else "no project"


def _renamed(batch: str, other: Elsewhere) -> str:
    cost = f" ({units(other.charged)} compute units the last time)" if other.charged else ""
    return (
        f"batch {batch!r} would buy {counted(other.of, 'job')}, of which {other}; its manifest is gone. "
        f"If it was renamed, write `batch: {other.batch}` in the manifest; to pay for them once more"
        f"{cost}, run it with --allow renamed"
    )
