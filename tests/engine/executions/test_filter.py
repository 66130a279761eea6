"""Filters of executions: their conditions, and the arguments of the script."""

import pytest

from engine.executions.filter import FIELDS, NONE, ExecutionFilter
from engine.executions.statuses import ExecutionStatus


def test_a_filter_is_open_without_conditions() -> None:
    assert ExecutionFilter().is_open
    assert not ExecutionFilter(model_id="writer").is_open
    assert not ExecutionFilter(created_from=0).is_open


@pytest.mark.parametrize("attribute", ["key_id", "model_id", "http_request_id", "error_code"])
def test_an_empty_text_is_a_condition_that_nothing_meets(attribute: str) -> None:
    wanted = ExecutionFilter(**{attribute: ""})  # type: ignore[arg-type]

    assert [value for _, value in wanted.conditions] == [""]


def test_the_script_compares_fields_of_records() -> None:
    wanted = ExecutionFilter(
        statuses=[ExecutionStatus.FAILED, ExecutionStatus.CANCELLED],
        model_id="writer",
        key_id=NONE,
        version=3,
        error_code="TIMEOUT",
        created_from=1,
        id_start="a",
    )

    assert wanted.arguments == [
        *("status", "one_of", "failed,cancelled", ""),
        *("models", "has", "writer", "owner"),
        *("key", "lacks", NONE, ""),
        *("version", "equals", "3", "owner"),
    ]


def test_time_and_id_alone_need_no_record() -> None:
    assert not ExecutionFilter(created_from=1, created_to=2, id_start="a").needs_record
    assert ExecutionFilter(error_code="TIMEOUT").needs_record


def test_names_are_not_shared() -> None:
    assert len({each.name for each in FIELDS.values()}) == len(FIELDS)
