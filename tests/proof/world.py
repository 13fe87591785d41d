"""What outlives a run: the service, the disk and the time of day, and what befalls them between runs."""

import asyncio
import math
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from batchgen.identity import compose_body, content_key, seed_for
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Accepted, Event, Record, SubmitStarted
from batchgen.model import Acceptance, Job, JobKey, Model
from batchgen.planning.acceptance import Offer, offer
from batchgen.planning.budget import Committed
from batchgen.planning.make_plan import make_plan
from batchgen.planning.plan import Plan
from batchgen.scenario.credentials import Credentials
from batchgen.simulator.exchange import Reply, Request
from batchgen.simulator.jobs import Submission
from batchgen.simulator.keys import author_of
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Denied
from tests.proof.denials import Denial, without_listings
from tests.proof.files import LooseShelves
from tests.proof.law import Books
from tests.proof.ledger_oracle import LedgerOracle, Post
from tests.proof.lens import Viewer
from tests.proof.places import Places
from tests.proof.prices import Tariff
from tests.proof.pricing_plan import Kept, PricingPlan
from tests.proof.scenario import JournalFate, Leg, Scenario, Visit
from tests.support.memory_journal import SCOPE, Disk
from tests.support.virtual import EPOCH


@dataclass
class Earth:
    """The world of one seed.

    Attributes:
        passed: the service's time at the beginning of a run, seconds since the epoch.
        posts: how many have arrived, over all runs.
        wrong: what was seen that must not happen, a sentence each.
        in_time: remote ids of what was accepted while its POST was under way.
        copies: of the journal's file, one after each run.
        results: what the last run wrote that came to its end.
        till: the account of money.
        prices: what the service told of them, kept between runs.
        most_in_flight: how many jobs were without an end at once.
        leg: the run that goes on, or went on last.
        viewer: how the service is seen.
        shelves: the files of all runs.
        denial: what is denied now.
        slots: when each was begun, by our clock.
        places: the names of a batch whose name changes.
        accepted: what changed jobs keep.
        asked_at: what was on record as bought when a job was asked for again, by the key of that one.
        asked_in_all: how often the same was asked for again, by what is asked for, whatever was lost since.
    """

    scenario: Scenario
    folder: Path
    service: Service = field(init=False)
    disk: Disk = field(default_factory=Disk)
    passed: float = EPOCH
    posts: int = 0
    models: dict[str, Model] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    in_time: set[str] = field(default_factory=set)
    copies: list[Path] = field(default_factory=list)
    results: str | None = None
    till: LedgerOracle = field(init=False)
    prices: Kept = field(default_factory=Kept)
    most_in_flight: int = 0
    leg: Leg | None = None
    viewer: Viewer = field(init=False)
    shelves: LooseShelves = field(init=False)
    denial: Denial | None = None
    slots: dict[str, float] = field(default_factory=dict)
    places: Places = field(init=False)
    accepted: dict[Acceptance, JobKey] = field(default_factory=dict)
    asked_at: dict[JobKey, frozenset[str]] = field(default_factory=dict)
    asked_in_all: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.service = Service(self.scenario.settings)
        self.shelves = LooseShelves.of(self.scenario)
        self.viewer = Viewer(self.scenario.lens)
        market = self.scenario.market or PricingPlan()
        self.till = LedgerOracle(self.scenario.settings, market)
        self.places = Places(self.folder)
        self.passed += market.later
        self._began = self.passed
        self._tariff = Tariff(changes=market.changes)
        self.till.models = self.models

    @property
    def our_authors(self) -> frozenset[str]:
        settings = self.scenario.settings
        return frozenset(author_of(settings, key) for key in (settings.key, *settings.more_keys))

    def service_time(self) -> float:
        # in whole milliseconds, as the service dates what it accepts: nothing ends before it began
        return math.floor((self.passed + asyncio.get_running_loop().time()) * 1000) / 1000

    def now(self) -> float:
        """Our own clock."""
        at, wrong = asyncio.get_running_loop().time(), 0.0
        if self.leg is not None and self.leg.step is not None and at >= self.leg.step[0]:
            wrong += self.leg.step[1]
        return self.now_before_a_run + at + wrong

    @property
    def now_before_a_run(self) -> float:
        """Our own clock at its beginning."""
        return self.passed + self.scenario.skew + (self.leg.clock if self.leg else 0.0)

    @property
    def charged_in_all(self) -> list[Submission]:
        """What we were charged for, oldest first."""
        ours = self.our_authors
        charged = [one for one in self.service.submissions if one.author in ours]
        if self.scenario.market is not None:
            self.till.match(charged)
        return charged

    @property
    def charged(self) -> list[Submission]:
        """What was ordered of it: not what a question bought."""
        charged = self.charged_in_all
        return [one for one in charged if one.remote_id not in self.till.by_question]

    @property
    def late(self) -> frozenset[str]:
        """The ids of those that arrived after their answers were lost."""
        return frozenset(one.remote_id for one in self.charged if one.remote_id not in self.in_time)

    def books(self, records: Mapping[JobKey, Record], history: Sequence[tuple[JobKey, Event]]) -> Books:
        """Lay both sides open."""
        all_ours = self.charged_in_all
        ours = {one.remote_id for one in all_ours}
        stray = self.till.by_question
        if stray:  # which a job may have been found to be
            stray = stray - {one.remote_id for record in records.values() for one in record.submissions}
        return Books(
            charged=[one for one in all_ours if one.remote_id not in stray],
            late=self.late,
            others=frozenset(one.remote_id for one in self.service.submissions if one.remote_id not in ours),
            records=records,
            history=history,
            asked=self.asked_in_all if self.scenario.loses_journals else Counter(),
        )

    def books_of(self, account: str) -> Books:
        """Lay both sides open of one account, under whatever names."""
        books = self.books(self.places.records(account), self.places.history(account))
        return replace(books, charged=[one for one in books.charged if one.owner == account])

    def arrive(self, request: Request, post: Post | None = None) -> Reply:
        """Hand a request to the service; what it accepts meanwhile was on its way for long."""
        at = self.service_time()
        self._reprice(at)
        self.service.advance(at)
        before = len(self.service.submissions)
        reply = self.viewer.request(request) or self.service.handle(request, at)
        reply = self.viewer.reply(request, reply, at)
        accepted = self.service.submissions[before:]
        self.in_time.update(one.remote_id for one in accepted)
        if post is not None:
            for one in accepted:
                self.till.arrived(post, one)
        return reply

    def _reprice(self, at: float) -> None:
        prices = self._tariff.at(at - self._began)
        if prices != self.till.settings.prices:
            self.service.reprice(prices)
            self.till.settings = replace(self.till.settings, prices=prices)

    def plan(self, leg: Leg, records: Mapping[JobKey, Record]) -> Plan:
        """Return what a run has to do; what a person lets changed jobs keep is kept from then on."""
        plan = self._plan(leg, records)
        if not leg.accepts:
            return plan
        # of a chain one step more is seen to be the same once the one before it is kept
        while new := [one for entry in plan.entries if isinstance(one := offer(plan, entry.job.id), Offer)]:
            self.accepted.update((one.acceptance, one.bought) for one in new)
            plan = self._plan(leg, records)
        return plan

    def _plan(self, leg: Leg, records: Mapping[JobKey, Record]) -> Plan:
        now = self.now_before_a_run if self.leg is leg else self.passed
        return make_plan(leg.jobs, records, retry_failed=leg.retry, accepted=self.accepted, now=now)

    def let_a_day_pass(self) -> None:
        """Let everything arrive that is on its way."""
        self.passed += 86_400.0
        self.service.advance(self.passed)

    def meet(self, leg: Leg) -> None:
        """Let happen to the journal what happens before a run."""
        self.leg = leg
        if leg.journal is JournalFate.KEPT:
            return
        kept = self.disk.events[: int(leg.copied * len(self.disk.events))]
        older = leg.journal is JournalFate.OLDER
        self.prices = Kept()
        self.asked_at.clear()
        if not older:
            self.accepted.clear()
        self.till.forget(intents=leg.journal is JournalFate.LOST)
        self.disk = Disk(events=kept, synced=len(kept)) if older else Disk()
        for path in self.folder.glob("journal.db*"):
            path.unlink()
        if older and self.copies:
            shutil.copy(self.copies[int(leg.copied * len(self.copies))], self.folder / "journal.db")

    def spend_elsewhere(self, amount: Decimal) -> None:
        """Let another batch of the same journal buy something, between runs."""
        at, nth = self.passed + self.scenario.skew, len(self.till.elsewhere)
        self.till.elsewhere.append((at, amount))
        if not self.scenario.file:
            self.disk.elsewhere.append((at, Committed(gross=amount)))
            return
        job = Job(id="other", prompt=f"of another batch, number {nth}", model="model_of-others")
        with JournalFile.open(self.folder / "journal.db") as file:
            file.batch(replace(SCOPE, batch="autumn")).append(
                JobKey(content_key(job)),
                SubmitStarted(at=at, job=job, attempt=1, body="{}", reserved=amount),
                Accepted(at=at, remote_id=f"job_of_another_batch_{nth}", charged=amount),
            )

    def begins(self, slot: str) -> None:
        """Take note of when a slot is first worked on; the clocks may differ, as always."""
        self.slots.setdefault(slot, self.passed + self.scenario.skew)

    def deny(self, denial: Denial | None) -> None:
        """Let the service deny something from now on, or nothing any more."""
        self.denial = denial
        faults = self.scenario.settings.faults
        broken = without_listings(faults) if denial and denial.broken else faults
        self.service.deny(denial.denied if denial else Denied(), broken)

    def keep_a_copy(self) -> None:
        """Do as a backup does, between runs."""
        copy = self.folder / f"copy-{len(self.copies)}.db"
        shutil.copy(self.folder / "journal.db", copy)
        self.copies.append(copy)

    def receive(self, visit: Visit, nth: int) -> None:
        """Let somebody else submit a job to the same service."""
        self.service.advance(self.service_time())
        stranger = Service(replace(self.scenario.settings, key=f"stranger-{nth}", seed=1_000_003 + nth))
        job, model = visit.job, self.models.get(visit.job.model)
        scope = SCOPE if visit.same_batch else replace(SCOPE, batch="somebody else's")
        seed = seed_for(job, model, scope, JobKey(content_key(job)), 1) if model else None
        token = Credentials(key=f"stranger-{nth}", secret="secret").token
        stranger.handle(_post(job.model, compose_body(job, seed), token), self.service_time())
        for one in stranger.submissions:
            author = f"user_{nth}" if visit.person else one.author
            self.service.restore([replace(one, ordinal=len(self.service.submissions), author=author)])


def _post(model: str, body: str, token: str) -> Request:
    headers = {"authorization": f"Basic {token}", "content-type": "application/json"}
    return Request(method="POST", path=f"/v1/generate/custom/{model}", headers=headers, body=body.encode())
