"""``batchgen simulate`` as a process of its own."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from batchgen.cli.simulate import command
from tests.simulator.caller import SEEDLESS, basic


@contextmanager
def simulate(*words: str, port: int = 0) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-m", "batchgen", "simulate", "--port", str(port), *words]
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def get(url: str, body: bytes | None = None) -> object:
    request = urllib.request.Request(url, data=body, headers=basic("k", "s"))
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def test_the_address_goes_to_stdout_what_to_export_to_stderr_and_sigterm_ends_it_quietly(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state.jsonl"
    words = ("--key", "k", "--secret", "s", "--state", str(state), "--log", "--cost", f"{SEEDLESS}=2.5")
    with simulate(*words) as process:
        address = address_of(process)
        url = f"{address}/generate/custom/{SEEDLESS}"
        bought = get(url, b'{"prompt": "an oak"}')
        assert isinstance(bought, dict)
        assert bought["creativeUnitsCost"] == 2.5
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{address}/nowhere")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out == ""
    export, *requests = err.splitlines()
    assert export == f"export SCENARIO_BASE_URL={address} SCENARIO_SDK_API_KEY=k SCENARIO_SDK_API_SECRET=s"
    assert requests == [f"POST /v1/generate/custom/{SEEDLESS} 200", "GET /v1/nowhere 404"]
    assert len(state.read_text().splitlines()) == 1


def test_ctrl_c_ends_it_quietly_too() -> None:
    with simulate() as process:
        assert address_of(process).startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_a_port_in_use_is_an_error_of_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with simulate(port=port) as process:
            out, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert out == ""
    assert err == f"batchgen: 127.0.0.1:{port} cannot be listened on: Address already in use\n"


def test_a_host_beyond_this_machine_is_refused() -> None:
    with simulate("--host", "0.0.0.0") as process:
        out, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert out == ""
    assert "not a loopback address" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--duration", "9-4"), "such as 4-12"),
        (("--latency", "soon"), "such as 4-12"),
        (("--listing-lag", "nan"), "such as 4-12"),
        (("--failures", "150%"), "such as 5% or 0.05"),
        (("--failures", "nan"), "such as 5% or 0.05"),
        (("--rate", "many"), "--rate"),
        (("--cooldown", "later"), "--cooldown"),
        (("--ceiling", "0"), "--ceiling"),
        (("--speed", "0"), "--speed"),
        (("--speed", "nan"), "a speed is a number above 0"),
        (("--speed", "inf"), "a speed is a number above 0"),
        (("--port", "70000"), "--port"),
        (("--unknown-inputs", "maybe"), "'ignore', 'refuse'"),
        (("--credits", "lots"), "'lots' is not a number"),
        (("--credits", "nan"), "credits are 0 or more"),
        (("--cost", "5"), "write MODEL=CU"),
        (("--cost", "model_x=dear"), "'dear' is not a number"),
        (("--cost", "model_x=-1"), "a price is 0 or more"),
        (("--fault", "submit"), "write CALL:FAULT=SHARE"),
        (("--fault", "submit:bang=5%"), "'bang' is not a valid Fault"),
        (("--fault", "nothing:500=5%"), "'nothing' is not a valid Call"),
        (("--fault", "submit:500=most"), "such as 5% or 0.05"),
        (("--fault", "submit:truncated=5%"), "submit cannot suffer truncated"),
        (("--fault", "submit:500=60%", "--fault", "submit:502=60%"), "add up to 1 at most"),
    ],
)
def test_a_flag_that_makes_no_sense_is_a_matter_of_usage(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(command, list(words))
    assert done.exit_code == 2, done.output
    assert said in done.output


def test_the_installed_command_exits_with_2_on_a_bad_flag() -> None:
    with simulate("--fault", "submit:bang=5%") as process:
        out, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert out == ""
    assert "'bang' is not a valid Fault" in err
