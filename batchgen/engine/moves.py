"""The one way in which a job moves on in a run, and in which any piece of it stops the run."""

from typing import Protocol

from batchgen.errors import BatchgenError
from batchgen.planning.plan import Entry


class Moves(Protocol):
    """What every piece of a run may do with a job and with the run; each returns at once."""

    def route(self, entry: Entry) -> None:
        """Do the one thing that the job's state calls for."""
        ...

    def close(self, entry: Entry) -> None:
        """Leave a job as it is: nothing under way in this run moves it any further."""
        ...

    def stop(self, cause: BatchgenError | BaseExceptionGroup[BaseException]) -> None:
        """Submit no more for this reason, and end the run in order."""
        ...
