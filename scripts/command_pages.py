"""Write docs/commands/: a page for every command, made of its own help. Run by ``make pages``."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from batchgen.cli.main import COMMANDS, EPILOG, EXAMPLES, GROUPS, batchgen

FOLDER = Path(__file__).parent.parent / "docs" / "commands"
MADE = "<!-- made from the program's help by `make pages`: change it there -->"


def pages() -> Iterator[tuple[str, str]]:
    """Return each page's file name and text, the list of all commands first."""
    yield "index.md", _index()
    for name in COMMANDS:
        command = batchgen.get_command(_context("batchgen"), name)
        assert command is not None
        yield f"{name}.md", _page(name, command)


def _index() -> str:
    parts = [MADE, "# Commands"]
    for title, commands in GROUPS.items():
        rows = [f"| [`batchgen {name}`]({name}.md) | {text} |" for name, text in commands.items()]
        parts += [f"## {title}", "\n".join(["| command | what it does |", "|---|---|", *rows])]
    tree = "\n".join(["```{toctree}", ":hidden:", "", *COMMANDS, "```"])
    return "\n\n".join([*parts, "## Exit status", _fenced(EPILOG.split("Exit status:\n")[1]), tree]) + "\n"


def _page(name: str, command: click.Command) -> str:
    parts = [MADE, f"# batchgen {name}", COMMANDS[name], _fenced(_help(name, command))]
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            full = f"{name} {below}"
            parts += [f"## batchgen {full}", _fenced(_help(full, one))]
    return "\n\n".join([*parts, f"For example:\n\n```console\n$ {EXAMPLES[name]}\n```"]) + "\n"


def _help(name: str, command: click.Command) -> str:
    text = command.get_help(_context(f"batchgen {name}"))
    return re.sub(r"\n*  Example: [^\n]*$", "", text.rstrip())


def _context(path: str) -> click.Context:
    settings = {**batchgen.context_settings, "terminal_width": 100}
    return click.Context(batchgen, info_name=path, **settings)


def _fenced(text: str) -> str:
    return f"```text\n{text.strip(chr(10))}\n```"


def differing(made: Mapping[str, str]) -> list[str]:
    """Return the names of the pages that are not as they would be made."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(name for name in {*made, *there} if made.get(name) != there.get(name))


def main() -> int:
    """Write all pages and take away those of commands that are gone; with ``--check`` name what differs."""
    made = dict(pages())
    if "--check" in sys.argv:
        for name in (wrong := differing(made)):
            print(name)
        return int(bool(wrong))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in differing(made):
        if name in made:
            (FOLDER / name).write_text(made[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    print(f"{len(made)} pages in {FOLDER}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
