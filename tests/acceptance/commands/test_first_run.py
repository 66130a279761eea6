import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from deploy.net.http_client import call
from deploy.stack.location import read_private
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import (
    BARE,
    HEADRACE,
    ONE_WORKER,
    RunningStack,
    environment,
    running,
    started,
    until,
)

KINDS = ("redis", "gateway", "worker")
TYPED_ADDRESS = {
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
SEE_ABOVE = "its lines above say why."


def paste(line: str) -> tuple[int, object]:
    """Run the printed line as a shell and curl would."""
    words = shlex.split(line)
    headers = [words[place + 1] for place, word in enumerate(words) if word == "-H"]
    key = next(header.removeprefix("x-api-key: ") for header in headers if "x-api-key" in header)
    body = words[words.index("-d") + 1]
    assert words[:2] == ["curl", "-s"]
    assert "content-type: application/json" in headers
    return call("POST", words[2], key=key, body=body.encode())


def test_the_stack_starts_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        assert stack.line("Dear Ada")
        status, answer = paste(stack.line("curl "))
        until(lambda: [len(stack.part(kind)) for kind in KINDS], lambda now: now == [1, 1, 2])

        code = stack.stop(signal.SIGINT)

        assert status == 200
        assert isinstance(answer, dict)
        assert answer["result"]["text"].startswith("Dear Ada,\n")
        assert code == 0
        assert stack.processes() == {}


def test_a_newcomer_is_shown_the_pages_a_link_to_sign_in_and_the_data(tmp_path: Path) -> None:
    with running(tmp_path, *ONE_WORKER) as stack:
        docs = stack.line("Pages ").split("the API: ")[1].rstrip(")")
        link = stack.line("Sign in ").split()[-1]
        another = shlex.split(stack.line("          (once,").split("another: ")[1].rstrip(")"))
        data = stack.line("Data ").split()[-1]
        account = read_private(stack.data_dir / "demo.json")["accountId"]

        with httpx2.Client(timeout=30) as browser:
            shown = browser.get(docs)
            signed_in = browser.get(link, headers=TYPED_ADDRESS)
            who = browser.get(f"{stack.url}/api/whoami").json()
        printed = stack.command(*another[1:]).stdout

        assert (shown.status_code, "/api/workflows" in shown.text) == (200, True)
        assert (signed_in.status_code, who["user"]["id"]) == (303, account)
        assert who["user"]["role"] == "admin"
        assert another == [
            *("headrace", "login-link", "--account", account),
            *("--data-dir", str(stack.data_dir)),
        ]
        assert printed.startswith(f"{stack.url}/login?token=")
        assert data == str(stack.data_dir)


def test_the_console_tells_of_the_start_and_says_at_the_end_where_the_data_is(
    tmp_path: Path,
) -> None:
    with running(tmp_path, *BARE) as stack:
        stack.line("Stop ")
        begun = list(stack.errors)
        stack.stop(signal.SIGTERM)

    command = f"headrace up --port 0 --data-dir {stack.data_dir} --no-demo --workers 1"
    assert begun[0] == "up         | starts Redis, 1 gateway and 1 worker\n"
    assert not any("overcommit" in line for line in begun)
    assert any(line.startswith("up         | is stopping: ") for line in stack.errors)
    assert stack.errors[-1] == (
        f"up         | has stopped; the data is in {stack.data_dir}; start again: {command}\n"
    )


def test_a_stack_finds_its_data_again_however_it_ended(tmp_path: Path) -> None:
    with running(tmp_path, *ONE_WORKER) as first:
        line = first.line("curl ")
        _, ran = first.api("POST", "/api/workflows/greeting-letter/run", {"inputs": {}})
        _, workflows = first.api("GET", "/api/workflows")
        key = first.key
        first.stop()

    with running(tmp_path, *ONE_WORKER) as second:
        again = second.line("curl ")
        _, found = second.api("GET", f"/api/executions/{ran['executionId']}")
        _, still = second.api("GET", "/api/workflows")
        second.process.kill()
        until(second.processes, lambda left: not left)

    assert found["result"] == ran["result"]
    assert [row["slug"] for row in still] == [row["slug"] for row in workflows]
    assert shlex.split(again)[3:] == shlex.split(line)[3:]
    with running(tmp_path, *ONE_WORKER) as third:
        assert third.line("Dear Ada")
        assert third.key == key


@pytest.mark.thorough
def test_a_killed_supervisor_can_be_started_again_at_once(tmp_path: Path) -> None:
    with running(tmp_path, *ONE_WORKER) as first:
        first.process.kill()
        first.process.wait()
        with running(tmp_path, *ONE_WORKER) as second:
            assert second.line("Dear Ada")
            assert second.stop() == 0


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack without the demo, for tests that do not change it."""
    with running(tmp_path_factory.mktemp("bare"), *BARE) as started:
        yield started


def test_a_second_start_on_the_same_data_says_so(bare: RunningStack, tmp_path: Path) -> None:
    with started(tmp_path, *BARE, "--data-dir", str(bare.data_dir)) as second:
        assert second.wait() == 1
        assert f"Another `headrace up` (process {bare.process.pid})" in "".join(second.errors)
    assert bare.process.poll() is None


def test_a_port_that_is_taken_is_said_in_one_sentence(bare: RunningStack, tmp_path: Path) -> None:
    port = bare.url.rpartition(":")[2]
    with started(tmp_path, *BARE, "--port", port) as other:
        assert other.wait() == 1
        assert "".join(other.errors).startswith(f"headrace: Port {port} on 127.0.0.1 cannot be")


def test_without_a_demo_nothing_is_created(bare: RunningStack) -> None:
    accounts = bare.command("account", "list", "--json")

    assert accounts.stdout == "[]\n"
    assert not (bare.data_dir / "demo.json").exists()


def test_the_doctor_finds_a_healthy_stack_healthy(bare: RunningStack) -> None:
    # A gateway may be ready a moment before the first worker is registered.
    until(lambda: bare.command("doctor").returncode == 0)
    report = json_of(bare, "doctor")

    assert report["ok"]
    assert [check["name"] for check in report["checks"]] == [
        "redis",
        "append-only file",
        "eviction",
        "memory",
        "clock",
        "partitions",
        "workers",
        "secret key",
        "schema",
        "hints",
        "steps",
        "schedules",
        "models",
        "providers",
        "history",
        "overcommit",
        "media",
        "traces",
        "gateway",
        "local model",
        "file descriptors",
    ]


def test_a_second_interrupt_ends_everything_at_once(tmp_path: Path) -> None:
    with running(tmp_path, *BARE) as stack:
        (gateway,) = stack.part("gateway")
        subprocess.run(["kill", "-STOP", str(gateway)], check=True)

        def interrupt() -> int | None:
            stack.process.send_signal(signal.SIGINT)
            return stack.process.poll()

        until(interrupt)

        assert stack.wait() == 130
        assert until(stack.processes, lambda left: not left) == {}


def test_a_redis_of_ones_own_is_used_and_left_alone_and_the_doctor_names_what_is_wrong_with_it(
    tmp_path: Path, unmarked_redis_url: str
) -> None:
    with running(tmp_path, *ONE_WORKER, HEADRACE_REDIS_URL=unmarked_redis_url) as stack:
        assert stack.line("Dear Ada")
        assert stack.part("redis") == []
        assert stack.redis_url == unmarked_redis_url
        done = stack.command("doctor")
        assert stack.stop() == 0

    assert done.returncode == 1
    assert "WRONG  append-only file: off" in done.stdout
    assert "\nwarn   memory: " in done.stdout
    assert "CONFIG SET appendonly yes" in done.stdout


def test_a_redis_that_cannot_start_is_told_with_its_reason(tmp_path: Path) -> None:
    damaged = tmp_path / "data" / "redis" / "appendonlydir"
    damaged.mkdir(parents=True)
    (damaged / "appendonly.aof.manifest").write_text("nonsense\n")

    with started(tmp_path, *BARE) as stack:
        assert stack.wait() == 1
        assert stack.errors[-1] == f"headrace: The redis does not start; {SEE_ABOVE}\n"
        assert any(line.startswith("redis      | ") for line in stack.errors)


def test_a_gateway_that_cannot_start_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    with started(tmp_path, *BARE, HEADRACE_LOG_LEVEL="nonsense") as stack:
        assert stack.wait() == 1
        assert stack.errors[-1] == f"headrace: The gateway.1 does not start; {SEE_ABOVE}\n"
        assert stack.processes() == {}


def test_a_redis_of_ones_own_that_does_not_answer_is_named(tmp_path: Path) -> None:
    silent = f"unix://{tmp_path}/nobody.sock"
    with started(tmp_path, HEADRACE_REDIS_URL=silent) as stack:
        assert stack.wait() == 1
        assert stack.errors == [
            "up         | starts 1 gateway and 2 workers\n",
            "headrace: The Redis that HEADRACE_REDIS_URL names does not answer. "
            "No server listens there.\n",
        ]


def test_whoever_reads_the_first_line_alone_does_no_harm(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*HEADRACE, "up", "--port", "0", "--data-dir", str(tmp_path), *ONE_WORKER],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[1]
        process.stdout.close()
        status, _ = call("GET", f"{url}/readyz")

        process.terminate()

        assert (status, process.wait(60)) == (200, 0)
