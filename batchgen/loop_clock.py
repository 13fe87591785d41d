"""The loop's clock, and waiting by it. Stamps come from the wall's clock, durations from this one."""

import asyncio

DUST = 2e-6  # seconds: two ticks of the coarsest clock that drives us; less than this is now


def loop_time() -> float:
    """Return the loop's time in seconds."""
    return asyncio.get_running_loop().time()


async def wait_until(changed: asyncio.Event, when: float | None) -> None:
    """Wait for the event, or until a moment of the loop's clock; for the event alone where there is none.

    The event may be set by the time this returns, whichever came first. Costs less than a
    timeout, which ends in an exception: this is done for every request.
    """
    if when is None:
        await changed.wait()
        return
    timer = asyncio.get_running_loop().call_at(when, changed.set)
    try:
        await changed.wait()
    finally:
        timer.cancel()
