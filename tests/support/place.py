"""A whole installation in virtual time: a manifest, an output folder, a service and the time of day."""

import asyncio
import io
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.lifecycle import State
from batchgen.output.progress import Mode
from batchgen.usecases.audience import Audience
from batchgen.wiring.options import Options
from tests.support.inline import InlineExecutor, InlineSyncer
from tests.support.looped import virtual_loop
from tests.support.virtual import Earth, VirtualTransport

T = TypeVar("T")

MANIFEST = """\
version: 1
batch: spring
output: {{download: false}}
defaults: {{model: model_bfl-flux-1-dev}}
jobs:
{jobs}
"""


def quiet() -> Audience:
    return Audience(io.StringIO(), Mode.QUIET)


@dataclass
class Place:
    """A manifest, an output folder, a service, and the time of day between them."""

    folder: Path
    earth: Earth = field(default_factory=Earth)
    interrupts: Interrupts = field(default_factory=Interrupts)

    @classmethod
    def with_jobs(cls, folder: Path, count: int, earth: Earth | None = None) -> "Place":
        """Make one with a manifest of as many jobs, whose files are not fetched."""
        jobs = "\n".join(
            f"  - {{id: job-{number}, prompt: a house of {number} rooms}}" for number in range(count)
        )
        (folder / "jobs.yaml").write_text(MANIFEST.format(jobs=jobs))
        return cls(folder, earth or Earth())

    def options(self, **changed: Any) -> Options:
        plain = Options(
            manifest=self.folder / "jobs.yaml",
            output=self.folder / "output",
            environ={"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"},
            machine_clock=self.earth,
            transport=VirtualTransport(self.earth),
            syncer=InlineSyncer(),
        )
        return replace(plain, **changed)

    def play(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work in a loop of its own, whose time goes on where the last one's ended."""
        with asyncio.Runner(loop_factory=virtual_loop) as runner:
            loop = runner.get_loop()
            loop.set_default_executor(InlineExecutor())
            try:
                return runner.run(work)
            finally:
                self.earth.clock_offset += loop.time() + 1.0

    def run(self, **changed: Any) -> api.RunOutcome:
        self.interrupts = Interrupts()
        return self.play(api.run(self.options(**changed), self.interrupts, quiet()))

    @property
    def bought(self) -> int:
        return len(self.earth.service.submissions)

    def states(self) -> dict[State, int]:
        [one] = api.status(self.options())
        return dict(one.states)
