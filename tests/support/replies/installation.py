"""A gateway and a worker behind a proxy of Redis, and callers that ask again after a 503."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from engine.access.capabilities import Role, Tier
from engine.errors import Unavailable
from engine.media.objects import ObjectStore
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Account, Store
from gateway.http.listener import bind
from gateway.server import serve
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http import scripted_server, webhook_receivers
from tests.support.manifests import model
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.proxy import RedisProxy, running_proxy
from tests.support.replies.account_state import account_state, mask
from workers.main import worker

T = TypeVar("T")
ALL = ("workflow:*", "execution:*", "webhook:receive", "model:run")
OVER = {"completed", "failed", "cancelled"}
PAUSE_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Processes of this test, all of whose calls of Redis go through the proxy."""

    proxy: RedisProxy
    store: Store
    """A store that goes around the proxy, to prepare and to read."""
    far: Store
    """A store behind the proxy, as commands have one."""
    settings: Settings
    url: str
    receiver: webhook_receivers.Receiver
    target: scripted_server.Target

    @contextlib.asynccontextmanager
    async def actor(self, **members: Any) -> AsyncIterator["Actor"]:
        """Make an account with a key, a browser and an admin beside it."""
        async with contextlib.AsyncExitStack() as stack:
            options = {"tier": Tier.BUSINESS, **members}
            account = await self.store.accounts.create(email="ada@example.com", **options)
            made = await self.store.api_keys.create(account, name="flow", capabilities=ALL)
            headers = {"x-api-key": made[1]}
            client = await stack.enter_async_context(self.client(headers))
            admin = await self.store.accounts.create(
                email="root@example.com", tier=Tier.ENTERPRISE, role=Role.ADMIN
            )
            browsers = [
                await stack.enter_async_context(self.browser(each)) for each in (account, admin)
            ]
            yield Actor(self, account, made[0].id, client, *browsers)

    @contextlib.asynccontextmanager
    async def browser(self, account: Account) -> AsyncIterator[httpx2.AsyncClient]:
        """Return a browser that is signed in."""
        async with self.client({"origin": self.url}) as browser:
            token = await self.store.sessions.create_login(account.id)
            answer = await browser.post("/login", params={"token": token})
            assert answer.status_code == 303, answer.text
            yield browser

    def client(self, headers: dict[str, str]) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self.url, headers=headers, timeout=PATIENCE_SECONDS, transport=AskingAgain()
        )


class AskingAgain(httpx2.AsyncHTTPTransport):
    """Sends a request again after each 503, with the same words."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        while (answer := await super().handle_async_request(request)).status_code == 503:
            await answer.aclose()
            await asyncio.sleep(PAUSE_SECONDS)
        return answer


class Actor:
    """An account whose programs ask again after each 503, with the same words."""

    def __init__(
        self,
        installation: Installation,
        account: Account,
        key_id: str,
        client: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        admin: httpx2.AsyncClient,
    ) -> None:
        self.installation = installation
        self.account = account
        self.key_id = key_id
        self.client = client
        self.browser = browser
        self.admin = admin
        self._keys = itertools.count()
        self.facts: Counter[str] = Counter()
        """What a flow has found out itself, beside the state of its account."""

    @property
    def store(self) -> Store:
        """Return the store behind the proxy."""
        return self.installation.far

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: httpx2.AsyncClient | None = None,
        status: int | tuple[int, ...] = 200,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """Return the JSON of the answer, which must have the status."""
        sent = {"idempotency-key": f"{self.account.id}-{next(self._keys)}", **(headers or {})}
        if body is not None:
            options["json"] = body
        answer = await (by or self.client).request(method, path, headers=sent, **options)
        expected = status if isinstance(status, tuple) else (status,)
        assert answer.status_code in expected, (
            f"{method} {path}: {answer.status_code} {answer.text}"
        )
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer

    async def repeat(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call the store until it answers, as a duty does at its next turn."""
        while True:
            try:
                return await call()
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)

    async def save(self, body: dict[str, Any]) -> str:
        """Save a workflow; return its slug."""
        named = {**body, "name": f"Flow {self.account.id[-8:]}"}
        return str((await self.ask("POST", "/api/workflows", named, status=201))["slug"])

    async def start(self, slug: str, inputs: Any = None, query: str = "", **members: Any) -> str:
        """Start a run without waiting; return its id."""
        body = {"inputs": inputs or {}, **members}
        path = f"/api/workflows/{slug}/run?async=true{query}"
        return str((await self.ask("POST", path, body, status=202))["executionId"])

    async def execution(self, execution_id: str) -> Any:
        """Return an execution."""
        return await self.ask("GET", f"/api/executions/{execution_id}")

    async def until(
        self, execution_id: str, check: Callable[[Any], bool], seconds: float = PATIENCE_SECONDS
    ) -> Any:
        """Return an execution once it fulfils the check."""
        return await eventually(lambda: self.execution(execution_id), check, timeout=seconds)

    async def end(self, execution_id: str) -> Any:
        """Return an execution once it has ended."""
        return await self.until(execution_id, lambda found: found["status"] in OVER)

    async def over(self, path: str) -> Any:
        """Return a list of runs once it is over."""
        return await eventually(
            lambda: self.ask("GET", path), lambda found: found["status"] != "processing"
        )

    async def note(self, name: str, path: str, **options: Any) -> None:
        """Note the number of rows of a list beside the state of the account."""
        found = await self.ask("GET", path, **options)
        rows = found["rows"] if isinstance(found, dict) else found
        self.facts[f"{name}: {len(rows)}"] += 1

    async def set_webhook(self) -> None:
        """Let the receiver be told of ends of the key's runs."""
        path = f"/api/api-keys/{self.key_id}/webhook"
        body = {"url": self.hook(), "secret": "a secret of the key's own"}
        await self.ask("PUT", path, body, by=self.browser)

    async def until_rows(self, path: str, status: str, **options: Any) -> Any:
        """Return the rows of a list once all have a status."""
        found = await eventually(
            lambda: self.ask("GET", path, **options),
            lambda page: page["rows"] and {row["status"] for row in page["rows"]} == {status},
        )
        return found["rows"]

    async def told(self, count: int) -> None:
        """Wait until the receiver has been told so much for this account."""

        async def ids() -> set[str]:
            return {each.id for each in self.received}

        await eventually(ids, lambda found: len(found) == count)

    @property
    def received(self) -> list[webhook_receivers.Received]:
        """Return what the receiver was told for this account."""
        received = self.installation.receiver.received
        return [each for each in received if each.path.endswith(self.account.id)]

    async def state(self) -> Counter[str]:
        """Return all that is there of the account: in Redis, at the receiver and at the target."""
        found = await account_state(self.installation.store.client, self.account.id)
        told = {(each.id, mask(str(each.event["event"]))) for each in self.received}
        found.update(f"told {event}" for _, event in told)
        found.update(self.facts)
        calls = self.installation.target.calls
        called = {path: count for path, count in calls.items() if self.account.id in path}
        found.update({f"called {mask(path)}": count for path, count in called.items()})
        return found

    async def called(self, path: str) -> None:
        """Wait until the target is called by this account."""

        async def count() -> int:
            return self.installation.target.calls[f"{path}/{self.account.id}"]

        await eventually(count)

    def hook(self, path: str = "/ok/0") -> str:
        """Return a URL of the receiver for this account."""
        return f"{self.installation.receiver.url}{path}/{self.account.id}"

    def target(self, path: str = "/echo") -> str:
        """Return a URL of the target for this account."""
        return f"{self.installation.target.url}{path}/{self.account.id}"


@contextlib.asynccontextmanager
async def installation(redis_url: str, folder: Path, **changes: Any) -> AsyncIterator[Installation]:
    """Run a gateway and a worker behind a proxy while the context lasts."""
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(running_proxy(redis_url))
        near = Settings(
            redis_url=redis_url,
            allow_private_urls=True,
            cpu_slots=1,
            secret_key=SECRET_KEY,
            media_url=(folder / "media").as_uri(),
            media_free_bytes=0,
            webhook_time_scale=0.01,
            **changes,
        )
        settings = replace(near, redis_url=proxy.url)
        stack.enter_context(use_models([model("own")]))
        stores = [Store.open(each, ObjectStore.from_settings(each)) for each in (near, settings)]
        for store in stores:
            stack.push_async_callback(store.close)
        receiver = await stack.enter_async_context(webhook_receivers.receiving())
        target = await stack.enter_async_context(scripted_server.serving())
        await stack.enter_async_context(worker(settings))
        url = await stack.enter_async_context(_gateway(settings))
        yield Installation(
            proxy=proxy,
            store=stores[0],
            far=stores[1],
            settings=settings,
            url=url,
            receiver=receiver,
            target=target,
        )


@contextlib.asynccontextmanager
async def _gateway(settings: Settings) -> AsyncIterator[str]:
    bound = bind("127.0.0.1", 0)
    bound.listen()
    host, port = bound.getsockname()
    stopping = asyncio.Event()
    ended = asyncio.create_task(serve(settings, stopping=stopping, bound=bound))
    try:
        yield f"http://{host}:{port}"
    finally:
        stopping.set()
        await ended
