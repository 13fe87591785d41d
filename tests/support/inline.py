"""Work for threads that is done at once: in virtual time nothing may wait for a real thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(ThreadPoolExecutor):
    """Does what it is given before it answers."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done = Future[T]()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
            if not isinstance(error, Exception):
                raise
        return done


class InlineSyncer:
    """Does each sync at once."""

    def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
        done = asyncio.get_running_loop().create_future()
        try:
            sync()
        except OSError as error:
            done.set_exception(error)
        else:
            done.set_result(None)
        return done
