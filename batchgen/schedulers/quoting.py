"""How a path or a word is written so that cron, a unit of systemd or YAML takes it as it is. Pure."""

import json
import re
import shlex
import unicodedata
from collections.abc import Sequence

from batchgen.errors import InputError

_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+", re.ASCII)
_OTHER = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of a pair, ends of lines


def writable(path: str) -> str:
    """Return a path as it is.

    Raises:
        InputError: a line of text cannot hold it.
    """
    if any(unicodedata.category(one) in _OTHER for one in path):
        raise InputError(f"{path!r} has a control character, and no crontab or unit can name it: rename it")
    return path


def in_crontab(words: Sequence[str]) -> str:
    """Write a command for the shell in a crontab, where a bare percent sign would end the line.

    source: crontab(5): percent signs are changed into newlines unless escaped with a backslash
    """
    return shlex.join(words).replace("%", "\\%")


def unit_command(words: Sequence[str]) -> str:
    """Write a command for ``ExecStart=``.

    source: systemd.service(5), command lines: %% and $$ stand for themselves; no variable is filled in
    in the path of the command.
    """
    first, *others = words
    return " ".join([unit_word(first), *(unit_word(one.replace("$", "$$")) for one in others)])


def unit_word(word: str) -> str:
    """Write one of several words of a setting of systemd."""
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unit_path(path: str) -> str:
    """Write a path that is the whole of a setting of systemd, where no quotes are taken away."""
    path = path.replace("%", "%%")
    return f"{path}/" if path.endswith(("\\", " ")) else path  # a backslash there would join the next line


def in_pod(word: str) -> str:
    """Write a word of a container's command: ``$(NAME)`` would be filled in."""
    return in_yaml(word.replace("$(", "$$("))


def in_yaml(text: str) -> str:
    """Write a text for YAML: what JSON is, YAML takes."""
    return json.dumps(text, ensure_ascii=False)
