from typing import Any
from urllib.parse import parse_qs

import pytest

from deploy.client.approvals import ApprovalCaller
from deploy.output.problems import CommandFailed

FORM = [{"name": "urgent", "type": "toggle"}, {"name": "copies", "type": "number"}]
WAITING = {
    "waitingFor": [
        {"nodeId": "ask", "executionId": "child", "fields": [{"name": "copies", "type": "text"}]},
        {"nodeId": "later", "kind": "delay"},
        {"nodeId": "ask", "fields": FORM},
    ]
}


class Recorded:
    """An API of one execution and two pages of approvals; calls are recorded."""

    def __init__(self, execution: Any = None) -> None:
        self.execution = execution or WAITING
        self.calls: list[Any] = []

    async def get(self, path: str) -> Any:
        self.calls.append(path)
        if not path.startswith("/api/approvals"):
            return self.execution
        query = parse_qs(path.partition("?")[2])
        first, count = (200 if "cursor" in query else 0), int(query["limit"][0])
        rows = [{"nodeId": str(number)} for number in range(first, first + count)]
        return {"rows": rows, "nextCursor": None if first else "next"}

    async def post(self, path: str, body: Any) -> Any:
        self.calls.append((path, body))
        return {}


async def test_values_have_the_types_of_the_form_of_this_execution() -> None:
    api: Any = Recorded()

    await ApprovalCaller(api).answer("e/1", "ask", "approve", ["urgent=yes", "copies=2"], "Fine")

    fields = {"urgent": True, "copies": 2}
    answer = {"decision": "approve", "note": "Fine", "fields": fields}
    assert api.calls == ["/api/executions/e%2F1", ("/api/executions/e%2F1/approvals/ask", answer)]


async def test_a_wrong_value_is_refused_before_the_call() -> None:
    api: Any = Recorded()

    with pytest.raises(CommandFailed, match="toggle"):
        await ApprovalCaller(api).answer("e", "ask", "approve", ["urgent=maybe"], None)

    assert api.calls == ["/api/executions/e"]


async def test_without_values_one_call_answers() -> None:
    api: Any = Recorded()

    await ApprovalCaller(api).answer("e", "ask", "refuse", [], None)

    assert api.calls == [("/api/executions/e/approvals/ask", {"decision": "refuse", "note": None})]


async def test_what_waits_no_more_is_left_to_the_server() -> None:
    api: Any = Recorded({"waitingFor": []})

    await ApprovalCaller(api).answer("e", "ask", "approve", ["urgent=yes"], None)

    assert api.calls[1][1]["fields"] == {"urgent": "yes"}


async def test_approvals_are_read_page_by_page() -> None:
    api: Any = Recorded()

    rows = await ApprovalCaller(api).approvals(220)

    assert [row["nodeId"] for row in rows] == [str(number) for number in range(220)]
    assert [call.partition("?")[0] for call in api.calls] == ["/api/approvals"] * 2
