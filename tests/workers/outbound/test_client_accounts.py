"""Connections by account: calls of each kind go on connections of their account."""

import json
from dataclasses import replace

import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Account, Store
from tests.support.factories import Graph, Runner
from tests.support.http.providers import MODEL_KEYS, calling, provided
from tests.support.http.raw_server import Stub, answer
from tests.support.http.webhook_receivers import Receiver
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.workers.webhook_owner import Owner
from workers.media.fetch import fetch_media
from workers.outbound.client import Egress
from workers.providers.base import ModelCall, NoMediaStore

pytestmark = pytest.mark.A90

SAID = json.dumps({"choices": [{"message": {"content": "Hello"}}]}).encode()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1)


@pytest.fixture
async def runners(store: Store, account: Account, runner: Runner) -> list[Runner]:
    """Runners of two accounts."""
    other = await store.accounts.create(email="eve@example.org", tier=Tier.PRO)
    return [runner, Runner(store, other, runner.notifier)]


async def test_calls_of_models(stub: Stub, egress: Egress) -> None:
    stub.reply = answer(f"Content-Length: {len(SAID)}", body=SAID)
    models = calling(egress, {"PROVIDER_URL": stub.url, **MODEL_KEYS})

    for account in ("a", "b", "a", "b"):
        checkpoints = RecordedCheckpoints()
        checkpoints.account_id = account
        model_call = ModelCall(checkpoints=checkpoints)
        await models.call(provided("openai", 'model = "m"\n'), {"prompt": "x"}, model_call)

    assert (len(stub.requests), stub.connections) == (4, 2)


@pytest.mark.usefixtures("walker")
async def test_http_requests(stub: Stub, runners: list[Runner]) -> None:
    graph = Graph().node("h", "httpRequest", url=stub.url).node("out", "responseOutput")
    graph.wire("h.response-out > out.result-in")

    for runner in runners * 2:
        assert (await runner.run(graph)).status == "completed"

    assert (len(stub.requests), stub.connections) == (4, 2)


@pytest.mark.usefixtures("walker")
async def test_webhooks(stub: Stub, runners: list[Runner]) -> None:
    owners = [Owner(runner, Receiver(url=stub.url)) for runner in runners]
    keys = [await owner.hook("/hook") for owner in owners]

    for owner, key_id in [*zip(owners, keys, strict=True)] * 2:
        await owner.settled(key_id, await owner.run(key_id))

    assert (len(stub.requests), stub.connections) == (4, 2)


async def test_media(stub: Stub, egress: Egress) -> None:
    for account in ("a", "b", "a", "b"):
        assert await fetch_media(stub.url, account, NoMediaStore(), egress) == b"ok"

    assert (len(stub.requests), stub.connections) == (4, 2)
