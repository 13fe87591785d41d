"""One function a scenario, each with its own rows; ``SCENARIOS`` has all, in the order of the page."""

from collections.abc import Callable

from bench.figures import Figure
from bench.rows.chains import chains
from bench.rows.cuts import cuts
from bench.rows.database import database
from bench.rows.flow import ceiling, lost, watching
from bench.rows.pace import budget, polls, rate, wide
from bench.rows.pages import page
from bench.rows.plans import help_text, large, quotes, yaml
from bench.rows.pool import pool
from bench.rows.shared import shared
from bench.rows.speed import cpu, disk, engine, http
from bench.rows.starts import starts
from bench.setting import Setting

Scenario = Callable[[Setting], list[Figure]]

SCENARIOS: dict[str, Scenario] = {
    "lost": lost,
    "ceiling": ceiling,
    "watching": watching,
    "rate": rate,
    "wide": wide,
    "polls": polls,
    "shared": shared,
    "chains": chains,
    "cpu": cpu,
    "engine": engine,
    "http": http,
    "disk": disk,
    "database": database,
    "pool": pool,
    "cuts": cuts,
    "budget": budget,
    "quotes": quotes,
    "large": large,
    "yaml": yaml,
    "page": page,
    "starts": starts,
    "help": help_text,
}
