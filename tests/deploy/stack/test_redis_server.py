import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from redis.asyncio import Redis

from deploy.stack import redis_server
from deploy.stack.redis_server import (
    RedisServer,
    forget_socket,
    is_about_overcommit,
    is_recent,
    open_server,
)
from tests.support.eventually import eventually


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Redis server v=8.0.2 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", True),
        ("Redis server v=7.4.0 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", True),
        ("Redis server v=7.2.9 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", False),
        ("Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64", True),
        ("Valkey server v=7.2.5 sha=00000000:0 malloc=libc bits=64", False),
        ("something else", False),
    ],
)
def test_only_servers_that_have_what_is_needed_are_recent(line: str, expected: bool) -> None:
    assert is_recent(line) is expected


def test_a_server_on_the_path_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.2.1 sha=0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_server.find_binary() != old


def test_a_recent_server_on_the_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = tmp_path / "valkey-server"
    recent.write_text("#!/bin/sh\necho 'Valkey server v=8.1.1 sha=0'\n")
    recent.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_server.find_binary() == recent


def test_the_bundled_server_is_found_without_its_packages_help() -> None:
    assert redis_server._bundled_file() == redis_server.bundled_binary()


def test_the_warning_about_overcommitted_memory_is_told_from_other_lines() -> None:
    warning = (
        "16025:M 27 Nov 2026 14:35:41.381 # WARNING Memory overcommit must be enabled! Without it, "
        "a background save or replication may fail under low memory condition."
    )

    assert is_about_overcommit(warning)
    assert not is_about_overcommit("16025:M 27 Nov 2026 14:35:41.381 # Can't save in background")


async def test_data_survives_a_kill_and_the_stale_socket_is_no_hindrance(tmp_path: Path) -> None:
    server = open_server(tmp_path)
    process = await _start(server)
    redis = Redis.from_url(server.url)
    await redis.set("name", "Ada")
    await redis.aclose()
    process.kill()
    process.wait()
    assert server.socket.exists()

    process = await _start(server)
    redis = Redis.from_url(server.url)

    try:
        assert await redis.get("name") == b"Ada"
        assert await redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert await redis.config_get("appendfsync") == {"appendfsync": "no"}
    finally:
        await redis.aclose()
        process.terminate()
        assert process.wait() == 0


async def test_it_refuses_what_is_new_at_a_share_of_the_machines_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server, "memory_bytes", lambda: 3_000_000_000)
    server, bounded = open_server(tmp_path), open_server(tmp_path, 50_000_000)
    process = await _start(server)
    redis = Redis.from_url(server.url)

    try:
        assert await redis.config_get("maxmemory") == {"maxmemory": "1000000000"}
        assert bounded.max_bytes == 50_000_000
    finally:
        await redis.aclose()
        process.terminate()
        process.wait()


def test_the_file_that_is_written_now_is_brought_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = open_server(tmp_path)
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/dev/fd/{fd}").resolve().name))
    server.sync()
    folder = server.folder / "appendonlydir"
    folder.mkdir(parents=True)
    for number in (1, 2):
        file = folder / f"appendonly.aof.{number}.incr.aof"
        file.touch()
        os.utime(file, (number, number))

    server.sync()

    assert synced == ["appendonly.aof.2.incr.aof"]


async def test_a_server_waits_for_the_one_before_it_to_let_go(tmp_path: Path) -> None:
    server = open_server(tmp_path)
    first = await _start(server)
    first.send_signal(signal.SIGSTOP)

    async def preparing() -> tuple[int, ...]:
        first.kill()
        first.wait()
        return await server.prepare()

    descriptors = await preparing()

    assert len(descriptors) == 1
    os.close(descriptors[0])


async def test_a_server_that_never_lets_go_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server, "LOCK_SECONDS", 0.1)
    server = open_server(tmp_path)
    (held,) = await server.prepare()

    with pytest.raises(Exception, match="Another Redis still uses"):
        await server.prepare()

    os.close(held)


async def test_a_server_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    assert not await open_server(tmp_path).is_ready()


def test_a_long_data_directory_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)

    server = open_server(deep)

    assert len(str(server.socket)) <= redis_server.MAX_SOCKET_PATH
    assert server.socket.parent.stat().st_mode & 0o077 == 0
    forget_socket(server)
    assert not server.socket.parent.exists()


async def test_a_path_with_spaces_and_signs_is_a_valid_address(tmp_path: Path) -> None:
    server = open_server(tmp_path / "a b%20?#é")
    process = await _start(server)
    redis = Redis.from_url(server.url)

    try:
        assert await redis.ping()
    finally:
        await redis.aclose()
        process.terminate()
        process.wait()
        shutil.rmtree(server.folder)


async def _start(server: RedisServer) -> subprocess.Popen[bytes]:
    descriptors = await server.prepare()
    process = subprocess.Popen(server.command(), stdout=subprocess.DEVNULL, pass_fds=descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    await eventually(server.is_ready)
    return process
