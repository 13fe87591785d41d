"""Jobs that ask for the same without a word that it is meant: each of them would be bought.

Equal values of one list are problems, found by the checks; here is what only the finished jobs show, however
they came about. ``repeat`` and ``seed: none`` say that it is meant.
"""

import unicodedata
from collections.abc import Iterator, Sequence

from batchgen.identity import content_key
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.values import Places
from batchgen.model import Job

_MOST = 12  # pairs that are named


class Doubles:
    """The jobs so far, the repeats of each left out, by what is quickly told of them."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str | None, int]] = {}
        self._alike: dict[tuple[str, str | None], list[int]] = {}

    def add(self, job: Job, number: int, parents: Sequence[str] = ()) -> None:
        """Take the next job; those that have another prompt, model or parents cannot equal it.

        Args:
            job: what is asked for.
            number: its place among all jobs.
            parents: the jobs that it names.
        """
        if not job.derive_seed:
            return
        text = job.prompt
        prompt = text if text is None or text.isascii() else unicodedata.normalize("NFC", text)
        if parents:  # of what these ask for nothing is said in the job itself
            prompt = "\0".join([prompt or "", *parents])
        first = self._first.setdefault(job.model, {}).setdefault(prompt, number)
        if first != number:
            self._alike.setdefault((job.model, prompt), [first]).append(number)

    def warn(self, jobs: Sequence[Job], places: Places, problems: Problems) -> None:
        """Note what is asked for again, once for each file."""
        found: dict[str, list[tuple[Place, Place]]] = {}
        for first, again in self._pairs(jobs):
            found.setdefault(places[again].source, []).append((places[first], places[again]))
        for pairs in found.values():
            problems.warn(pairs[0][1], _said(pairs))

    def _pairs(self, jobs: Sequence[Job]) -> Iterator[tuple[int, int]]:
        pairs = []
        for alike in self._alike.values():
            first: dict[str, int] = {}
            for number in alike:
                other = first.setdefault(content_key(jobs[number]), number)
                if other != number:
                    pairs.append((other, number))
        yield from sorted(pairs, key=lambda pair: pair[1])


def _said(pairs: Sequence[tuple[Place, Place]]) -> str:
    meant = "repeat: 2 in an entry of its own, or seed: none, says that it is meant"
    shown = [f"line {again.line} {_like(first, again)}" for first, again in pairs[:_MOST]]
    if len(pairs) == 1:
        like = _like(*pairs[0])
        return f"asks for the same {like}, so the same job is bought twice; delete one of them ({meant})"
    more = f" and {len(pairs) - _MOST:,} more" if len(pairs) > _MOST else ""
    said = f"{len(pairs):,} jobs ask for the same as an earlier one, and each is bought again"
    return f"{said}: {', '.join(shown)}{more}; delete them ({meant})"


def _like(first: Place, again: Place) -> str:
    if first == again:
        return "twice"
    return f"as line {first.line}" if first.source == again.source else f"as {first}"
