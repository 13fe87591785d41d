"""One file that people bring, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batchgen.model import Json


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file and the entry that names it.

    Attributes:
        name: what is special about it.
        file: its name.
        raw: its bytes.
        entry: what the manifest's entry says beside ``from``, as the inside of a YAML flow mapping.
        prompts: those of the jobs that are right; none where there are problems.
        params: of each job, where they are of interest.
        problems, warnings: each as ``file:line:column: sentence``.
    """

    name: str
    file: str
    raw: bytes
    entry: str
    prompts: Sequence[str]
    params: Sequence[Mapping[str, Json]] | None
    problems: Sequence[str]
    warnings: Sequence[str]


def member(
    name: str,
    file: str,
    text: str | bytes,
    *prompts: str,
    entry: str = 'prompt: "{prompt}"',
    encoding: str = "utf-8",
    params: Sequence[Mapping[str, Json]] | None = None,
    problems: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Member:
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    return Member(
        name=name,
        file=file,
        raw=raw,
        entry=entry,
        prompts=prompts,
        params=params,
        problems=problems,
        warnings=warnings,
    )
