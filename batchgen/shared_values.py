"""Equal parameters kept once: of a hundred thousand jobs most say the same but for the prompt."""

from typing import Any

_MOST = 10_000  # different ones: where each job has its own, looking for an equal one is for nothing
_PLAIN = frozenset({str, int, bool, type(None)})  # a float may equal another one and be written otherwise


class SharedParams:
    """Gives one mapping for all that are equal. Whoever takes one never changes it."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, type, Any], ...], dict[str, Any]] = {}

    def of(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return an equal mapping that was given before, or this one."""
        if len(self._known) >= _MOST or not _PLAIN.issuperset(map(type, params.values())):
            return params
        # with their types, for 1 and true are equal
        return self._known.setdefault(tuple((name, type(one), one) for name, one in params.items()), params)
