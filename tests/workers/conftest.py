"""Fixtures of worker tests: a target for HTTP nodes, a runner, and workers in this process."""

import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from engine.settings import Settings
from engine.store import Store
from engine.telemetry.metrics import providers
from tests.conftest import RedisServer
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Runner
from tests.support.http import raw_server
from tests.support.http.scripted_server import Target, serving
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.process.event_loops import Loop
from tests.support.workers.held_walker import HeldWalker
from tests.support.workers.paying_account import PayingAccount
from tests.support.workers.webhook_owner import Owner
from workers.main import worker
from workers.outbound.client import Egress
from workers.walk.walker import Walker

# Its certificates are made by the tool when the tests run.
collect_ignore = [] if shutil.which("openssl") else ["outbound/test_client_tls.py"]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The loop of a real worker, whose timing and order differ from asyncio's."""
    return "asyncio", {"loop_factory": Loop}


@pytest.fixture(scope="session", autouse=True)
def short_starts(workers_share_a_zygote: None) -> None:
    """Workers of these tests start at once."""


@pytest.fixture(scope="session", autouse=True)
def nodes_have_time() -> Iterator[None]:
    """Nodes that compute may take longer than the default: a busy machine makes them slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workers.nodes.context.COMPUTE_SECONDS", PATIENCE_SECONDS)
        yield


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving() as target:
        yield target


@pytest.fixture
def left_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint comes back long after the worker has left its execution to others."""
    monkeypatch.setattr("workers.walk.resume.unknown.JUST_LEFT_SECONDS", 0.0)


@pytest.fixture
def brisk_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send due hints immediately, for tests with many that are due one after the other."""
    monkeypatch.setattr("workers.recovery.sweeper.TICK_SECONDS", 0.02)
    monkeypatch.setattr("workers.recovery.duties.due_hints.IDLE_SECONDS", 0.02)


@pytest.fixture
async def walker(settings: Settings) -> AsyncIterator[Walker]:
    """A whole worker in this process."""
    async with worker(settings) as walker:
        yield walker


@pytest.fixture
def durable_redis() -> Iterator[RedisServer]:
    """A Redis that keeps all data when it is killed, as the one that `headrace up` starts.

    With the default `everysec` a server whose disk is busy answers before it has written.
    """
    server = RedisServer("--appendonly", "yes", "--appendfsync", "no")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def stub() -> AsyncIterator[raw_server.Stub]:
    async with raw_server.serving(raw_server.Stub()) as stub:
        yield stub


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    """A client as in development: private addresses are called too."""
    egress = Egress(allow_private=True)
    yield egress
    await egress.close()


@pytest.fixture
async def strict() -> AsyncIterator[Egress]:
    egress = Egress(allow_private=False)
    yield egress
    await egress.close()


@pytest.fixture
async def held_walker(store: Store) -> AsyncIterator[HeldWalker]:
    held_walker = HeldWalker(store)
    yield held_walker
    await held_walker.walker.drain(0)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def owner(runner: Runner, receiver: Receiver) -> Owner:
    return Owner(runner, receiver)


@pytest.fixture
async def payer(runner: Runner) -> AsyncIterator[PayingAccount]:
    payer = PayingAccount(runner)
    yield payer
    await payer.held_walker.walker.drain(0)


@pytest.fixture(autouse=True)
def no_named_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with all labels of providers, of which a process has a hundred."""
    monkeypatch.setattr(providers, "_named", set())
