"""Rows of ended executions."""

import pytest

from engine.executions.rows import NodeRow, StepRows, pack_rows
from engine.executions.statuses import ExecutionStatus
from engine.history.archiving.execution_rows import make_rows, parse_record
from engine.history.packing import decompress
from engine.history.schema import child_executions
from engine.store import Account, Store
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.redis.record_packing import pack, unpack
from tests.support.history.rows import MONDAY, NAMES, PARENT, child_rows, ended, rows
from tests.support.store.ended import Ending


def test_an_execution_has_a_column_for_each_filter() -> None:
    row = rows(
        models="gpt,claude", spent=7, usd=6_500, markup="1.5", request="req-1", has_objects=1
    ).execution

    del row["id"], row["record_bytes"], row["result"]
    assert row == {
        "account_id": "acc_1",
        "created_at": MONDAY,
        "started_at": MONDAY + 1,
        "completed_at": MONDAY + 100,
        "duration_ms": 100,
        "status": "completed",
        "source": "api-workflow",
        "workflow_slug": "echo",
        "workflow_version": 2,
        "key_id": "key_1",
        "error_code": None,
        "model_ids": "gpt,claude",
        "credits": 7,
        "micro_usd": 6_500,
        "markup": "1.5",
        "owner_id": None,
        "retry_of": None,
        "retried_by": None,
        "http_request_id": "req-1",
        "has_objects": True,
        "error": None,
        "result_bytes": 12,
        "warnings": None,
        "tags": None,
        "batch_id": None,
        "item": None,
        "trigger_id": None,
        "occurrence_id": None,
        "trace_id": None,
        "alias": None,
    }


def test_a_child_has_its_place_and_no_column_for_a_filter() -> None:
    found = child_rows(index=3, models="gpt", tags="nightly", spent=7)

    columns = ("parent_id", "parent_node_id", "child_index", "root_id", "depth", "credits")
    assert found.is_child
    assert [found.execution[each] for each in columns] == [PARENT, "each", 3, PARENT, 1, 7]
    assert set(found.execution) == set(child_executions.c.keys())
    assert not found.models
    assert not found.tags
    assert len(found.nodes) == 2


def test_an_item_of_a_batch_has_its_place_and_its_tags() -> None:
    found = rows(tags="b\0a, c", batch="batch-1", item=0)

    columns = ("tags", "batch_id", "item")
    assert [found.execution[each] for each in columns] == ["\nb\na, c\n", "batch-1", 0]
    assert [each["tag"] for each in found.tags] == ["b", "a, c"]
    ids = {(each["execution_id"], each["created_at"]) for each in found.tags}
    assert ids == {(found.execution["id"], MONDAY)}


def test_an_execution_that_a_trigger_started_has_its_occurrence() -> None:
    row = rows(source="trigger", trigger="trg_1", occurrence=PARENT).execution

    assert (row["trigger_id"], row["occurrence_id"]) == ("trg_1", PARENT)


def test_an_execution_of_a_trace_has_its_id() -> None:
    header = f"00-{'1a' * 16}-{'2b' * 8}-01"

    assert rows(trace=header).execution["trace_id"] == "1a" * 16
    record = unpack(decompress(rows(trace=header).record["record"]))
    assert record["fields"]["trace"] == header.encode()


def test_the_event_that_started_an_execution_is_not_archived() -> None:
    found = ended(trigger="trg_1", occurrence=PARENT, event=b"the body", inputs=b"the inputs")

    record = unpack(decompress(make_rows(found, NAMES).record["record"]))

    assert b"the body" not in str(record).encode()
    assert record["fields"]["inputs"] == b"the inputs"


def test_a_run_of_a_model_in_the_browser_has_no_workflow_version_and_key() -> None:
    row = rows(slug="", version="", key="", source="app").execution

    assert (row["workflow_slug"], row["workflow_version"], row["key_id"]) == (None, None, None)


def test_a_failure_has_its_code_and_its_error_as_json() -> None:
    error = {"code": "EXECUTION_FAILED", "message": "No\0", "nodeId": "t"}

    row = rows(status="failed", error=pack(error), warnings=pack(["one"]), retry="x").execution

    assert row["error_code"] == "EXECUTION_FAILED"
    assert row["error"] == '{"code":"EXECUTION_FAILED","message":"No\\u0000","nodeId":"t"}'
    assert row["warnings"] == '["one"]'
    assert row["retried_by"] == "x"


def test_a_model_has_one_row_however_often_it_is_used() -> None:
    assert [each["model_id"] for each in rows(models="gpt,claude,gpt").models] == ["gpt", "claude"]


def test_nodes_that_were_reached_have_a_row() -> None:
    error = {"code": "http_status", "message": "500"}
    row = NodeRow(0, 3, 9, 7, error, credits=4)
    failed = rows(status="failed", statuses="fs", **{"r1.1": pack_rows(StepRows([row]))})

    assert [dict(each, execution_id=None) for each in failed.nodes] == [
        {
            "account_id": "acc_1",
            "execution_id": None,
            "position": 0,
            "node_id": "t",
            "type": "textBox",
            "status": "failed",
            "attempts": 3,
            "started_at": 9,
            "duration_ms": 7,
            "credits": 4,
            "error_code": "http_status",
        }
    ]


def test_nodes_without_names_on_record_have_no_id_and_type() -> None:
    assert [each["node_id"] for each in make_rows(ended(), ()).nodes] == [None, None]


def test_an_execution_of_anothers_workflow_is_stored_as_its_caller_sees_it() -> None:
    found = rows(owner="acc_2", models="gpt")

    assert found.execution["owner_id"] == "acc_2"
    assert found.execution["workflow_version"] is None
    assert (found.models, found.nodes) == ([], [])


@pytest.mark.parametrize("status", [*map(str, ExecutionStatus)][2:])
async def test_a_record_comes_back_as_redis_had_it(
    store: Store, account: Account, status: str
) -> None:
    ending = await Ending.of(store, account)
    reference = await getattr(ending, status)(watcher="")
    (record,) = (await EndedExecutions(store.client).read([reference])).records

    found = make_rows(record, ending.plan.names)

    back = parse_record(
        record.account_id,
        record.execution_id,
        found.record["record"],
        found.execution["result"],
    )
    assert back == record
    assert found.execution["status"] == status
    assert "result" not in str(found.record["record"])
