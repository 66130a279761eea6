"""Covers elsewhere: fetched once by a worker, kept as assets of the owner, bounded."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.graph.document import parse_document
from engine.media.formats import MediaKind
from engine.services.media import MediaService
from engine.services.workflows.covers import cover_url
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.dispatch.hints import COVER_ACTOR, DELIVER_QUEUE, parse_hint
from engine.store.redis import keyspace, process_keys
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.http import raw_server
from tests.support.media import files
from workers.main import worker
from workers.media.covers import MAX_OF_AN_ACCOUNT, CoverFetcher
from workers.outbound.client import Egress

SLUG = "greeting"


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


class Released:
    """Count of the hints that are done with."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def released() -> Released:
    return Released()


@pytest.fixture
async def fetcher(
    store: Store, media_service: MediaService, egress: Egress, released: Released
) -> AsyncIterator[CoverFetcher]:
    fetcher = CoverFetcher(store, media_service, egress, released)
    yield fetcher
    await fetcher.stop()


def served(data: bytes, status: str = "200 OK") -> list[bytes]:
    return raw_server.answer(f"Content-Length: {len(data)}", body=data, status=status)


async def save(store: Store, account: Account, url: str, slug: str = SLUG) -> None:
    document = replace(parse_document(greeting()), name=slug, cover=url)
    await store.workflows.create(account.id, document, [])


async def look(store: Store, media_service: MediaService, account: Account) -> str | None:
    summary = await store.workflow_list.find(account.id, SLUG)
    return await cover_url(store, media_service, summary)


async def hints(store: Store) -> list[str]:
    """Return and remove the workflows whose covers are asked for."""
    data = await store.client.send("LRANGE", process_keys.hints(DELIVER_QUEUE), 0, -1)
    await store.client.send("DEL", process_keys.hints(DELIVER_QUEUE))
    found = [parse_hint(each) for each in data]
    assert {actor for actor, _ in found} <= {COVER_ACTOR}
    return [reference for _, reference in found]


async def test_the_first_look_has_the_cover_fetched_and_later_ones_have_the_asset(
    store: Store,
    media_service: MediaService,
    account: Account,
    fetcher: CoverFetcher,
    stub: raw_server.Stub,
) -> None:
    stub.reply = served(files.png())
    await save(store, account, f"{stub.url}/cover.png")

    first = await look(store, media_service, account)
    second = await look(store, media_service, account)
    [reference] = await hints(store)
    fetcher.take_hint(reference)
    link = await eventually(lambda: look(store, media_service, account))
    fetcher.take_hint(reference)  # a hint that is doubled
    await asyncio.sleep(0.1)

    assert (first, second) == (None, None)
    assert link is not None
    asset = await media_service.find(link)
    assert (asset.account_id, asset.medium) == (account.id, MediaKind.IMAGE)
    assert await store.assets.needed_by(asset.id) == (account.id, [f"workflow {SLUG}"])
    assert len(stub.requests) == 1
    assert await hints(store) == []


async def test_an_open_page_is_told_when_the_cover_is_there(
    store: Store,
    media_service: MediaService,
    account: Account,
    fetcher: CoverFetcher,
    stub: raw_server.Stub,
) -> None:
    stub.reply = served(files.png())
    await save(store, account, f"{stub.url}/cover.png")
    await look(store, media_service, account)
    began = await store.account_events.read_since(account.id, None)

    fetcher.take_hint(keyspace.reference(account.id, SLUG))

    async def events() -> list[str]:
        page = await store.account_events.read_since(account.id, began.until)
        return [each.id for each in page.events]

    assert await eventually(events) == [SLUG]


@pytest.mark.parametrize(
    "reply",
    [served(b"no picture"), served(files.png(), "404 Not Found"), served(files.wav(100))],
    ids=["text", "404", "sound"],
)
async def test_what_is_no_picture_is_not_asked_for_again_at_once(
    store: Store,
    media_service: MediaService,
    account: Account,
    fetcher: CoverFetcher,
    released: Released,
    stub: raw_server.Stub,
    reply: list[bytes],
) -> None:
    stub.reply = reply
    await save(store, account, f"{stub.url}/cover.png")
    await look(store, media_service, account)

    for reference in await hints(store):
        fetcher.take_hint(reference)
    await eventually(lambda: asyncio.sleep(0, released.count))

    assert await look(store, media_service, account) is None
    assert await hints(store) == []


async def test_a_cover_that_was_deleted_or_replaced_is_fetched_anew(
    store: Store,
    media_service: MediaService,
    account: Account,
    fetcher: CoverFetcher,
    stub: raw_server.Stub,
) -> None:
    stub.reply = served(files.png())
    await save(store, account, f"{stub.url}/cover.png")
    await look(store, media_service, account)
    fetcher.take_hint((await hints(store))[0])
    link = await eventually(lambda: look(store, media_service, account))
    assert link is not None
    await media_service.delete(account.id, (await media_service.find(link)).id)

    gone = await look(store, media_service, account)
    again = await hints(store)
    fetcher.take_hint(again[0])
    back = await eventually(lambda: look(store, media_service, account))

    assert gone is None
    assert len(again) == 1
    assert back not in (None, link)


async def test_an_account_has_few_fetches_at_a_time_and_others_have_theirs(
    store: Store,
    account: Account,
    fetcher: CoverFetcher,
    released: Released,
) -> None:
    for number in range(5):
        fetcher.take_hint(keyspace.reference(account.id, f"slow-{number}"))
    refused = released.count  # none has begun before the loop is free
    fetcher.take_hint(keyspace.reference("acc_other", "another"))
    taken = released.count - refused

    assert (refused, taken) == (5 - MAX_OF_AN_ACCOUNT, 0)
    await eventually(lambda: asyncio.sleep(0, released.count == 6))


async def test_a_running_worker_takes_the_hint_of_a_look(
    settings: Settings,
    store: Store,
    media_service: MediaService,
    account: Account,
    stub: raw_server.Stub,
) -> None:
    stub.reply = served(files.png())
    await save(store, account, f"{stub.url}/cover.png")

    async with worker(settings):
        link = await eventually(lambda: look(store, media_service, account))

    assert link is not None
    assert (await media_service.find(link)).account_id == account.id


async def test_a_picture_that_arrives_after_the_cover_was_changed_is_not_shown(
    store: Store, account: Account
) -> None:
    await save(store, account, "https://example.org/new.png")
    old, new = (f"https://example.org/{name}.png" for name in ("old", "new"))
    await store.covers.request(account.id, SLUG, old)
    await store.covers.request(account.id, SLUG, new)

    assert not await store.covers.record(account.id, SLUG, old, "asset_1")
    assert await store.covers.request(account.id, SLUG, new) == (None, False)
    assert await store.covers.record(account.id, SLUG, new, "asset_2")
    assert await store.covers.request(account.id, SLUG, new) == ("asset_2", False)
