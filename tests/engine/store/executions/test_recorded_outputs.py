"""Whether all outputs of an ended execution are on record."""

from typing import Any

import pytest

from engine.graph.plan import compile_plan
from engine.store.executions.recorded_outputs import has_all_outputs
from engine.store.redis.record_packing import pack
from tests.support.store.records import document

PLAN = compile_plan(document().nodes, document().edges)


def record(statuses: str, *rows: list[Any]) -> dict[str, bytes]:
    return {"statuses": statuses.encode(), "r1.1": pack(list(rows))}


@pytest.mark.parametrize("outputs", [b"\x80", "1-token.0.400000"])
def test_outputs_may_be_on_record_or_named(outputs: bytes | str) -> None:
    assert has_all_outputs(record("cp", [0, 1, 5, 5, None, outputs]), PLAN)


@pytest.mark.parametrize(
    "rows", [[], [[0, 1, 5, 5, None, None]]], ids=["without a row", "without outputs"]
)
def test_outputs_of_a_completed_node_may_be_missing(rows: list[list[Any]]) -> None:
    assert not has_all_outputs(record("cf", *rows), PLAN)


def test_nodes_that_did_not_complete_and_the_output_have_none() -> None:
    assert has_all_outputs(record("fs"), PLAN)
    assert has_all_outputs(
        record("cc", [0, 1, 5, 5, None, b"\x80"], [1, 1, 5, 5, None, None]), PLAN
    )
