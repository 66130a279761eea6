from engine.store import Account, Store
from engine.store.executions.read.records import ExecutionRecords
from engine.store.waits.watched import read_waits
from tests.support.store.child_runs import NODE
from tests.support.waits.runs import ASK, WaitRuns


async def test_entries_of_waits_are_read_with_the_values_on_record(
    runs: WaitRuns, store: Store, account: Account
) -> None:
    await runs.wait()
    records = ExecutionRecords(store.client, store.archive)
    told = {"waiting": runs.root_id, "node": str(NODE), "facts": "1:2:a:fail:ask"}
    forgotten = told | {"waiting": "0196f6a0-0000-7000-8000-000000000001"}

    found = await read_waits(records, account.id, {3: told, 4: {"settled": "0c"}, 5: forgotten})

    assert found.keys() == {3, 5}
    assert (found[3].title, found[3].has_values) == (ASK.title, True)
    assert (found[5].node_id, found[5].until, found[5].has_values) == ("ask", 2, False)
