"""Installations with one, sixteen and many partitions, from the first run to the last trace."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy.net.http_client import Unreachable, call
from engine.ids.partitions import MAX_COUNT
from engine.ids.tokens import make_token
from tests.conftest import RedisServer, free_port
from tests.support.acceptance.callers import save
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.gated_server import Gate, running_gate
from tests.support.acceptance.running_stack import (
    HEADRACE,
    RunningStack,
    environment,
    running,
    until,
)
from tests.support.acceptance.topology import TOPOLOGY
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Graph, http_fan
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.process.forked_command import headrace
from tests.support.redis.installation import SECRET_KEY, mark

ENVIRON = {
    "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    "HEADRACE_WEBHOOK_TIME_SCALE": "0.0005",
    "HEADRACE_HOT_MINUTES": "0",
}
ENDED = frozenset({"completed", "failed", "cancelled"})


class Caller:
    """An account of a stack, with a key that has a webhook."""

    def __init__(self, stack: RunningStack, name: str, webhook_url: str) -> None:
        email = f"{name}@example.org"
        account = json_of(stack, "account", "create", "--email", email, "--tier", "enterprise")
        self.account = str(account["id"])
        allowed = ("--capability", "workflow:*", "--capability", "webhook:receive")
        key = json_of(stack, "key", "create", "--account", self.account, *allowed)
        json_of(stack, "key", "webhook", key["id"], "--url", webhook_url, **ENVIRON)
        self.key = str(key["key"])

    def run(self, stack: RunningStack, slug: str) -> tuple[int, Any]:
        """Run a workflow and wait."""
        body = {"inputs": {"who": "Ada"}}
        return call("POST", f"{stack.url}/api/workflows/{slug}/run", key=self.key, body=body)

    def begin(self, stack: RunningStack, slug: str) -> str:
        """Begin a run; return its id."""
        path = f"{stack.url}/api/workflows/{slug}/run?async=true"
        status, answer = call("POST", path, key=self.key, body={"inputs": {}})
        assert status == 202, answer
        return str(answer["executionId"])

    def status(self, stack: RunningStack, execution_id: str) -> str:
        """Return the status of a run."""
        _, answer = call("GET", f"{stack.url}/api/executions/{execution_id}", key=self.key)
        return str(answer.get("status"))


class Trial:
    """One installation from its beginning to a restart."""

    def __init__(self, folder: Path, count: int, receiver: Receiver, gate: Gate) -> None:
        self._folder = folder
        self._count = count
        self._receiver = receiver
        self._gate = gate
        self.ended: list[tuple[Caller, str]] = []

    @contextmanager
    def stack(self) -> Iterator[RunningStack]:
        """Run the stack."""
        with running(self._folder, "--no-demo", "--workers", "2", **ENVIRON) as stack:
            yield stack
            assert stack.stop() == 0

    def plan(self) -> dict[str, Any]:
        """Choose the partitions of a new data directory."""
        data = str(self._folder / "data")
        arguments = ("init", "--partitions", str(self._count), "--data-dir", data, "--json")
        done = headrace(*arguments, environ=environment())
        assert done.returncode == 0, done.stderr
        planned: dict[str, Any] = json.loads(done.stdout)
        return planned

    def end(self, stack: RunningStack, caller: Caller, execution_id: str) -> None:
        """Wait for the end of a run."""
        until(lambda: caller.status(stack, execution_id), ENDED.__contains__)
        assert caller.status(stack, execution_id) == "completed"
        self.ended.append((caller, execution_id))

    def retry(self, stack: RunningStack, caller: Caller) -> None:
        """Run a node that fails first; its retry is due later than a walk waits for it."""
        url = f"{self._receiver.url}/fails/1"
        graph = http_fan(url, 1, retry={"attempts": 2, "backoff": 1.5})
        slug = save(stack, caller.key, "Retry", graph.body())
        self.end(stack, caller, caller.begin(stack, slug))

    def kill_workers(self, stack: RunningStack, caller: Caller) -> None:
        """Kill the workers while they hold a run; others go on with it."""
        slug = save(stack, caller.key, "Held", self._call("/wait-held").body())
        execution_id = caller.begin(stack, slug)
        until(lambda: self._gate.counts["/wait-held"])
        for pid in stack.part("worker"):
            os.kill(pid, signal.SIGKILL)
        self._gate.let_go("/wait-held")
        self.end(stack, caller, execution_id)

    def lose_hint(self, stack: RunningStack, caller: Caller) -> None:
        """Accept a run whose hint is lost; the sweeper sends another one."""
        slug = save(stack, caller.key, "Lost", self._call("/lost").body())
        workers = until(lambda: stack.part("worker"), lambda pids: len(pids) == 2)
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        execution_id = caller.begin(stack, slug)
        with redis.Redis.from_url(stack.redis_url) as client:
            client.delete("hr:hints:walk", "hr:hints:bulk")
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        self.end(stack, caller, execution_id)

    def archive(self, stack: RunningStack) -> None:
        """Wait until the history has all runs, and Redis none."""
        ids = {execution_id for _, execution_id in self.ended}

        def exported() -> set[str]:
            lines = stack.command("history", "export").stdout.splitlines()
            return {json.loads(line)["id"] for line in lines}

        until(lambda: ids - exported(), lambda left: not left)
        if not TOPOLOGY:
            with redis.Redis.from_url(stack.redis_url) as client:
                until(lambda: [n for n in names(client) if any(i in n for i in ids)], empty)
        for caller, execution_id in self.ended:
            assert caller.status(stack, execution_id) == "completed"

    def erase(self, stack: RunningStack, caller: Caller) -> None:
        """Erase an account."""
        json_of(stack, "account", "erase", caller.account, "--yes")
        self.ended = [each for each in self.ended if each[0] is not caller]
        status, _ = call("GET", f"{stack.url}/api/whoami", key=caller.key)
        assert status == 401
        if not TOPOLOGY:
            with redis.Redis.from_url(stack.redis_url) as client:
                assert [name for name in names(client) if caller.account in name] == []

    def _call(self, path: str) -> Graph:
        graph = Graph().node("call", "httpRequest", url=f"{self._gate.url}{path}")
        return graph.node("out", "responseOutput").wire("call.response-out > out.result-in")


def names(client: "redis.Redis") -> list[str]:
    return [name.decode() for name in client.scan_iter()]


def empty(found: list[str]) -> bool:
    return not found


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "count", [*(pytest.param(each, marks=pytest.mark.thorough) for each in (1, 16)), MAX_COUNT]
)
async def test_an_installation_lives_with_any_number_of_partitions(
    count: int, tmp_path: Path
) -> None:
    async with receiving() as receiver:
        with running_gate() as gate:
            trial = Trial(tmp_path, count, receiver, gate)
            await asyncio.to_thread(live, trial, count, receiver)
        told = {each.event["executionId"] for each in receiver.received if each.path == "/ok"}

    assert told >= {execution_id for _, execution_id in trial.ended}


def live(trial: Trial, count: int, receiver: Receiver) -> None:
    planned = trial.plan()
    with trial.stack() as stack:
        callers = [Caller(stack, name, f"{receiver.url}/ok") for name in ("ada", "bob")]
        slugs = [save(stack, each.key, "Greeting") for each in callers]
        for caller, slug in zip(callers, slugs, strict=True):
            assert caller.run(stack, slug)[1]["result"] == {"text": "Hello Ada"}
        ada, bob = callers
        trial.retry(stack, ada)
        trial.kill_workers(stack, bob)
        if not TOPOLOGY:
            trial.lose_hint(stack, ada)
        trial.archive(stack)
        trial.erase(stack, bob)
        checks = {each["name"]: each["seen"] for each in json_of(stack, "doctor")["checks"]}
        kept = json_of(stack, "init")
    with trial.stack() as stack:
        assert ada.run(stack, slugs[0])[0] == 200
        for caller, execution_id in trial.ended:
            assert caller.status(stack, execution_id) == "completed"
        refused = stack.command("init", "--partitions", str(count % MAX_COUNT + 1))

    assert planned == {"outcome": "planned", "partitions": count}
    assert (kept["outcome"], kept["partitions"]) == ("kept", count)
    assert checks["partitions"] == f"{count}, chosen when the installation began"
    assert refused.returncode == 1
    assert f"has {count} partitions, not {count % MAX_COUNT + 1}." in refused.stderr


@contextmanager
def parts(folder: Path, port: int, redis_url: str) -> Iterator[None]:
    """Run a gateway and a worker."""
    environ = environment(
        HEADRACE_REDIS_URL=redis_url,
        HEADRACE_SECRET_KEY=SECRET_KEY,
        HEADRACE_MEDIA_URL=(folder / "media").as_uri(),
        **ENVIRON,
    )
    commands = (("gateway", "--port", str(port)), ("worker",))
    started = [subprocess.Popen([*HEADRACE, *each], env=environ, cwd=folder) for each in commands]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(PATIENCE_SECONDS)


async def test_a_gateway_and_a_worker_that_start_before_their_redis_learn_its_partitions(
    tmp_path: Path,
) -> None:
    server, port = RedisServer(is_marked=False), free_port()
    url = f"http://127.0.0.1:{port}"

    def status(path: str, key: str = "hr_live_x") -> int:
        try:
            return call("GET", url + path, key=key)[0]
        except Unreachable:
            return 0

    def live_on() -> None:
        with parts(tmp_path, port, server.url):
            key = make_token("hr_live_", 0)
            until(lambda: status("/readyz"), (503).__eq__)
            before = {status(each, key) for each in ("/api/whoami", "/api/workflows")}
            server.start()
            with redis.Redis.from_url(server.url) as client:
                mark(client, partition_count=64)
            until(lambda: status("/readyz"), (200).__eq__)
            environ = {"HEADRACE_REDIS_URL": server.url, "HEADRACE_SECRET_KEY": SECRET_KEY}
            made = headrace(
                *("account", "create", "--email", "a@e.com", "--tier", "pro", "--json"),
                environ=environment(**environ),
            )
            account = json.loads(made.stdout)["id"]
            done = headrace(
                *("key", "create", "--account", account, "--preset", "Full deploy", "--json"),
                environ=environment(**environ),
            )
            secret = json.loads(done.stdout)["key"]
            body = Graph("who").node("out", "responseOutput").wire("in.who > out.result-in").body()
            saved = call("POST", f"{url}/api/workflows", key=secret, body=body)[1]
            path = f"{url}/api/workflows/{saved['slug']}/run"
            answers = call("POST", path, key=secret, body={"inputs": {"who": "Ada"}})
            assert (before, answers[0]) == ({503}, 200)
            with redis.Redis.from_url(server.url) as client:
                mark(client, partition_count=32)
                until(lambda: status("/readyz"), (503).__eq__)
                mark(client, partition_count=64)
            until(lambda: status("/readyz"), (200).__eq__)

    try:
        await asyncio.to_thread(live_on)
    finally:
        server.stop()
