"""Providers of models in tests: the stub, and one with scripted answers."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
import uvicorn
from aiohttp import web
from starlette.types import ASGIApp

from deploy.stub_provider.app import create_app
from deploy.stub_provider.limits import LimitOptions
from engine.models.manifest import Model
from tests.support.manifests import model
from workers.providers.base import MediaStore, StoredMedia
from workers.providers.model_caller import ModelCaller

KEY = "sk-test-0123456789abcdef"
MODEL_KEYS = {"PROVIDER_KEY": KEY}
ENDPOINT = """
base_url = "http://127.0.0.1:9"
base_url_env = "PROVIDER_URL"
api_key_env = "PROVIDER_KEY"
"""
"""Section of a manifest with a provider that the test controls."""
JOB = """
path = "/predictions"
body = { input = { prompt = "{{ prompt }}" } }
result = "output[]"
[http.job]
id = "id"
path = "/predictions/{{ job }}"
status = "status"
done = ["succeeded"]
failed = ["failed", "canceled"]
progress = "progress"
"""
"""Members beside it of a model whose results are jobs of the stub, with progress."""


def provided(section: str, more: str = "", **parts: str) -> Model:
    """Return a model with these members in its section beside those of the endpoint."""
    return model(call=f"[{section}]{ENDPOINT}{more}", **parts)


@contextlib.contextmanager
def stub_provider(script: str = "", limits: LimitOptions | None = None) -> Iterator[str]:
    """Run the stub in a thread; yield its address."""
    with serving(create_app(limits, script)) as url:
        yield url


@contextlib.asynccontextmanager
async def a_stub(script: str = "", limits: LimitOptions | None = None) -> AsyncIterator[str]:
    """Run the stub for a test that calls it from this loop and may disconnect first."""
    stub = stub_provider(script, limits)
    url = stub.__enter__()
    try:
        yield url
    finally:
        await asyncio.to_thread(stub.__exit__, None, None, None)


@contextlib.contextmanager
def serving(app: ASGIApp, host: str = "127.0.0.1") -> Iterator[str]:
    """Run an application on an address while the context lasts; yield its URL on loopback."""
    with socket.create_server((host, 0), backlog=1024) as bound:
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    at: float
    """Time on the event loop's clock."""


@dataclass(kw_only=True)
class Provider:
    """Gives its answers one after the other, the last one repeatedly."""

    url: str = ""
    answers: list[web.Response | Any] = field(default_factory=list)
    at: dict[str, list[web.Response | Any]] = field(default_factory=dict)
    """Answers to calls of a path."""
    asked: list[Asked] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Return the next answer: a response, or a value to send as JSON."""
        data = await request.read()
        self.asked.append(
            Asked(
                method=request.method,
                path=request.raw_path,
                headers=request.headers.copy(),
                body=json.loads(data) if data else None,
                at=asyncio.get_running_loop().time(),
            )
        )
        answers = self.at.get(request.path, self.answers)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, web.Response):
            return _copy(found)
        return web.json_response(found)

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables of a worker's environment for it."""
        return {"PROVIDER_URL": self.url, **MODEL_KEYS}


def _copy(response: web.Response) -> web.Response:
    """Copy a response, since one can be sent only once."""
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    return web.Response(status=response.status, body=response.body, headers=headers)


@contextlib.asynccontextmanager
async def a_provider() -> AsyncIterator[Provider]:
    """Run a provider on loopback while the context lasts."""
    async with serving_provider(Provider()) as provider:
        yield provider


@contextlib.asynccontextmanager
async def a_named_provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    """Run a provider that workers of this process find by their environment."""
    async with a_provider() as provider:
        for name, value in provider.environ.items():
            monkeypatch.setenv(name, value)
        yield provider


@contextlib.asynccontextmanager
async def serving_provider(provider: Provider) -> AsyncIterator[Provider]:
    """Run this provider on loopback while the context lasts."""
    app = web.Application(client_max_size=100_000_000)
    app.router.add_route("*", "/{path:.*}", provider.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()


@dataclass
class Kept(MediaStore):
    """Remembers media to keep, and has media of accounts."""

    media: list[tuple[bytes, str]] = field(default_factory=list)
    own: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Media by account and URL."""
    types: dict[str, str] = field(default_factory=dict)
    """Types on record, by URL."""
    seconds: list[Decimal | None] = field(default_factory=list)
    """Durations of the next media."""
    lengths: dict[str, Decimal | None] = field(default_factory=dict)
    """Durations of media of accounts, by URL."""

    async def find(self, account_id: str, url: str, owner_id: str = "") -> StoredMedia | None:
        found = (account_id, url) in self.own
        return StoredMedia(url=url, seconds=self.lengths.get(url)) if found else None

    async def read(
        self, account_id: str, url: str, max_bytes: int, owner_id: str = ""
    ) -> bytes | None:
        return self.own.get((account_id, url))

    async def content_type(self, account_id: str, url: str, owner_id: str = "") -> str | None:
        return self.types.get(url)

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        self.media.append((data, content_type))
        url = f"https://kept.example/{len(self.media)}"
        return StoredMedia(url=url, seconds=self.seconds.pop(0) if self.seconds else None)

    async def copy(self, account_id: str, url: str) -> StoredMedia:
        return StoredMedia(url=url, seconds=self.seconds.pop(0) if self.seconds else None)


def calling(
    fetcher: Any, environ: Mapping[str, str], media_store: MediaStore | None = None
) -> ModelCaller:
    """Return a caller of models with this fetcher and environment."""
    return ModelCaller(fetcher, media_store=media_store, environ=environ)
