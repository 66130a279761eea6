"""Secrets of an account on a whole stack: canaries are found nowhere but at the remote."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import (
    BARE,
    HEADRACE,
    RunningStack,
    environment,
    running,
    until,
)
from tests.support.contract.installation import Administration, Caller, field, form, workflow
from tests.support.gateway.documents import edge, node
from tests.support.http.echo_server import EchoServer, echo_server
from tests.support.http.target import Stub, stub_server
from tests.support.observability.canaries import Canaries
from tests.support.redis.clients import open_redis

PATHS = ("json", "text", "error", "here", "away", "leak", "disguise")
USES: tuple[dict[str, Any], ...] = (
    {"auth": {"type": "bearer", "secret": "TOKEN"}},
    {"auth": {"type": "basic", "secret": "LOGIN"}},
    {"auth": {"type": "header", "secret": "TOKEN", "name": "X-Api-Key"}},
    {"headers": {"X-Key": "key {{ secret.TOKEN }}"}, "query": "?k={{ secret.QUERY }}"},
)
SETTINGS = {
    "HEADRACE_LOG_LEVEL": "debug",
    "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    "HEADRACE_WEBHOOK_TIME_SCALE": "0.00001",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(tmp_path_factory.mktemp("stack"), *BARE, **SETTINGS) as started:
        yield started


@pytest.fixture
def remote() -> Iterator[EchoServer]:
    with echo_server() as other, echo_server(other.url) as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Stub]:
    with stub_server() as started:
        yield started


def set_secret(
    stack: RunningStack, account: str, name: str, value: str, *options: str
) -> dict[str, Any]:
    """Set a secret from the command line, with its value on standard input."""
    done = subprocess.run(
        [
            *(*HEADRACE, "secret", "set", name, "--account", account, "--json"),
            *("--data-dir", str(stack.data_dir)),
            *options,
        ],
        input=f"{value}\n",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return dict(json.loads(done.stdout))


def calling(remote: EchoServer, path: str, use: dict[str, Any]) -> dict[str, Any]:
    """A workflow that repeats an answer in a text and in its result."""
    data = {name: value for name, value in use.items() if name != "query"}
    url = f"{remote.url}/{path}{use.get('query', '')}"
    nodes = [
        form(field("who", "text")),
        node("call", "httpRequest", url=url, **data),
        node("text", "textBox", text="Answer: {{ answer }}"),
        node("out", "responseOutput", fields=[{"name": "raw"}, {"name": "text"}]),
    ]
    edges = [
        edge("call", "response-out", "text", "answer"),
        edge("call", "response-out", "out", "raw"),
        edge("text", "text-out", "out", "text"),
    ]
    return workflow(nodes, edges)


def run_all(caller: Caller, browser: Caller, remote: EchoServer) -> tuple[list[str], int]:
    """Run each use on each path; return all answers, and the number of asynchronous runs."""
    answers, begun = [], 0
    for path in PATHS:
        for number, use in enumerate(USES):
            slug = browser.save(calling(remote, path, use))
            if number % 2:
                execution_id = caller.start(slug)
                caller.ended(execution_id)
                begun += 1
            else:
                run = caller.run(slug)
                execution_id = run.json()["executionId"]
                answers.append(run.text)
            record = f"/api/executions/{execution_id}"
            shown = (record, f"{record}/events", f"/api/workflows/{slug}")
            answers += [caller.get(each).text for each in shown]
    lists = ("secrets", "executions?limit=500", "workflows", "usage")
    answers += [browser.get(f"/api/{each}").text for each in lists]
    return [*answers, browser.get("/metrics").text], begun


def contents(url: str) -> bytes:
    """Return all keys of a Redis with their values."""
    found = []
    with open_redis(url) as client:
        for key in client.scan_iter(count=1_000):
            kind = client.type(key).decode()
            read = {
                "string": client.get,
                "hash": client.hgetall,
                "list": lambda name: client.lrange(name, 0, -1),
                "set": client.smembers,
                "zset": lambda name: client.zrange(name, 0, -1),
                "stream": client.xrange,
            }[kind]
            found.append(repr((key, read(key))).encode())
    return b"\n".join(found)


def test_canaries_are_found_nowhere_but_at_the_remote(
    stack: RunningStack, remote: EchoServer, receiver: Stub
) -> None:
    canaries, administration = Canaries(), Administration(stack)
    account, stranger = administration.account("enterprise"), administration.account("enterprise")
    browser, other = administration.browser(account), administration.browser(stranger)
    key = json_of(
        *(stack, "key", "create", "--account", account, "--capability", "workflow:*"),
        *("--capability", "execution:*", "--capability", "webhook:receive"),
    )
    hook = {"HEADRACE_ALLOW_PRIVATE_URLS": "1"}
    json_of(stack, "key", "webhook", key["id"], "--url", f"{receiver.url}/hook", **hook)
    set_secret(stack, account, "TOKEN", canaries.make("TOKEN", "sk/{}+=?"))
    set_secret(stack, account, "LOGIN", canaries.make("LOGIN", 'ada:pass "{}"é/'))
    query = {"value": canaries.make("QUERY", "a b&{}\\é\n'+")}
    assert browser.put("/api/secrets/QUERY", query).status_code == 200

    answers, begun = run_all(administration.with_key(key["key"]), browser, remote)
    received = until(lambda: receiver.at("/hook"), lambda found: len(found) >= begun, timeout=30)
    listed = json_of(stack, "secret", "list", "--account", account)
    answers += [json.dumps(listed), stack.command("execution", "list", "--account", account).stdout]
    others = [other.get(path).text for path in ("/api/secrets", "/api/workflows", "/api/usage")]
    in_redis = contents(stack.redis_url)
    environments = [
        (Path("/proc") / str(pid) / name).read_bytes()
        for pid in stack.processes()
        for name in ("environ", "cmdline")
    ]
    administration.close()

    sent = "\n".join(f"{path} {headers}" for path, headers in remote.received).encode()
    assert len(canaries.found_in(sent)) == 3
    assert "•••" in "\n".join(answers)
    assert [row["name"] for row in listed] == ["LOGIN", "QUERY", "TOKEN"]
    assert len(listed[2]["usedBy"]) == 3 * len(PATHS)
    assert canaries.found_in("\n".join(answers).encode()) == []
    assert canaries.found_in("\n".join(others).encode()) == []
    assert canaries.found_in(b"\n".join(each.body for each in received)) == []
    assert canaries.found_in(repr([each.headers for each in received]).encode()) == []
    assert b":secrets" in in_redis
    assert canaries.found_in(in_redis) == []
    assert canaries.found_in(b"\n".join(environments)) == []
    assert any('"level":"debug"' in line or '"level":"info"' in line for line in stack.errors)
    assert canaries.found_in("".join(stack.errors).encode()) == []
    files = [path for path in stack.data_dir.rglob("*") if path.is_file()]
    assert [path for path in files if canaries.found_in(path.read_bytes())] == []


def test_hosts_of_a_secret_are_set_kept_and_removed_by_commands(stack: RunningStack) -> None:
    account = Administration(stack).account()
    seen = []
    for options in (("--host", "API.example.com", "--host", "*.b.example"), (), ("--any-host",)):
        set_secret(stack, account, "TOKEN", "a long value", *options)
        seen.append(json_of(stack, "secret", "list", "--account", account)[0]["hosts"])

    assert seen == [["api.example.com", "*.b.example"]] * 2 + [None]


def test_secrets_are_set_listed_and_deleted_by_commands(stack: RunningStack) -> None:
    account = Administration(stack).account()
    made = set_secret(stack, account, "TOKEN", "a long value")

    listed = json_of(stack, "secret", "list", "--account", account)
    shown = stack.command("secret", "list", "--account", account).stdout
    gone = json_of(stack, "secret", "delete", "TOKEN", "--account", account)
    again = stack.command("secret", "delete", "TOKEN", "--account", account)
    nobody = stack.command("secret", "list")

    assert listed == [{**made, "hosts": None, "usedBy": []}]
    assert "TOKEN" in shown
    assert gone == {"name": "TOKEN", "deleted": True}
    assert (again.returncode, again.stderr) == (1, "headrace: There is no such secret\n")
    assert (nobody.returncode, "name an --account" in nobody.stderr) == (1, True)
