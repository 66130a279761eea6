"""Servers for the time of a restore: they load, they end, and they say why they do not start."""

from pathlib import Path

import pytest
import redis

from deploy.backup.local_server import DUMP, serving_dump, serving_folder
from deploy.output.problems import CommandFailed
from engine.store.redis.address import RedisAddress
from engine.store.redis.connection import connect
from engine.store.redis.snapshot.stream import SnapshotStream


async def save(redis_url: str, folder: Path) -> None:
    stream = await SnapshotStream.open(await connect(RedisAddress.parse(redis_url)))
    (folder / DUMP).write_bytes(b"".join([piece async for piece in stream.pieces()]))


async def test_a_dump_is_served_until_the_context_ends(redis_url: str, tmp_path: Path) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("repl-diskless-sync-delay", 0)
        client.set("key", "value")
        await save(redis_url, tmp_path)

    async with serving_dump(tmp_path) as url:
        with redis.Redis.from_url(url) as client:
            assert client.get("key") == b"value"

    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(url) as client:
        client.ping()


async def test_a_dump_of_an_unknown_version_gives_the_servers_reason(tmp_path: Path) -> None:
    (tmp_path / DUMP).write_bytes(b"REDIS9999" + b"\xff" + bytes(8))

    with pytest.raises(CommandFailed, match="DB from file: REDIS9999.*install the server"):
        async with serving_dump(tmp_path):
            pass


async def test_a_dump_of_redis_8_is_loaded_by_valkey_too(redis_url: str, tmp_path: Path) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("repl-diskless-sync-delay", 0)
        client.set("key", "value")
        await save(redis_url, tmp_path)
    data = (tmp_path / DUMP).read_bytes()
    checksum_is_off = bytes(8)
    (tmp_path / DUMP).write_bytes(b"REDIS0012" + data[9:-8] + checksum_is_off)

    async with serving_dump(tmp_path) as url:
        with redis.Redis.from_url(url) as client:
            assert client.get("key") == b"value"


async def test_a_new_folder_has_the_data_once_its_server_has_ended(tmp_path: Path) -> None:
    async with serving_folder(tmp_path) as url:
        with redis.Redis.from_url(url) as client:
            client.set("key", "value")

    async with serving_folder(tmp_path) as url:
        with redis.Redis.from_url(url) as client:
            assert client.get("key") == b"value"
            assert client.config_get("appendonly") == {"appendonly": "yes"}
