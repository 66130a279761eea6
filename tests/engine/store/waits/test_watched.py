from engine.executions.events import EventName
from engine.store import Account, Store
from engine.store.executions.read.records import ExecutionRecords
from engine.store.waits.watched import read_waits
from tests.support.store.child_runs import NODE
from tests.support.waits.runs import ASK, WaitRuns, answer


async def test_entries_of_waits_are_read_with_the_values_on_record(
    runs: WaitRuns, store: Store, account: Account
) -> None:
    await runs.wait()
    records = ExecutionRecords(store.client, store.archive)
    told = {"waiting": runs.root_id, "node": str(NODE), "facts": "1:2:a:fail:ask"}
    forgotten = told | {"waiting": "0196f6a0-0000-7000-8000-000000000001"}

    found = await read_waits(
        records, account.id, runs.root_id, {3: told, 4: {"settled": "0c"}, 5: forgotten}
    )

    [known], [gone] = found[3], found[5]
    assert found.keys() == {3, 5}
    assert (known.title, known.has_values) == (ASK.title, True)
    assert (gone.node_id, gone.until, gone.has_values) == ("ask", 2, False)


async def test_who_watches_later_is_told_of_the_waits_that_are_open(
    runs: WaitRuns, store: Store, account: Account
) -> None:
    opened = await runs.wait()

    page = await store.events.read(account.id, runs.root_id, 1)
    await store.node_waits.answer(runs.asked, answer())
    again = await store.events.read(account.id, runs.root_id, 1)

    [started, node, waiting] = [event for entry in page.entries for event in entry.events()]
    assert (started.name, node.name) == (EventName.EXECUTION_STARTED, EventName.NODE_STARTED)
    assert waiting.wait is not None
    assert (waiting.wait.title, waiting.wait.until) == (ASK.title, opened.until)
    repeated = [event.name for entry in again.entries for event in entry.events()]
    assert repeated == [started.name, node.name, waiting.name]
