"""A stack whose Redis is emptied or exchanged serves nothing, and recovers with its Redis."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import redis

from engine.access.sealing import Sealer
from tests.conftest import RedisServer
from tests.support.acceptance.documents import get, save
from tests.support.acceptance.gated_server import Gate, running_gate
from tests.support.acceptance.running_stack import BARE, RunningStack, running, started, until
from tests.support.gateway.documents import edge, node
from tests.support.redis.installation import MARKER, mark

COUNT = 10
TERMINAL = frozenset({"completed", "failed", "cancelled"})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A durable Redis on a folder of its own, not marked yet."""
    server = RedisServer("--appendonly", "yes", "--appendfsync", "always", is_marked=False)
    (tmp_path / "right").mkdir()
    server.start(tmp_path / "right")
    yield server
    server.stop()


def save_two_calls(stack: RunningStack, base: str) -> str:
    """Save a workflow with a call that waits, and one after it."""
    nodes = [
        node("form", "requestInput", fields=[{"name": "id", "label": "Id", "type": "text"}]),
        get("first", base + "/wait-{{ id }}"),
        get("second", base + "/then-{{ seen }}"),
        node("result", "responseOutput"),
    ]
    edges = [
        edge("form", "id", "first", "id"),
        edge("first", "response-out", "second", "seen"),
        edge("second", "response-out", "result", "result-in"),
    ]
    return save(stack, stack.key, "Two calls", nodes, edges)


def begin(stack: RunningStack, gate: Gate, slug: str) -> dict[str, str]:
    """Start executions and wait until each waits at the gate; return execution ids by name."""
    path = f"/api/workflows/{slug}/run?async=true"
    accepted = {}
    for name in map(str, range(COUNT)):
        status, answer = stack.api("POST", path, {"inputs": {"id": name}})
        assert status == 202, answer
        accepted[name] = str(answer["executionId"])
    until(lambda: sum(gate.counts[f"/wait-{name}"] for name in accepted) == COUNT)
    return accepted


def exchange(server: RedisServer, folder: Path) -> None:
    """Restart Redis on another folder."""
    with redis.Redis.from_url(server.url) as client:
        client.shutdown()
    server.kill()  # it reaps the process
    folder.mkdir(exist_ok=True)
    server.start(folder)


def readiness(stack: RunningStack) -> int:
    status, _ = stack.api("GET", "/readyz", key=None)
    return status


def refusals(stack: RunningStack, slug: str, execution: str) -> set[tuple[int, str, bool]]:
    """Return status, code and whether Retry-After is set, for calls of many kinds."""
    calls = [
        ("GET", "/readyz", None),
        ("GET", "/api/whoami", None),
        ("GET", "/api/workflows", None),
        ("GET", "/api/executions", None),
        ("GET", f"/api/executions/{execution}", None),
        ("POST", f"/api/executions/{execution}/cancel", None),
        ("POST", f"/api/workflows/{slug}/run", {"inputs": {"id": "new"}}),
        ("POST", f"/api/workflows/{slug}/run?async=true", {"inputs": {"id": "new"}}),
        ("GET", "/api/usage", None),
    ]
    with httpx2.Client(base_url=stack.url, headers={"x-api-key": stack.key}, timeout=30) as client:
        answers = [client.request(method, path, json=body) for method, path, body in calls]
    return {
        (each.status_code, each.json().get("code"), "retry-after" in each.headers)
        for each in answers
    }


def exchange_redis(folder: Path, server: RedisServer, *, wrong: str, seconds: float) -> None:
    """Exchange Redis while executions are under way, and bring the right one back."""
    environ = {"HEADRACE_REDIS_URL": server.url, "HEADRACE_ALLOW_PRIVATE_URLS": "1"}
    with running_gate() as gate, running(folder, **environ) as stack:
        slug = save_two_calls(stack, gate.url)
        accepted = begin(stack, gate, slug)

        server.is_marked = wrong == "foreign"
        exchange(server, folder / wrong)
        until(lambda: readiness(stack) == 503)
        for name in list(accepted)[: COUNT // 2]:
            gate.let_go(f"/wait-{name}")  # these end while there is no Redis to record it
        account = ("account", "create", "--email", "eve@example.org", "--tier", "pro")
        command = stack.command(*account)
        deadline = time.monotonic() + seconds
        observed = refusals(stack, slug, accepted["0"])
        while time.monotonic() < deadline:
            observed |= refusals(stack, slug, accepted["0"])
        with redis.Redis.from_url(server.url) as client:
            written = set(client.scan_iter())
            if wrong == "foreign":
                written -= {b"hr:installation:{hr:account_ids}"}

        server.is_marked = False
        exchange(server, folder / "right")
        until(lambda: readiness(stack) == 200)
        for name in accepted:
            gate.let_go(f"/wait-{name}")
        ends = {name: end_of(stack, execution) for name, execution in accepted.items()}
        counts = dict(gate.counts)
        assert stack.stop() == 0

    cause = {"empty": "holds no Headrace installation", "foreign": "another installation's data"}
    assert observed == {(503, "UNAVAILABLE", True)}
    assert written == set()
    assert command.returncode == 1
    assert cause[wrong] in command.stderr
    assert command.stderr.count("\n") == 1
    for part in ("gateway", "worker"):
        reported = [
            line for line in stack.errors if line.startswith(part) and "store is refused" in line
        ]
        assert reported, part
        assert all("Start Redis on the right" in line for line in reported)
        # The foreign Redis has no marker for a moment after its start.
        seen = cause.values() if wrong == "foreign" else [cause[wrong]]
        assert all(any(each in line for each in seen) for line in reported)
    assert ends == {name: ("completed", f"then-wait-{name}") for name in accepted}
    assert counts == {f"/{part}-{name}": 1 for part in ("wait", "then-wait") for name in accepted}


def end_of(stack: RunningStack, execution: str) -> tuple[str, object]:
    """Return the last status of an execution, and its result or error."""

    def read() -> tuple[str, object]:
        _, answer = stack.api("GET", f"/api/executions/{execution}")
        result = answer.get("result")
        return str(answer.get("status")), result if result is not None else answer.get("error")

    return until(read, lambda end: end[0] in TERMINAL, timeout=30)


def test_an_emptied_redis_is_not_served_and_executions_go_on_when_it_is_back(
    tmp_path: Path, server: RedisServer
) -> None:
    exchange_redis(tmp_path, server, wrong="empty", seconds=0)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["empty", "foreign"])
@pytest.mark.parametrize("seconds", [1.0, 15.0])
def test_a_redis_that_is_exchanged_for_longer_than_leases_last(
    tmp_path: Path, server: RedisServer, wrong: str, seconds: float
) -> None:
    exchange_redis(tmp_path, server, wrong=wrong, seconds=seconds)


def test_a_data_directory_that_is_not_new_begins_no_installation_by_itself(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "secret.key").write_text(f"{'k' * 64}\n")  # its Redis is no longer there

    with started(tmp_path, *BARE) as emptied:
        code = emptied.wait()
        planned = emptied.command("init")
    with running(tmp_path, *BARE) as stack:
        kept = json.loads(stack.command("init", "--json").stdout)
        assert stack.stop() == 0

    assert code == 1
    assert "holds no Headrace installation. Start Redis on the right" in emptied.errors[-1]
    assert (planned.returncode, planned.stderr) == (0, "")
    assert "the next `headrace up` on this data directory marks its Redis" in planned.stdout
    assert kept["outcome"] == "kept"
    assert kept["id"] == Sealer.from_secret_key("k" * 64).installation_ids[0]
    assert (kept["schemaVersion"], kept["partitions"]) == (3, 16)


def test_a_redis_of_ones_own_that_is_anothers_is_not_used(
    tmp_path: Path, unmarked_redis_url: str
) -> None:
    with redis.Redis.from_url(unmarked_redis_url) as client:
        mark(client)
    with started(tmp_path, *BARE, HEADRACE_REDIS_URL=unmarked_redis_url) as stack:
        code = stack.wait()
        adopted = stack.command("init", "--adopt", HEADRACE_REDIS_URL=unmarked_redis_url)

    assert code == 1
    assert "holds another installation's data." in stack.errors[-1]
    assert (adopted.returncode, adopted.stderr) == (0, "")
    with redis.Redis.from_url(unmarked_redis_url) as client:
        assert client.hget("hr:installation:{hr:account_ids}", "ids") != MARKER["ids"].encode()
