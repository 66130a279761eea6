"""Outbound webhooks of triggers: their secrets, and the rights of those who set them."""

from typing import Any

import httpx2
import pytest

from engine.graph.document import parse_document
from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import greeting

WEBHOOK = {"url": "https://example.com/told", "secret": "the secret of one trigger"}


@pytest.fixture
async def trigger(store: Store, account: Account, browser: httpx2.AsyncClient) -> str:
    """Create a trigger with a webhook by a session; return its path."""
    slug = (await store.workflows.create(account.id, parse_document(greeting()), [])).slug
    made = {"kind": "schedule", "name": "t", "workflowSlug": slug, "cron": "@daily"}
    answer = await browser.post(
        "/api/triggers", json={**made, "inputs": {"name": "Ada"}, "webhook": WEBHOOK}
    )
    assert answer.status_code == 201, answer.text
    return f"/api/triggers/{answer.json()['id']}"


async def test_the_right_to_links_is_that_of_the_last_one_who_set_the_webhook(
    trigger: str, store: Store, account: Account, make_client: MakeClient
) -> None:
    capabilities = ["workflow:write", "workflow:run", "webhook:receive"]
    _, secret = await store.api_keys.create(account, name="k", capabilities=capabilities)
    _, other = await store.api_keys.create(
        account, name="a", capabilities=[*capabilities, "execution:approve"]
    )
    key, approver = await make_client(secret), await make_client(other)
    steps: list[tuple[httpx2.AsyncClient, Any]] = [
        (key, {"name": "renamed"}),
        (key, {"webhook": {"url": WEBHOOK["url"]}}),
        (approver, {"name": "again"}),
        (approver, {"webhook": {"url": WEBHOOK["url"]}}),
    ]

    found = [await may_approve(store, account, trigger)]
    for client, body in steps:
        answer = await client.patch(trigger, json=body)
        assert answer.status_code == 200, answer.text
        found.append(await may_approve(store, account, trigger))

    assert found == [True, True, False, False, True]


async def may_approve(store: Store, account: Account, trigger: str) -> bool:
    """Return whether the record of the trigger gives its webhook the links of approvals."""
    record = await store.triggers.get(account.id, trigger.rpartition("/")[2])
    assert record.settings.webhook is not None
    return record.settings.webhook.may_approve
