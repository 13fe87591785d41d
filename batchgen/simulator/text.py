"""Texts as a rehearsal's language model writes them: short, in Markdown, made of what it was told.

source: docs/service.md texts.
"""

from collections.abc import Sequence

_TITLE, _QUOTED, _MOST_TEXTS = 60, 400, 10  # characters, characters, texts


def reply(instruction: str, texts: Sequence[str], number: int) -> str:
    """Return what is written by an instruction.

    Args:
        instruction: what was asked for.
        texts: what there was to work with.
        number: which of several results it is, from 0.
    """
    said = " ".join(instruction.split())
    lines = [f"# {cut(said, _TITLE) or 'Reply'}", ""]
    if number:
        lines += [f"Version {number + 1}.", ""]
    lines += [f"You asked: {cut(said, _QUOTED)}", ""]
    lines += [f"- {cut(' '.join(one.split()), _QUOTED)}" for one in texts[:_MOST_TEXTS]]
    words = len(instruction.split())
    lines += [*([""] if texts else []), f"Written by a simulator, of {words} words and {len(texts)} texts."]
    return "\n".join(lines) + "\n"


def cut(text: str, most: int) -> str:
    """Return the beginning of a text, with an ellipsis where it goes on."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
