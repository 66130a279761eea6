"""`headrace backup` and `headrace restore` by addresses with TLS, users and sentinels."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.backup.local_server import serving_folder
from tests.conftest import RedisServer
from tests.support.acceptance.running_stack import environment
from tests.support.process.forked_command import headrace
from tests.support.redis.certificates import Certificates, make_certificates
from tests.support.redis.fronts import TlsFront
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.sentinel import running_group
from tests.support.redis.users import PASSWORD, read_rules

VALUES = {f"hr:key{number}": f"{number}" * 50 for number in range(20_000)}


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def servers() -> Iterator[list[RedisServer]]:
    """A marked server with keys, and an empty one."""
    started = [RedisServer("--repl-diskless-sync-delay", "0", is_marked=each) for each in (1, 0)]
    for server in started:
        server.start()
    with redis.Redis.from_url(started[0].url) as client:
        client.mset(VALUES)
    yield started
    for server in started:
        server.stop()


def run(*arguments: str, **environ: str) -> None:
    own = environment(HEADRACE_SECRET_KEY=SECRET_KEY, **environ)
    done = headrace(*arguments, environ=own)
    assert done.returncode == 0, done.stderr


def values_of(url: str) -> dict[str, str]:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        keys = list(client.scan_iter("hr:key*"))
        return dict(zip(keys, client.mget(keys), strict=True)) if keys else {}


async def values_in(data_dir: Path) -> dict[str, str]:
    async with serving_folder(data_dir / "redis") as url:
        return values_of(url)


def test_a_backup_and_a_restore_over_tls_show_the_certificate_of_the_client(
    servers: list[RedisServer], certificates: Certificates, tmp_path: Path
) -> None:
    fronts = [TlsFront(each.url, certificates, asks_for_certificate=True) for each in servers]
    path = str(tmp_path / "backup.zip")
    for command, front in zip(("backup", "restore"), fronts, strict=True):
        url = f"rediss://127.0.0.1:{front.port}/0"
        data_dir = ("--data-dir", str(tmp_path / "data"))
        run(command, path, *data_dir, HEADRACE_REDIS_URL=url, **certificates.environment())
    for front in fronts:
        front.close()

    assert values_of(servers[1].url) == VALUES


def test_the_user_of_backups_may_do_all_that_both_commands_do(
    servers: list[RedisServer], tmp_path: Path
) -> None:
    path = str(tmp_path / "backup.zip")
    for command, server in zip(("backup", "restore"), servers, strict=True):
        with redis.Redis.from_url(server.url) as client:
            for user in ("headrace", "headrace-backup"):
                rules = [each.replace(">PASSWORD", f">{PASSWORD}") for each in read_rules(user)]
                client.execute_command("ACL", "SETUSER", "headrace-backup", *rules)
        url = server.url.replace("unix://", f"unix://headrace-backup:{PASSWORD}@")
        run(command, path, "--data-dir", str(tmp_path / "data"), HEADRACE_REDIS_URL=url)

    assert values_of(servers[1].url) == VALUES


def test_the_primary_that_sentinels_name_is_saved_and_restored_into(
    servers: list[RedisServer], tmp_path: Path
) -> None:
    path, data_dir = str(tmp_path / "backup.zip"), ("--data-dir", str(tmp_path / "data"))
    run("backup", path, *data_dir, HEADRACE_REDIS_URL=servers[0].url)
    with running_group(1, 1, is_marked=False) as group:
        run("restore", path, *data_dir, HEADRACE_REDIS_URL=group.address())
        again = str(tmp_path / "again.zip")
        run("backup", again, *data_dir, HEADRACE_REDIS_URL=group.address())

    run("restore", again, "--data-dir", str(tmp_path / "third"))
    assert asyncio.run(values_in(tmp_path / "third")) == VALUES
