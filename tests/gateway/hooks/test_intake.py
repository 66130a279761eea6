"""Intake of events: guesses, bodies, and senders that harm no other."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.settings import Settings
from engine.store import Account
from engine.triggers.trigger import Trigger, VerifyKind
from gateway import app
from gateway.hooks import intake
from gateway.http.middleware import BodyLimit
from tests.gateway.hooks.conftest import SECRET, MakeHook, Sender
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.triggers.signatures import bearer

LIMIT = 20


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, failed_calls_per_minute=LIMIT)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies have less time."""
    limit = BodyLimit(intake.MAX_BYTES, seconds=3.0)
    monkeypatch.setattr(app, "EVENT_LIMIT", limit)


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.A94d
async def test_an_address_that_guesses_urls_is_refused(
    make_hook: MakeHook, sender: Sender, worker: FakeWorker
) -> None:
    trigger = await make_hook()
    unknown = Trigger(**{**_members(trigger), "token": "a" * 43})

    answers = [await sender.send(unknown) for _ in range(2 * LIMIT)]

    found = Counter(map(code, answers))
    assert found[404, "TRIGGER_NOT_FOUND"] >= LIMIT
    assert found[429, "RATE_LIMIT_EXCEEDED"] >= LIMIT - 3  # one comes back every three seconds


@pytest.mark.A95a
async def test_wrong_signatures_are_refused_for_their_webhook_alone(
    make_hook: MakeHook, sender: Sender, worker: FakeWorker, stranger: Account
) -> None:
    trigger = await make_hook(VerifyKind.BEARER)
    other = await make_hook(VerifyKind.BEARER, owner=stranger)

    answers = [await sender.send(trigger, None, bearer("guess")) for _ in range(2 * LIMIT)]

    found = Counter(map(code, answers))
    assert found[401, "INVALID_SIGNATURE"] >= LIMIT
    assert found[429, "RATE_LIMIT_EXCEEDED"] >= LIMIT - 3
    for each in (other, await make_hook(VerifyKind.BEARER)):
        assert code(await sender.send(each, None, bearer("guess"))) == (401, "INVALID_SIGNATURE")
        assert (await sender.send(each, None, bearer(SECRET))).status_code == 202


async def test_refused_events_of_a_verified_sender_are_no_guesses(
    make_hook: MakeHook, sender: Sender, worker: FakeWorker
) -> None:
    trigger = await make_hook(VerifyKind.BEARER)

    answers = [await sender.send(trigger, [1], bearer(SECRET)) for _ in range(2 * LIMIT)]

    assert Counter(map(code, answers)) == {(400, "INVALID_INPUTS"): 2 * LIMIT}
    assert (await sender.send(trigger, None, bearer(SECRET))).status_code == 202


@pytest.mark.A94d
async def test_a_body_is_not_read_for_an_unknown_url(make_hook: MakeHook, sender: Sender) -> None:
    trigger = await make_hook()
    unknown = Trigger(**{**_members(trigger), "token": "b" * 43})

    assert code(await sender.send(unknown, b"{")) == (404, "TRIGGER_NOT_FOUND")
    assert code(await sender.send(unknown, b"x" * intake.MAX_BYTES)) == (404, "TRIGGER_NOT_FOUND")


@pytest.mark.A95c
async def test_slow_bodies_of_one_account_keep_no_other_out(
    settings: Settings,
    make_hook: MakeHook,
    sender: Sender,
    worker: FakeWorker,
    stranger: Account,
) -> None:
    greedy = await make_hook()
    other = await make_hook(owner=stranger)
    url = sender.client.base_url
    slow = [asyncio.create_task(_send_slowly(url.host, url.port or 0, greedy)) for _ in range(60)]
    await asyncio.sleep(0.3)

    body = b'{"name": "Ada", "more": "' + b"x" * 900_000 + b'"}'
    answers = await asyncio.gather(*(sender.send(other, body) for _ in range(4)))

    assert [each.status_code for each in answers] == [202] * 4
    assert not any(each.done() for each in slow)
    for each in slow:
        each.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def _send_slowly(host: str, port: int, trigger: Trigger) -> None:
    """Send the head and the first bytes of an event, and nothing more."""
    _, writer = await asyncio.open_connection(host, port)
    head = (
        f"POST /hooks/{trigger.token} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\n"
    )
    writer.write(head.encode() + b"{")
    try:
        await asyncio.sleep(60)
    finally:
        writer.close()


@pytest.mark.A95c
async def test_a_slow_body_is_given_up(make_hook: MakeHook, sender: Sender) -> None:
    trigger = await make_hook()
    url = sender.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST /hooks/{trigger.token} HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: 9\r\n\r\n"
    writer.write(head.encode() + b"{")

    line = await reader.readline()

    assert line.split()[1] == b"408"
    writer.close()


def _members(trigger: Trigger) -> dict[str, Any]:
    return {name: getattr(trigger, name) for name in trigger.__struct_fields__}
