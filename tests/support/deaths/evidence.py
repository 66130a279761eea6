"""Evidence after a trial: the records, ledger, events and keys of an account, and its remotes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load as load_tiers
from engine.executions.events import ExecutionEvent, read_events
from engine.executions.execution import Execution
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import LedgerEntry, Store, Wallet
from engine.store.redis import keyspace
from tests.support.deaths.scene import Scene
from tests.support.redis.installation import SECRET_KEY

MOST_ENTRIES = 100_000


@dataclass(kw_only=True)
class Evidence:
    """State of an account at rest."""

    executions: Mapping[str, Execution]
    events: Mapping[str, Sequence[ExecutionEvent]]
    """Events of each execution that was watched."""
    wallet: Wallet
    entries: Sequence[LedgerEntry]
    wrong_sums: Sequence[str]
    """Discrepancies between ledger, wallet and executions."""
    deliveries: Mapping[str, str]
    """Status of the delivery of each end."""
    keys: Mapping[str, bool]
    """Keys of the database, and whether each expires."""


def read_evidence(scene: Scene) -> Evidence:
    """Read the state of the scene's account around the proxy."""
    return asyncio.run(_read(scene))


async def _read(scene: Scene) -> Evidence:
    media_url = scene.fleet.environ["HEADRACE_MEDIA_URL"]
    settings = Settings(redis_url=scene.redis_url, secret_key=SECRET_KEY, media_url=media_url)
    store = Store.open(settings, ObjectStore.from_settings(settings))
    try:
        return await _read_account(store, scene.account_id)
    finally:
        await store.close()


async def _read_account(store: Store, account_id: str) -> Evidence:
    terms = load_tiers().terms(Tier.ENTERPRISE, Role.USER)
    send = store.client.send
    names = [
        each.decode()
        for each in await send("ZRANGE", keyspace.account_executions(account_id), 0, -1)
    ]
    events = {name: await _events(store, account_id, name) for name in names}
    deliveries = {
        name: await send("HGET", keyspace.delivery(account_id, name), "status") for name in names
    }
    keys = {each.decode(): await send("PTTL", each) > 0 for each in await send("KEYS", "*")}
    return Evidence(
        executions={name: await store.executions.get(account_id, name) for name in names},
        events={name: found for name, found in events.items() if found},
        wallet=await store.wallets.get(account_id, terms),
        entries=(await store.wallets.entries(account_id, MOST_ENTRIES)).entries,
        wrong_sums=await store.wallets.check(account_id),
        deliveries={name: status.decode() for name, status in deliveries.items() if status},
        keys=keys,
    )


async def _events(store: Store, account_id: str, execution_id: str) -> list[ExecutionEvent]:
    found: list[ExecutionEvent] = []
    first = 1
    while (reading := await store.events.read(account_id, execution_id, first)).entries:
        found += [each for entry in reading.entries for _, each in read_events(entry)]
        first = reading.entries[-1].number + 1
    return found
