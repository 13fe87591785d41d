"""The moment in which it is decided that a POST may leave.

Its intent is on the disk itself by then, which took time. Whatever could have kept the job from being begun
is asked once more, because it may have changed. Nothing is awaited between the answer and the POST.
"""

from collections.abc import Callable, Container

from batchgen.engine.aside import Aside
from batchgen.engine.asking import Asker
from batchgen.engine.board import Board
from batchgen.engine.lease_end import why_over
from batchgen.engine.limits.flow import Flow
from batchgen.engine.policy import World
from batchgen.errors import OverBudgetError
from batchgen.lifecycle import SubmitStarted
from batchgen.planning.plan import Entry


class Clearance:
    """Says of one POST after the other whether it may leave.

    Attributes:
        paused: whether no job may leave for the time being.
    """

    def __init__(
        self,
        world: World,
        board: Board,
        flow: Flow,
        aside: Aside,
        asker: Asker,
        *,
        closed: Container[str],
        is_taken_back: Callable[[Entry], bool],
    ) -> None:
        """Take what may forbid it.

        Args:
            world: prices and caps, and the journal, which knows what is spent and where it lies.
            board: whether anything is submitted at all.
            flow: the breaker, pauses of the gate, and the limits.
            aside: whether an equal job is in doubt.
            asker: whether a price has to be asked.
            closed: models that this account may not use.
            is_taken_back: whether a person has restored another edition of a job.
        """
        self.paused = False
        self._board = board
        self._flow = flow
        self._aside = aside
        self._asker = asker
        self._purse = world.purse
        self._journal = world.journal
        self._lease = world.lease
        self._clock = world.clock
        self._closed = closed
        self._is_taken_back = is_taken_back

    def refusal(self, entry: Entry, intent: SubmitStarted) -> str:
        """Return why the POST of a job may not leave, whose intent is on the disk; empty if it may.

        The one place where this is decided, with nothing awaited after it. The right to buy itself, which may
        be lost at any time, is asked for once more in the call that writes the body to the socket.

        Raises:
            FencedError, JournalAwayError: the right to buy has run out, and with it the run.
            JournalError: the journal was removed or replaced, or cannot be read.
        """
        self._journal.check_place()
        if self._lease.left() <= 0:
            raise why_over(self._journal)
        if not self._board.submitting:
            return "the run submits no more"
        if self._paused_for(entry):
            return "submitting is paused"
        if entry.job.model in self._closed:
            return f"{entry.job.model} cannot be run by this account"
        if self._is_taken_back(entry):
            return "another edition of the job was restored"
        if self._aside.must(entry):
            return "an equal job is in doubt"
        return self._money(entry, intent)

    def _paused_for(self, entry: Entry) -> bool:
        return self.paused or not self._flow.may_leave(entry.key)

    def _money(self, entry: Entry, intent: SubmitStarted) -> str:
        """Return what about money keeps it from leaving: its price has changed, or a cap is exceeded."""
        if not self._purse.is_capped:
            return ""
        if self._asker.needs(entry):
            return "its price has to be asked again"
        try:
            held = self._purse.reservation(entry.job)
        except OverBudgetError as error:
            return str(error)
        if held is not None and held > (intent.reserved or 0):
            return "its price has risen"
        caps = self._purse.allowed(self._clock.now())
        if caps is None:
            return ""
        spent = self._journal.spent(caps)  # with what this job reserves
        over = [window.name for window, used in zip(caps.windows, spent, strict=True) if used > window.cap]
        return f"{over[0]} is over its cap" if over else ""
