"""Making jobs again, and giving them back what they had: what is put on record, before and during a run."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from batchgen.control.commands import REDO, Edit, Order
from batchgen.engine.settings import RunSettings
from batchgen.errors import GuardError
from batchgen.formats import counted
from batchgen.lifecycle import Event, RedoAsked, Restored
from batchgen.model import JobKey, Json
from batchgen.planning.editions import Shelf, unlinked
from batchgen.planning.make_plan import with_editions
from batchgen.planning.plan import Plan
from batchgen.planning.redo import Choice, given_back, made_again, wrong_with_redo
from batchgen.planning.selection import of_ids
from batchgen.wiring.opening import OpenBatch


def ask_for_more(opened: OpenBatch) -> OpenBatch:
    """Put on record that all that is meant is made again, and return the batch as it is then.

    Raises:
        GuardError: they are not those that were agreed to; nothing was written.
        JournalError: it cannot be written; nothing was.
    """
    batch, agreed = opened.batch, opened.options.agreed
    if agreed is not None and agreed != {(one.job, one.ordinal) for one in batch.redone}:
        raise GuardError(_OVERTAKEN)
    shown = opened.options.shown
    if shown is not None and not shown.issuperset(one.head for one in batch.redone):
        raise GuardError(_EDITED)
    record_choices(opened, batch.redone, RedoAsked)
    ids = [one.job.id for one in batch.plan.entries if one.selected]
    options = replace(opened.options, redo=False, children=False, agreed=None, selection=of_ids(ids))
    return replace(opened, options=options).under(batch.scope)


_OVERTAKEN = (
    "some of these jobs were made again, or marked, by another command meanwhile; nothing was bought. Look "
    "at what came out, and type it once more if you still want it"
)


_EDITED = (
    "some of these jobs were edited since the price was shown; nothing was bought. Type it once more to see "
    "the price of what they are now"
)


def with_all_told(opened: OpenBatch) -> OpenBatch:
    """Return the batch with each edition told by the first of its job.

    What is found after the journal was lost is owned first and told next, and a kill may come between.

    Raises:
        JournalError: it cannot be written; nothing was.
    """
    found = [Choice(head, ordinal, "") for head, ordinal in unlinked(opened.batch.journal.records())]
    if not found:
        return opened
    record_choices(opened, found, RedoAsked)
    return opened.under(opened.batch.scope)


def record_choices(
    opened: OpenBatch, choices: Iterable[Choice], event: type[RedoAsked] | type[Restored]
) -> None:
    """Put on record which editions are to be the newest of their jobs, all of them or none.

    Raises:
        JournalError: it cannot be written.
    """
    at = opened.options.clock.now()
    changes: dict[JobKey, list[Event]] = {}
    for one in choices:
        changes.setdefault(one.head, []).append(event(at=at, ordinal=one.ordinal))
    if changes:
        opened.batch.journal.append_to_all(changes)


class LiveEdits:
    """What a run is ordered to put on record while it goes on; it is bought in a round of its own.

    Attributes:
        made: whether something was put on record that no round of the run has seen.
        settings: what the run went by at the end of the last round; None before the first.
    """

    def __init__(self, opened: OpenBatch) -> None:
        """Begin with none, for the round of this batch."""
        self._opened = opened
        self._ids: list[str] = []
        self.made = False
        self.settings: RunSettings | None = None

    def __call__(self, order: Order) -> Edit:
        """Return what is done about an order: all that it names, or nothing."""
        try:
            words = json.loads(order.value)
            ids, slot = [str(one) for one in words["jobs"]], str(words["slot"])
            ordinals = {str(name): int(one) for name, one in words.get("ordinals", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return Edit(met=False, said=f"does not know the order {order.name!r}: it is of another batchgen")
        batch = self._opened.batch
        if slot != batch.scope.slot:
            text = f"works on slot {batch.scope.slot!r}, not on {slot!r}; order it after the run"
            return Edit(met=False, said=text)
        plan = with_editions(batch.plan, batch.journal.records())
        if unknown := [one for one in ids if one not in plan.by_id]:
            text = f"the manifest as this run has read it has no {', '.join(unknown)}; order it after the run"
            return Edit(met=False, said=text)
        if order.name == REDO:
            return self._redo(plan, ids, ordinals)
        return self._restore(plan, ids, words)

    def next_round(self) -> OpenBatch:
        """Return the batch as it is now, with the same jobs to be bought and those that are made again."""
        opened, options = self._opened, self._opened.options
        if options.limit != 0 and (options.selection or options.limit is not None or options.sample):
            meant = (one.job.id for one in opened.batch.plan.entries if one.wanted and one.is_asked)
            ids = dict.fromkeys((*meant, *self._ids))
            options = replace(options, selection=of_ids(ids), limit=None, sample=None)
        options = replace(options, retry=False, retry_failed=False, fresh=False)
        self.made, self._ids = False, []
        self._opened = replace(opened, options=options).under(opened.batch.scope)
        return self._opened

    def _redo(self, plan: Plan, ids: Sequence[str], ordinals: Mapping[str, int]) -> Edit:
        typed = self._opened.options.command_line
        wrong = [text for one in ids if (text := wrong_with_redo(plan, typed, one))]
        if wrong:
            return Edit(met=False, said="; ".join(wrong))
        places = {one.job.id: place for place, one in enumerate(plan.entries)}
        meant = [places[one] for one in ids]
        choices = made_again(plan, meant, self._opened.batch.journal.records())
        if {one.job: one.ordinal for one in choices} != ordinals:
            return Edit(met=False, said=_OVERTAKEN)
        when = (
            "the next run buys them" if self._opened.options.limit == 0 else "bought when its jobs are done"
        )
        said = f"makes {counted(len(choices), 'job')} again: {when}"
        return Edit(met=True, said=said, make=lambda: self._keep(choices, RedoAsked))

    def _restore(self, plan: Plan, ids: Sequence[str], words: Mapping[str, Json]) -> Edit:
        typed, records = self._opened.options.command_line, self._opened.batch.journal.records()
        asset, undo = str(words.get("asset", "")), bool(words.get("undo"))
        shelf = Shelf(records)
        found = [given_back(plan.by_id[one], shelf, typed, asset_id=asset, undo=undo) for one in ids]
        if wrong := [one for one in found if isinstance(one, str)]:
            return Edit(met=False, said="; ".join(wrong))
        choices = [one for one in found if isinstance(one, Choice)]
        said = f"gives {counted(len(choices), 'job')} back what {'it' if len(choices) == 1 else 'they'} had"
        return Edit(met=True, said=said, make=lambda: self._keep(choices, Restored))

    def _keep(self, choices: Sequence[Choice], event: type[RedoAsked] | type[Restored]) -> None:
        record_choices(self._opened, choices, event)
        self._ids += [one.job for one in choices]
        self.made = True
