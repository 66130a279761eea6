"""Keys and secrets planted in every part of requests, and searched for in every output."""

import io
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.routing import Route

from engine.access.capabilities import Tier
from engine.ids import api_keys, tokens
from engine.settings import Settings
from engine.store import Store
from engine.store.accounts.sessions import LOGIN_PREFIX, SESSION_PREFIX
from engine.webhooks.signing import make_secret
from gateway.admission.credentials import SESSION_COOKIE
from gateway.app import routes
from gateway.auth.resource import Resource
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import edge, node
from tests.support.http.webhook_receivers import Receiver, receiving
from workers.main import worker

pytestmark = pytest.mark.A64a

PREFIX = 12
SHOWN = 10
"""Most consecutive characters of a secret that may show, apart from prefix and end."""
PARAMETERS = (
    *("slug", "key_id", "execution_id", "delivery_id", "internal_name", "name"),
    *("asset_id", "version", "secret_name", "node_id", "account_id", "session_id", "batch_id"),
    *("trigger_id", "occurrence_id", "token", "grant_request", "alias_name", "test_name"),
    *("replay_id", "test_run_id"),
)
FAILING_WORKFLOWS = 60


@dataclass
class Canaries:
    """Planted secrets, by the middle part that must show nowhere."""

    planted: list[str] = field(default_factory=list)

    def key(self) -> str:
        """Return an API key that belongs to no account."""
        return self.watch(api_keys.make_secret("acct"))

    def watch(self, secret: str) -> str:
        """Return the secret after adding it to the planted ones."""
        assert len(secret) >= PREFIX + SHOWN
        self.planted.append(secret)
        return secret

    def seen_in(self, text: str) -> list[str]:
        """Return the secrets of which more than prefix and end shows."""
        text = text.lower()
        middles = {secret[PREFIX : PREFIX + SHOWN].lower() for secret in self.planted}
        windows = (text[start : start + SHOWN] for start in range(len(text) - SHOWN + 1))
        return [window for window in windows if window in middles]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, failed_calls_per_minute=0, webhook_time_scale=0.0)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def calls() -> list[tuple[str, str]]:
    """Return every method of every path."""
    return [
        (method, route.path)
        for route in routes(Settings())
        if isinstance(route, Route) and isinstance(route.endpoint, Resource)
        for method in route.endpoint.endpoints
    ]


def requests(canaries: Canaries, method: str, path: str, good: str) -> Iterator[dict[str, Any]]:
    """Return the same call with a secret in each part that can carry one."""
    plain = path.format(**dict.fromkeys(PARAMETERS, "none"))
    key, url = canaries.key, {"method": method, "url": plain}
    yield {**url, "headers": {"x-api-key": key()}}
    yield {**url, "headers": {"x-api-key": key()[:-1]}}
    yield {**url, "headers": {"x-api-key": key() + "x"}}
    yield {**url, "headers": {"authorization": f"Bearer {key()}"}}
    cookies = tokens.make_token(SESSION_PREFIX, 0)
    yield {**url, "headers": {"cookie": f"{SESSION_COOKIE}={canaries.watch(cookies)}"}}
    yield {**url, "params": {"token": canaries.watch(tokens.make_token(LOGIN_PREFIX, 0))}}
    identified = {"x-api-key": good}
    parameters = {name: key() for name in PARAMETERS}
    yield {**url, "url": path.format(**parameters), "headers": identified}
    query = {name: key() for name in ("key", "limit", "cursor", "status", "timeout", "async")}
    yield {**url, "params": query, "headers": identified}
    for name in ("x-request-id", "idempotency-key", "if-match", "prefer", "accept", "origin"):
        yield {**url, "headers": {**identified, name: key()}}
    if method in ("POST", "PUT"):
        yield {**url, "content": key(), "headers": identified}
        yield {**url, "content": f"{{{key()}", "headers": identified}
        yield {
            **url,
            "json": {key(): key(), "inputs": key(), "draft": key()},
            "headers": identified,
        }
        yield {**url, "json": {"inputs": {key(): key()}, "url": key()}, "headers": identified}


def test_a_secret_is_seen_wherever_its_middle_shows(canaries: Canaries) -> None:
    keys = iter(canaries.key, None)
    # Else the key without the first character of its middle still has the whole middle.
    key = next(each for each in keys if each[PREFIX - 1].lower() != each[PREFIX].lower())
    middle = key[PREFIX : PREFIX + SHOWN].lower()

    assert canaries.seen_in(f"told {key!r}") == [middle]
    assert canaries.seen_in(key[PREFIX - 1 : PREFIX + SHOWN].upper()) == [middle]
    assert canaries.seen_in(key[:PREFIX] + key[PREFIX + 1 :]) == []


@pytest.mark.A08
async def test_no_answer_line_or_command_repeats_a_key_that_was_put_anywhere(
    make_client: MakeClient,
    canaries: Canaries,
    api_key: str,
    logged: io.StringIO,
    monitored: bytearray,
) -> None:
    client = await make_client()
    canaries.watch(api_key)
    answers = []
    for method, path in calls():
        for request in requests(canaries, method, path, api_key):
            answer = await client.request(**request)
            answers.append(f"{answer.headers}{answer.text}")
    metrics = await client.get("/metrics")

    assert len(canaries.planted) >= 200
    assert canaries.seen_in("\n".join(answers)) == []
    assert canaries.seen_in(metrics.text) == []
    assert canaries.seen_in(logged.getvalue()) == []
    assert canaries.seen_in(monitored.decode("latin-1")) == []
    assert len(monitored) > 100_000


def failing(number: int, secret: Iterator[str], url: str) -> dict[str, Any]:
    """Save a workflow whose call carries secrets and fails, in another way for each number."""
    ways: list[dict[str, Any]] = [
        {"url": f"{url}/status/401?key={next(secret)}"},
        {"url": f"http://127.0.0.1:1/{next(secret)}?key={next(secret)}"},
        {"url": f"http://{next(secret)[8:40].lower()}.invalid/"},
        {"url": f"{url}/slow/5?key={next(secret)}", "timeoutSeconds": 0.05},
        {"url": f"{url}/huge?key={next(secret)}", "maxBytes": 10},
        {"url": f"{url}/status/503?key={next(secret)}", "retry": {"attempts": 2, "backoff": 0.001}},
    ]
    data = {
        "method": "POST",
        "headers": {
            "Authorization": f"Bearer {next(secret)}",
            "X-Api-Key": next(secret),
            "Cookie": f"session={next(secret)}",
        },
        "body": f'{{"apiKey": "{next(secret)}"}}',
        **ways[number % len(ways)],
    }
    return {
        "name": f"failing {number}",
        "nodes": [
            node("call", "httpRequest", **data),
            node("out", "responseOutput"),
        ],
        "edges": [edge("call", "response-out", "out", "result-in")],
    }


async def test_no_answer_line_or_delivery_repeats_the_secrets_of_nodes_that_fail(
    make_client: MakeClient,
    store: Store,
    settings: Settings,
    canaries: Canaries,
    logged: io.StringIO,
    receiver: Receiver,
) -> None:
    account = await store.accounts.create(email="many@example.com", tier=Tier.BUSINESS)
    key, secret = await store.api_keys.create(
        account, name="k", capabilities=["workflow:*", "webhook:receive"]
    )
    hook = canaries.watch(make_secret())
    url = f"{receiver.url}/ok"
    await store.webhooks.save(account.id, key.id, url=url, secret=hook)
    client = await make_client(secret)
    secrets = (canaries.watch(f"sk-canary-{n:03}{os.urandom(16).hex()}") for n in itertools.count())
    texts = []
    async with worker(settings):
        for number in range(FAILING_WORKFLOWS):
            body = failing(number, secrets, receiver.url)
            slug = (await client.post("/api/workflows", json=body)).json()["slug"]
            run = await client.post(f"/api/workflows/{slug}/run", json={"inputs": {}})
            begun = await client.post(f"/api/workflows/{slug}/run?async=true", json={"inputs": {}})
            texts += [
                run.text,
                begun.text,
                (await client.get(f"/api/workflows/{slug}/schema")).text,
            ]
            for answer in (run, begun):
                execution = answer.json()["executionId"]
                texts.append((await client.get(f"/api/executions/{execution}")).text)
            assert run.status_code == 500
        texts.append((await client.get("/api/executions?limit=100")).text)
        texts.append((await client.get("/metrics")).text)
        received = await eventually(
            lambda: delivered_bodies(receiver), lambda each: len(each) == FAILING_WORKFLOWS
        )
    rows, _ = await store.deliveries.list(account.id, key.id, limit=100)

    assert len(canaries.planted) >= 500
    assert canaries.seen_in("\n".join(texts)) == []
    assert canaries.seen_in("\n".join(str(each) for each in received)) == []
    assert canaries.seen_in(str(rows)) == []
    assert canaries.seen_in(logged.getvalue()) == []


async def delivered_bodies(receiver: Receiver) -> list[bytes]:
    """Return the bodies of the deliveries so far."""
    return [each.body for each in receiver.received if each.path == "/ok"]
