"""Whether the service can be reached: asked by what costs nothing, before what does is sent again."""

from collections.abc import Callable

from batchgen.engine.board import Board
from batchgen.engine.limits.flow import Flow
from batchgen.errors import ModelClosedError, NoRightError, ServiceError, StoppedError
from batchgen.ports import Generator, Observer


class Reach:
    """What one run knows of the service's silence."""

    def __init__(
        self,
        generator: Generator,
        observer: Observer,
        flow: Flow,
        board: Board,
        *,
        close: Callable[[str, ModelClosedError], None],
    ) -> None:
        """Take the parts.

        Args:
            generator: the service.
            observer: is told of its silence.
            flow: lets nothing leave as long as it is silent.
            board: ends the run when that lasts too long.
            close: lets no further job of a model leave.
        """
        self._generator = generator
        self._observer = observer
        self._flow = flow
        self._board = board
        self._close = close

    async def ask(self, model: str) -> None:
        """Ask after a model.

        Raises:
            StoppedError: the service does not let us ask.
        """
        try:
            await self._generator.model(model)
        except ModelClosedError as error:  # an answer
            self._close(model, error)
            self._flow.service_answered()
        except NoRightError:  # an answer as well
            self._flow.service_answered()
        except StoppedError:
            raise
        except ServiceError as error:
            self.is_silent(error)
        else:
            self._flow.service_answered()

    def is_silent(self, error: ServiceError) -> None:
        """Learn that the service did not answer a call that costs nothing."""
        self._observer.warned(f"not submitting: {error}")
        self._flow.service_is_silent()
        self._board.look_at_reach()
