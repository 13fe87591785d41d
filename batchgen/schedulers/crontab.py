"""A line of a crontab for a batch. Pure."""

import shlex

from batchgen.errors import InputError
from batchgen.schedulers.nightly import Nightly, commented
from batchgen.schedulers.quoting import in_crontab

_LONGEST = 998  # characters of a command; source: MAX_COMMAND of Debian's cron is 1000


def crontab(nightly: Nightly) -> str:
    """Write the line, with what to do with it as comments.

    Raises:
        InputError: cron does not take so long a command.
    """
    log = f"{nightly.output}/{nightly.name}.log"
    run = in_crontab(nightly.run(nightly.command, nightly.manifest, nightly.output, log=log))
    output, folder = (in_crontab(["cd", one]) for one in (nightly.output, nightly.folder))
    # cron mails what is printed, and has no other way to tell: what is wrong must not go to a file alone
    command = f"{output} && {folder} && exec {run}"
    if len(command.encode()) > _LONGEST:
        raise InputError(
            f"the command has {len(command.encode())} bytes and cron takes {_LONGEST}: use --systemd, "
            "or shorter paths"
        )
    text = commented([*nightly.heading(), "", *_steps(nightly, log)])
    # cronie and others keep to it; Debian's cron takes it for a variable of the command, which does no harm
    return f"{text}SHELL=/bin/sh\nCRON_TZ={nightly.zone}\n{nightly.times.text} {command}\n"


def _steps(nightly: Nightly, log: str) -> list[str]:
    env = shlex.quote(f"{nightly.folder}/.env")
    return [
        "To install:",
        "1. The key and its secret belong into a file that only you can read, never into a crontab:",
        f"     (umask 077; touch {env}); chmod 600 {env}",
        "   with the lines SCENARIO_SDK_API_KEY=... and SCENARIO_SDK_API_SECRET=..., without quotes",
        f"2. mkdir -p {shlex.quote(nightly.output)}",
        "   The line does not make it: where it is gone, or its disk is not there, nothing is bought.",
        "3. crontab -e, and put the lines below at the end: SHELL and CRON_TZ hold for all that follows.",
        "   cronie (RHEL, Fedora, SUSE, Arch) keeps to CRON_TZ. The cron of Debian and Ubuntu does not:",
        "   there the times are those of the machine (timedatectl).",
        "4. cron mails what a run complains of, and nothing where all is well: to you, or to whom a line",
        "   such as MAILTO=you@example.org above them names. A machine without a mail program throws it",
        "   away: try it, with a line that says: * * * * * echo it works",
        f"5. All that happens is added to {log}",
        "   as lines of JSON; the last one of a run has its exit status.",
        "Each exit status has a reaction in docs/operations.md; 0 and 6 need none.",
    ]
