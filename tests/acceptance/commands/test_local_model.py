"""The local model as a part of a whole stack, with a fake runtime."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.net.http_client import Unreachable, call
from tests.support.acceptance import fake_llama
from tests.support.acceptance.running_stack import (
    ONE_WORKER,
    RunningStack,
    environment,
    running,
    until,
)
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Graph

DOCUMENT = (
    Graph("prompt")
    .node("model", "customModel", model="local-text")
    .node("out", "responseOutput")
    .wire("in.prompt > model.prompt-in", "model.text-out > out.result-in")
    .body("Local")
)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder at the front of Python's path, with a fake runtime under the runtime's name."""
    folder = tmp_path_factory.mktemp("runtime")
    shutil.copy(str(fake_llama.__file__), folder / "xllamacpp.py")
    return str(folder)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF")
    return file


def send(stack: RunningStack, prompt: str) -> tuple[int, Any]:
    return stack.api("POST", "/api/workflows/local/run", {"inputs": {"prompt": prompt}})


def local_models(stack: RunningStack) -> list[int]:
    """Return the processes that serve it."""
    return [
        pid
        for pid, line in stack.processes().items()
        if "deploy.local_model" in line and "launcher.py" not in line
    ]


def save(stack: RunningStack) -> None:
    status, answer = stack.api("POST", "/api/workflows", DOCUMENT)
    assert status == 201, answer


def test_a_workflow_asks_the_model_of_its_own_stack(
    tmp_path: Path, runtime: str, own: Path
) -> None:
    with running(tmp_path, *ONE_WORKER, HEADRACE_LOCAL_MODEL=str(own), PYTHONPATH=runtime) as stack:
        save(stack)

        status, answer = send(stack, "Hello")
        doctor = stack.command("doctor", PYTHONPATH=runtime).stdout
        tried = stack.command("model", "try", "local-text", "-i", "prompt=Hi", "--json").stdout
        code = stack.stop()

        assert (status, answer["result"], answer["cost"]) == (200, {"text": "(fake) Hello"}, 0)
        assert "ok     local model: http://127.0.0.1:" in doctor
        assert json.loads(tried)["result"] == "(fake) Hi"
        assert code == 0
        assert stack.processes() == {}


@pytest.mark.thorough
def test_a_model_that_dies_is_started_again_where_it_was(
    tmp_path: Path, runtime: str, own: Path
) -> None:
    with running(tmp_path, *ONE_WORKER, HEADRACE_LOCAL_MODEL=str(own), PYTHONPATH=runtime) as stack:
        save(stack)
        (first,) = local_models(stack)
        subprocess.run(["kill", "-KILL", str(first)], check=True)

        until(lambda: local_models(stack), lambda now: now and now != [first])
        status, answer = until(lambda: send(stack, "Again"), lambda given: given[0] == 200)

        assert (status, answer["result"]) == (200, {"text": "(fake) Again"})


@pytest.mark.thorough
def test_a_file_that_cannot_be_loaded_is_given_up_and_the_stack_runs_on(
    tmp_path: Path, runtime: str, own: Path
) -> None:
    own.write_bytes(b"GGUF broken")
    with running(tmp_path, *ONE_WORKER, HEADRACE_LOCAL_MODEL=str(own), PYTHONPATH=runtime) as stack:
        save(stack)

        status, answer = send(stack, "Hello")

        assert (status, answer["code"]) == (500, "EXECUTION_FAILED")
        assert answer["reason"] == "The provider: The server could not be reached"
        assert local_models(stack) == []
        log_text = "".join(stack.errors)
        assert "cannot be loaded: Failed to init server" in log_text
        assert "does not start. The stack runs without it." in log_text


@pytest.mark.thorough
def test_without_a_model_in_order_the_stack_runs_and_calls_say_what_to_do(
    tmp_path: Path, runtime: str, own: Path
) -> None:
    own.write_bytes(b"PK")
    with running(tmp_path, *ONE_WORKER, HEADRACE_LOCAL_MODEL=str(own), PYTHONPATH=runtime) as stack:
        save(stack)

        _, answer = send(stack, "Hello")
        doctor = stack.command("doctor", PYTHONPATH=runtime)

        (log_text,) = [line for line in stack.errors if line.startswith("model ")]
        assert log_text.endswith("which is not a GGUF file. The stack runs without it.\n")
        assert "headrace up --local" in answer["reason"]
        assert "headrace up --local" in "".join(stack.errors)
        assert "local model: not started: headrace up --local" in doctor.stdout


@pytest.fixture
def server(tmp_path: Path, runtime: str, own: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The child alone, and its address."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        command = [sys.executable, "-P", "-m", "deploy.local_model", str(own), str(port), "20"]
        with subprocess.Popen(
            command, env=environment(PYTHONPATH=runtime), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("own.gguf answers at http://127.0.0.1:")
            yield process, f"http://127.0.0.1:{port}"
            process.kill()


def is_busy(url: str) -> bool:
    _, slots = call("GET", f"{url}/slots")
    return bool(slots[0]["is_processing"])


def test_a_call_that_is_under_way_ends_before_the_server_does(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = server
    answers: list[Any] = []
    body = {"messages": [{"role": "user", "content": fake_llama.HOLD}]}
    asking = threading.Thread(
        target=lambda: answers.append(call("POST", f"{url}/v1/chat/completions", body=body))
    )
    asking.start()
    until(lambda: is_busy(url))

    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    call("GET", f"{url}/release")
    asking.join(PATIENCE_SECONDS)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert answers[0][0] == 200
    with pytest.raises(Unreachable):
        call("GET", f"{url}/slots", timeout=1)
