"""Chance without a state: every draw is a hash of the seed and of what it is drawn for.

So a draw depends on nothing but its names, and one call more or less elsewhere changes none.
"""

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = tuple[float, float]  # lowest and highest, in seconds

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # the service's ids are base 58
_ID_LENGTH = 24
_WHOLE = 2**64


@dataclass(frozen=True, slots=True)
class Draws:
    """A source of chance that repeats itself for equal seeds.

    Attributes:
        seed: two sources with equal seeds draw alike.
    """

    seed: int

    def share(self, *names: object) -> float:
        """Draw from [0, 1)."""
        return int.from_bytes(self._digest(names)[:8]) / _WHOLE

    def chance(self, probability: float, *names: object) -> bool:
        """Draw yes or no; never yes at 0, always at 1."""
        return self.share(*names) < probability

    def between(self, span: Span, *names: object) -> float:
        """Draw evenly from a span."""
        low, high = span
        return low + (high - low) * self.share(*names)

    def id(self, prefix: str, *names: object) -> str:
        """Make an id as the service's look: a prefix and 24 digits of base 58."""
        number = int.from_bytes(self._digest(("id", prefix, *names)))
        digits = []
        for _ in range(_ID_LENGTH):
            number, digit = divmod(number, len(_DIGITS))
            digits.append(_DIGITS[digit])
        return prefix + "".join(digits)

    def _digest(self, names: tuple[object, ...]) -> bytes:
        text = "\x00".join((str(self.seed), *(str(one) for one in names)))
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=32).digest()
