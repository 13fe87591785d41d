"""``${NAME}``: the environment, in the few keys that may name something of this machine."""

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"\$\{([^{}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def filled(text: str, environ: Mapping[str, str], *, braces: bool = False) -> str:
    """Fill the environment in.

    Args:
        text: what the manifest says.
        environ: where the names are looked up.
        braces: whether the result is a template, in which a brace of a value is written twice.

    Raises:
        ValueError: a variable that is not set, or a ``${`` that names none.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not _NAME.fullmatch(name) or not found[0].endswith("}"):
            raise ValueError(f"{found[0]} names no environment variable; write ${{NAME}}")
        if name not in environ:
            raise ValueError(f"the environment variable {name} is not set")
        given = environ[name]
        return given.replace("{", "{{").replace("}", "}}") if braces else given

    return _TOKEN.sub(value, text)
