"""Callers of models over HTTP."""

from typing import Any

from engine.access.capabilities import Role, Tier
from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import edge, node

RUN = "/api/models/own/run"
ASK = {"inputs": {"prompt": "Eve"}}


async def client_of(store: Store, make_client: MakeClient, tier: Tier, *held: str) -> Any:
    """Return a client of another account with a key that has these capabilities."""
    account = await store.accounts.create(email="eve@example.com", tier=tier)
    _, secret = await store.api_keys.create(account, name="narrow", capabilities=held)
    return await make_client(secret)


async def credits_left(store: Store, account: Account, tier: Tier = Tier.BUSINESS) -> int:
    """Return an account's balance."""
    terms = store.tiers.terms(tier, Role.USER)
    return (await store.wallets.get(account.id, terms)).balance


def two_calls() -> dict[str, Any]:
    """Return a workflow that calls a model with each text of its input."""
    count = {"name": "texts", "label": "Texts", "type": "json", "required": True}
    nodes = [
        node("in", "requestInput", fields=[count]),
        node("items", "transform", expression="value.texts"),
        node("list", "list"),
        node("model", "customModel", model="own"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "params", "items", "value-in"),
        edge("items", "value-out", "list", "items-in"),
        edge("list", "items-out", "model", "prompt-in"),
        edge("model", "text-out", "out", "result-in"),
    ]
    return {"name": "Many", "nodes": nodes, "edges": edges}
