"""Reading what batches cost from the journal, and holding it against the service's own history.

No run beside it is disturbed, and no manifest is needed. Nothing is written but refunds that the
service shows. What is added up how is ``plan.costs``', what a difference is ``reconcile.billing``'.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from batchgen.errors import InputError, NoRightError, NotFoundError, RefusedError
from batchgen.journal.opened import OpenJournal
from batchgen.manifest.zones import wrong_with_zone
from batchgen.model import Scope
from batchgen.planning.costs import Activity, Cost, costs_of, since
from batchgen.reconcile.billing import BillingDiff, Period, compare_billing, shown_of
from batchgen.usecases.refunds import RefundsRecorded, record_refunds
from batchgen.wiring.options import SIMULATOR, Options
from batchgen.wiring.service import address_of, open_service

MARGIN = (
    600.0  # seconds that clocks may differ, or that the service's history may lag behind what it tells of
)


NONE_RECORDED = RefundsRecorded()


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which costs are asked for.

    Attributes:
        batch: of this name only; None for the whole journal.
        first: from this day on; None for all.
        zone: whose days are meant.
    """

    batch: str | None = None
    first: date | None = None
    zone: tzinfo

    def rows(self, file: OpenJournal, scopes: Iterable[Scope]) -> list[Cost]:
        """Return the rows of those scopes that are asked for."""
        found = [one for scope in scopes if self.batch in (None, scope.batch) for one in _rows(file, scope)]
        return found if self.first is None else list(since(found, self.first, self.zone))

    def first_moment(self, rows: Iterable[Cost]) -> float | None:
        """Say from when on the comparison is; None where there is nothing to compare."""
        if self.first is not None:
            return datetime.combine(self.first, time(), self.zone).timestamp()
        oldest = min((one.at for one in rows), default=None)
        return None if oldest is None else oldest - MARGIN


@dataclass(frozen=True, kw_only=True, slots=True)
class CostComparison:
    """What came of asking the service.

    Attributes:
        origin: who was asked.
        reckoning: None where it does not let this key see its history.
        trouble: why not; empty otherwise.
        refunds: what was recorded of those that it shows.
    """

    origin: str
    reckoning: BillingDiff | None
    trouble: str = ""
    refunds: RefundsRecorded = NONE_RECORDED


def costs_in(options: Options, selection: Selection) -> list[Cost]:
    """Return what was paid, submission by submission, in the order of batches and jobs.

    Raises:
        InputError: there is no batch of that name.
        JournalError: the journal cannot be read.
    """
    with options.journal.read() as file:
        scopes = file.scopes()
        names = sorted({one.batch for one in scopes})
        if selection.batch is not None and selection.batch not in names:
            known = ", ".join(names) or "none"
            raise InputError(
                f"no batch {selection.batch!r} in {options.output}; there are: {known}. Name one of them, "
                "or give another output folder with -o"
            )
        return selection.rows(file, scopes)


async def reckon_with_service(options: Options, selection: Selection, *, record: bool) -> CostComparison:
    """Ask the service what it charged, hold the journal against it, and record what it shows came back.

    The records of the origin that the environment names are compared, of whatever project.

    Args:
        options: which service, and where the journal is.
        selection: what is compared.
        record: whether refunds that it shows are recorded.

    Raises:
        InputError: the journal has no record of that origin.
        JournalError: the journal cannot be read.
        StoppedError: the credentials are not accepted.
        TransientError: the service does not answer.
    """
    origin = address_of(options).origin
    with options.journal.read() as file:
        scopes = [one for one in file.scopes() if one.origin == origin]
        if not scopes:
            others = ", ".join(sorted({one.origin for one in file.scopes()})) or "none"
            raise InputError(
                f"{options.journal}: no record of {origin}, which is where the environment points; "
                f"there are records of: {others}. Set SCENARIO_BASE_URL to the one that is meant (--simulate "
                f"for {SIMULATOR!r}), or give another output folder with -o"
            )
        began_at = selection.first_moment(selection.rows(file, scopes))
        if began_at is None:
            return CostComparison(origin=origin, reckoning=BillingDiff())
        until = options.clock.now()
        try:
            entries = await _activity(options, scopes, since=began_at - MARGIN, until=until)
        except NoRightError as error:
            return CostComparison(origin=origin, reckoning=None, trouble=error.told)
        except (NotFoundError, RefusedError) as error:
            return CostComparison(origin=origin, reckoning=None, trouble=str(error))
        # read again: what was paid while the service told us is in it
        rows, any_of_it = selection.rows(file, scopes), file.batch(scopes[0])
        owned = any_of_it.holders({one.remote_id for one in entries if one.remote_id})
        judged = Period(since=began_at, until=until - MARGIN)
        reckoning = compare_billing(entries, rows, owned=owned, authors=any_of_it.authors, judged=judged)
    refunds = NONE_RECORDED
    if record:
        chosen = [one for one in scopes if selection.batch in (None, one.batch)]
        refunds = record_refunds(options, chosen, shown_of(entries), at=until)
    return CostComparison(origin=origin, reckoning=reckoning, refunds=refunds)


async def _activity(
    options: Options, scopes: Sequence[Scope], *, since: float, until: float
) -> list[Activity]:
    projects = _projects(scopes)
    async with open_service(options, project=None) as service:
        return await service.usages.activity(since=since, until=until, projects=projects)


def _projects(scopes: Collection[Scope]) -> list[str]:
    """Name the projects to ask for; none, and so all, where one is the key's own and has no name here."""
    named = {one.project for one in scopes}
    return [] if "" in named else sorted(named)


def zone_named(name: str) -> tzinfo:
    """Return the time zone of an IANA name.

    Raises:
        InputError: there is none of that name.
    """
    if wrong := wrong_with_zone(name):
        raise InputError(f"--tz: {wrong}")
    return UTC if name == "UTC" else ZoneInfo(name)


def _rows(file: OpenJournal, scope: Scope) -> Iterable[Cost]:
    journal = file.batch(scope)
    return costs_of(scope, journal.records(), journal.history())
