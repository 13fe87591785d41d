"""What was agreed when a batch was enqueued is what a worker on another host goes by."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.errors import InputError
from batchgen.journal.enqueued import Enqueued, Wait, Wish
from batchgen.model import JobKey, Rate
from batchgen.wiring import enqueuing
from batchgen.wiring.enqueuing import following, options_of, wish_of
from batchgen.wiring.options import Allow, Options
from batchgen.wiring.reading import manifest_of

MANIFEST = (
    "version: 1\nbatch: spring\nperiod: day\ntz: Europe/Berlin\njobs:\n  - {model: m, prompt: a tower}\n"
)
NOW = datetime(2026, 10, 24, 22, 0, tzinfo=UTC).timestamp()  # midnight in Berlin, before the clocks go back


def here(folder: Path, **changed: object) -> Options:
    (folder / "jobs.yaml").write_text(MANIFEST)
    plain = Options(manifest=folder / "jobs.yaml", output=folder, environ={"SCENARIO_SDK_API_SECRET": "hush"})
    return replace(plain, **changed)  # type: ignore[arg-type]  # as named


def asked(options: Options, every: str = "") -> Wish:
    return wish_of(options, manifest_of(options), queue="q", every=every, now=NOW)


def led(wish: Wish, base: Options) -> Options:
    kept = {name: getattr(wish, name) for name in Wish.__dataclass_fields__}
    return options_of(Enqueued(**kept, asked=1, asked_at=0.0, state=Wait.WANTED), base)


def test_everything_that_was_agreed_arrives(tmp_path: Path) -> None:
    agreed = {
        "project": "proj_1",
        "period": "week",
        "slot": "2026-W40",
        "rate": Rate(count=5, seconds=1),
        "in_flight": 7,
        "budget": Decimal("12.50"),
        "most_failures": 0.1,
        "max_jobs": 9,
        "allow": frozenset({Allow.NO_LISTING}),
        "unattended": True,
        "shown": frozenset({JobKey("v1:a", 0), JobKey("v1:b", 2)}),
    }
    wish = asked(here(tmp_path, **agreed))
    worker = Options(manifest=Path(), output=Path("there"), environ={"SCENARIO_SDK_API_KEY": "theirs"})
    found = led(wish, worker)
    assert {name: getattr(found, name) for name in agreed} == agreed
    assert (found.output, found.environ, found.manifest) == (
        worker.output,
        worker.environ,
        tmp_path / "jobs.yaml",
    )
    (tmp_path / "jobs.yaml").unlink()
    assert manifest_of(found).batch == "spring"


def test_no_secret_goes_along(tmp_path: Path) -> None:
    wish = asked(here(tmp_path))
    assert "hush" not in wish.settings + wish.text.decode()


def test_a_project_of_the_environment_goes_along(tmp_path: Path) -> None:
    wish = asked(here(tmp_path, environ={"SCENARIO_PROJECT_ID": "proj_2"}))
    assert json.loads(wish.settings)["project"] == "proj_2"


def test_a_manifest_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueuing, "MOST_TEXT", 10)
    with pytest.raises(InputError, match="put rows into a table beside it"):
        asked(here(tmp_path))


def test_times_are_those_of_the_manifests_zone_and_come_once_when_clocks_go_back(tmp_path: Path) -> None:
    wish = asked(here(tmp_path), every="30 2 * * *")
    dues, now = [], NOW
    for _ in range(3):
        now = following(wish, now)
        dues.append(datetime.fromtimestamp(now, UTC).isoformat(timespec="minutes"))
    assert dues == ["2026-10-25T00:30+00:00", "2026-10-26T01:30+00:00", "2026-10-27T01:30+00:00"]
    assert wish.due is not None
    assert asked(here(tmp_path)).due is None


def test_times_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'^--every "every night", column 12: missing'):
        asked(here(tmp_path), every="every night")
