"""Reports of executions that did not complete."""

import json
from typing import Any

import pytest

from deploy.client.reports import failure, report


def ended(status: str, error: dict[str, Any] | None, *nodes: dict[str, Any]) -> dict[str, Any]:
    return {
        "executionId": "e-1",
        "status": status,
        "result": None,
        "error": error,
        "creditsCost": 0,
        "durationMs": 4,
        "nodes": list(nodes),
    }


OF_NODE = {"code": "EXECUTION_FAILED", "message": "Node 'b' failed: No\x1b", "nodeId": "b"}
NODES = (
    {"id": "a", "error": None},
    {"id": "b", "error": {"code": "http_error", "message": "No\x1b"}},
)
OF_NOBODY = {"code": "INSUFFICIENT_CREDITS", "message": "There are too few credits"}


@pytest.mark.parametrize(
    ("execution", "sentence"),
    [
        (ended("failed", OF_NODE, *NODES), "failed at the node 'b' (http_error): No\x1b"),
        (ended("failed", OF_NODE), "failed (EXECUTION_FAILED): Node 'b' failed: No\x1b"),
        (
            ended("failed", OF_NOBODY, *NODES),
            "failed (INSUFFICIENT_CREDITS): There are too few credits",
        ),
        (ended("cancelled", None), "was cancelled."),
    ],
)
def test_a_failure_is_told_with_all_that_is_known(execution: dict[str, Any], sentence: str) -> None:
    assert failure(execution) == f"The execution e-1 {sentence}"


def test_json_has_the_code_and_the_reason_of_the_node_and_people_get_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = report(ended("failed", OF_NODE, *NODES), as_json=True)

    printed = capsys.readouterr()
    assert code == 1
    assert json.loads(printed.out)["error"] == {
        **OF_NODE,
        "nodeCode": "http_error",
        "reason": "No\x1b",
    }
    assert printed.err.endswith("(http_error): No\N{REPLACEMENT CHARACTER}\n")
