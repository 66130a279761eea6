import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.contract.nodes.test_nodes import OUT, given, to_out
from tests.support.contract.installation import Caller, field, form, workflow
from tests.support.gateway.documents import edge, node
from tests.support.http.target import PNG, Request, Stub

LIST = node("value", "transform", expression="value.v")
TO_LIST = edge("in", "params", "value", "value-in")


def posting(stub: Stub, path: str, **data: Any) -> dict[str, Any]:
    return node("call", "httpRequest", url=stub.url + path, method="POST", **data)


def only_request(stub: Stub, path: str) -> Request:
    """Return the one call of this path; calls of earlier tests may still come in."""
    (request,) = [each for each in stub.requests if each.path == path]
    return request


def test_each_sends_a_call_per_item_and_gives_the_answers_in_order(
    caller: Caller, stub: Stub
) -> None:
    call = posting(stub, "/o/{{ order.id }}", body='{"sum": {{ order.sum }}}', each=True)
    nodes = given(LIST, call)
    edges = [TO_LIST, edge("value", "value-out", "call", "order"), to_out("call", "response-out")]
    orders = [{"id": number, "sum": number / 2} for number in range(1, 21)]

    result = caller.result(nodes, edges, {"v": orders})

    assert result == [f"/o/{order['id']}" for order in orders]
    sent = {request.path: json.loads(request.body) for request in stub.requests}
    assert sent == {f"/o/{order['id']}": {"sum": order["sum"]} for order in orders}


def test_the_first_item_that_fails_fails_the_node(caller: Caller, stub: Stub) -> None:
    nodes = given(LIST, posting(stub, "/status/{{ code }}/x", each=True))
    edges = [TO_LIST, edge("value", "value-out", "call", "code"), to_out("call", "response-out")]
    slug = caller.save(workflow(nodes, edges))

    answer = caller.run(slug, {"v": [200, 422, *[200] * 500]})

    assert (answer.status_code, answer.json()["nodeId"]) == (500, "call")
    assert "Item 2: The server answered 422" in answer.json()["reason"]
    assert len(stub.requests) < 300


@pytest.mark.parametrize(
    ("kind", "value", "content_type", "body"),
    [
        ("json", {"a": 1}, "application/json", b'{"a":1}'),
        ("text", {"a": 1}, "text/plain; charset=utf-8", b'{"a":1}'),
        ("form", {"a": "ü &", "b": [1, 2]}, "application/x-www-form-urlencoded", None),
    ],
)
def test_the_type_of_a_body_is_chosen(
    caller: Caller, stub: Stub, kind: str, value: Any, content_type: str, body: bytes | None
) -> None:
    nodes = given(LIST, posting(stub, "/x", bodyType=kind))
    edges = [TO_LIST, edge("value", "value-out", "call", "body-in"), to_out("call", "response-out")]

    caller.result(nodes, edges, {"v": value})

    request = only_request(stub, "/x")
    assert request.headers["content-type"] == content_type
    if body is not None:
        assert request.body == body
    else:
        assert sorted(parse_qsl(request.body.decode())) == [("a", "ü &"), ("b", "1"), ("b", "2")]


@pytest.mark.parametrize("kind", ["asset", "multipart"])
def test_a_medium_is_sent_as_a_file(caller: Caller, stub: Stub, kind: str) -> None:
    body = "{{ photo }}" if kind == "asset" else {"title": "A tree", "photo": "{{ photo }}"}
    nodes = [form(field("photo", "image")), posting(stub, "/x", bodyType=kind, body=body), OUT]
    edges = [edge("in", "photo", "call", "photo"), to_out("call", "response-out")]
    asset = caller.request(
        "POST", "/api/assets", content=PNG, headers={"content-type": "image/png"}
    ).json()

    caller.result(nodes, edges, {"photo": asset["id"]})

    request = only_request(stub, "/x")
    if kind == "asset":
        assert (request.headers["content-type"], request.body) == ("image/png", PNG)
    else:
        assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert PNG in request.body and b'name="title"\r\n\r\nA tree\r\n' in request.body


@pytest.mark.parametrize("way", ["wired", "saved"])
def test_an_answer_that_is_an_image_becomes_an_asset(caller: Caller, stub: Stub, way: str) -> None:
    call = node("call", "httpRequest", url=f"{stub.url}/png/x")
    if way == "wired":
        nodes = [call, node("small", "imageResize", width=2), OUT]
        edges = [edge("call", "response-out", "small", "image-in"), to_out("small", "image-out")]
        url = caller.result(nodes, edges)["images"][0]
    else:
        call["data"]["saveAs"] = "asset"
        url = caller.result([call, OUT], [to_out("call", "response-out")])
        assert caller.get(url).content == PNG

    assert caller.get(url).headers["content-type"] == "image/png"


def test_the_error_has_the_first_two_kilobytes_of_a_failed_answer(
    caller: Caller, stub: Stub
) -> None:
    nodes = [node("call", "httpRequest", url=f"{stub.url}/long/422"), OUT]
    slug = caller.save(workflow(nodes, [to_out("call", "response-out")]))

    answer = caller.run(slug)

    shown = "The server answered 422: " + "é" * 1_024 + "…"
    assert answer.json()["reason"] == shown
    (record,) = [
        each
        for each in caller.execution(answer.json()["executionId"])["nodes"]
        if each["id"] == "call"
    ]
    assert record["error"]["message"] == shown
