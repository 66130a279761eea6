"""Signals to each kind of process."""

import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.net.http_client import call
from tests.conftest import free_port
from tests.support.acceptance.running_stack import HEADRACE, environment, until
from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, running_fleet
from tests.support.drains.provider import asking, recording_provider, write_model

UP, STUB = "up", "stub-provider"
KINDS = (GATEWAY, WORKER, UP, STUB)
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LONG_DRAIN = "60"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running_fleet(tmp_path) as fleet:
        yield fleet


def arguments(fleet: Fleet, kind: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command of a process that answers at a port, and its environment."""
    if kind in (GATEWAY, WORKER):
        name = "HEADRACE_PORT" if kind == GATEWAY else "HEADRACE_HEALTH_PORT"
        return [*HEADRACE, kind], environment(**fleet.environ, **{name: str(port)})
    command = [*HEADRACE, kind, "--port", str(port)]
    own = ("--no-demo", "--workers", "1", "--data-dir", str(fleet.folder / "stack"))
    return [*command, *(own if kind == UP else ())], environment()


def wait_until_it_answers(kind: str, port: int) -> None:
    path = "/stub/calls" if kind == STUB else "/readyz"

    def status() -> int:
        try:
            return call("GET", f"http://127.0.0.1:{port}{path}", timeout=5)[0]
        except Exception:
            return 0

    until(status, lambda found: found == 200)


def stop(fleet: Fleet, kind: str, number: signal.Signals, *, with_nohup: bool = False) -> int:
    """Start a process, send it a signal and return its exit code."""
    port = free_port()
    command, environ = arguments(fleet, kind, port)
    with (fleet.folder / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(
            [*(("nohup",) if with_nohup else ()), *command],
            env=environ,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        )
    try:
        wait_until_it_answers(kind, port)
        process.send_signal(number)
        if with_nohup:
            time.sleep(1.0)
            assert process.poll() is None, "it goes on without its terminal"
            process.terminate()
        return process.wait(60)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", [GATEWAY, WORKER, STUB])
@pytest.mark.F81
def test_a_terminal_that_closes_lets_a_process_drain(fleet: Fleet, kind: str) -> None:
    assert stop(fleet, kind, signal.SIGHUP) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", HANDLED)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.F81
def test_a_process_drains_and_exits_with_0(fleet: Fleet, kind: str, number: signal.Signals) -> None:
    assert stop(fleet, kind, number) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nohup_lets_a_process_go_on_without_its_terminal(fleet: Fleet, kind: str) -> None:
    assert stop(fleet, kind, signal.SIGHUP, with_nohup=True) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [GATEWAY, WORKER, STUB])
def test_a_quit_ends_a_process_at_once(fleet: Fleet, kind: str) -> None:
    assert stop(fleet, kind, signal.SIGQUIT) == -signal.SIGQUIT


@pytest.mark.F81
def test_a_second_signal_lets_a_worker_give_back_at_once(tmp_path: Path) -> None:
    with recording_provider() as provider:
        environ = {"HEADRACE_MODELS_DIR": write_model(tmp_path / "models"), **provider.environ}
        with running_fleet(tmp_path, HEADRACE_DRAIN_SECONDS=LONG_DRAIN, **environ) as fleet:
            gateway, worker = fleet.start(GATEWAY), fleet.start(WORKER)
            gateway.wait_ready()
            key = fleet.make_key()
            path = f"{gateway.url}/api/workflows/{fleet.save(key, 'Asking', asking())}/run"
            inputs = {"who": "run [[stub delay=6000]]"}
            _, begun = call("POST", f"{path}?async=true", key=key, body={"inputs": inputs})
            until(lambda: provider.running == 1)

            worker.process.send_signal(signal.SIGTERM)
            until(lambda: worker.readiness() == 503)
            told_at = time.monotonic()
            code = worker.end(signal.SIGTERM)
            seconds = time.monotonic() - told_at
            fleet.start(WORKER)

            url = f"{gateway.url}/api/executions/{begun['executionId']}"
            run = until(lambda: call("GET", url, key=key)[1], lambda run: run["completedAt"])

    assert (code, run["status"]) == (0, "completed")
    assert [node["attempts"] for node in run["nodes"]] == [1] * len(run["nodes"])
    assert seconds < float(LONG_DRAIN) / 2
