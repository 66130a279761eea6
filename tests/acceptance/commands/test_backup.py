"""Backups of a running installation under load, restored into both kinds of places."""

import asyncio
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, select

from deploy.backup.local_server import serving_folder
from deploy.net.http_client import call
from engine.history.database.connections import Database
from engine.history.schema import executions, ledger_entries, rollups
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.gated_server import running_gate
from tests.support.acceptance.running_stack import BARE, RunningStack, environment, running, until
from tests.support.history.backed_up import (
    SECRET,
    Installation,
    Load,
    copy_data,
    load,
    loaded_dump,
    read_facts,
    send_event,
)
from tests.support.history.databases import create_database, server_of_run
from tests.support.http.echo_server import echo_server
from tests.support.process.forked_command import headrace
from tests.support.store.redis_contents import contents

TIMES = 4
"""Backups that are taken one after another in the slow test."""
SETTINGS = {
    "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    "HEADRACE_DRAIN_SECONDS": "0.5",
    "HEADRACE_HOT_MINUTES": "0.1",
}


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup, and the stopped installation that it was taken of."""

    made: Installation
    path: Path
    row: dict[str, Any]
    before: frozenset[str]
    """Executions of the busy account that were accepted before the backup began."""
    accepted: frozenset[str]
    """All that were accepted before it ended."""


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backup]:
    folder = tmp_path_factory.mktemp("old")
    with running_gate() as gate, echo_server() as echo:
        with running(folder, *BARE, **SETTINGS) as stack:
            made = Installation(stack, gate, echo)
            with load(stack, made) as running_load:
                until(lambda: len(running_load.accepted) > 50)
                taken = take(stack, made, running_load, folder / "backup.zip")
            stack.stop()
        yield taken


def take(stack: RunningStack, made: Installation, running_load: Load, path: Path) -> Backup:
    before = frozenset(running_load.accepted)
    row = json_of(stack, "backup", str(path))
    accepted = frozenset(running_load.accepted)
    return Backup(made=made, path=path, row=row, before=before, accepted=accepted)


def restore(
    path: Path, data_dir: Path, *more: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    arguments = ("restore", str(path), "--data-dir", str(data_dir), *more)
    return headrace(*arguments, environ=environment(**environ))


def status_of(stack: RunningStack, made: Installation, execution_id: str) -> Any:
    return call("GET", f"{stack.url}/api/executions/{execution_id}", key=made.key)[1]


def check_running(stack: RunningStack, backup: Backup) -> None:
    """Check that a restored installation is that of the backup, and goes on with it."""
    made, calls = backup.made, backup.made.gate.counts["/wait"]
    assert read_facts(stack, made) == made.facts
    until(lambda: made.gate.counts["/wait"] > calls, timeout=30)  # another worker runs it
    made.gate.let_go("/wait")
    ended = until(
        lambda: status_of(stack, made, made.waiting),
        lambda found: found["status"] != "processing",
    )
    assert (ended["status"], ended["result"]) == ("completed", "then-wait")
    assert status_of(stack, made, made.retrying)["status"] == "processing"
    check_busy_account(stack, backup, f"sqlite:///{stack.data_dir / 'history.sqlite'}")

    status, answer = send_event(stack.url, made)
    assert (status, answer["executionId"]) == (200, made.started_by_event)  # it is known
    made.echo.received.clear()
    url = f"{stack.url}/api/workflows/{made.secret_slug}/run"
    assert call("POST", url, key=made.key, body={"inputs": {}})[0] == 200
    assert any(SECRET in str(headers) for _, headers in made.echo.received)
    with httpx2.Client() as browser:
        link = json_of(stack, "login-link", "--account", made.account)["url"]
        assert browser.post(link, headers={"origin": stack.url}).status_code == 303
    assert [row for row in json_of(stack, "ledger", "check") if row["faults"]] == []


def check_busy_account(stack: RunningStack, backup: Backup, url: str) -> None:
    """Check that each execution from before the backup is there, and ends once."""

    def read(execution_id: str) -> tuple[int, str]:
        key = backup.made.busy_key
        status, found = call("GET", f"{stack.url}/api/executions/{execution_id}", key=key)
        return status, found.get("status", "")

    def has_ended(found: tuple[int, str]) -> bool:
        return found[1] != "processing"

    ends = {each: until(lambda each=each: read(each), has_ended) for each in backup.accepted}
    assert {ends[each] for each in backup.before} == {(200, "completed")}
    assert set(ends.values()) <= {(200, "completed"), (404, "")}
    there = sum(end[0] == 200 for end in ends.values())
    account = backup.made.busy_account
    rows, counted = until(lambda: figures(url, account), lambda found: found[0] >= there)
    assert rows == counted == there
    spent = until(lambda: charges(url, account), lambda found: len(found) >= there)
    assert len(spent) == there
    assert len(set(spent.values())) == 1  # each run was charged once, also one that ran again
    assert next(iter(spent.values())) < 0


def figures(url: str, account: str) -> tuple[int, int]:
    """Return the archived executions of an account, and their number in the figures of days."""
    database = Database(url)
    of_days = rollups.c.bucket == "day", rollups.c.dimension == "status"
    with database.read() as connection:
        rows = select(func.count()).where(executions.c.account_id == account)
        counted = select(func.sum(rollups.c.runs)).where(rollups.c.account_id == account, *of_days)
        found = connection.execute(rows).scalar(), connection.execute(counted).scalar()
    database.close()
    return int(found[0] or 0), int(found[1] or 0)


def charges(url: str, account: str) -> dict[str, int]:
    """Return the credits that archived executions of an account have moved, by execution."""
    database = Database(url)
    entries = ledger_entries.c
    moved = (
        select(entries.execution_id, func.sum(entries.credits))
        .where(entries.account_id == account, entries.execution_id.is_not(None))
        .group_by(entries.execution_id)
    )
    with database.read() as connection:
        found = {str(name): int(credits) for name, credits in connection.execute(moved)}
    database.close()
    return {name: credits for name, credits in found.items() if credits}


async def compare(backup: Path, folder: Path, redis_url: str) -> int:
    """Check that a Redis has the keys of the backup; return their number."""
    with loaded_dump(backup, folder) as dump_url:
        dump, restored = (Client(RedisAddress.parse(url)) for url in (dump_url, redis_url))
        expected, found = await contents(dump), await contents(restored)
        await dump.close()
        await restored.close()
    # Keys expire meanwhile.
    assert all(expected[key][2] for key in expected.keys() - found.keys())
    assert {key: expected[key] for key in found} == found
    return len(found)


async def test_a_backup_is_restored_into_an_empty_data_directory(
    backup: Backup, tmp_path: Path
) -> None:
    check_file(backup)
    copy_data(backup.made, tmp_path / "data")

    done = restore(backup.path, tmp_path / "data", "--json")

    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["missingMedia"] == 0
    assert row["historyExecutions"] >= len(backup.made.ended)
    async with serving_folder(tmp_path / "data" / "redis") as url:
        assert await compare(backup.path, tmp_path / "dump", url) > 100
    with running(tmp_path, *BARE, **SETTINGS) as stack:
        await asyncio.to_thread(check_running, stack, backup)


@pytest.mark.thorough
async def test_a_backup_is_restored_into_an_empty_redis(
    backup: Backup, tmp_path: Path, unmarked_redis_url: str
) -> None:
    copy_data(backup.made, tmp_path / "data", media=False)
    environ = {"HEADRACE_REDIS_URL": unmarked_redis_url}

    done = restore(backup.path, tmp_path / "data", **environ)

    assert done.returncode == 0, done.stderr
    assert "1 of 1 media are not in" in done.stderr
    assert await compare(backup.path, tmp_path / "dump", unmarked_redis_url) > 100
    shutil.copytree(backup.made.data_dir / "media", tmp_path / "data" / "media")
    with running(tmp_path, *BARE, **SETTINGS, **environ) as stack:
        await asyncio.to_thread(check_running, stack, backup)


def check_file(backup: Backup) -> None:
    """Check that the file holds no key in clear and is readable by its owner alone."""
    made, row = backup.made, backup.row
    key_of_secrets = (made.data_dir / "secret.key").read_bytes().strip()
    with zipfile.ZipFile(backup.path) as file:
        parts = {name: file.read(name) for name in file.namelist()}

    for word in (key_of_secrets, SECRET.encode(), made.key.encode(), made.busy_key.encode()):
        assert [name for name, data in parts.items() if word in data] == []
    assert backup.path.stat().st_mode & 0o777 == 0o600
    assert made.asset in parts["media.jsonl"].decode()
    assert row["bytes"] == backup.path.stat().st_size
    assert row["mediaObjects"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_each_of_many_backups_under_load_is_consistent(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """The history is saved from either database, and restored into the other one."""
    urls = {name: database_of(name, tmp_path, request) for name in ("sqlite", "postgresql")}
    other = next(each for each in urls if each != kind)
    environ = SETTINGS | {"HEADRACE_DATABASE_URL": urls[kind]}
    with running_gate() as gate, echo_server() as echo:
        with running(tmp_path, *BARE, **environ) as stack:
            made = Installation(stack, gate, echo)
            with load(stack, made) as running_load:
                taken = []
                for number in range(TIMES):
                    goal = len(running_load.accepted) + 200
                    until(lambda goal=goal: len(running_load.accepted) > goal)
                    taken.append(take(stack, made, running_load, tmp_path / f"{number}.zip"))
            stack.stop()
        for number, each in enumerate(taken):
            folder = tmp_path / f"restored-{number}"
            url = database_of(other, folder, request)
            environ = SETTINGS | {"HEADRACE_DATABASE_URL": url}
            copy_data(made, folder / "data")
            done = restore(each.path, folder / "data", **environ)
            assert done.returncode == 0, done.stderr
            with running(folder, *BARE, **environ) as stack:
                check_busy_account(stack, each, url)
                assert [row for row in json_of(stack, "ledger", "check") if row["faults"]] == []


def database_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """Return the URL of a database without tables."""
    folder.mkdir(exist_ok=True)
    if kind == "sqlite":
        return f"sqlite:///{folder / 'elsewhere.sqlite'}"
    request.getfixturevalue("postgresql_url")
    server = server_of_run(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())))
    name = f"backup_{uuid4().hex}"
    create_database(server.get_uri(), name)
    return str(server.get_uri(database=name))
