import asyncio
from typing import Any

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


async def test_later_watchers_are_told_of_the_waits_that_are_open(
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


async def test_later_watchers_of_a_root_are_told_of_the_open_waits_of_its_children(
    runs: WaitRuns, store: Store, account: Account
) -> None:
    await runs.begin_root()
    await runs.open(3)
    asked = []
    for index in range(3):
        await runs.begin(index)
        asked.append(await runs.ask_in_child(index))
    await store.node_waits.answer(asked[1], answer())

    page = await store.events.read(account.id, runs.root_id, 1)
    again = await store.events.read(account.id, runs.root_id, 1)
    rest = await store.events.read(account.id, runs.root_id, page.last)

    told = [event for entry in page.entries for event in entry.events()]
    waits = [each.wait for each in told if each.wait is not None]
    assert told[0].name == EventName.EXECUTION_STARTED
    assert sorted(wait.execution_id for wait in waits) == sorted(
        [asked[0].execution_id, asked[2].execution_id]
    )
    assert [wait.title for wait in waits] == [ASK.title] * 2
    assert again.entries == page.entries
    assert rest.entries == page.entries[-1:]


async def test_executions_are_read_once_each_and_delays_not_at_all() -> None:
    """The history refuses an account many reads at once."""

    class Records:
        def __init__(self) -> None:
            self.read: list[tuple[str, ...]] = []
            self.now = 0

        async def fields(self, account_id: str, *names: str) -> list[bytes | None]:
            self.now += 1
            assert self.now == 1
            await asyncio.sleep(0)
            self.now -= 1
            self.read.append(names)
            return [None] * (len(names) - 1)

    records: Any = Records()
    asked = {"node": "0", "facts": "1:2:a:fail:ask"}
    entries = {number: {"waiting": f"child {number}", **asked} for number in range(2, 40)}
    begun = {"begun": "ww", "waits": "0=1:2:a:fail:ask,3=1:2:d:fail:later,5=1:2:a:fail:more"}
    delay = {"waiting": "child", "node": "1", "facts": "1:2:d:fail:later"}

    found = await read_waits(records, "acc", "root", {1: begun, **entries, 40: delay})

    assert [wait.node_id for wait in found[1]] == ["ask", "later", "more"]
    assert {names[0] for names in records.read} == {"root", *(f"child {n}" for n in range(2, 40))}
    assert len(records.read) == 39 and len(found) == 40
