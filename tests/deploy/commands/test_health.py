"""`headrace health`: the answer of one process, and its price."""

import contextlib
import json
import resource
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import free_port
from tests.support.acceptance.running_stack import HEADRACE, environment
from tests.support.process import forked_command


@contextlib.contextmanager
def answering(status: int, body: Any) -> Iterator[int]:
    """Answer each request so on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status if self.path == "/readyz" else 404)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def health(*arguments: str, **variables: object) -> "subprocess.CompletedProcess[str]":
    environ = {f"HEADRACE_{name.upper()}": str(value) for name, value in variables.items()}
    return forked_command.headrace("health", *arguments, environ=environment(**environ))


def test_a_ready_gateway_is_told_with_exit_code_0() -> None:
    with answering(200, {"status": "ready"}) as port:
        done = health("gateway", port=port)

    assert (done.returncode, done.stdout) == (0, f"http://127.0.0.1:{port} is ready\n")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"ready": False, "reason": "draining"}, "draining"),
        ({"error": "The store cannot be reached", "code": "UNAVAILABLE"}, "The store cannot be"),
        (b"<html>", "it answered 503"),
        (b"[]", "it answered 503"),
    ],
)
def test_a_process_that_is_not_ready_says_why_with_exit_code_1(body: Any, reason: str) -> None:
    with answering(503, body) as port:
        done = health("worker", health_port=port)

    assert done.returncode == 1
    assert f"http://127.0.0.1:{port} is not ready: {reason}" in done.stderr


def test_without_an_argument_the_worker_is_asked_where_no_gateway_answers() -> None:
    absent = free_port()
    with answering(200, {"ready": True}) as port:
        done = health(port=absent, health_port=port)

    assert (done.returncode, done.stdout) == (0, f"http://127.0.0.1:{port} is ready\n")


def test_without_an_argument_a_gateway_that_answers_is_the_one_that_counts() -> None:
    with answering(503, {"error": "away"}) as gateway, answering(200, {"ready": True}) as worker:
        done = health(port=gateway, health_port=worker)

    assert (done.returncode, "away" in done.stderr) == (1, True)


def test_neither_a_gateway_nor_a_worker_is_a_sentence_on_both() -> None:
    gateway, worker = free_port(), free_port()

    done = health(port=gateway, health_port=worker)

    assert done.returncode == 1
    assert f"No gateway: http://127.0.0.1:{gateway}" in done.stderr
    assert f"No worker: http://127.0.0.1:{worker}" in done.stderr


def test_a_worker_without_a_port_is_told_which_setting_lacks() -> None:
    done = health("worker")

    assert done.returncode == 1
    assert "HEADRACE_HEALTH_PORT is not set" in done.stderr


def test_a_port_is_asked_whatever_the_settings_say() -> None:
    with answering(200, {"ready": True}) as port:
        done = health("--host", "127.0.0.1", "--port", str(port), host="192.0.2.1", port=1)

    assert done.returncode == 0


def test_every_address_is_asked_on_the_loopback() -> None:
    with answering(200, {"ready": True}) as port:
        done = health("worker", health_host="0.0.0.0", health_port=port)

    assert done.returncode == 0, done.stderr


def test_it_costs_little_since_it_runs_every_few_seconds() -> None:
    def cpu_seconds() -> float:
        # CPU time of the children alone, independent of other load of the machine.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with answering(200, {"ready": True}) as port:
            command = [*HEADRACE, "health", "--port", str(port)]
            done = subprocess.run(command, env=environment(), capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_seconds() for _ in range(5)) < 0.15
