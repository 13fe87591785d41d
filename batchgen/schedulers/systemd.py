"""A service of systemd and the timer that starts it. Pure."""

import shlex
from collections.abc import Collection, Sequence

from batchgen.exits import Exit
from batchgen.schedulers.cron_times import CronTimes
from batchgen.schedulers.nightly import Nightly, commented
from batchgen.schedulers.quoting import unit_command, unit_path, unit_word

_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_RUN = 3  # values in a row: as a range they are shorter


def units(nightly: Nightly) -> dict[str, str]:
    """Write both units, by their file names, with what to do with them as comments in the first."""
    return {f"{nightly.name}.service": _service(nightly), f"{nightly.name}.timer": _timer(nightly)}


def _service(nightly: Nightly) -> str:
    env = f"/etc/batchgen/{nightly.name}.env"
    start = unit_command(nightly.run(nightly.command, nightly.manifest, nightly.output))
    limit = "StartLimitIntervalSec=50min\nStartLimitBurst=3\n" if nightly.hours_apart else ""
    return f"""{commented([*nightly.heading(), "", *_steps(nightly, env)])}
[Unit]
Description=batchgen: {nightly.batch.replace("%", "%%")}
Wants=network-online.target
After=network-online.target
RequiresMountsFor={unit_word(nightly.output)}
AssertPathIsDirectory={unit_path(nightly.output)}
{limit}
[Service]
Type=oneshot
User={nightly.user}
WorkingDirectory={unit_path(nightly.folder)}
EnvironmentFile={env}
ExecStart={start}
# SIGTERM: it buys no more, and collects what is paid for, for {nightly.drain} seconds
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec={nightly.seconds_to_stop}
# {Exit.LOCKED:d}: another run is at this batch
SuccessExitStatus={Exit.LOCKED:d}
{_again(nightly)}NoNewPrivileges=yes
ProtectSystem=full
ReadWritePaths={unit_word(nightly.output)}
"""


def _again(nightly: Nightly) -> str:
    """Start it again where work remains, or it was killed, if its own next time is far enough away."""
    if not nightly.hours_apart:
        return ""
    final = " ".join(str(int(one)) for one in nightly.final)
    remains = (
        f"# {Exit.REMAINS:d}: work remains, and the same command goes on with it"
        if nightly.most_seconds is None
        else f"# {Exit.REMAINS:d}: work remains, and its time is over: its next time goes on with it"
    )
    return (
        f"{remains}; with those named here it would end the same\n"
        "Restart=on-failure\n"
        f"RestartPreventExitStatus={final}\n"
        "RestartSec=15min\n"
    )


def _timer(nightly: Nightly) -> str:
    when = "".join(f"OnCalendar={one}\n" for one in on_calendar(nightly.times, nightly.zone))
    return f"""[Unit]
Description=batchgen: {nightly.batch.replace("%", "%%")} at {nightly.times.text}

[Timer]
{when}# a time that was missed, because the machine was off, is made up for at the next start
Persistent=true
AccuracySec=1min

[Install]
WantedBy=timers.target
"""


def _steps(nightly: Nightly, env: str) -> list[str]:
    name, output = nightly.name, shlex.quote(nightly.output)
    user = shlex.quote(nightly.user)
    return [
        "To install, as root, on systemd 244 or newer:",
        f"1. sudo install -d -m 700 /etc/batchgen; sudo install -m 600 /dev/null {env}",
        "   and write the key there: SCENARIO_SDK_API_KEY=... and SCENARIO_SDK_API_SECRET=..., a line each,",
        "   without quotes. systemd reads it as root; the user of the service needs no right to it.",
        f"2. sudo -u {user} mkdir -p {output}",
        "   It belongs to whom User= names. The service does not make it: where its disk is not there,",
        "   nothing is bought.",
        f"3. {name}.service and {name}.timer into /etc/systemd/system",
        f"   (batchgen cron ... --systemd --to DIR writes both), then systemd-analyze verify {name}.timer",
        f"4. sudo systemctl daemon-reload && sudo systemctl enable --now {name}.timer",
        f"To try it now: sudo systemctl start {name}.service",
        f"What it says: journalctl -u {name}.service",
        f"When it is next due: systemctl list-timers {name}.timer",
        "Each exit status has a reaction in docs/operations.md.",
    ]


def on_calendar(times: CronTimes, zone: str) -> list[str]:
    """Say the times of cron as systemd does, a line or two.

    Two where the day of the month or that of the week is enough: systemd takes both conditions of one line.

    source: systemd.time(7), calendar events
    """
    months, days = _listed(times.months, range(1, 13)), _listed(times.days, range(1, 32))
    clock = f"{_listed(times.hours, range(24))}:{_listed(times.minutes, range(60))}:00 {zone}"
    week = _weekdays(times.weekdays)
    if not times.either_day:
        return [" ".join([*week, f"*-{months}-{days}", clock])]
    by_date = [f"*-{months}-{days} {clock}"] if _comes(times) else []
    return [*by_date, " ".join([*week, f"*-{months}-*", clock])]


def _comes(times: CronTimes) -> bool:
    """Return whether any of the months has one of the days."""
    return min(times.days) <= max(_MONTH_LENGTHS[one] for one in times.months)


def _weekdays(weekdays: Collection[int]) -> list[str]:
    """Return the days of the week as the first word of a line; no word for all of them."""
    places = [(one - 1) % 7 for one in weekdays]
    return [] if len(places) == len(_WEEK) else [_runs(places, _WEEK)]


def _listed(values: Collection[int], every: Sequence[int]) -> str:
    return "*" if len(values) == len(every) else _runs(values, [f"{one:02d}" for one in range(60)])


def _runs(values: Collection[int], names: Sequence[str]) -> str:
    """Write values as a list; those that follow on each other as ranges."""
    runs: list[list[int]] = []
    for one in sorted(values):
        if runs and runs[-1][-1] == one - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ",".join(
        f"{names[run[0]]}..{names[run[-1]]}" if len(run) >= _RUN else ",".join(names[one] for one in run)
        for run in runs
    )
