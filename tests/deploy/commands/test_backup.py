"""`headrace backup` and `headrace restore` without a stack: refusals and interruptions."""

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.backup.local_server import serving_folder
from deploy.stack.location import lock_data_dir
from engine.store.redis import keyspace
from engine.store.redis.installation import FIRST_SCHEMA
from tests.conftest import RedisServer
from tests.support.acceptance.running_stack import HEADRACE, environment, until
from tests.support.process.forked_command import headrace
from tests.support.redis.installation import SECRET_KEY

KEYS = 300
OURS = {"HEADRACE_SECRET_KEY": SECRET_KEY}
DIGITS = str(bytes(range(48, 58)) * 20)


@pytest.fixture
def source() -> Iterator[RedisServer]:
    """A marked server with some keys."""
    server = RedisServer("--repl-diskless-sync-delay", "0")
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.mset({f"hr:key{number}": number for number in range(KEYS)})
    yield server
    server.stop()


@pytest.fixture
def backup(source: RedisServer, tmp_path: Path) -> Path:
    path = tmp_path / "backup.zip"
    code, errors = run("backup", str(path), "--data-dir", str(tmp_path / "none"), **at(source.url))
    assert code == 0, errors
    return path


def at(url: str) -> dict[str, str]:
    return OURS | {"HEADRACE_REDIS_URL": url}


def run(*arguments: str, **environ: str) -> tuple[int, str]:
    """Run the command; return its exit code and its messages."""
    done = headrace(*arguments, environ=environment(**environ))
    return done.returncode, done.stderr


def restore(path: Path, data_dir: Path, **environ: str) -> tuple[int, str]:
    return run("restore", str(path), "--data-dir", str(data_dir), **environ)


def keys_of(url: str) -> set[bytes]:
    with redis.Redis.from_url(url) as client:
        return set(client.scan_iter())


def keys_in(data_dir: Path) -> set[bytes]:
    """Return the keys in a restored data directory, by the server that `headrace up` runs."""

    async def read() -> set[bytes]:
        async with serving_folder(data_dir / "redis") as url:
            return keys_of(url)

    return asyncio.run(read())


@pytest.fixture
def shared_server() -> Iterator[RedisServer]:
    server = RedisServer("--repl-diskless-sync-delay", "0", is_marked=False)
    server.start()
    yield server
    server.stop()


def test_keys_of_the_own_database_alone_are_restored(
    shared_server: RedisServer, tmp_path: Path
) -> None:
    server = shared_server
    with redis.Redis.from_url(server.url) as client:
        client.set("of another program", 1)
        client.select(3)
    url, data_dir = f"{server.url}?db=3", tmp_path / "data"
    assert run("init", "--data-dir", str(data_dir), **at(url))[0] == 0
    with redis.Redis.from_url(url) as client:
        client.set("hr:ours", 1)
    path = tmp_path / "backup.zip"

    assert run("backup", str(path), "--data-dir", str(data_dir), **at(url))[0] == 0
    assert restore(path, data_dir, **OURS)[0] == 0

    assert keys_in(data_dir) == {b"hr:ours", keyspace.installation().encode()}


def test_a_restore_leaves_nothing_but_the_data(backup: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"

    code, errors = restore(backup, data_dir, **OURS)

    assert code == 0, errors
    assert {each.name for each in data_dir.iterdir()} == {"installation.json", "lock", "redis"}
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert len(keys_in(data_dir)) == KEYS + 1


def test_a_stack_that_was_stopped_or_killed_is_saved_from_its_data_directory(
    backup: Path, tmp_path: Path
) -> None:
    data_dir, again = tmp_path / "data", tmp_path / "again.zip"
    assert restore(backup, data_dir, **OURS)[0] == 0
    (data_dir / "stack.json").write_text('{"redisUrl": "unix:///tmp/of-a-killed-stack"}')

    code, errors = run("backup", str(again), "--data-dir", str(data_dir), **OURS)

    assert code == 0, errors
    assert restore(again, tmp_path / "other", **OURS)[0] == 0
    assert len(keys_in(tmp_path / "other")) == KEYS + 1


def test_a_store_of_an_older_schema_keeps_it_for_the_release_before(
    source: RedisServer, tmp_path: Path, unmarked_redis_url: str
) -> None:
    marker, path = keyspace.installation(), tmp_path / "old.zip"
    with redis.Redis.from_url(source.url) as client:
        client.hset(marker, "schema", FIRST_SCHEMA)
        fields = client.hgetall(marker)

    assert run("backup", str(path), **at(source.url))[0] == 0
    assert restore(path, tmp_path / "data", **at(unmarked_redis_url))[0] == 0

    with redis.Redis.from_url(unmarked_redis_url) as client:
        assert client.hgetall(marker) == fields


def test_a_redis_with_keys_is_refused_and_kept(
    backup: Path, tmp_path: Path, unmarked_redis_url: str
) -> None:
    with redis.Redis.from_url(unmarked_redis_url) as client:
        client.set("mine", 1)

    code, errors = restore(backup, tmp_path / "data", **at(unmarked_redis_url))

    assert (code, "is not empty (1 keys)" in errors) == (1, True), errors
    assert keys_of(unmarked_redis_url) == {b"mine"}


def test_a_data_directory_whose_stack_runs_is_refused(backup: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    lock = lock_data_dir(data_dir)
    try:
        code, errors = restore(backup, data_dir, **OURS)
    finally:
        os.close(lock)

    assert (code, "already uses" in errors) == (1, True), errors


@pytest.mark.parametrize(
    ("environ", "reason"),
    [({}, "is missing"), ({"HEADRACE_SECRET_KEY": "x" * 40}, "is that of another installation")],
)
def test_another_key_or_none_is_refused_before_anything_is_written(
    backup: Path, tmp_path: Path, unmarked_redis_url: str, environ: dict[str, str], reason: str
) -> None:
    code, errors = restore(
        backup, tmp_path / "data", HEADRACE_REDIS_URL=unmarked_redis_url, **environ
    )

    assert (code, reason in errors) == (1, True), errors
    assert keys_of(unmarked_redis_url) == set()


def test_half_a_file_is_refused_before_anything_is_written(
    backup: Path, tmp_path: Path, unmarked_redis_url: str
) -> None:
    backup.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])

    code, errors = restore(backup, tmp_path / "data", **at(unmarked_redis_url))

    assert (code, "its end is missing" in errors) == (1, True), errors
    assert keys_of(unmarked_redis_url) == set()


def test_a_server_that_forbids_copies_is_told_with_the_way_out(
    own_server: RedisServer, tmp_path: Path
) -> None:
    with redis.Redis.from_url(own_server.url) as client:
        client.acl_setuser(
            "eve", enabled=True, passwords="+p", keys="*", channels="*", commands=["+@all", "-sync"]
        )
    url = own_server.url.replace("unix://", "unix://eve:p@")

    code, errors = run("backup", str(tmp_path / "b.zip"), **at(url))

    assert (code, "the provider's own snapshots" in errors) == (1, True), errors
    assert list(tmp_path.iterdir()) == []


class Killed:
    """A restore of many keys that is killed in the middle."""

    def __init__(self, source: RedisServer, folder: Path) -> None:
        self.path = folder / "backup.zip"
        self._folder = folder
        with redis.Redis.from_url(source.url) as client:
            for start in range(0, 60_000, 10_000):
                names = range(start, start + 10_000)
                client.mset({f"hr:many{number}": DIGITS for number in names})
            self.count = client.dbsize()
        code, errors = run("backup", str(self.path), **at(source.url))
        assert code == 0, errors

    def kill(self, data_dir: Path, **environ: str) -> None:
        """Kill the command once it writes keys."""
        arguments = ("restore", str(self.path), "--data-dir", str(data_dir))
        with (self._folder / "log").open("w") as log:
            process = subprocess.Popen(
                [*HEADRACE, *arguments], env=environment(**environ), stderr=log, stdout=log
            )
        told = self._folder / "log"
        until(lambda: "restores the state" in told.read_text() or process.poll() is not None)
        until(lambda: self._writes(data_dir, environ) or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, told.read_text()

    def _writes(self, data_dir: Path, environ: dict[str, str]) -> bool:
        if "HEADRACE_REDIS_URL" in environ:
            return len(keys_of(environ["HEADRACE_REDIS_URL"])) > 1
        files = (data_dir / "redis.restoring").glob("appendonlydir/*.incr.aof")
        return any(file.stat().st_size > 1_000 for file in files)


@pytest.fixture
def killed(source: RedisServer, tmp_path: Path) -> Killed:
    return Killed(source, tmp_path)


def test_a_redis_that_is_restored_in_half_serves_nobody(
    killed: Killed, tmp_path: Path, unmarked_redis_url: str
) -> None:
    environ = at(unmarked_redis_url)
    killed.kill(tmp_path / "data", **environ)

    assert 1 < len(keys_of(unmarked_redis_url)) < killed.count
    for words in (("account", "list"), ("init",), ("init", "--adopt"), ("backup", "x.zip")):
        code, errors = run(*words, "--data-dir", str(tmp_path / "other"), **environ)
        assert (code, "is not restored whole" in errors) == (1, True), (words, errors)
    report = headrace(
        *("doctor", "--json", "--data-dir", str(tmp_path / "other")), environ=environment(**environ)
    )
    (check,) = [each for each in json.loads(report.stdout)["checks"] if each["state"] == "failed"]
    assert (check["name"], "restored whole" in check["seen"]) == ("installation", True)
    code, errors = restore(killed.path, tmp_path / "data", **environ)
    assert (code, "a restore was interrupted" in errors) == (1, True), errors

    with redis.Redis.from_url(unmarked_redis_url) as client:
        client.flushdb()
    assert restore(killed.path, tmp_path / "data", **environ)[0] == 0
    assert len(keys_of(unmarked_redis_url)) == killed.count


def test_a_data_directory_that_is_restored_in_half_is_begun_anew(
    killed: Killed, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    killed.kill(data_dir, **OURS)

    started = subprocess.run(
        [*HEADRACE, "up", "--no-demo", "--port", "0", "--data-dir", str(data_dir)],
        env=environment(**OURS),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (started.returncode, "is not restored whole" in started.stderr) == (1, True)
    assert not (data_dir / "redis").exists()

    code, errors = restore(killed.path, data_dir, **OURS)
    assert code == 0, errors
    assert len(keys_in(data_dir)) == killed.count


@pytest.mark.slow
def test_the_memory_of_both_commands_does_not_grow_with_the_data(
    source: RedisServer, tmp_path: Path
) -> None:
    with redis.Redis.from_url(source.url) as client:
        for number in range(300):
            client.set(f"hr:large{number}", os.urandom(1_000_000))
        client.hset("hr:hash", mapping={str(number): DIGITS for number in range(200_000)})
    path = str(tmp_path / "backup.zip")

    saving = peak("backup", path, **at(source.url))
    restoring = peak("restore", path, "--data-dir", str(tmp_path / "data"), **OURS)

    assert Path(path).stat().st_size > 300_000_000
    print(f"peaks: {saving} MB to save, {restoring} MB to restore")
    assert max(saving, restoring) < 250


def peak(*arguments: str, **environ: str) -> int:
    """Run the command; return the most megabytes that it had at once."""
    process = subprocess.Popen([*HEADRACE, *arguments], env=environment(**environ))
    status, most = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
        most = max(most, int(found[1]) if found else 0)
        time.sleep(0.05)
    assert process.returncode == 0
    return most // 1_024
