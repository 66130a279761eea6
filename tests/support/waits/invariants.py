"""Lists of waits against the records of executions."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine.store import Store
from engine.store.redis import keyspace
from engine.store.waits import keys as wait_keys


def open_names(execution_id: str, record: Mapping[bytes, bytes], kinds: str = "ad") -> list[str]:
    """Return the names in lists of the open waits on a record."""
    parts = [each.split(":") for each in record.get(b"waits", b"").decode().split(",") if each]
    return [f"{execution_id}/{index}" for index, kind, _ in parts if kind in kinds]


async def check_waits(store: Store, account_id: str) -> None:
    """Raise AssertionError where lists of an account differ from the records of its executions."""
    send, prefix = store.client.send, keyspace.execution(account_id, "")
    records: dict[str, dict[bytes, bytes]] = {}
    for key in await send("KEYS", f"{prefix}*"):
        records[key.decode().removeprefix(prefix)] = await send("HGETALL", key)
    goes_on = {b"processing", b"cancel_requested"}
    unfinished = {name: each for name, each in records.items() if each[b"status"] in goes_on}
    roots = {name for name, each in unfinished.items() if b"parent" not in each}
    ended = records.keys() - unfinished.keys()

    assert [each for name in ended for each in open_names(name, records[name])] == []
    counts = {name: len(open_names(name, each)) for name, each in unfinished.items()}
    assert await found_counts(store, account_id) == {n: c for n, c in counts.items() if c}
    asked = {each for name in unfinished for each in open_names(name, records[name], "a")}
    approvals = await send("ZRANGE", wait_keys.approvals(account_id), 0, -1)
    assert {each.decode() for each in approvals} == asked

    only = {name for name in roots if b"only_waits" in records[name]}
    active = {each.decode() for each in await send("SMEMBERS", keyspace.active(account_id))}
    assert (active, active & only) == (roots - only, set())
    waited = {each.decode() for each in await send("SMEMBERS", wait_keys.waited(account_id))}
    assert waited == {name for name in roots if b"waited" in records[name]}
    await check_items(store, account_id, [records[name] for name in only])
    for root in roots:
        key = wait_keys.child_waits(account_id, root)
        listed = {each.decode() for each in await send("ZRANGE", key, 0, -1)}
        children = [n for n, each in unfinished.items() if each.get(b"root") == root.encode()]
        assert listed == {each for name in children for each in open_names(name, records[name])}


async def found_counts(store: Store, account_id: str) -> dict[str, int]:
    """Return the numbers of open waits by execution, as the limit counts them."""
    found: dict[bytes, bytes] = await store.client.send("HGETALL", wait_keys.waits(account_id))
    return {name.decode(): int(count) for name, count in found.items()}


async def check_items(store: Store, account_id: str, only: list[Any]) -> None:
    """Compare the numbers of items of batches that only wait."""
    expected = Counter(each[b"batch"] for each in only if b"batch" in each)
    found = await store.client.send("HGETALL", wait_keys.waiting_items(account_id))
    assert int(found.pop(b"all", b"0")) == expected.total()
    assert {name: int(count) for name, count in found.items()} == expected
