"""Ids of executions."""

import uuid

import pytest

from engine.ids.executions import is_execution_id


def test_a_uuid_in_lower_case_is_an_id() -> None:
    assert is_execution_id(str(uuid.uuid4()))


@pytest.mark.parametrize("value", ["", "x", str(uuid.uuid4()).upper(), f"{uuid.uuid4()}:events", 5])
def test_anything_else_is_none(value: object) -> None:
    assert not is_execution_id(value)
