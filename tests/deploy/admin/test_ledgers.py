"""Names of charged nodes in ledger entries."""

from deploy.admin.ledgers import newest_entries
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.store.records import accept, save


async def charge(store: Store, account: Account, execution_id: str, node: int) -> None:
    """Return an entry in the format of the script that records a node."""
    await store.client.send(
        *("XADD", keyspace.ledger(account.id), "*", "kind", "capture", "bucket", "m0"),
        *("credits", 0, "reserved", -5, "balance", 95),
        *("execution", execution_id, "node", node),
    )


async def test_an_entry_names_the_node_that_was_charged_by_its_id(
    store: Store, account: Account
) -> None:
    first = await accept(store, account, *await save(store, account))
    await charge(store, account, first.id, 0)
    await charge(store, account, first.id, 1)

    rows = await newest_entries(store, account.id, 10)

    assert [(row["kind"], row["node"]) for row in rows] == [("capture", "out"), ("capture", "t")]


async def test_an_entry_whose_execution_is_gone_has_the_place_of_its_node(
    store: Store, account: Account
) -> None:
    await charge(store, account, "00000000-0000-4000-8000-000000000000", 3)

    rows = await newest_entries(store, account.id, 10)

    assert [row["node"] for row in rows] == [3]
