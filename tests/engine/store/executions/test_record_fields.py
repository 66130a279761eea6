"""Fields of an execution's record: rows, claims, names of offloaded values and cursors."""

import pytest

from engine.errors import InvalidCursor
from engine.executions.execution import NodeExecution
from engine.executions.rows import NodeRow, StepRows, pack_rows
from engine.executions.statuses import NodeStatus
from engine.store.executions.record_fields import (
    WALKED_UNCLAIMED,
    make_cursor,
    pack_name,
    parse_cursor,
    parse_hash,
    parse_jobs,
    parse_name,
    parse_nodes,
    parse_rows,
)
from engine.store.redis.record_packing import pack

EXECUTION = "0b9f1f5e-2f5c-4c60-8f43-5a9b8c8e7d10"


def test_both_forms_of_a_hash_are_read() -> None:
    assert parse_hash({b"a": b"1"}) == parse_hash([b"a", b"1"]) == {"a": b"1"}


def test_jobs_are_found_by_node_and_item() -> None:
    record = {"j3.12": b"job", "j3": b"no item", "jx.1": b"no index", "n3": b"claim"}

    assert parse_jobs(record) == {(3, 12): b"job"}


def test_the_name_of_an_offloaded_value_is_no_value() -> None:
    assert parse_name(pack_name("1-t.0.9")) == "1-t.0.9"
    assert parse_name(pack({"text": "1-t.0.9"})) is None
    assert parse_name(None) is None


def test_a_settled_node_is_read_from_its_row_and_a_running_one_from_its_claim() -> None:
    record = {
        "statuses": b"crp",
        "r1.1": pack_rows(StepRows([NodeRow(0, 2, 50, 7, credits=9)])),
        "n1": b"1:3:60:0",
    }

    assert parse_nodes(record) == (
        NodeExecution(
            index=0,
            status=NodeStatus.COMPLETED,
            attempts=2,
            started_at=50,
            duration_ms=7,
            credits_cost=9,
        ),
        NodeExecution(index=1, status=NodeStatus.RUNNING, attempts=3, started_at=60),
        NodeExecution(index=2, status=NodeStatus.PENDING),
    )


def test_a_node_that_was_stopped_ran_until_the_end_of_the_execution() -> None:
    record = {"statuses": b"x", "n0": b"1:1:60:0", "completed": b"100"}

    (node,) = parse_nodes(record)

    assert (node.status, node.duration_ms) == (NodeStatus.CANCELLED, 40)


def test_times_without_a_claim_count_from_the_start() -> None:
    record = {WALKED_UNCLAIMED: pack_rows(StepRows([NodeRow(0, 1, 5, 7)])), "started": b"1000"}

    assert parse_rows(record)[0].started_at == 1005


def test_a_cursor_names_time_and_execution() -> None:
    assert parse_cursor(make_cursor(1_700, EXECUTION)) == (1_700, EXECUTION)


@pytest.mark.parametrize("cursor", ["", "x", "MTIz", "é", make_cursor(1, "not-an-id")])
def test_another_text_is_no_cursor(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        parse_cursor(cursor)
