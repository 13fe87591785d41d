"""What a journal in a database costs, beside one in a file in the same run."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from bench.isolated import isolated
from bench.service import Load
from bench.setting import Setting

if TYPE_CHECKING:
    from bench.database import Kept

_LONGER = Load(low=0.2, high=0.5)  # so that an end does not come with the receipt
_NETWORK = 0.001  # seconds each way: hosts of one place
_LEASE, _SPARE = 3.0, 5.0  # seconds


def database(setting: Setting) -> list[Figure]:
    """A journal on PostgreSQL beside a file: CPU, jobs a second, appends, and how soon another host leads."""
    what = "journal on PostgreSQL"
    from tests.support.postgres import missing  # noqa: PLC0415 - psycopg: for this scenario alone

    if reason := missing():
        return [Figure(what=what, note=reason)]
    from bench.database import over_http, server  # noqa: PLC0415 - as above

    count = setting.many(2000, 40)
    with server(_NETWORK) as (url, far):
        file: Kept = isolated(over_http, Load(), count, setting.folder / "db-file", None)
        near: Kept = isolated(over_http, Load(), count, setting.folder / "db-near", url)
        held: list[Kept] = [
            isolated(over_http, _LONGER, setting.many(400, 20), setting.folder / f"db-held-{number}", where)
            for number, where in enumerate((None, url))
        ]
        slow: Kept = isolated(over_http, Load(), setting.many(600, 20), setting.folder / "db-far", far)
        takeover = _takeover(url, setting.folder)
    for one in (file, near):
        assert one.carried.done == count, f"{one.carried.done} of {count} done"
    ours, theirs = _each(near), _each(file)
    return [
        Figure(what=f"{what}: CPU a job with collecting", value=ours, unit="ms", most=2.5,
               note=f"{count} jobs over HTTP against an instant service; {theirs:.2f} ms with a file"),
        Figure(what=f"{what}: CPU a job over that with a file", value=ours / theirs, unit="x", most=2),
        Figure(what=f"{what}: jobs a second of one leader, server on the same machine", value=_rate(near),
               digits=0, least=200, note=f"{_rate(file):.0f} with a file"),
        Figure(what=f"{what}: jobs a second with 2 ms more a round trip", value=_rate(slow), digits=0,
               least=50, note=_appends(slow)),
        Figure(what=f"{what}: an intent holds the loop for, at the median",
               value=1000 * held[1].appends["intent"], unit="ms", note=f"{_appends(held[1])}; with a file, "
               f"whose syncs are waited for elsewhere: {_appends(held[0])}"),
        Figure(what=f"{what}: from the death of a leader until another host leads", value=takeover, unit="s",
               digits=1, most=_LEASE + _SPARE, note=f"a lease of {_LEASE:g} s; usually it lasts 30 s"),
    ]  # fmt: skip


def _each(kept: "Kept") -> float:
    return 1000 * kept.carried.cpu / kept.carried.done


def _rate(kept: "Kept") -> float:
    return kept.carried.done / kept.carried.wall


def _appends(kept: "Kept") -> str:
    return ", ".join(
        f"{kind} {1000 * kept.appends[kind]:.2f} ms"
        for kind in ("intent", "receipt", "end", "collected")
        if kind in kept.appends
    )


def _takeover(url: str, folder: Path) -> float:
    """Let a process die that leads, and another one stand by for it that cannot see that."""
    from batchgen.journal.postgres.store import PostgresStore  # noqa: PLC0415 - as above
    from bench.database import led_after  # noqa: PLC0415 - as above

    PostgresStore(url, folder).prepare(lease=_LEASE)
    words = "import sys; from bench.database import led_and_died; led_and_died(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", words, url, "left"], check=False, timeout=60)
    died = time.time()
    held: float = isolated(led_after, url, "left")
    return held - died
