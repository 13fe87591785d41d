"""The style and the script of the page, out of the files in ``page/``: one text each, and their hashes.

The script is written as modules, each with one job, and becomes one text without a build: each is a function
that is called once, its imports are taken from what those before it gave back, and what it exports is what it
gives back. ``script`` refuses an import of what is not there before it.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping
from functools import cache, partial
from importlib import resources

# in this order: a module may import from those before it
MODULES = (
    "dom",
    "data",
    "fragment",
    "search",
    "marks",
    "facets",
    "axes",
    "order",
    "layout",
    "media",
    "strips",
    "cards",
    "grid",
    "zoom",
    "facts",
    "viewer",
    "filters",
    "tables",
    "arrange",
    "keys",
    "main",
)
TEMPLATE = "page.html.j2"

_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const) (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)


@cache
def style() -> str:
    """Return the whole style."""
    return resource("page.css")


@cache
def script() -> str:
    """Return the whole script.

    Raises:
        ValueError: a module imports what is not there before it.
    """
    given: dict[str, set[str]] = {}
    parts = []
    for module in MODULES:
        text = resource(f"{module}.js")
        names = _EXPORT.findall(text)
        text = _EXPORT.sub("", _IMPORT.sub(partial(_taken, module, given), text))
        given[module] = set(names)
        body = _COMMENT.sub("", text).strip()
        parts.append(f"const ${module} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();")
    return '"use strict";\n(() => {\n' + "\n\n".join(parts) + "\n})();\n"


def _taken(module: str, given: Mapping[str, Collection[str]], found: re.Match[str]) -> str:
    """Return the line that stands for an import."""
    names, source = [one.split(" as ") for one in found[1].split(", ")], found[2]
    lacking = [name for name, *_ in names if name not in given.get(source, ())]
    if lacking:
        raise ValueError(f"{module}.js: {', '.join(lacking)} is not in {source}.js before it")
    return f"const {{ {', '.join(': '.join(one) for one in names)} }} = ${source};\n"


def resource(name: str) -> str:
    """Return the text of one of the files."""
    return resources.files(__package__).joinpath("page", name).read_text("utf-8")


def policy_hash(text: str) -> str:
    """Return the name by which a policy allows a style or a script."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
