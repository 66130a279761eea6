"""Ids of executions."""

import pytest

from engine.ids.executions import (
    child_execution_id,
    is_execution_id,
    item_execution_id,
    new_execution_id,
)

ID = "9f16ae3d-3b78-4322-99f3-c49bb658e6e5"


def test_a_uuid_in_lower_case_is_an_id() -> None:
    assert is_execution_id(ID)


@pytest.mark.parametrize("value", ["", "x", ID.upper(), f"{ID}:events", 5])
def test_anything_else_is_none(value: object) -> None:
    assert not is_execution_id(value)


def test_items_of_a_batch_have_executions_of_fixed_and_different_ids() -> None:
    batch_id = new_execution_id()

    ids = [item_execution_id(batch_id, index) for index in range(1_000)]

    assert len(set(ids)) == 1_000
    assert ids[7] == item_execution_id(batch_id, 7)
    assert all(map(is_execution_id, ids))


def test_children_have_ids_of_their_parent_their_node_and_their_index() -> None:
    parent_id = new_execution_id()
    places = [("each", 0), ("each", 1), ("other", 0)]

    ids = [child_execution_id(parent_id, *place) for place in places]
    ids.append(child_execution_id(new_execution_id(), "each", 0))

    assert len(set(ids)) == 4
    assert ids[1] == child_execution_id(parent_id, "each", 1)
    assert all(map(is_execution_id, ids))
