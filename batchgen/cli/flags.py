"""The flags that several commands share, and how their words become values."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from batchgen.model import Rate

F = TypeVar("F", bound=Callable[..., Any])


class RateType(click.ParamType["Rate"]):
    """``100/min``, ``5/s``, ``6000/h``."""

    name = "N/UNIT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Rate":
        """Read the text; click shows what is wrong with it."""
        from batchgen.manifest.quantities import parse_rate  # noqa: PLC0415 - not for --help

        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # click converts defaults twice
        try:
            return parse_rate(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class DurationType(click.ParamType[float]):
    """``90s``, ``45m``, ``2h`` or seconds; gives seconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text; click shows what is wrong with it."""
        from batchgen.manifest.quantities import parse_duration  # noqa: PLC0415 - not for --help

        if not isinstance(value, str):
            return float(value)
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


manifest = click.argument("manifest", type=click.Path(path_type=Path, exists=False))
output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("output"),
    show_default=True,
    help="Folder of the journal, with a folder a batch.",
)
simulate = click.option(
    "--simulate", is_flag=True, help="Rehearse against a simulated service; nothing is spent."
)
project = click.option("--project", metavar="ID", help="Scenario project; overrides the manifest's.")
max_jobs = click.option(
    "--max-jobs",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Refuse a manifest of more jobs.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")


def environ() -> dict[str, str]:
    """Give the environment with what a ``.env`` file in the current folder adds."""
    from batchgen.app.settings import environment  # noqa: PLC0415 - not for --help

    return environment(os.environ, Path.cwd())
