"""Snapshots of real servers, by both ways in which a server sends its file."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress
from engine.store.redis.connection import connect
from engine.store.redis.snapshot.stream import SnapshotRefused, SnapshotStream
from tests.conftest import RedisServer
from tests.support.redis.proxy import running_proxy

KEYS = 3_000
WAYS = {"sized": ("--repl-diskless-sync", "no"), "marked": ("--repl-diskless-sync", "yes")}


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    server = RedisServer("--repl-diskless-sync-delay", "0", *WAYS[request.param])
    server.start()
    yield server
    server.stop()


async def take(url: str) -> tuple[SnapshotStream, bytes]:
    stream = await SnapshotStream.open(await connect(RedisAddress.parse(url)))
    return stream, b"".join([piece async for piece in stream.pieces()])


def load(data: bytes, folder: Path) -> dict[bytes, bytes]:
    """Return the contents of another server that has loaded the file."""
    (folder / "dump.rdb").write_bytes(data)
    server = RedisServer("--dbfilename", "dump.rdb", is_marked=False)
    server.start(folder)
    try:
        with redis.Redis.from_url(server.url) as client:
            return {key: client.get(key) for key in client.scan_iter("key*")}
    finally:
        server.stop()


async def test_a_snapshot_is_a_file_that_another_server_loads(
    server: RedisServer, tmp_path: Path
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.mset({f"key{number}": f"{number}" * 200 for number in range(KEYS)})

        began = client.time()[0]
        stream, data = await take(server.url)

        loaded = load(data, tmp_path)
        assert loaded == {key: client.get(key) for key in client.scan_iter("key*")}
        assert len(loaded) == KEYS
        info = client.info("server")
        names = stream.facts.server, stream.facts.version
        version = info.get("valkey_version") or info["redis_version"]
        assert names == (info.get("server_name", "redis"), version)
        assert began <= stream.facts.taken_at <= client.time()[0]


async def test_what_is_written_after_the_opening_is_not_in_the_snapshot(
    server: RedisServer, tmp_path: Path
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("key", "before")
        stream = await SnapshotStream.open(await connect(RedisAddress.parse(server.url)))
        client.set("key", "after")
        data = b"".join([piece async for piece in stream.pieces()])

    assert load(data, tmp_path) == {b"key": b"before"}


async def test_a_server_that_ends_in_the_middle_makes_no_shorter_snapshot(
    server: RedisServer,
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.mset({f"key{number}": random_text(10_000) for number in range(KEYS)})
    async with running_proxy(server.url) as proxy:
        stream = await SnapshotStream.open(await connect(RedisAddress.parse(proxy.url)))
        pieces = stream.pieces()
        await anext(pieces)
        proxy.cut()

        with pytest.raises(Unavailable):
            async for _ in pieces:
                pass


def random_text(size: int) -> bytes:
    return subprocess.run(["head", "-c", str(size), "/dev/urandom"], capture_output=True).stdout


async def test_a_user_without_the_command_gets_a_sentence(own_server: RedisServer) -> None:
    with redis.Redis.from_url(own_server.url) as client:
        client.acl_setuser(
            "eve", enabled=True, passwords="+secret", keys="*", commands=["+@all", "-sync"]
        )
    url = own_server.url.replace("unix://", "unix://eve:secret@")

    with pytest.raises(SnapshotRefused, match="SYNC and REPLCONF; where a provider.*snapshots"):
        await SnapshotStream.open(await connect(RedisAddress.parse(url)))


async def test_a_server_that_does_not_know_the_command_gets_the_same_sentence() -> None:
    server = RedisServer("--rename-command", "SYNC", "")
    server.start()
    try:
        with pytest.raises(SnapshotRefused, match="unknown command.*own snapshots"):
            await SnapshotStream.open(await connect(RedisAddress.parse(server.url)))
    finally:
        server.stop()


async def test_a_server_that_says_nothing_is_given_up(
    own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.redis.snapshot.stream.SILENCE_SECONDS", 0.2)
    async with running_proxy(own_server.url) as proxy:
        connection = await connect(RedisAddress.parse(proxy.url))
        asyncio.get_running_loop().call_later(0, setattr, proxy, "swallow_replies", True)
        with pytest.raises(Unavailable):
            await SnapshotStream.open(connection)
