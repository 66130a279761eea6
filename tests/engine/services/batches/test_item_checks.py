"""Checks of a batch's items: inputs, named assets, and the estimate."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from engine.errors import InvalidItems
from engine.graph.document import Document
from engine.graph.plan import Plan
from engine.services.batches.item_checks import MOST_FAULTS, CheckedItems, ItemChecks, SizedItem
from engine.services.media import MediaService
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.targets import find_workflow
from engine.settings import Settings
from engine.store import Account, NewItem, Store
from engine.store.media import AssetSource
from tests.support.media.files import png

AT = {"x": 0, "y": 0}
FIELDS = [
    {"name": "name", "label": "Name", "type": "text", "required": True, "maxLength": 5},
    {"name": "photo", "label": "Photo", "type": "image"},
    {"name": "sound", "label": "Sound", "type": "audio"},
]
MISSING = "A" * 24


async def run_here(steps: Iterator[int]) -> None:
    for _ in steps:
        pass


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
def media(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


async def plan_of(store: Store, account: Account, fields: Sequence[Any] = FIELDS) -> Plan:
    nodes = [
        {"id": "in", "type": "requestInput", "position": AT, "data": {"fields": list(fields)}},
        {"id": "out", "type": "responseOutput", "position": AT, "data": {}},
    ]
    document = Document(name="Checked", nodes=nodes, edges=[])
    workflow = await store.workflows.create(account.id, document, [])
    return (await find_workflow(store, account.id, workflow.slug, fresh=True)).plan


async def check(
    store: Store, account: Account, media: MediaService, *inputs: Any, plan: Plan | None = None
) -> CheckedItems:
    plan = plan or await plan_of(store, account)
    terms = store.tiers.terms(account.tier, account.role)
    checks = ItemChecks(plan, terms, AssetUse(media, account.id, "a batch"), allow_http=False)
    return await checks.check([SizedItem(NewItem(each), 1) for each in inputs], run_here)


async def faults(*args: Any, **more: Any) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidItems) as refusal:
        await check(*args, **more)
    items = refusal.value.context["items"]
    return [(each["index"], each["field"], each["reason"]) for each in items]


async def save(media: MediaService, account: Account) -> str:
    asset = await media.save(account.id, "image/png", pieces(png()), source=AssetSource.UPLOAD)
    return asset.id


async def test_items_that_fit_are_returned_as_they_came(
    store: Store, account: Account, media: MediaService
) -> None:
    photo = await save(media, account)
    inputs = [{"name": "Ada", "photo": photo, "more": 1}, {"name": "Eve"}]

    checked = await check(store, account, media, *inputs)

    assert [each.inputs for each in checked.items] == inputs
    assert checked.credits == 0
    assert [each.split("'")[1] for each in checked.warnings] == ["more"]


async def test_each_wrong_item_is_named_in_order(
    store: Store, account: Account, media: MediaService
) -> None:
    told = await faults(
        *(store, account, media),
        *({"name": "Ada"}, {"name": "Adelheid"}, {}, {"name": "Eve", "photo": MISSING}),
        {"name": 5},
    )

    assert told == [
        (1, "name", "must have at most 5 characters"),
        (2, "name", "is required"),
        (3, "photo", "names no asset of yours"),
        (4, "name", "must be a text, not a number"),
    ]


async def test_the_first_hundred_are_named(
    store: Store, account: Account, media: MediaService
) -> None:
    told = await faults(store, account, media, *[{"name": "Ada"}, {}] * 150)

    assert [index for index, _, _ in told] == list(range(1, 2 * MOST_FAULTS, 2))


async def test_an_asset_must_be_ones_own_and_of_the_fields_kind(
    store: Store, account: Account, media: MediaService
) -> None:
    other = await store.accounts.create(email="bob@example.com", tier=account.tier)
    own, foreign = await save(media, account), await save(media, other)
    link = media.link(await media.get(other.id, foreign))

    told = await faults(
        *(store, account, media),
        *({"name": "a", "photo": own}, {"name": "a", "sound": own}),
        *({"name": "a", "photo": foreign}, {"name": "a", "photo": link}),
    )

    assert told == [
        (1, "sound", "names an asset that is image, not audio"),
        (2, "photo", "names no asset of yours"),
    ]


async def test_a_link_that_leads_nowhere_is_wrong(
    store: Store, account: Account, media: MediaService
) -> None:
    gone = await save(media, account)
    link = media.link(await media.get(account.id, gone))
    await media.delete(account.id, gone)

    told = await faults(store, account, media, {"name": "a", "photo": link})

    assert told == [(0, "photo", "is a link that leads to no asset any more")]
