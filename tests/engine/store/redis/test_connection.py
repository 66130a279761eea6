"""Connections: to a primary that becomes a replica, and to host names that mean trouble."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.access.capabilities import Tier
from engine.errors import Unavailable
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.redis import subscription
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.client import Client
from engine.store.redis.connection import connect
from engine.store.redis.heartbeat import Heartbeat
from tests.conftest import free_port
from tests.support.eventually import eventually
from tests.support.redis.failover import Pair, running_pair
from tests.support.store.records import accept, save

ROOT = Path(__file__).parents[4]
HOST = "redis.invalid"
NAME_SERVER = ("127.0.0.77", 53)
CALLS = f"""
import asyncio, uvloop
from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client

async def main():
    client = Client(RedisAddress.parse("redis://{HOST}:6379/0"))
    for _ in range(2):
        try:
            await client.send("PING")
        except Unavailable as error:
            print(error.reason)
    await client.close()
    await asyncio.sleep(3)  # the lookups end meanwhile

uvloop.run(main())
"""


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with running_pair() as started:
        yield started


async def test_a_client_finds_the_new_primary(pair: Pair) -> None:
    await pair.follow()
    store = Store.open(Settings(redis_url=pair.proxy.url))
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    workflow, plan = await save(store, account)
    await pair.hand_over()

    with pytest.raises(Unavailable) as caught:
        await accept(store, account, workflow, plan)
    accepted = await accept(store, account, workflow, plan)

    assert caught.value.word == "READONLY"
    claimed = await store.walks.claim(f"{account.id}/{accepted.id}", "w1")
    assert claimed is not None
    await store.close()


async def test_a_client_does_not_stay_with_a_replica_that_the_address_still_names(
    pair: Pair,
) -> None:
    client = Client(RedisAddress.parse(pair.proxy.url))
    await client.send("SET", "a", 1)
    await pair.fail_over()
    pair.proxy.move(pair.old.url)  # the name is updated late

    for _ in range(3):
        with pytest.raises(Unavailable):
            await client.send("SET", "a", 2)
    pair.proxy.move(pair.new.url)

    assert await client.send("SET", "a", 2) == b"OK"
    await client.close()


async def test_a_heartbeat_finds_the_new_primary(pair: Pair) -> None:
    heartbeat = Heartbeat(RedisAddress.parse(pair.proxy.url), "w1", 0.3)
    heartbeat.start()
    new = Store.open(Settings(redis_url=pair.new.url))
    try:
        old = Store.open(Settings(redis_url=pair.old.url))
        await eventually(old.leases.workers)
        await old.close()
        await pair.fail_over()

        assert list(await eventually(new.leases.workers)) == ["w1"]
    finally:
        heartbeat.stop()
        await new.close()


async def test_a_subscription_leaves_a_demoted_server_that_hears_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "LOOK_SECONDS", 0.05)
    async with CompletionNotifier.open(RedisAddress.parse(pair.proxy.url)) as notifier:
        await pair.fail_over()
        there = Client(RedisAddress.parse(pair.new.url))

        with notifier.expecting("x") as completion:

            async def rung() -> bool:
                await there.send("PUBLISH", notifier.channel, "x")
                return await completion.wait(_true, 0.1) or False

            async def _true() -> bool | None:
                return completion.was_notified or None

            assert await eventually(rung)
        await there.close()


async def test_a_name_that_nobody_knows_is_named() -> None:
    client = Client(RedisAddress.parse(f"redis://{HOST}:6379/0"))

    with pytest.raises(Unavailable) as failure:
        await client.send("PING")

    assert f"host name '{HOST}' cannot be looked up" in failure.value.reason
    await client.close()


def test_a_name_server_that_does_not_answer_is_told_once(tmp_path: Path) -> None:
    if os.geteuid() or shutil.which("unshare") is None:
        pytest.skip("a name server of its own needs root and `unshare`")
    settings = tmp_path / "resolv.conf"
    settings.write_text(f"nameserver {NAME_SERVER[0]}\noptions timeout:1 attempts:1\n")
    enter = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", enter, str(settings), sys.executable, "-c", CALLS]

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(NAME_SERVER)
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )

    reason = f"Its host name '{HOST}' cannot be looked up (no name server answers in time)."
    assert done.stdout.splitlines() == [reason] * 2
    assert "never retrieved" not in done.stderr
    assert done.stderr.count("Redis cannot be reached") == 1


async def test_the_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    port, greetings = free_port(), 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal greetings
        await reader.read(100)
        greetings += 1
        writer.write(b"%1\r\n$4\r\nrole\r\n$6\r\nmaster\r\n")
        await writer.drain()
        writer.close()

    async def two(node: RedisNode) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr("engine.store.redis.connection._look_up", two)
    address = RedisAddress.parse(f"redis://{HOST}:{port}")
    async with await asyncio.start_server(answer, "127.0.0.1", port):
        await (await connect(address)).lost

    assert greetings == 1
    with pytest.raises(ConnectionRefusedError):
        await connect(address)
