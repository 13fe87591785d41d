"""Which turns of an account are given to whom: pure, of its row, what is asked, and the time.

Between two turns lies the interval of the quickest run that has lately taken one: each run keeps its own
rate by itself, so that a slow one leaves room for others. None is given far ahead, for it would be lost with
a run that is killed, and would hold back a quicker one that comes meanwhile. The function ``turns`` of the
database is the same, by the clock of its server.
"""

from typing import NamedTuple

HORIZON = 10.0  # seconds: a turn is given no farther ahead
LONGEST_HOLD = 3_660.0  # seconds: nobody is asked to wait for longer than an hour


class AccountRow(NamedTuple):
    """What is kept of an account. All but ``gap`` are seconds since the epoch.

    Attributes:
        last_turn: when the last one comes that was given.
        gap: seconds between two of them.
        gap_until: until when a run that is slower takes that for its own.
        submit_after: until when nobody may submit.
    """

    last_turn: float = 0.0
    gap: float = 0.0
    gap_until: float = 0.0
    submit_after: float = 0.0


class TurnsWanted(NamedTuple):
    """What is asked of the turns of an account.

    Attributes:
        many: how many turns, one after the other; 0 to ask only what is known.
        interval: seconds between two of them, as the run has it.
        submit: whether they are for submits alone, so that none is taken while nobody may submit.
        hold: seconds for which nobody may submit from now on; 0.0 to say nothing of that.
        now: seconds since the epoch by our clock; a server has its own.
    """

    many: int
    interval: float
    submit: bool
    hold: float
    now: float


class TurnsGiven(NamedTuple):
    """The answer.

    Attributes:
        wait: seconds until the first of them comes, or until it is to be asked again.
        held: seconds for which nobody may submit; 0.0 or less where anybody may.
        taken: whether they were given.
    """

    wait: float
    held: float
    taken: bool


def give(row: AccountRow, wanted: TurnsWanted) -> tuple[AccountRow, TurnsGiven]:
    """Return what is kept of an account from now on, and what is given."""
    many, interval, submit, hold, now = wanted
    if row.submit_after > now + LONGEST_HOLD:  # the clock was set back since
        row = row._replace(submit_after=0.0)
    if hold > 0:
        row = row._replace(submit_after=max(row.submit_after, now + hold))
    held = row.submit_after - now
    if not many or (submit and held > 0):
        return row, TurnsGiven(max(0.0, held), held, taken=False)
    slower = now <= row.gap_until <= now + 2 * HORIZON + row.gap and row.gap < interval
    gap, gap_until = (row.gap, row.gap_until) if slower else (interval, 0.0)
    is_ahead = row.last_turn > now + HORIZON + 1.0  # the clock was set back since
    first = now if is_ahead else max(now, row.last_turn + gap)
    if first > now + HORIZON:
        return row, TurnsGiven(min(HORIZON, first - now - HORIZON), held, taken=False)
    last = first + (many - 1) * interval
    row = row._replace(last_turn=last, gap=gap, gap_until=gap_until or last + HORIZON + interval)
    return row, TurnsGiven(first - now, held, taken=True)
