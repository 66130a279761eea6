"""A store with a schema that is unknown here is refused by every process and command."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from engine.store.redis import keyspace
from engine.store.redis.installation import SCHEMA
from tests.conftest import RedisServer, free_port
from tests.support.acceptance.running_stack import (
    BARE,
    HEADRACE,
    environment,
    running,
    started,
    until,
)
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.process.forked_command import headrace
from tests.support.redis.clients import open_redis
from tests.support.redis.installation import SECRET_KEY, marker_keys

WORD = "SCHEMA_TOO_NEW"
REMEDY = "Run that version here, or a later one"


def raise_schema(url: str) -> None:
    with open_redis(url) as client:
        for key in marker_keys(client):
            client.hset(key, "schema", SCHEMA + 1)


@pytest.fixture
def newer_url(own_server: RedisServer) -> Iterator[str]:
    raise_schema(own_server.url)
    yield own_server.url


def environ_of(url: str) -> dict[str, str]:
    return environment(
        HEADRACE_REDIS_URL=url, HEADRACE_SECRET_KEY=SECRET_KEY, HEADRACE_PORT=str(free_port())
    )


@pytest.mark.parametrize("part", ["gateway", "worker"])
def test_a_process_ends_at_its_start_and_names_the_remedy(part: str, newer_url: str) -> None:
    ended = subprocess.run(
        [*HEADRACE, part],
        env=environ_of(newer_url),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )

    *logged, last = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert last.startswith(f"headrace: {WORD}: The Redis at ")
    assert REMEDY in last
    lines = [json.loads(line) for line in logged]
    assert any(WORD in line.get("seen", "") and REMEDY in line["fix"] for line in lines)
    assert "Traceback" not in ended.stderr
    with redis.Redis.from_url(newer_url) as client:
        assert client.keys() == [keyspace.installation().encode()]


@pytest.mark.parametrize(
    "arguments", [("account", "list"), ("init",), ("model", "list"), ("ledger", "check")]
)
def test_a_command_refuses_in_one_line(
    arguments: tuple[str, ...], newer_url: str, tmp_path: Path
) -> None:
    done = headrace(*arguments, "--data-dir", str(tmp_path), environ=environ_of(newer_url))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"headrace: {WORD}: ")
    assert REMEDY in done.stderr
    assert done.stderr.count("\n") == 1


def test_doctor_names_the_schema(newer_url: str, tmp_path: Path) -> None:
    done = headrace("doctor", "--json", "--data-dir", str(tmp_path), environ=environ_of(newer_url))

    check = json.loads(done.stdout)["checks"][0]
    assert done.returncode == 1
    assert (check["name"], check["ok"]) == ("installation", False)
    assert check["seen"].startswith(WORD)
    assert REMEDY in check["fix"]


def test_a_stack_does_not_start_on_a_newer_store(newer_url: str, tmp_path: Path) -> None:
    variables = {"HEADRACE_REDIS_URL": newer_url, "HEADRACE_SECRET_KEY": SECRET_KEY}
    with started(tmp_path, *BARE, **variables) as stack:
        code = stack.wait()

    assert code == 1
    assert stack.errors[-1].startswith(f"headrace: {WORD}: ")


def test_a_stack_ends_once_the_schema_is_raised_under_it(tmp_path: Path) -> None:
    with running(tmp_path, *BARE) as stack:
        raise_schema(stack.redis_url)
        code = stack.wait()
        left = until(stack.processes, lambda found: not found)

    assert code == 1
    assert left == {}
    assert stack.errors[-1].startswith(f"headrace: {WORD}: ")
    parts = ("gateway", "worker")
    assert any(line.startswith(parts) and WORD in line for line in stack.errors), stack.errors
