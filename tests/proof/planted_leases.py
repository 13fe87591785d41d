"""Faults of runs that lead by a lease, and of what is heard of those that were taken over. Data, no code."""

from tests.proof.planted import Mutant

_ZOMBIES = "tests/proof/test_zombies.py"
_RUN = "tests/engine/test_lease.py"
_GUARD = "tests/scenario/test_guard.py"
_HEARING = "tests/reconcile/test_testimony.py"

OF_LEASES = (
    Mutant(
        name="let a POST leave without a last look",
        path="engine/submit.py",
        old="self._generator.submit(entry.job.model, intent.body, may_leave=self._leads)",
        new="self._generator.submit(entry.job.model, intent.body)",
        test=_ZOMBIES,
    ),
    Mutant(
        name="forget on the way to the wire whom to ask",
        path="scenario/client.py",
        old="once=True, may_leave=may_leave",
        new="once=True",
        test="tests/scenario/test_client.py",
    ),
    Mutant(
        name="take the last look before the connection stands",
        path="scenario/http.py",
        old="        return GuardedPayload(call.body, call.may_leave)\n",
        new="        may = call.may_leave()\n        return GuardedPayload(call.body, lambda: may)\n",
        test=_GUARD,
    ),
    Mutant(
        name="write a body whatever the last look says",
        path="scenario/guard.py",
        old="            if not self._may_leave():\n",
        new="            if not self._may_leave() and not self._body:\n",
        test=_GUARD,
    ),
    Mutant(
        name="let the end of a large body leave unasked",
        path="scenario/guard.py",
        old="            if not self._may_leave():\n",
        new="            if not self.has_begun and not self._may_leave():\n",
        test=_GUARD,
    ),
    Mutant(
        name="take a part of a request for none",
        path="scenario/http.py",
        old="    if payload.has_begun:",
        new="    if not payload:",
        test=_GUARD,
    ),
    Mutant(
        name="let a socket of a submit go on for minutes",
        path="scenario/http.py",
        old='    if hasattr(socket, "TCP_USER_TIMEOUT"):',
        new='    if not hasattr(socket, "TCP_USER_TIMEOUT"):',
        test=_GUARD,
    ),
    Mutant(
        name="go on when an append is refused",
        path="ledger.py",
        old="        record = self._journal.append("
        "entry.key, *events, allowed=allowed, reserves=reserves, room=room)\n",
        new="        from batchgen.errors import FencedError\n\n"
        "        try:\n"
        "            record = self._journal.append("
        "entry.key, *events, allowed=allowed, reserves=reserves, room=room)\n"
        "        except FencedError:\n"
        "            return entry\n",
        test=_RUN,
    ),
    Mutant(
        name="end as any run does where another one leads",
        path="engine/outcome.py",
        old="        elif isinstance(error, FencedError):\n            self.broken = error\n",
        new="        elif isinstance(error, FencedError):\n            self.drained = True\n",
        test=_RUN,
    ),
    Mutant(
        name="do not ask after the wait whether the lease lasts",
        path="engine/clearance.py",
        old="        if self._lease.left() <= 0:\n            raise why_over(self._journal)\n",
        new="",
        test=_RUN,
    ),
    Mutant(
        name="let a run go on whose lease has run out",
        path="engine/runner.py",
        old="        if self._world.lease.left() < math.inf:\n",
        new="        if self._world.lease.left() == math.inf:\n",
        test=_RUN,
    ),
    Mutant(
        name="drop the receipts of a run that was taken over",
        path="engine/submit.py",
        old="            self._world.journal.testify(entry.key, intent, replace(receipt, at=intent.at))\n",
        new="            replace(receipt, at=intent.at)\n",
        test=_RUN,
    ),
    Mutant(
        name="keep it to oneself that a POST never left",
        path="engine/submit.py",
        old="self._world.journal.testify(entry.key, NotSent(at=intent.at, reason=reason))\n",
        new="NotSent(at=intent.at, reason=reason)\n",
        test=_RUN,
    ),
    Mutant(
        name="testify by another moment than that of the intent",
        path="engine/submit.py",
        old="replace(receipt, at=intent.at))",
        new="receipt)",
        test=_RUN,
    ),
    Mutant(
        name="call it absent while the lease of its run may last",
        path="reconcile/absence.py",
        old="max(policy.settled_after(found.lag), found.before + found.wait)",
        new="policy.settled_after(found.lag)",
        test=_ZOMBIES,
    ),
    Mutant(
        name="wait no longer for a run that is silent",
        path="reconcile/reconciler.py",
        old="        if self._silent_since is None:\n            return wait\n",
        new="        if self._silent_since != 0.5:\n            return wait\n",
        test=_ZOMBIES,
    ),
    Mutant(
        name="believe listings of before a silent run spoke",
        path="reconcile/reconciler.py",
        old="max(case.lease, self._spoke_at - case.added)",
        new="case.lease",
        test=_ZOMBIES,
    ),
    Mutant(
        name="hear nothing at the start of a run",
        path="reconcile/testimony.py",
        old="        mine |= self._hear(mine)\n",
        new="",
        test=_HEARING,
    ),
    Mutant(
        name="hear nothing while doubts are looked at",
        path="reconcile/reconciler.py",
        old="        cases = self._hear(cases)\n",
        new="",
        test=_ZOMBIES,
    ),
    Mutant(
        name="take the word on an earlier POST for one on a later one",
        path="reconcile/testimony.py",
        old="            case NotSent() as unsent if unsent.at == record.intent_at:\n",
        new="            case NotSent() as unsent:\n",
        test=_HEARING,
    ),
    Mutant(
        name="take a receipt for whatever attempt",
        path="reconcile/testimony.py",
        old="        if intent is None or not fits or record.state",
        new="        if intent is None or record.state",
        test=_HEARING,
    ),
    Mutant(
        name="call testimony heard that moved nobody",
        path="reconcile/testimony.py",
        old="            if events and entry is None:\n",
        new="            if events and one.number < 0:\n",
        test=_HEARING,
    ),
    Mutant(
        name="believe absence although a receipt refuted one",
        path="reconcile/testimony.py",
        old="            self._journal.distrust_absence()\n",
        new="            self._journal.trusts_absence\n",
        test=_HEARING,
    ),
)
