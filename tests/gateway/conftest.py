"""Fixtures: a gateway over real HTTP, clients of two accounts, and a fake worker."""

import asyncio
import contextlib
import io
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Account, Store
from engine.telemetry import log
from gateway.http.listener import bind
from gateway.server import serve
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.fake_worker import FakeWorker

MakeClient = Callable[..., Awaitable[httpx2.AsyncClient]]
MakeBrowser = Callable[[Account], Awaitable[httpx2.AsyncClient]]


@dataclass
class Gateway:
    """A running gateway."""

    url: str
    stopping: asyncio.Event
    ended: "asyncio.Task[int]"


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Gateway]:
    """Run a gateway while the context lasts; it stops in an orderly way."""
    bound = bind("127.0.0.1", 0)
    bound.listen()
    host, port = bound.getsockname()
    stopping = asyncio.Event()
    ended = asyncio.create_task(serve(settings, stopping=stopping, bound=bound))
    yield Gateway(f"http://{host}:{port}", stopping, ended)
    stopping.set()
    assert await ended == 0


@pytest.fixture(scope="session", autouse=True)
def short_starts(workers_share_a_zygote: None) -> None:
    """Workers of these tests start at once."""


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with serving(settings) as gateway:
        yield gateway


@pytest.fixture
async def make_client(gateway: Gateway) -> AsyncIterator[MakeClient]:
    """Return a factory of clients that send a key, or none."""
    clients: list[httpx2.AsyncClient] = []

    async def make(key: str | None = None) -> httpx2.AsyncClient:
        headers = {} if key is None else {"x-api-key": key}
        timeout = PATIENCE_SECONDS
        clients.append(httpx2.AsyncClient(base_url=gateway.url, headers=headers, timeout=timeout))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def make_browser(gateway: Gateway, store: Store) -> AsyncIterator[MakeBrowser]:
    """Return a factory of browsers that are signed in and show one of the gateway's pages."""
    browsers: list[httpx2.AsyncClient] = []

    async def make(account: Account) -> httpx2.AsyncClient:
        login = await store.sessions.create_login(account.id)
        headers = {"origin": gateway.url}
        timeout = PATIENCE_SECONDS
        browsers.append(httpx2.AsyncClient(base_url=gateway.url, headers=headers, timeout=timeout))
        await browsers[-1].post("/login", params={"token": login})
        return browsers[-1]

    yield make
    for browser in browsers:
        await browser.aclose()


@pytest.fixture
async def browser(make_browser: MakeBrowser, account: Account) -> httpx2.AsyncClient:
    return await make_browser(account)


@pytest.fixture
async def client(make_client: MakeClient, api_key: str) -> httpx2.AsyncClient:
    return await make_client(api_key)


@pytest.fixture
async def stranger(store: Store) -> Account:
    return await store.accounts.create(email="bob@example.com", tier=Tier.PRO)


@pytest.fixture
async def strangers_client(
    make_client: MakeClient, store: Store, stranger: Account
) -> httpx2.AsyncClient:
    _, secret = await store.api_keys.create(stranger, name="other", capabilities=["workflow:*"])
    return await make_client(secret)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Return the log at every level."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(log.JsonFormatter())
    handler.addFilter(lambda record: record.name != "aiohttp.access")  # the receiver's own
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def monitored(redis_url: str) -> Iterator[bytearray]:
    """Return every command that Redis receives."""
    commands = bytearray()
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(redis_url.removeprefix("unix://"))
        monitor.sendall(b"MONITOR\r\n")
        assert monitor.recv(5) == b"+OK\r\n"

        def listen() -> None:
            while piece := monitor.recv(65_536):
                commands.extend(piece)

        thread = threading.Thread(target=listen)
        thread.start()
        yield commands
        monitor.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
async def worker(store: Store) -> AsyncIterator[FakeWorker]:
    fake = FakeWorker(store)
    task = asyncio.create_task(fake.run())
    yield fake
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
