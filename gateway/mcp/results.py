"""Results of tool calls: contents for models, and the result as it is for programs."""

from collections.abc import Mapping
from typing import Any

import msgspec
from mcp_types import CallToolResult, ContentBlock, TextContent

from engine.errors import EngineError
from gateway.http.responses import encode_json

ERROR = "headrace/error"
EXECUTION = "headrace/executionId"
COST = "headrace/creditsCost"
"""Members of `_meta` in results."""


def run_result(answer: Mapping[str, Any]) -> CallToolResult:
    """Return the result of a run by its answer over HTTP: a `RunResult` or an `AcceptedView`."""
    if "result" not in answer:
        return _goes_on(answer["executionId"])
    result = answer["result"]
    return CallToolResult(
        content=contents(result),
        structured_content=result if isinstance(result, dict) else {"result": result},
        _meta={EXECUTION: answer["executionId"], COST: answer["cost"]},
    )


def contents(result: Any) -> list[ContentBlock]:
    """Return the content blocks of a result."""
    if isinstance(result, dict) and list(result) == ["text"] and isinstance(result["text"], str):
        return [TextContent(text=result["text"])]
    text = result if isinstance(result, str) else encode_json(result).decode()
    return [TextContent(text=text)]


def error_result(error: EngineError) -> CallToolResult:
    """Return the result for an error that the run would be answered with."""
    code = error.code or "ERROR"
    body = msgspec.json.decode(encode_json({"error": error.message, "code": code, **error.context}))
    return CallToolResult(
        content=[TextContent(text=f"{code}: {error.message}")],
        is_error=True,
        _meta={ERROR: body},
    )


def _goes_on(execution_id: str) -> CallToolResult:
    sentence = f"The run goes on as execution {execution_id}, which can be read over the API"
    return CallToolResult(
        content=[TextContent(text=f"EXECUTION_GOES_ON: {sentence}")],
        is_error=True,
        _meta={EXECUTION: execution_id},
    )
