"""The files of examples/ that install batchgen on several hosts, held against what can be checked here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from batchgen.cli.run import command as run_command
from batchgen.exits import Exit
from batchgen.journal.stores import check_address
from batchgen.manifest.reading import read_manifest
from batchgen.schedulers.kubernetes import USER
from batchgen.schedulers.nightly import FINAL

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "distributed.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "tests" / "schedulers" / "kubernetes-1.31.json").read_text())
CLUSTER = ("standby-job.yaml", "standby-cronjob.yaml")


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text(encoding="utf-8")))


def job_of(name: str) -> Any:
    """Return the Job, or that of a CronJob, as it is specified."""
    [one] = [one for one in documents(name) if one["kind"] in {"Job", "CronJob"}]
    return one["spec"] if one["kind"] == "Job" else one["spec"]["jobTemplate"]["spec"]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Return the words of each run that the files start, with their manifest."""
    for name in CLUSTER:
        [container] = job_of(name)["template"]["spec"]["containers"]
        yield name, container["args"]
    for service in documents("compose.yaml")[0]["services"].values():
        if service.get("command", [""])[0] == "run":
            yield "compose.yaml", service["command"]


@pytest.mark.parametrize("name", CLUSTER)
def test_a_cluster_takes_what_is_written(name: str) -> None:
    check = Draft7Validator(SCHEMA)
    for one in documents(name):
        if one["kind"] != "Job":  # the schema that is kept here has those of the printed text
            assert [error.message for error in check.iter_errors(one)] == []
    whole = next(one for one in documents("standby-cronjob.yaml") if one["kind"] == "CronJob")
    as_a_night = {**whole, "spec": {**whole["spec"], "jobTemplate": {"spec": job_of(name)}}}
    assert [error.message for error in check.iter_errors(as_a_night)] == []


def test_both_files_of_the_cluster_start_the_same_pods() -> None:
    assert job_of(CLUSTER[0]) == job_of(CLUSTER[1])


@pytest.mark.parametrize("name", CLUSTER)
def test_two_pods_stand_by_for_each_other_and_begin_again_where_that_helps(name: str) -> None:
    job = job_of(name)
    assert (job["parallelism"], "completions" in job) == (2, False), "one that is done is enough"
    final = job["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"]
    assert final == [int(one) for one in FINAL]
    assert not {Exit.LOCKED, Exit.REMAINS} & set(final)
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsUser"] == USER
    [container] = pod["containers"]
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    drain = int(container["args"][container["args"].index("--drain-timeout") + 1].removesuffix("s"))
    assert pod["terminationGracePeriodSeconds"] >= drain + 30


def test_what_the_files_start_is_what_run_takes() -> None:
    found = list(commands())
    assert len(found) == 4
    for name, words in found:
        taken = run_command.make_context("run", list(words[1:])).params
        assert taken["standby"] is True, name
        assert taken["budget"] or taken["yes"], "nobody is there to ask"


def test_the_compose_file_has_a_database_tables_and_two_runs_with_one_journal() -> None:
    [compose] = documents("compose.yaml")
    services = compose["services"]
    assert list(services) == ["database", "journal", "first", "second"]
    for name in ("journal", "first", "second"):
        service = services[name]
        address = service["environment"]["BATCHGEN_JOURNAL"]
        check_address(address)
        database = services["database"]["environment"]
        user, host, path = re.fullmatch(r"postgresql://(\w+)@(\w+)/(\w+)", address).groups()  # type: ignore[union-attr]
        assert (user, host, path) == (database["POSTGRES_USER"], "database", database["POSTGRES_DB"])
    assert services["journal"]["command"] == ["journal", "init"]
    assert services["first"] == services["second"]
    assert services["first"]["depends_on"]["journal"]["condition"] == "service_completed_successfully"
    volumes = {one.partition(":")[0] for each in services.values() for one in each.get("volumes", [])}
    assert volumes - {".."} == set(compose["volumes"])
    named = services["first"]["command"][1]
    read_manifest(ROOT / named.removeprefix("/manifest/"), environ={})


def test_no_secret_is_written_into_a_file() -> None:
    for name in (*CLUSTER, "compose.yaml", "pool.yaml"):
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        assert not re.search(
            r"(?i)(api_key|secret|password)\s*[:=]\s*[\"']?\w{6}", text.replace("${PGPASSWORD", "")
        )


def test_the_page_names_every_file_that_is_there() -> None:
    named = set(re.findall(r"\(\.\./examples/([\w.-]+)\)", PAGE))
    assert named == {"compose.yaml", "pool.yaml", *CLUSTER}
