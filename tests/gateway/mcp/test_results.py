"""Results of tool calls."""

from mcp_types import TextContent

from engine.errors import InvalidInputs
from gateway.mcp.results import ERROR, EXECUTION, error_result, run_result

ANSWER = {"success": True, "cost": 3, "ms": 5, "executionId": "e1"}


def test_a_text_is_a_text_block_and_the_result_as_it_is() -> None:
    result = run_result({**ANSWER, "result": {"text": "Hello"}})

    assert result.content == [TextContent(text="Hello")]
    assert result.structured_content == {"text": "Hello"}
    assert result.meta is not None
    assert result.meta[EXECUTION] == "e1"


def test_a_result_that_is_no_object_is_wrapped() -> None:
    assert run_result({**ANSWER, "result": [1]}).structured_content == {"result": [1]}


def test_an_error_has_its_code_and_sentence() -> None:
    result = error_result(InvalidInputs("name", "is required"))

    assert result.is_error
    assert result.meta is not None
    assert result.meta[ERROR]["code"] == "INVALID_INPUTS"
    assert result.meta[ERROR]["field"] == "name"


def test_a_run_that_goes_on_is_told_with_its_id() -> None:
    result = run_result({"executionId": "e1"})

    assert result.is_error
    assert result.meta == {EXECUTION: "e1"}
