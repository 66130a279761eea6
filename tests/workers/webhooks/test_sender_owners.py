"""Owners of deliveries: each attempt resolves its target again."""

import asyncio
import itertools
import socket
from dataclasses import replace
from typing import Any

import pytest

from engine.settings import Settings
from engine.webhooks.deliveries import DeliveryStatus
from tests.support.eventually import eventually
from tests.support.factories import greeting
from tests.support.http.raw_server import Stub, answer
from tests.support.http.signature_verifier import is_knouds_signed
from tests.support.http.webhook_receivers import Receiver
from tests.support.workers.open_gates import OneHost
from tests.support.workers.webhook_owner import SECRET, Owner
from workers.main import worker
from workers.outbound.address_gate import AddressGate
from workers.walk.walker import Walker

OTHER = "another secret, of another key"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1, webhook_time_scale=0.004)


@pytest.mark.A85
async def test_an_execution_is_delivered_to_the_webhook_of_its_key(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    one, other = await owner.hook("/ok/1"), await owner.hook("/ok/2", OTHER)
    capabilities = ["workflow:*", "webhook:receive"]
    without, _ = await owner.store.api_keys.create(
        owner.account, name="k", capabilities=capabilities
    )
    slug = await owner.runner.save(greeting())

    silent = await owner.runner.end(await owner.begin(slug, without.id))
    begun = {key_id: await owner.begin(slug, key_id) for key_id in (one, other)}
    for key_id, execution_id in begun.items():
        await owner.settled(key_id, execution_id)

    assert silent.status == "completed"
    assert {each.path: each.id for each in receiver.received} == {
        "/ok/1": begun[one],
        "/ok/2": begun[other],
    }
    assert not any("." in each.id for each in receiver.received)
    for each in receiver.received:
        signature, is_first = each.headers["x-knouds-signature"], each.path == "/ok/1"
        assert is_knouds_signed(SECRET, signature, each.body) is is_first
        assert is_knouds_signed(OTHER, signature, each.body) is not is_first
    for key_id in (one, other, without.id):
        rows, _ = await owner.store.deliveries.list(owner.account.id, key_id, limit=10)
        assert [row.id for row in rows] == [begun[key_id]] if key_id in begun else rows == []


async def test_a_retry_goes_where_the_first_attempt_went(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/fails/1")
    execution_id = await owner.run(key_id)
    await eventually(lambda: _first(receiver))

    url = f"{receiver.url}/elsewhere"
    await owner.store.webhooks.save(owner.account.id, key_id, url=url)
    await owner.store.api_keys.revoke(key_id)
    delivery = await owner.settled(key_id, execution_id, attempts=2)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert [each.path for each in receiver.received] == ["/fails/1", "/fails/1"]


async def _first(receiver: Receiver) -> list[Any]:
    return receiver.received


@pytest.mark.A62
async def test_no_attempt_follows_a_name_that_leads_inside_by_now(
    owner: Owner, stub: Stub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = itertools.cycle(["127.0.0.1", "127.0.0.2"])

    def look_up(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", (next(addresses), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(AddressGate, "for_workflows", lambda _: OneHost(allow_private=False))
    inside = Stub()
    server = await asyncio.start_server(inside.serve, "127.0.0.2", stub.port)
    stub.reply = answer("Content-Length: 0", "Connection: close", status="500 Not yet")
    owner.receiver.url = f"http://hook.example:{stub.port}"
    key_id = await owner.hook("/in")

    async with worker(replace(settings, webhook_time_scale=0.0)):
        delivery = await owner.settled(key_id, await owner.run(key_id), attempts=8)
    server.close()

    assert [each.status for each in delivery.attempts] == [500, None] * 4
    assert (stub.connections, inside.connections) == (4, 0)
    assert "127.0.0" not in str([each.error for each in delivery.attempts])
