"""Ids of executions."""

import pytest

from engine.ids.executions import is_execution_id

ID = "9f16ae3d-3b78-4322-99f3-c49bb658e6e5"


def test_a_uuid_in_lower_case_is_an_id() -> None:
    assert is_execution_id(ID)


@pytest.mark.parametrize("value", ["", "x", ID.upper(), f"{ID}:events", 5])
def test_anything_else_is_none(value: object) -> None:
    assert not is_execution_id(value)
