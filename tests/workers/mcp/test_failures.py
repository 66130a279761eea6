"""Words for errors of the library."""

from collections.abc import Awaitable, Callable

import pytest
from mcp.shared.exceptions import MCPError

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpAnswer, HttpCall
from workers.mcp.failures import MAX_MESSAGE, explain
from workers.mcp.transport import EgressTransport

JSON = {"content-type": "application/json"}
REFUSAL = b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Unknown tool"}}'


async def never(_: HttpCall) -> HttpAnswer:
    raise AssertionError


@pytest.fixture
def explained() -> Callable[..., Awaitable[NodeFailed]]:
    async def run(error: Exception, answer: HttpAnswer | None = None) -> NodeFailed:
        transport = EgressTransport(never, HttpCall(method="POST", url="https://a.example/"))
        transport.answer = answer
        found = explain(error, transport)
        assert isinstance(found, NodeFailed)
        return found

    return run


def refusal(code: int = -32602, message: str = "Unknown tool") -> ExceptionGroup[Exception]:
    inner = ExceptionGroup("tasks", [MCPError(code=code, message=message)])
    return ExceptionGroup("tasks", [inner])


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"", "tool_refused"),
        (400, REFUSAL, "tool_refused"),
        (404, REFUSAL, "tool_refused"),
        (400, b"{}", "http_status"),
        (401, REFUSAL, "http_status"),
        (429, REFUSAL, "http_status"),
        (503, REFUSAL, "http_status"),
        (307, b"", "bad_response"),
        (202, b"", "bad_response"),
    ],
)
async def test_the_status_decides_where_it_says_more(
    explained: Callable[..., Awaitable[NodeFailed]], status: int, body: bytes, code: str
) -> None:
    answer = HttpAnswer(status=status, headers=JSON, body=body)

    assert (await explained(refusal(), answer)).code == code


async def test_an_end_of_the_stream_may_be_tried_again_and_a_servers_own_code_not(
    explained: Callable[..., Awaitable[NodeFailed]],
) -> None:
    ended = await explained(refusal(-32000, "SSE stream ended without a response"))
    own = await explained(refusal(-32000, "Out of paper"))

    assert (ended.code, ended.retryable, ended.may_have_arrived) == ("bad_response", True, True)
    assert (own.code, own.retryable) == ("tool_refused", False)
    assert own.message == "The server refused: Out of paper"


async def test_a_long_refusal_is_cut(explained: Callable[..., Awaitable[NodeFailed]]) -> None:
    assert len((await explained(refusal(message="x" * 9_999))).message) < 2_100


async def test_a_cut_splits_no_secret() -> None:
    secrets = OpenedSecrets({"token": "sesame-4711-open"})
    call = HttpCall(method="POST", url="https://a.example/", secrets=secrets)
    words = "x" * (MAX_MESSAGE - 8) + "sesame-4711-open"

    found = explain(refusal(message=words), EgressTransport(never, call))

    assert isinstance(found, NodeFailed) and "sesame" not in found.message


async def test_a_fault_of_ours_stays_what_it_is() -> None:
    transport = EgressTransport(never, HttpCall(method="POST", url="https://a.example/"))
    error = KeyError("ours")

    assert explain(ExceptionGroup("tasks", [error]), transport) is error
