"""The installed command: plans of large manifests, a large run, prices, and how soon it says anything."""

import asyncio
import json
import statistics
from pathlib import Path

from batchgen.simulator.exchange import Call
from batchgen.simulator.front import serve
from batchgen.simulator.settings import Settings
from bench.commands import Ran, batchgen
from bench.figures import Figure
from bench.server import serving
from bench.service import MODEL, Load
from bench.setting import Setting

_THERE_IS_WORK = 8  # the status of ``plan --check``


def help_text(setting: Setting) -> list[Figure]:
    """The shortest command there is."""
    times = [_ok(batchgen("--help", folder=setting.folder)).wall for _ in range(setting.many(11, 3))]
    note = f"median of {len(times)}, fastest {1000 * min(times):.0f} ms"
    return [
        Figure(
            what="`batchgen --help`",
            value=1000 * statistics.median(times),
            unit="ms",
            digits=0,
            most=150,
            note=note,
        )
    ]


def quotes(setting: Setting) -> list[Figure]:
    """A plan asks for a price a class, not a job."""
    count = setting.many(1000, 50)
    folder = _made(setting, "quotes", _in_classes(count))
    asked, planned = asyncio.run(_asked(folder))
    assert planned == count, f"{planned} of {count} planned"
    return [Figure(what=f"quote calls, {count} jobs in 5 price classes", value=asked, digits=0, most=10)]


def _in_classes(count: int) -> str:
    kinds = ["model: model_imagen4-ultra"]
    kinds += [f"model: model_bfl-flux-1-dev, params: {{numOutputs: {number}}}" for number in range(1, 5)]
    prompts = json.dumps([f"a watch tower, number {n}" for n in range(count // len(kinds))])
    entries = [f"  - {{{kind}, prompt: {prompts}}}" for kind in kinds]
    return f"{_head('bench')}jobs:\n" + "\n".join(entries) + "\n"


async def _asked(folder: Path) -> tuple[int, int]:
    async with serve(Settings(latency=(0.0, 0.0))) as running:
        words = ("plan", "jobs.yaml", "--json")
        ran = await asyncio.to_thread(lambda: batchgen(*words, folder=folder, base_url=running.base_url))
        return running.service.counts[Call.QUOTE], len(json.loads(_ok(ran).said)["jobs"])


def yaml(setting: Setting) -> list[Figure]:
    """Every job is written out."""
    count = setting.many(10_000, 200)
    jobs = "".join(
        f'  - id: tower-{n}\n    prompt: "a tower, number {n}"\n    params: {{width: 512}}\n'
        for n in range(count)
    )
    folder = _made(setting, "yaml", f"{_head('bench', f'defaults: {{model: {MODEL}}}')}jobs:\n{jobs}")
    with serving(Load()) as served:
        ran = _ok(
            batchgen("plan", "jobs.yaml", "--check", folder=folder, base_url=served.base_url), _THERE_IS_WORK
        )
    what = f"plan of {count:,} jobs written in YAML"
    return [Figure(what=what, value=ran.wall, unit="s", most=2, note=f"{ran.memory:.0f} MB")]


def large(setting: Setting) -> list[Figure]:
    """A table of many rows: its plan, its run with nothing to wait for, and its plan once all is done."""
    count = setting.many(100_000, 400)
    with serving(Load()) as served:
        before = _plan(setting, count, served.base_url, status=_THERE_IS_WORK)
        whole = _run(setting, count, served.base_url)
        after = _plan(setting, count, served.base_url, status=0)
        accepted = served.numbers().count("accepted")
    assert accepted == count, f"{accepted} accepted"
    with serving(Load()) as served:
        part = _run(setting, count // 4, served.base_url)
    of = f"{count:,} jobs from a CSV"
    empty, done = f"plan of {of}, empty journal", f"plan of {of}, all done"
    growth = whole.cpu / count / (part.cpu / (count // 4))
    note = f"{whole.wall:.0f} s, {count / whole.wall:.0f} jobs a second with results and report"
    return [
        Figure(what=empty, value=before.wall, unit="s", most=3),
        Figure(what=f"{empty}: memory", value=before.memory, unit="MB", digits=0, most=250),
        Figure(what=done, value=after.wall, unit="s", most=4),
        Figure(what=f"{done}: memory", value=after.memory, unit="MB", digits=0, most=350),
        Figure(what=f"run of {of}, instant service: memory", value=whole.memory, unit="MB", digits=0,
               most=400, note=note),
        Figure(what=f"run of {of}: CPU a job over that of a quarter as many", value=growth, most=1.15,
               note=f"{whole.cpu:.0f} s, and {part.cpu:.0f} s for {count // 4:,}"),
    ]  # fmt: skip


def _plan(setting: Setting, count: int, base_url: str, *, status: int) -> Ran:
    folder = _table(setting, count)
    return _ok(batchgen("plan", "jobs.yaml", "--check", folder=folder, base_url=base_url), status)


def _run(setting: Setting, count: int, base_url: str) -> Ran:
    words = ("run", "jobs.yaml", "--yes", "--quiet")
    return _ok(batchgen(*words, folder=_table(setting, count), base_url=base_url))


def chained(setting: Setting) -> list[Figure]:
    """As many jobs in chains of three and without any, planned one after the other."""
    count = setting.many(33_333, 100)
    # twice each, the quicker counts: one machine may be busy for a moment
    took = asyncio.run(_planned(_chain_folder(setting, count), _flat_folder(setting, 3 * count), tries=2))
    what = f"plan of {3 * count:,} jobs in {count:,} chains over that of as many without"
    return [
        Figure(what=what, value=took[0] / took[1], most=1.3, note=f"{took[0]:.2f} s over {took[1]:.2f} s")
    ]


async def _planned(*folders: Path, tries: int) -> list[float]:
    """Give the seconds of each plan, against a service that has the models of chains."""
    async with serve(Settings(latency=(0.0, 0.0))) as running:
        took = [
            [await asyncio.to_thread(_plan_in, folder, running.base_url) for folder in folders]
            for _ in range(tries)
        ]
    return [min(times) for times in zip(*took, strict=True)]


def _plan_in(folder: Path, base_url: str) -> float:
    words = ("plan", "jobs.yaml", "--check")
    return _ok(batchgen(*words, folder=folder, base_url=base_url), _THERE_IS_WORK).wall


_FIRST = 'id: "{name}", from: rows.csv, prompt: "a {thing}, number {n}", model: model_imagen4-ultra'


def _chain_folder(setting: Setting, count: int) -> Path:
    cut = 'entry: cut, id: "{job}-cut", from: {jobs: tower}, model: model_birefnet-background-removal'
    big = 'id: "{job}-big", from: {jobs: cut}, model: model_topaz-image-upscale'
    into = 'params: {image: {job: "{job}"}}'
    steps = (f"entry: tower, {_FIRST}", f"{cut}, {into}", f"{big}, {into}")
    return _with_rows(setting, "chains", "".join(f"  - {{{one}}}\n" for one in steps), count)


def _flat_folder(setting: Setting, count: int) -> Path:
    return _with_rows(setting, "flat", f"  - {{{_FIRST}}}\n", count)


def _with_rows(setting: Setting, name: str, entries: str, count: int) -> Path:
    folder = _made(setting, name, f"{_head(f'bench-{name}')}jobs:\n{entries}")
    _write_rows(folder, count)
    return folder


def _write_rows(folder: Path, count: int) -> None:
    rows = (f"tower-{n},watch tower on a cliff,{n},512" for n in range(count))
    (folder / "rows.csv").write_text("\n".join(("name,thing,n,width", *rows, "")))


def _table(setting: Setting, count: int) -> Path:
    """Give a folder with the manifest of so many rows; made once."""
    folder = setting.folder / f"table-{count}"
    if not folder.exists():
        head = _head(
            f"bench-{count}", f"defaults: {{model: {MODEL}}}", "output: {download: false}"
        )  # no batch twice
        entry = 'id: "{name}", from: rows.csv, prompt: "a {thing}, number {n}", params: {width: "{width}"}'
        _made(setting, folder.name, f"{head}jobs:\n  - {{{entry}}}\n")
        _write_rows(folder, count)
    return folder


def _head(batch: str, *more: str) -> str:
    """Begin a manifest whose rate holds nothing back."""
    return "\n".join(("version: 1", f"batch: {batch}", "limits: {rate: 1000000/s}", *more, ""))


def _made(setting: Setting, name: str, manifest: str) -> Path:
    folder = setting.folder / name
    folder.mkdir()
    (folder / "jobs.yaml").write_text(manifest)
    return folder


def _ok(ran: Ran, status: int = 0) -> Ran:
    assert ran.status == status, f"ended with {ran.status}:\n{ran.said[-1000:]}{ran.troubled[-2000:]}"
    return ran
