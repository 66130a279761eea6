"""A whole stack on a Redis that gives it the rights of the documentation and no others."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import RedisServer, free_port
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.documents import get, save
from tests.support.acceptance.gated_server import running_gate
from tests.support.acceptance.running_stack import RunningStack, environment, running, until
from tests.support.eventually import eventually
from tests.support.gateway.documents import edge, node
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.redis.cluster import running_cluster
from tests.support.redis.sentinel import running_group
from tests.support.redis.users import (
    AT_SENTINEL,
    PASSWORD,
    add_user,
    read_commands,
    read_denials,
)

ROOT = Path(__file__).parents[3]
SEND = """
from tests.support.workers import own_actors
own_actors.keep.send("soon")
own_actors.keep.send_with_options(args=("later",), delay=10)
"""
NOT_USED_HERE = {
    *("ASKING", "CLUSTER|SLOTS", "COMMAND"),  # on one server, or while no slot moves
    "SELECT",  # of another database, which a cluster has not
    "CLIENT|UNBLOCK",  # of workers that wait for a hint just when they stop
    *("HLEN", "ZREVRANK", "ZSCAN"),  # pages of admins, later pages of lists, searches of deliveries
    *("LPUSH", "XDEL", "ZCOUNT", "ZMSCORE"),  # own actors at a stop, long ledgers, admins, orphans
}
"""Commands that these tests need not cause; another test finds them in the code."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Servers of Redis with the users of the documentation."""

    settings: Mapping[str, str]
    """Settings of a stack that name them."""
    clients: Sequence[redis.Redis]
    """Clients of each server, and of each sentinel, with all rights."""


@contextlib.contextmanager
def single() -> Iterator[Servers]:
    """Run one server, with hints and messages in another database for another user."""
    port = free_port()
    server = RedisServer("--port", str(port), "--appendonly", "yes", is_marked=False)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        for user in ("headrace", "headrace-queue"):
            add_user(client, user)
        place = f"127.0.0.1:{port}"
        settings = {
            "HEADRACE_REDIS_URL": f"redis://headrace:{PASSWORD}@{place}/0",
            "HEADRACE_QUEUE_URL": f"redis://headrace-queue:{PASSWORD}@{place}/1",
        }
        yield Servers(settings=settings, clients=[client])
    server.stop()


@contextlib.contextmanager
def cluster() -> Iterator[Servers]:
    """Run three primaries."""
    with running_cluster(3, 0, is_marked=False) as found, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(each.client()) for each in found.servers]
        for client in clients:
            add_user(client, "headrace")
        url = found.address().replace("://", f"://headrace:{PASSWORD}@")
        yield Servers(settings={"HEADRACE_REDIS_URL": url}, clients=clients)


@contextlib.contextmanager
def sentinel() -> Iterator[Servers]:
    """Run a primary, a replica and a sentinel."""
    with running_group(1, 1, is_marked=False) as found, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(each.client()) for each in found.servers]
        sentinels = [stack.enter_context(each.client()) for each in found.sentinels]
        for client in clients:
            add_user(client, "headrace")
        for client in sentinels:
            add_user(client, "headrace", AT_SENTINEL)
        url = found.address().replace("://", f"://headrace:{PASSWORD}@")
        yield Servers(settings={"HEADRACE_REDIS_URL": url}, clients=[*clients, *sentinels])


@pytest.fixture(
    params=[
        single,
        *(pytest.param(each, marks=pytest.mark.thorough) for each in (sentinel, cluster)),
    ],
    ids=lambda form: form.__name__,
)
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    with request.param() as found:
        yield found


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> dict[str, str]:
    """The settings of the stack, and of a program that sends to own actors."""
    return {
        **servers.settings,
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_WEBHOOK_TIME_SCALE": "0.0005",
        "HEADRACE_ACTORS": "tests.support.workers.own_actors",
        "NOTES": str(tmp_path / "notes"),
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def stack(settings: dict[str, str], tmp_path: Path) -> Iterator[RunningStack]:
    with running(tmp_path, "--workers", "2", "--demo-provider", **settings) as started:
        yield started


def save_call(stack: RunningStack, name: str, url: str) -> str:
    nodes = [get("call", url), node("result", "responseOutput")]
    edges = [edge("call", "response-out", "result", "result-in")]
    return save(stack, stack.key, name, nodes, edges)


def read(stack: RunningStack, execution_id: str) -> Any:
    return stack.api("GET", f"/api/executions/{execution_id}")[1]


def begin(stack: RunningStack, slug: str) -> str:
    status, answer = stack.api("POST", f"/api/workflows/{slug}/run?async=true", {"inputs": {}})
    assert status == 202, answer
    return str(answer["executionId"])


def see_runs(stack: RunningStack) -> None:
    """Answer a run, cancel one that waits, and try a failed one again."""
    letter = {"inputs": {"name": "Ada"}}
    with running_gate() as gate:
        held = begin(stack, save_call(stack, "Held", f"{gate.url}/wait"))
        until(lambda: gate.counts["/wait"])
        failed = begin(stack, save_call(stack, "Failing", "http://127.0.0.1:1/"))
        until(lambda: read(stack, failed)["status"] == "failed")

        assert stack.api("POST", "/api/workflows/greeting-letter/run", letter)[0] == 200
        assert stack.api("POST", f"/api/executions/{failed}/retry")[0] == 202
        assert stack.api("POST", f"/api/executions/{held}/cancel")[0] in (200, 202)
        until(lambda: read(stack, held)["status"] == "cancelled")


async def see_webhooks(stack: RunningStack) -> None:
    """Deliver a webhook at the second attempt."""
    async with receiving() as receiver:
        key = await asyncio.to_thread(make_hooked_key, stack, f"{receiver.url}/fails/1")
        path, body = "/api/workflows/greeting-letter/run?async=true", {"inputs": {"name": "Ada"}}
        status, answer = await asyncio.to_thread(stack.api, "POST", path, body, key=key)
        assert status == 202, answer
        await eventually(lambda: received(receiver, 2))


def make_hooked_key(stack: RunningStack, url: str) -> str:
    """Create a key of the demo's account with a webhook; return its secret."""
    account = stack.api("GET", "/api/whoami")[1]["user"]["id"]
    capabilities = ("--capability", "workflow:*", "--capability", "webhook:receive")
    made = json_of(stack, "key", "create", "--account", account, *capabilities)
    own = {"HEADRACE_ALLOW_PRIVATE_URLS": "1"}
    json_of(stack, "key", "webhook", made["id"], "--url", url, **own)
    return str(made["key"])


async def received(receiver: Receiver, count: int) -> bool:
    return len(receiver.received) >= count


def see_own_actors(stack: RunningStack, settings: dict[str, str]) -> None:
    """Give messages to an own actor, now and later."""
    environ = environment(**settings)
    subprocess.run([sys.executable, "-c", SEND], env=environ, check=True, cwd=ROOT)

    notes = Path(settings["NOTES"])
    until(lambda: notes.exists() and notes.read_text().count('["keep"') == 2)


def see_workflows(stack: RunningStack) -> None:
    """Publish a draft, and delete the workflow."""
    letter = stack.api("GET", "/api/workflows/greeting-letter")[1] | {"name": "Once"}

    slug = stack.api("POST", "/api/workflows", letter | {"draft": True})[1]["slug"]
    path = f"/api/workflows/{slug}"

    assert stack.api("POST", f"{path}/publish", {})[0] == 200
    assert stack.api("DELETE", path)[0] in (200, 204)


def see_lists(stack: RunningStack) -> None:
    """Read metrics, lists and the history."""
    until(lambda: json_of(stack, "history", "status")["executions"] > 0)

    for path in ("/metrics", "/readyz", "/api/executions?limit=1", "/api/usage", "/api/workflows"):
        assert stack.api("GET", path)[0] == 200, path


def see_commands(stack: RunningStack) -> None:
    """Run commands of operators."""
    first, *_ = json_of(stack, "account", "list")
    account = json_of(stack, "account", "create", "--email", "a@example.org", "--tier", "free")[
        "id"
    ]

    json_of(stack, "account", "credit", account, "5")
    json_of(stack, "account", "role", first["id"], "admin")
    assert json_of(stack, "key", "list", "--account", first["id"])
    assert json_of(stack, "ledger", "show", account)
    assert json_of(stack, "ledger", "check") is not None
    assert json_of(stack, "audit")
    json_of(stack, "migrate")
    json_of(stack, "init")
    json_of(stack, "account", "erase", account, "--yes")
    assert json_of(stack, "doctor")["ok"]


def see_bulk_cancel(stack: RunningStack) -> None:
    """Cancel several runs by one call."""
    with running_gate() as gate:
        slug = save_call(stack, "Many", f"{gate.url}/wait")
        held = [begin(stack, slug) for _ in range(3)]
        until(lambda: gate.counts["/wait"] == len(held))

        status, answer = stack.api("POST", "/api/executions/cancel", {"workflowSlug": slug})

        assert (status, answer["cancelled"]) == (202, len(held))
        until(lambda: all(read(stack, each)["status"] == "cancelled" for each in held))


async def test_a_stack_needs_no_right_that_the_documentation_does_not_name(
    stack: RunningStack, settings: dict[str, str], servers: Servers
) -> None:
    await asyncio.to_thread(see_runs, stack)
    await see_webhooks(stack)
    await asyncio.to_thread(see_own_actors, stack, settings)
    for see in (see_workflows, see_lists, see_commands, see_bulk_cancel):
        await asyncio.to_thread(see, stack)
    assert await asyncio.to_thread(stack.stop) == 0

    assert [denial for client in servers.clients for denial in read_denials(client)] == []
    stats = [name for client in servers.clients for name in client.info("commandstats")]
    used = {name.upper().removeprefix("CMDSTAT_") for name in stats}
    assert read_commands("headrace") - used <= NOT_USED_HERE
