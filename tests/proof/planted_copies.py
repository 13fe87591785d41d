"""Faults of journals in two places: which one a batch goes on in, and by which clock. Data, no code."""

from tests.proof.planted import Mutant

_COPIES = "tests/journal/test_copying.py"
_PLACES = "tests/wiring/test_journals.py"

OF_COPIES = (
    Mutant(
        name="go on in a journal that was copied",
        path="wiring/places.py",
        old="    if where := file.successor(batch):\n",
        new="    if (where := file.successor(batch)) and False:\n",
        test=_COPIES,
    ),
    Mutant(
        name="copy a journal without a mark in the one that it is copied from",
        path="journal/copying.py",
        old="    marks = {(one.origin, successor.name_of(one.batch, where)) for one in scopes}\n",
        new="    marks = {(one.origin, one.batch) for one in scopes if not where}\n",
        test=_COPIES,
    ),
    Mutant(
        name="take the mark of a journal along, so that nobody may go on",
        path="journal/copying.py",
        old="            rows = [row for row in rows if not successor.is_one(row[1])]\n",
        new="            rows = [row for row in rows if row[1]]\n",
        test=_COPIES,
    ),
    Mutant(
        name="leave the mark of a copy that failed",
        path="journal/copying.py",
        old='"DELETE FROM marks WHERE (origin, name) = (?, ?)", sorted(marks))',
        new='"DELETE FROM marks WHERE (origin, name) = (?, ?)", [])',
        test=_COPIES,
    ),
    Mutant(
        name="copy a journal while a run holds a batch of it",
        path="journal/copying.py",
        old="        leases = [*held.enter_context(source.hold_all(batches, stamp=at))]\n",
        new="        leases = [*held.enter_context(source.hold_all([], stamp=at))]\n        batches = []\n",
        test=_COPIES,
    ),
    Mutant(
        name="join a copy with what is there already",
        path="journal/copying.py",
        old="    if known := sorted(there & set(batches)):\n",
        new="    if known := sorted(there - there):\n",
        test=_COPIES,
    ),
    Mutant(
        name="copy records that their events do not make",
        path="journal/copying.py",
        old="        if lived != records:\n",
        new="        if len(lived) != len(records):\n",
        test=_COPIES,
    ),
    Mutant(
        name="begin anew on a server what the file of the output folder has bought",
        path="wiring/places.py",
        old="    if not file.exists():\n        return\n    with file.read() as kept:\n",
        new="    if file.exists():\n        return\n    with file.read() as kept:\n",
        test=_PLACES,
    ),
    Mutant(
        name="buy in the slot of this machine's day, and not of the server's",
        path="wiring/options.py",
        old="        return self.journal.clock(self.machine_clock) if self.server else self.machine_clock\n",
        new="        return self.machine_clock\n",
        test=_PLACES,
    ),
    Mutant(
        name="show the password of a database in a command to type",
        path="wiring/options.py",
        old='            where += ["--journal", without_password(self.journal_address)]\n',
        new='            where += ["--journal", self.journal_address]\n',
        test=_PLACES,
    ),
)
