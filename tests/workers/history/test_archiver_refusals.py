"""Records of one account that cannot be read stop the archiver for no other."""

from collections.abc import Awaitable, Callable

import pytest

from engine.access.capabilities import Tier
from engine.history.database.connections import Database
from engine.history.retention.retention import Retention
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive.state import ArchiverStates
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.store.ended import URL, Ending
from tests.workers.history.test_archiver import running
from workers.history import archiver as module
from workers.history.archiver import Archiver
from workers.history.duties import EndedEntries, Forgetting, MissedExecutions
from workers.history.load import OtherLoad


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every duty be due at each step, without pauses for what else this machine does."""
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.0)
    monkeypatch.setattr(module, "COLLECT_SECONDS", 0.0)
    for duty in (EndedEntries, Forgetting, MissedExecutions):
        monkeypatch.setattr(duty, "interval_seconds", 0.0)


@pytest.fixture
async def ending(store: Store, account: Account) -> Ending:
    return await Ending.of(store, account)


async def spoil(ending: Ending, *command: str) -> str:
    """Spoil the record of an ended execution by a command on its key; return its name."""
    reference = await ending.completed()
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await ending.store.client.send(command[0], key, *command[1:])
    return reference


async def with_short_nodes(ending: Ending) -> str:
    return await spoil(ending, "HSET", "r1.1", "\x91\x90")


async def with_a_wrong_end(ending: Ending) -> str:
    return await spoil(ending, "HSET", "completed", "never")


async def of_another_type(ending: Ending) -> str:
    reference = await ending.completed()
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await ending.store.client.send("DEL", key)
    await ending.store.client.send("RPUSH", key, "a list")
    return reference


async def without_a_name(ending: Ending) -> str:
    await ending.store.client.send("ZADD", keyspace.finished(3), 1_000, "nonsense")
    return "nonsense"


async def with_a_spoilt_delivery(ending: Ending) -> str:
    key_id = await ending.with_webhook()
    reference = await ending.completed(key_id=key_id, webhook_url=URL)
    await ending.deliver(reference)
    account_id, execution_id = keyspace.parse_reference(reference)
    key = keyspace.unarchived_deliveries(partition_of(account_id))
    [name] = await ending.store.client.send("ZRANGE", key, 0, 0)
    await ending.store.client.send("HDEL", keyspace.delivery(account_id, execution_id), "url")
    return f"delivery {name.decode()}"


async def with_a_spoilt_ledger(ending: Ending) -> str:
    account_id = ending.account.id
    await ending.completed()
    await ending.store.client.send("XADD", keyspace.ledger(account_id), "*", "credits", "many")
    return f"ledger of {account_id}"


async def with_a_spoilt_act(ending: Ending) -> str:
    await ending.store.client.send("XADD", keyspace.audit(5), "*", "nothing", "of an act")
    return "audit log, stream 5"


@pytest.mark.F60
@pytest.mark.parametrize(
    "break_one",
    [
        *(with_short_nodes, with_a_wrong_end, of_another_type, without_a_name),
        *(with_a_spoilt_delivery, with_a_spoilt_ledger, with_a_spoilt_act),
    ],
)
async def test_redis_forgets_the_others_and_the_broken_one_is_named(
    ending: Ending, database: Database, break_one: Callable[[Ending], Awaitable[str]]
) -> None:
    store = ending.store
    name = await break_one(ending)
    other = await store.accounts.create(email="bob@example.com", tier=Tier.PRO)
    await (await Ending.of(store, other)).completed()
    states = ArchiverStates(store.client)
    retention = Retention(store, database, retention_days=30, audit_days=30, keep_ms=0)

    async with running(Archiver(store, database, retention, keep_ms=0)):
        await eventually(
            lambda: store.client.send("ZCARD", keyspace.account_executions(other.id)),
            lambda left: left == 0,
        )
        state = await eventually(lambda: states.read(), lambda state: name in state.refusals)

    assert (state.error, state.refused) == ("", 1)
    assert name in (await states.health()).problem()
