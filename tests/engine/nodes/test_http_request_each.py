"""HTTP requests for each item of lists."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes import http_request
from engine.nodes.http_request import HttpRequest
from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.nodes.node_context import FakeContext, run_node

URL = "https://a.example/{{ id }}"


class Server(FakeContext):
    """Context that answers with the last part of the path, later calls first."""

    def __init__(self, failing: Sequence[str] = ()) -> None:
        super().__init__()
        self.running = self.most = 0
        self.stopped: list[str] = []
        self._failing = failing

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        name = call.url.rpartition("/")[2]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0 if name in self._failing else 0.02 / len(self.calls))
            if self._failing and name not in self._failing:
                await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.stopped.append(name)
            raise
        finally:
            self.running -= 1
        status = 404 if name in self._failing else 200
        return HttpAnswer(status=status, headers={}, body=name.encode())


async def send(
    data: dict[str, Any], inputs: dict[str, Any], context: FakeContext, *wired: str
) -> Any:
    data = {"url": URL, "each": True, **data}
    return await run_node("httpRequest", data, inputs, context=context, wired=frozenset(wired))


async def test_there_is_a_call_per_item_sixteen_at_once_and_the_results_are_in_order() -> None:
    server, items = Server(), list(range(40))

    outputs = await send({}, {"id": items}, server)

    assert outputs == {"response-out": [str(each) for each in items], "status-out": [200] * 40}
    assert (len(server.calls), server.most) == (40, 16)


async def test_lists_go_together_and_single_values_are_the_same_for_all() -> None:
    context = FakeContext()
    data = {"method": "POST", "headers": {"X-Who": "{{ who.name }}"}}
    inputs = {"id": ["a", "b"], "who": {"name": "Ada"}, "body-in": [{"n": 1}, None]}

    await send(data, inputs, context)

    assert [(call.url[-1], call.headers[0], call.body) for call in context.calls] == [
        ("a", ("X-Who", "Ada"), b'{"n":1}'),
        ("b", ("X-Who", "Ada"), None),
    ]


async def test_members_of_items_are_read() -> None:
    context = FakeContext()
    data = {"url": "https://a.example/{{ order.id }}", "body": '{"sum": {{ order.sum }}}'}

    await send(data, {"order": [{"id": 1, "sum": 2.5}, {"id": 2, "sum": 4}]}, context)

    assert [(call.url[-1], json.loads(call.body or b"")) for call in context.calls] == [
        ("1", {"sum": 2.5}),
        ("2", {"sum": 4}),
    ]


async def test_no_items_are_no_calls() -> None:
    context = FakeContext()

    assert await send({}, {"id": []}, context) == {"response-out": [], "status-out": []}
    assert context.calls == []


async def test_an_item_that_fails_fails_the_node_and_stops_the_others() -> None:
    server = Server(failing=["b"])

    with pytest.raises(NodeFailed, match="Item 2: The server answered 404: b") as raised:
        await send({}, {"id": ["a", "b", "c", *"defghijklmnopqrstuvwxyz"]}, server)

    assert (raised.value.code, raised.value.retryable) == ("http_status", False)
    assert sorted(server.stopped) == [*"acdefghijklmnop"]
    assert len(server.calls) == 16


async def test_with_a_wire_at_the_status_no_status_fails() -> None:
    inputs = {"id": ["a"]}
    answer = HttpAnswer(status=404, headers={}, body=b"x")

    outputs = await send({}, inputs, FakeContext(answer=answer), "status-out")

    assert outputs == {"response-out": ["x"], "status-out": [404]}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"id": "a"}, "'each' needs a list at a placeholder or at 'body-in'"),
        ({"id": ["a", "b"], "body-in": [1]}, "2 at 'id', 1 at 'body-in'"),
        ({"id": ["a"] * 10_001}, "at most 10000 items, not 10001"),
    ],
)
async def test_lists_that_do_not_fit_fail_before_a_call(
    inputs: dict[str, Any], message: str
) -> None:
    context = FakeContext()

    with pytest.raises(NodeFailed, match=message) as raised:
        await send({}, inputs, context)

    assert (raised.value.code, context.calls) == ("invalid_value", [])


async def test_all_answers_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_request, "MAX_BYTES_TOGETHER", 5)

    with pytest.raises(NodeFailed, match="All answers together are larger") as raised:
        await send({}, {"id": ["a", "b", "c"]}, FakeContext())

    assert raised.value.code == "response_too_large"


async def test_without_each_a_list_is_put_into_one_call() -> None:
    context = FakeContext()

    await send({"each": False}, {"id": [1, 2]}, context)

    assert [call.url for call in context.calls] == ["https://a.example/%5B1%2C2%5D"]


def test_each_is_true_or_false() -> None:
    with pytest.raises(SettingsError, match="each must be true or false"):
        HttpRequest().parse({"url": URL, "each": "yes"})


def test_an_estimate_knows_how_many_answers_there_are() -> None:
    kind = HttpRequest()
    settings = kind.parse({"url": URL, "each": True})

    assert kind.estimate_outputs(settings, {"id": ["a", "b"]})["response-out"] == [None, None]
    assert kind.estimate_outputs(kind.parse({"url": URL}), {"id": ["a"]}) == {}
