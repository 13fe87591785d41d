"""What `batchgen cron` prints is held against the real programs that are to take it."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from batchgen import api
from batchgen.cli.run import command as run_command
from batchgen.errors import InputError
from batchgen.exits import Exit
from tests.cli.conftest import Shell
from tests.support.programs import program, said_by, without

SCHEMA = Path(__file__).parent.parent / "schedulers" / "kubernetes-1.31.json"
JOB = "{prompt: a castle, model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}"
NIGHTLY = (
    f"version: 1\nbatch: spring\nperiod: day\ntz: Europe/Paris\nbudget: {{per_month: 900}}\njobs: [{JOB}]\n"
)
# The kind: names that one of shell, cron, systemd and YAML takes for something else.
FOLDERS = (
    "a b",
    "100%",
    "%h %% %n",
    "$HOME $(id) `id`",
    'it\'s "so"',
    "back\\slash",
    "ends\\",
    "ends ",
    "{a: b} #c",
    "dépôt 日本",
    "-dash",
    "a;b&c|d",
    "a\\%b",
)
BOTH = ("jobs.yaml", "--at", "@daily", "--systemd", "--kubernetes")
SECRET = "s3cret-that-nobody-prints"


def texts(
    folder: Path, manifest: str = NIGHTLY, *, name: str = "jobs.yaml", **changed: Any
) -> Mapping[str, str]:
    """Return what would be printed of a manifest in a folder, in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(manifest)
    wanted: dict[str, Any] = {
        "at": "0 3 * * *",
        "scheduler": api.Scheduler.CRONTAB,
        "agreed": False,
        "drain": 25,
        "most_failures": "",
        "image": "batchgen:1",
        "most_seconds": None,
        "wait": None,
    }
    of_schedule = {key: changed.pop(key) for key in list(changed) if key in wanted}
    changed.setdefault(
        "environ", {"SCENARIO_SDK_API_KEY": f"key-{SECRET}", "SCENARIO_SDK_API_SECRET": SECRET}
    )
    options = api.Options(manifest=folder / name, output=folder / "output", output_chosen=True, **changed)
    found = api.install_texts(options, api.Schedule(**{**wanted, **of_schedule}))
    assert SECRET not in "".join(found.values())
    return found


def only(found: Mapping[str, str]) -> str:
    [text] = found.values()
    return text


def words_that_cron_runs(text: str, home: Path) -> tuple[Path, list[str]]:
    """Return the folder and the words of the command that a line comes to, as cron and its shell read it."""
    line = text.splitlines()[-1].split(" ", 5)[5]
    assert re.search(r"(?<!\\)%", line) is None
    shown = line.replace("\\%", "%").replace("&& exec ", "&& printf '%s\\0' \"$PWD\" ")
    done = subprocess.run(["/bin/sh", "-c", shown], cwd=home, env={}, stdout=subprocess.PIPE, check=True)
    folder, *words = done.stdout.decode().split("\0")[:-1]
    return Path(folder), words


def settings_of(unit: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))


def words_that_systemd_starts(unit: str) -> list[str]:
    """Return the words of ``ExecStart=``, read back as systemd.service(5) says."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', settings_of(unit)["ExecStart"])
    plain = [re.sub(r"\\(.)", r"\1", quoted or bare) for quoted, bare in words]
    return [one.replace("%%", "%").replace("$$", "$") for one in plain]


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_scheduler_gets_the_paths_as_they_are_whatever_is_in_them(tmp_path: Path, folder: str) -> None:
    here = tmp_path / folder
    (here / "output").mkdir(parents=True)
    for_cron = only(texts(here, name="my %jobs.yaml"))
    there, words = words_that_cron_runs(for_cron, tmp_path)
    assert there == here
    at = words.index("run")
    assert Path(words[0]).is_absolute()
    assert words[at + 1 : at + 4] == [str(here / "my %jobs.yaml"), "-o", str(here / "output")]
    crontab = program("crontab")
    (tmp_path / "tab").write_text(for_cron)
    if said_by([crontab, "-n", tmp_path / "tab"])[0] != 0:
        without("needs the crontab of Debian, which checks a file with -n")

    for_cluster = only(texts(here, name="my %jobs.yaml", scheduler=api.Scheduler.KUBERNETES))
    job = list(yaml.safe_load_all(for_cluster))[1]
    container = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"][1] == "/manifest/my %jobs.yaml" == container["volumeMounts"][0]["mountPath"]


def test_systemd_takes_the_units_and_finds_the_paths_as_they_are(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    units = tmp_path / "units"
    units.mkdir()
    starts = {}
    for number, folder in enumerate(FOLDERS):
        batch = NIGHTLY.replace("spring", f"n{number}")
        for name, text in texts(tmp_path / folder, batch, scheduler=api.Scheduler.SYSTEMD).items():
            (units / name).write_text(text)
            if name.endswith(".service"):
                starts[folder] = text
    done = said_by([analyze, "verify", *sorted(units.glob("*.timer"))])
    assert done == (0, "")
    for folder, text in starts.items():
        words = words_that_systemd_starts(text)
        assert str(tmp_path / folder / "jobs.yaml") in words
        assert str(tmp_path / folder / "output") in words


def test_a_unit_says_all_that_an_unattended_run_needs(tmp_path: Path) -> None:
    found = texts(tmp_path, scheduler=api.Scheduler.SYSTEMD, drain=90, at="0 3 1 * MON")
    service, timer = settings_of(found["batchgen-spring.service"]), found["batchgen-spring.timer"]
    assert int(service["TimeoutStopSec"]) > 90
    assert "--drain-timeout 90s" in service["ExecStart"]
    assert service["SuccessExitStatus"] == str(int(Exit.LOCKED))
    assert {int(one) for one in service["RestartPreventExitStatus"].split()} == set(Exit) - {
        Exit.DONE,
        Exit.LOCKED,
        Exit.REMAINS,
        Exit.INTERRUPTED,
    }
    assert service["WorkingDirectory"] == str(tmp_path)
    assert service["EnvironmentFile"] == "/etc/batchgen/batchgen-spring.env"
    assert "Persistent=true" in timer
    assert re.findall("^OnCalendar=(.*)$", timer, re.MULTILINE) == [
        "*-*-01 03:00:00 Europe/Paris",
        "Mon *-*-* 03:00:00 Europe/Paris",
    ]
    often = texts(tmp_path, scheduler=api.Scheduler.SYSTEMD, at="*/5 * * * *")["batchgen-spring.service"]
    assert "Restart" not in often, "its own next time comes first"


def test_a_cluster_gets_what_its_schema_allows_and_nothing_else(tmp_path: Path) -> None:
    found = texts(tmp_path, scheduler=api.Scheduler.KUBERNETES, at="0 3 * * 7", budget=None, period="week")
    volume, job = yaml.safe_load_all(only(found))
    check = Draft7Validator(json.loads(SCHEMA.read_text()))
    for document in (volume, job):
        assert [error.message for error in check.iter_errors(document)] == []
    spec = job["spec"]
    assert list(check.iter_errors({**job, "spec": {**spec, "timezone": "UTC"}})), (
        "the check refuses another word"
    )
    assert (spec["schedule"], spec["timeZone"]) == ("0 3 * * 0", "Europe/Paris")
    assert (spec["concurrencyPolicy"], spec["startingDeadlineSeconds"]) == ("Forbid", 21600)
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["terminationGracePeriodSeconds"] > 25
    assert pod["securityContext"]["runAsNonRoot"] is True
    final = spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"]
    assert not {0, Exit.LOCKED, Exit.REMAINS, Exit.INTERRUPTED, 137, 143} & set(final)
    assert set(final) == {1, 2, 3, 4, 5, 7}
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}


@pytest.mark.parametrize("scheduler", api.Scheduler)
def test_the_command_that_is_printed_is_one_that_run_takes(tmp_path: Path, scheduler: api.Scheduler) -> None:
    changed: dict[str, Any] = {"agreed": True, "most_failures": "10%", "project": "p", "period": "day"}
    found = texts(tmp_path, scheduler=scheduler, simulate=True, budget=Decimal(7), **changed)
    if scheduler is api.Scheduler.KUBERNETES:
        job = list(yaml.safe_load_all(only(found)))[1]
        words = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    elif scheduler is api.Scheduler.SYSTEMD:
        words = words_that_systemd_starts(found["batchgen-spring.service"])
    else:
        (tmp_path / "output").mkdir()
        words = words_that_cron_runs(only(found), tmp_path)[1]
    words = words[words.index("run") + 1 :]
    for flag in (
        "--yes",
        "--budget",
        "--max-failures",
        "--project",
        "--period",
        "--simulate",
        "--quiet",
    ):
        assert flag in words
    assert ("--json" in words) is (scheduler is not api.Scheduler.CRONTAB), "cron would mail it every night"
    taken = run_command.make_context("run", words).params  # click refuses a word that run does not know
    assert (taken["drain_timeout"], taken["budget"], taken["max_failures"]) == (25.0, 7, 0.1)


def test_nights_wait_for_each_other_and_end_when_their_time_is_over(tmp_path: Path) -> None:
    def run(**changed: Any) -> str:
        return texts(tmp_path, scheduler=api.Scheduler.SYSTEMD, **changed)["batchgen-spring.service"]

    plain, bounded = run(), run(most_seconds=7200, wait=60)
    assert "--wait-lock 6h" in settings_of(plain)["ExecStart"]
    assert "--max-duration" not in plain
    assert "--max-duration 2h --wait-lock 1m" in settings_of(bounded)["ExecStart"]
    final = [set(settings_of(one)["RestartPreventExitStatus"].split()) for one in (plain, bounded)]
    assert final[1] - final[0] == {str(int(Exit.REMAINS))}, "what was ended by the clock is not begun again"
    assert "--wait-lock" not in run(at="*/5 * * * *"), "its own next time comes first"
    assert "--wait-lock" not in run(wait=0)
    cluster = only(texts(tmp_path, scheduler=api.Scheduler.KUBERNETES, most_seconds=7200))
    policy = list(yaml.safe_load_all(cluster))[1]["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]
    assert Exit.REMAINS in policy["rules"][1]["onExitCodes"]["values"]
    assert "8 (work remains)" not in cluster


# The kind: a night that would do nothing, or more than anybody meant.
REFUSED = {
    "no period": (NIGHTLY.replace("period: day\n", ""), {}, "period: day"),
    "no cap and no yes": (NIGHTLY.replace("budget: {per_month: 900}\n", ""), {}, "--yes"),
    "a cap on one job alone": (NIGHTLY.replace("per_month", "per_job"), {}, "--budget N"),
    "a time that is none": (NIGHTLY, {"at": "0 3 * *"}, "missing: day of the week"),
    "a manifest that is wrong": (NIGHTLY.replace("version: 1", "version: 9"), {}, "jobs.yaml:1"),
    "too long for cron": (NIGHTLY, {"project": "p" * 900}, "--systemd"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_night_that_would_not_do_what_is_meant_is_refused(tmp_path: Path, case: str) -> None:
    manifest, changed, why = REFUSED[case]
    with pytest.raises(InputError) as caught:
        texts(tmp_path, manifest, **changed)
    assert why in str(caught.value)


def test_a_path_that_no_line_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="control character"):
        texts(tmp_path / "two\nlines")
    with pytest.raises(InputError, match="colon"):
        texts(tmp_path, name="a:b.yaml", scheduler=api.Scheduler.KUBERNETES)


def test_what_the_environment_says_here_is_not_lost_at_night(tmp_path: Path) -> None:
    """The kind: a setting of this terminal without which the night would look elsewhere, and buy again."""
    address = "https://user:hidden@example.test/v1"
    environ = {
        "SCENARIO_PROJECT_ID": "proj_1",
        "SCENARIO_BASE_URL": address,
        "SCENARIO_SDK_API_SECRET": SECRET,
    }
    (tmp_path / ".env").write_text("")
    (tmp_path / ".env").chmod(0o644)
    text = only(texts(tmp_path, environ=environ))
    assert "--project proj_1 " in text
    assert "Set here: SCENARIO_BASE_URL." in text
    assert "hidden" not in text
    assert f"Others can read {tmp_path}/.env" in text
    own = NIGHTLY + "project: proj_2\n"
    assert "--project" not in only(texts(tmp_path, own, environ=environ))
    assert "--project proj_3 " in only(texts(tmp_path, own, environ=environ, project="proj_3"))


def test_what_is_known_of_this_very_night_is_said(tmp_path: Path) -> None:
    held = {"at": "30 2 * * *", "scheduler": api.Scheduler.SYSTEMD}
    assert re.search(r"clocks go forward.*20\d\d-03-\d\d 02:30", "".join(texts(tmp_path, **held).values()))
    named = NIGHTLY.replace("period: day", "period: easter")
    assert 'a name, "easter"' in only(texts(tmp_path, named))
    odd = NIGHTLY.replace("spring", "Spring_1")
    [name] = texts(tmp_path, odd, scheduler=api.Scheduler.KUBERNETES)
    assert re.fullmatch(r"batchgen-spring-1-[0-9a-f]{6}\.yaml", name)
    twin = NIGHTLY.replace("spring", "spring-1")
    assert name not in texts(tmp_path, twin, scheduler=api.Scheduler.KUBERNETES)


def test_a_line_of_a_crontab_runs_from_anywhere_and_speaks_only_of_what_is_wrong(
    shell: Shell, tmp_path: Path
) -> None:
    """The kind: a night of which nobody is told. cron mails what is printed, and knows no other way."""
    folder = tmp_path / "100% it's nightly"
    (folder / "out").mkdir(parents=True)
    (folder / "jobs.yaml").write_text(NIGHTLY)
    here = Shell(folder, shell.environ)
    shown = here.call("cron", "jobs.yaml", "--at", "0 3 * * *", "-o", "out", "--simulate")
    assert shown.status == 0, shown.err
    line = shown.out.splitlines()[-1].split(" ", 5)[5].replace("\\%", "%")

    def night() -> tuple[int, str]:
        environ = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join([str(Path(api.__file__).parents[2]), *_paths()]),
        }
        words = ["/bin/sh", "-c", line]
        done = subprocess.run(words, cwd="/", env=environ, capture_output=True, text=True, check=False)
        assert done.stdout == ""
        return done.returncode, done.stderr

    def last() -> dict[str, Any]:
        lines = (folder / "out" / "batchgen-spring.log").read_text().splitlines()
        found: dict[str, Any] = json.loads(lines[-1])
        return found

    assert night() == (0, "")
    assert (last()["event"], last()["exit"], len(last()["slot"])) == ("summary", 0, len("2026-12-01"))
    (folder / "jobs.yaml").write_text(NIGHTLY.replace("prompt:", "prompts:"))
    status, mailed = night()
    assert (status, "jobs.yaml:6:" in mailed) == (2, True), mailed
    assert (last()["event"], last()["exit"]) == ("error", 2)
    (folder / "jobs.yaml").write_text(NIGHTLY)
    (folder / "out").rename(folder / "elsewhere")
    status, mailed = night()
    assert (status != 0, f"{folder}/out" in mailed) == (True, True), "a disk that is not there buys nothing"
    assert not (folder / "out").exists()


def _paths() -> list[str]:
    return [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]


def test_files_are_written_into_a_folder_and_a_missing_manifest_is_a_problem(shell: Shell) -> None:
    shell.write("jobs.yaml", NIGHTLY)
    done = shell.call("cron", "jobs.yaml", "--at", "@daily", "--systemd", "--to", "units")
    assert done.status == 0, done.err
    assert sorted(one.name for one in (shell.folder / "units").iterdir()) == [
        "batchgen-spring.service",
        "batchgen-spring.timer",
    ]
    assert (done.out, done.err.count(" written")) == ("", 2)
    other = ("cron", "jobs.yaml", "--at", "@hourly", "--systemd", "--to", "units")
    assert (shell.call(*other).status, shell.call(*other, "--force").status) == (2, 0)
    for words in (
        ("nosuch.yaml", "--at", "@daily"),
        ("jobs.yaml", "--at", "61 * * * *"),
        ("jobs.yaml",),
        BOTH,
    ):
        refused = shell.call("cron", *words)
        assert (refused.status, refused.out) == (2, ""), refused.err
    assert not (shell.folder / "output").exists(), "nothing is made by printing"


def test_a_journal_on_a_server_is_written_into_the_command_without_its_password(tmp_path: Path) -> None:
    address = f"postgresql://artist:{SECRET}@far.example/journal"  # nobody is asked there
    environ = {"BATCHGEN_JOURNAL": address}
    for scheduler in api.Scheduler:
        flagged = texts(tmp_path, scheduler=scheduler, environ=environ, journal_address=address)
        text = "".join(flagged.values())
        assert "postgresql://artist@far.example/journal" in text
        assert "Set here" not in text
        said = "".join(texts(tmp_path, scheduler=scheduler, environ=environ).values())
        assert "Set here: BATCHGEN_JOURNAL" in said
        assert "far.example" not in said
