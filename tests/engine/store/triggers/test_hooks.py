from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.ids.triggers import make_hook_token
from engine.store import Account, Store
from engine.store.redis.client import Client
from engine.store.triggers import keys
from engine.triggers.trigger import HookSettings, Trigger
from tests.support.triggers.records import HOOK, save_hook
from tests.support.triggers.starts import Starts


async def test_a_token_finds_all_that_decides_on_an_event(
    store: Store, account: Account, starts: Starts
) -> None:
    await store.secrets.save(account.id, "SIGNING", "the signing secret")
    made = await save_hook(store, account)
    await starts.start_event(made)
    made = await store.triggers.get(account.id, made.id)

    found = await store.hooks.find(made.token or "")

    assert found is not None
    assert (found.trigger, found.account, found.secret) == (made, account, "the signing secret")
    assert found.terms == store.tiers.terms(account.tier, account.role)
    assert abs(found.now - await starts.now()) < 60_000
    assert found.window is not None
    assert (found.window.limit, found.window.calls) == (found.terms.runs_per_minute, 2)
    assert not found.window.is_refused


async def test_a_secret_that_is_gone_or_not_named_is_none(store: Store, account: Account) -> None:
    gone = await store.hooks.find((await save_hook(store, account)).token or "")
    unnamed = await save_hook(store, account, hook=HookSettings())
    free = await store.hooks.find(unnamed.token or "")

    assert gone is not None and gone.secret is None
    assert free is not None and free.secret is None


@pytest.mark.parametrize("act", ["disable", "delete", "rotate"])
async def test_a_former_token_is_unknown_at_once(store: Store, account: Account, act: str) -> None:
    made = await save_hook(store, account)
    match act:
        case "disable":
            await store.triggers.replace(made, HOOK, enabled=False, since=0, next_at=None)
        case "delete":
            await store.triggers.delete(made)
        case _:
            rotated = await store.triggers.rotate(made)
            assert await store.hooks.find(rotated.token or "") is not None

    assert await store.hooks.find(made.token or "") is None


async def test_an_unknown_token_costs_what_a_known_one_does(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await save_hook(store, account)
    sent: list[Sequence[Any]] = []
    send, call = Client.send, Client.call
    monkeypatch.setattr(Client, "send", lambda *words: (sent.append(words[1]), send(*words))[1])
    monkeypatch.setattr(
        Client, "call", lambda *a, **names: (sent.append(a[1].name), call(*a, **names))[1]
    )

    texts = [made.token or "", make_hook_token(account.id), "", "../../etc", "é" * 43]
    found = []
    for text in texts:
        sent.clear()
        found.append(await store.hooks.find(text) is not None)
        assert sent == ["HGET", "find_hook"]
    assert found == [True, False, False, False, False]


async def test_settings_change_what_is_found(store: Store, account: Account) -> None:
    await store.secrets.save(account.id, "OTHER", "another secret")
    made = await save_hook(store, account)
    settings = HookSettings(verify=replace(HOOK.hook.verify, secret="OTHER"))  # type: ignore[union-attr]
    changed = await store.triggers.replace(
        made, replace(HOOK, hook=settings), enabled=True, since=0, next_at=None
    )
    assert isinstance(changed, Trigger)

    found = await store.hooks.find(made.token or "")

    assert found is not None
    assert (found.trigger, found.secret) == (changed, "another secret")


async def test_a_token_that_is_rotated_while_it_is_looked_up_is_unknown(
    store: Store, account: Account
) -> None:
    made = await save_hook(store, account)
    await store.triggers.rotate(made)
    former = made.token or ""
    named = keys.hooks(partition_of(account.id))  # as it was read before
    await store.client.send("HSET", named, tokens.digest(former), f"{account.id}/{made.id}")

    assert await store.hooks.find(former) is None
