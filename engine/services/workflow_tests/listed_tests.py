"""Items of a test run: first the tests, then the judges of those that have one."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from msgspec import Struct

from engine.store import NewItem, Store
from engine.store.workflows.workflow_test_records import WorkflowTest

NAMES, DRAFT, JUDGED = "names", "draft", "judged"
"""Fields of the list: names of its tests, graph of a draft, and tests that judges rate."""
DRAFT_REVISION, TESTS_REVISION, IS_WHOLE = "draft_revision", "tests_revision", "whole"
RECORD_VALUES, IS_FINISHED = "record_values", "finished"


class ListedTest(Struct, frozen=True):
    """Test as it was when the test run began."""

    name: str
    test: WorkflowTest

    def as_item(self) -> NewItem:
        """Return the item of the test."""
        return NewItem({"name": self.name, "test": self.test.as_dict()})

    @classmethod
    def of(cls, item: NewItem) -> Self:
        """Return the test of an item."""
        return cls(item.inputs["name"], WorkflowTest.from_dict(item.inputs["test"]))


class ListedOrder(Struct, frozen=True):
    """Tests of a run by their index, and for the items after them the tests that they judge."""

    names: Sequence[str]
    judged: Sequence[int]

    @classmethod
    def of(cls, facts: Mapping[str, bytes]) -> Self:
        """Return the plan of a list with these fields."""
        judged = facts.get(JUDGED, b"").decode()
        return cls(
            facts[NAMES].decode().split(","), [int(each) for each in judged.split(",") if each]
        )

    def tested_by(self, index: int) -> int | None:
        """Return the test that an item judges; None: the item is a test."""
        return None if index < len(self.names) else self.judged[index - len(self.names)]

    def judge_of(self, index: int) -> int | None:
        """Return the item that judges a test; None: none does."""
        return len(self.names) + self.judged.index(index) if index in self.judged else None


def make_items(tests: Sequence[ListedTest]) -> tuple[list[NewItem], dict[str, Any]]:
    """Return all items of a run of these tests, and the fields that say which is which."""
    judged = [index for index, each in enumerate(tests) if each.test.judge]
    items = [*(each.as_item() for each in tests), *(NewItem({}) for _ in judged)]
    names = ",".join(each.name for each in tests)
    return items, {NAMES: names, JUDGED: ",".join(map(str, judged))}


async def read_test(store: Store, account_id: str, list_id: str, index: int) -> ListedTest:
    """Return a test of a run. Raises FileNotFoundError where it is gone, or StorageFailed."""
    found = await store.batches.items(account_id, list_id, [index])
    if index not in found:
        raise FileNotFoundError(index)
    return ListedTest.of(found[index])
