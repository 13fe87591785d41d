"""Which jobs were held for a person without need: an oracle that knows what the service has.

A person is asked where listings hide, alter or deny what the rules need, and nowhere else. Each hold
is excused by the first thing that was so in its seed, or counts as avoidable. Pure.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from batchgen.identity import content_key
from batchgen.lifecycle import Accepted, Event, Held, RetryAsked, ShownAbsent, SubmitStarted
from batchgen.model import JobKey
from batchgen.reconcile.absence import OnAbsent
from batchgen.reconcile.matching import BEFORE
from batchgen.reconcile.ownership import GENERATION
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault
from tests.proof.law import Books, Order, order_of
from tests.proof.lens import Echo, Garbage, Uploads
from tests.proof.scenario import LONG, Scenario


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A job that was held, and what the journal knew then.

    Attributes:
        key: the job's.
        sent: the body in doubt.
        reason: that people were shown.
        nth: place in the history.
        senders: fingerprints that had had a receipt by then.
        is_taught: whether the key had had one in this slot by then, whose row tells how listings show ours.
        witnesses: what the same key was known to have bought by then for other jobs: remote ids of what
            rows show whole, and models.
        owned: remote ids of all that was on record by then.
        absences: how often this job had been shown absent.
    """

    key: JobKey
    sent: SubmitStarted
    reason: str
    nth: int
    senders: frozenset[str]
    is_taught: bool
    witnesses: Mapping[str, str]
    owned: frozenset[str]
    absences: int

    @property
    def order(self) -> Order:
        return order_of(self.sent)


@dataclass
class _Reader:
    """Reads a history from its beginning."""

    sent: dict[JobKey, SubmitStarted] = field(default_factory=dict)
    owned: set[str] = field(default_factory=set)
    senders: set[tuple[str, str]] = field(default_factory=set)  # and slots
    nth: int = 0
    paid: dict[str, tuple[JobKey, SubmitStarted]] = field(default_factory=dict)  # by remote id
    absences: Counter[JobKey] = field(default_factory=Counter)

    def read(self, key: JobKey, event: Event) -> Hold | None:
        self.nth += 1
        match event:
            case SubmitStarted():
                self.sent[key] = event
            case Accepted() if key in self.sent:
                self.paid[event.remote_id] = key, self.sent[key]
                self.owned.add(event.remote_id)
                if not event.BY_ROW:
                    self.senders.add((self.sent[key].sender, _slot_of(key)))
            case ShownAbsent():
                self.absences[key] += 1
            case RetryAsked():  # what a record says was sent is that of its latest attempt
                self.paid = {one: (of, sent) for one, (of, sent) in self.paid.items() if of != key}
            case Held() if key in self.sent:
                return Hold(
                    key=key,
                    sent=self.sent[key],
                    reason=event.reason,
                    nth=self.nth,
                    senders=frozenset(sender for sender, _ in self.senders),
                    is_taught=(self.sent[key].sender, _slot_of(key)) in self.senders,
                    witnesses=self._witnesses(key),
                    owned=frozenset(self.owned),
                    absences=self.absences[key],
                )
            case _:
                pass
        return None

    def _witnesses(self, doubtful: JobKey) -> dict[str, str]:
        return {
            remote_id: sent.job.model
            for remote_id, (key, sent) in self.paid.items()
            if key != doubtful
            and _slot_of(key) == _slot_of(doubtful)
            and sent.sender == self.sent[doubtful].sender
            and not _is_cut(sent)
        }


def _slot_of(key: JobKey) -> str:
    return key.content.partition("@")[2]


def _is_cut(sent: SubmitStarted) -> bool:
    """Say whether a prompt that became an asset would be shown in part, with no seed beside it."""
    return sent.job.prompt == LONG and sent.seed is None


def holds_of(history: Iterable[tuple[JobKey, Event]]) -> Iterator[Hold]:
    """Give every hold of a history, oldest first."""
    reader = _Reader()
    for key, event in history:
        if (hold := reader.read(key, event)) is not None:
            yield hold


def excuse(hold: Hold, scenario: Scenario, books: Books) -> str:
    """Say why nobody could have told what became of the job; empty where the rules could."""
    return _of_the_world(scenario) or _of_the_key(hold, scenario) or _of_the_job(hold, scenario, books)


def needless(scenario: Scenario, books: Books) -> list[str]:
    """Say which holds nothing excuses, a sentence each."""
    return [
        f"{hold.key} was held without need: {hold.reason}"
        for hold in holds_of(books.history)
        if not excuse(hold, scenario, books)
    ]


def count(scenario: Scenario, books: Books) -> Counter[str]:
    """Count the holds of a seed by what excuses them."""
    return Counter(
        f"held: {excuse(hold, scenario, books) or 'without need'}" for hold in holds_of(books.history)
    )


def _of_the_world(scenario: Scenario) -> str:
    """Say what listings hide, alter or deny in this world."""
    lens = scenario.lens
    reasons = {
        "listings lag by more than the settling time allows for": not scenario.honest,
        "rows cannot be read": bool(lens.unreadable),
        "rows show another input": lens.echo is not Echo.TRUE,
        "rows name no author": lens.row_author == "none",
        "a row that nobody can read may be anything": lens.garbage in {Garbage.UNDATED, Garbage.DATED},
        "listings do not come to an end": lens.loops,
        "listings are denied": scenario.denial is not None,
        "the journal was lost": scenario.loses_journals,
    }
    return next((text for text, so in reasons.items() if so), "")


def _of_the_key(hold: Hold, scenario: Scenario) -> str:
    """Say why nobody knows who sent it: who a key is, is said by its receipts and its uploads alone."""
    named = scenario.lens.receipts_name_us and hold.sent.sender in hold.senders
    asked = scenario.lens.uploads is not Uploads.REFUSED and _may_ask(hold, scenario)
    return "" if named or asked else "nobody knows who sent it"


def _may_ask(hold: Hold, scenario: Scenario) -> bool:
    """Say whether the runs that judge it at last use the key that sent it: an upload is of that key alone."""
    return hold.sent.sender == (scenario.last_key or scenario.settings.key)


def _of_the_job(hold: Hold, scenario: Scenario, books: Books) -> str:
    """Say what of this one submission nobody could have told."""
    since = -math.inf if hold.sent.skew is None else hold.sent.at + hold.sent.skew - BEFORE
    told = hold.owned | _begun_after(books.history, hold.nth)
    untold = [one for one in books.charged if one.remote_id not in told and one.created_at >= since]
    if any(not one.shows_inputs for one in untold):
        return "a row that shows no input may be it"
    if scenario.settings.views.archived_after is not None and _is_cut(hold.sent):
        return "its prompt is shown cut"
    if books.late:
        return "what was shown absent arrived after all"
    named = _named(books.history)
    if scenario.visits and hold.sent.sender not in hold.senders:
        return "only an upload says who we are, and a row by another name may be ours too"
    if any(order_of(one) == hold.order and one.remote_id not in named for one in untold):
        return _of_listings(hold, scenario)
    return _of_absence(hold, scenario, books, alone=not untold)


def _of_absence(hold: Hold, scenario: Scenario, books: Books, *, alone: bool) -> str:
    """Say why a job that never reached the service could not be called absent."""
    if scenario.policy.doubt.then is OnAbsent.HOLD:
        return "the manifest says to hold what is absent"
    if hold.absences > 1:
        return "it was shown absent twice"
    shown = {one.remote_id for one in books.charged if one.shows_inputs}
    proves = any(one in shown and model == hold.sent.job.model for one, model in hold.witnesses.items())
    hangs = Fault.HANG_AFTER in scenario.settings.faults.chances.get(Call.JOBS, {})
    if hangs and scenario.settings.views.listing_lag[1]:
        return "a listing that hung hides for how long listings lag"
    uploads = scenario.lens.uploads is Uploads.LISTED and _may_ask(hold, scenario)
    if not proves and not (uploads and alone):
        return "no row can prove that it would be listed"
    return _of_listings(hold, scenario)


def _of_listings(hold: Hold, scenario: Scenario) -> str:
    """Say what only a row of a receipt could have told: the name and the type that listings give to ours."""
    if hold.is_taught:
        return ""
    if scenario.lens.row_type not in GENERATION:
        return "nothing has told the type of our rows"
    by_person = any(
        one.person and content_key(one.job) == hold.key.content.partition("@")[0] for one in scenario.visits
    )
    if scenario.lens.row_author == "person" or by_person:
        return "nothing has told how rows name us"
    return ""


def _named(history: Iterable[tuple[JobKey, Event]]) -> frozenset[str]:
    """Return the ids that receipts named, at whatever time."""
    accepted = (event for _, event in history if isinstance(event, Accepted))
    return frozenset(event.remote_id for event in accepted if not event.BY_ROW)


def _begun_after(history: Iterable[tuple[JobKey, Event]], nth: int) -> frozenset[str]:
    """Return the ids of submits that began after a moment."""
    found, begun = set[str](), set[JobKey]()
    for place, (key, event) in enumerate(history, 1):
        if isinstance(event, SubmitStarted) and place > nth:
            begun.add(key)
        if isinstance(event, Accepted) and key in begun:
            found.add(event.remote_id)
    return frozenset(found)
