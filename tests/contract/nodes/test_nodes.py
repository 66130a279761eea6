from typing import Any

import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Caller, failing, field, form, workflow
from tests.support.contract.shapes import assert_fits, moment_or_null, number, whole_or_null
from tests.support.gateway.documents import edge, node
from tests.support.http.target import Stub

OUT = node("out", "responseOutput")


def to_out(source: str, output: str) -> dict[str, Any]:
    return edge(source, output, "out", "result-in")


def given(*nodes: dict[str, Any]) -> list[dict[str, Any]]:
    """Put the nodes between a field of any JSON and the Response Output."""
    return [form(field("v", "json")), *nodes, OUT]


def part(node_id: str, node_kind: str, **data: Any) -> dict[str, Any]:
    """Return a node whose data may have a member `kind`."""
    return {**node(node_id, node_kind), "data": data}


VALUE = node("value", "transform", expression="value.v")
TO_VALUE = edge("in", "params", "value", "value-in")


def test_text_and_media_fields_have_sockets_of_their_own_and_params_has_the_rest(
    caller: Caller,
) -> None:
    image, size = field("photo", "image"), field("size", "number")
    nodes = [
        form(field("title", "text"), image, size, field("on", "toggle")),
        node("out", "responseOutput", fields=[{"name": n} for n in ("a", "b", "c")]),
    ]
    edges = [
        edge("in", "title", "out", "a"),
        edge("in", "photo", "out", "b"),
        edge("in", "params", "out", "c"),
    ]
    url = "https://example.org/a.png"

    result = caller.result(nodes, edges, {"title": "T", "photo": url, "size": 2, "on": True})

    assert result == {"a": "T", "b": url, "c": {"size": 2, "on": True}}


def test_every_field_is_wired_by_its_name(caller: Caller) -> None:
    kinds = ["number", "slider", "toggle", "json", "pills", "text"]
    choice = {"options": ["red", "blue"]}
    fields = [field(kind, kind, **(choice if kind == "pills" else {})) for kind in kinds]
    nodes = [form(*fields), node("out", "responseOutput", fields=[{"name": n} for n in kinds])]
    edges = [edge("in", kind, "out", kind) for kind in kinds]
    inputs = {"number": 2, "slider": 0.5, "toggle": False, "json": [1], "pills": "red"}

    assert caller.result(nodes, edges, inputs) == {**inputs, "text": None}
    assert caller.result(nodes, edges, {}) == dict.fromkeys(kinds)


def test_a_field_that_is_called_params_is_refused_at_save(caller: Caller) -> None:
    nodes = [form(field("params", "json")), OUT]

    answer = caller.create(workflow(nodes, [to_out("in", "params")]))

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
    (problem,) = answer.json()["problems"]
    assert problem["nodeId"] == "in"
    assert "the name 'params' is taken" in problem["reason"]


def test_a_node_that_does_not_lead_to_the_output_is_skipped(caller: Caller) -> None:
    nodes = [
        node("used", "textBox", text="a"),
        node("aside", "textBox", text="b"),
        node("note", "note", text="c"),
        OUT,
    ]
    slug = caller.save(workflow(nodes, [to_out("used", "text-out")]))

    shown = caller.ended(caller.start(slug))

    statuses = {each["id"]: each["status"] for each in shown["nodes"]}
    assert statuses["used"] == statuses["out"] == "completed"
    assert statuses["aside"] == "skipped"
    assert statuses.get("note", "skipped") == "skipped"


@pytest.mark.parametrize(
    ("mode", "wired", "expected"),
    [
        ("keep", True, ["a", "c", "x", "y", "z"]),
        ("replace", True, ["x", "y", "z"]),
        ("replace", False, ["a", "c"]),
        ("keep", False, ["a", "c"]),
    ],
)
def test_a_list_has_its_own_items_and_the_wired_ones_flat_in_order(
    caller: Caller, mode: str, wired: bool, expected: list[str]
) -> None:
    items = [
        {"value": "a", "included": True},
        {"value": "b", "included": False},
        {"value": "c", "included": True},
    ]
    inner = [{"value": "x", "included": True}, {"value": "y", "included": True}]
    nodes = [
        part("inner", "list", kind="text", items=inner),
        node("z", "textBox", text="z"),
        part("list", "list", kind="text", items=items, mode=mode),
        node("out", "responseOutput", fields=[{"name": "all"}]),
    ]
    in_edges = [
        edge("inner", "items-out", "list", "items-in"),
        edge("z", "text-out", "list", "items-in"),
    ]
    edges = [*(in_edges if wired else []), edge("list", "items-out", "out", "all")]

    assert caller.result(nodes, edges) == {"all": expected}


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("value.v.a + 1.0", {"a": 1}, 2),
        ("value.v / 2.0", 3, 1.5),
        ("value.v.map(x, x * 2.0)", [1, 2.5], [2, 5]),
        ("value.v", {"deep": [None, True, "ü"]}, {"deep": [None, True, "ü"]}),
        ("size(value.v)", [1, 2, 3], 3),
        ("value.v.startsWith('a') ? 'yes' : 'no'", "abc", "yes"),
    ],
)
def test_a_transform_computes_with_what_is_wired(
    caller: Caller, expression: str, value: Any, expected: Any
) -> None:
    nodes = given(node("sum", "transform", expression=expression))
    edges = [edge("in", "params", "sum", "value-in"), to_out("sum", "value-out")]

    result = caller.result(nodes, edges, {"v": value})

    assert (type(result), result) == (type(expected), expected)


@pytest.mark.parametrize(("value", "taken"), [(5, "large"), (1, "small")])
def test_a_condition_passes_the_value_on_at_the_taken_side_alone(
    caller: Caller, value: int, taken: str
) -> None:
    nodes = given(
        VALUE,
        node("is", "condition", expression="value > 3.0"),
        node("large", "textBox", text="large {{ it }}"),
        node("small", "textBox", text="small {{ it }}"),
    )
    edges = [
        TO_VALUE,
        edge("value", "value-out", "is", "value-in"),
        edge("is", "true-out", "large", "it"),
        edge("is", "false-out", "small", "it"),
        to_out("large", "text-out"),
        to_out("small", "text-out"),
    ]
    slug = caller.save(workflow(nodes, edges))

    shown = caller.ended(caller.start(slug, {"v": value}))

    statuses = {each["id"]: each["status"] for each in shown["nodes"]}
    other = {"large": "small", "small": "large"}[taken]
    assert shown["result"] == {"text": f"{taken} {value}"}
    assert (statuses[taken], statuses[other]) == ("completed", "skipped")


def test_a_condition_without_a_bool_fails(caller: Caller) -> None:
    nodes = given(node("is", "condition", expression="value.v"))
    edges = [edge("in", "params", "is", "value-in"), to_out("is", "true-out")]

    answer = caller.run(caller.save(workflow(nodes, edges)), {"v": "text"})

    assert (answer.status_code, answer.json()["nodeId"]) == (500, "is")


def test_a_failed_node_may_be_gone_on_without(caller: Caller) -> None:
    slug = caller.save(failing(onError="continue"))

    shown = caller.ended(caller.start(slug))

    statuses = {each["id"]: each["status"] for each in shown["nodes"]}
    assert (shown["status"], shown["result"], shown["error"]) == ("completed", None, None)
    assert statuses["sum"] == "failed"


@pytest.mark.parametrize(
    "data",
    [
        {"retry": {"attempts": 0}},
        {"retry": {"attempts": 11}},
        {"retry": {"attempts": 1.5}},
        {"retry": {"backoff": 61}},
        {"retry": {"backoff": -1}},
        {"retry": 3},
        {"timeoutSeconds": 0},
        {"timeoutSeconds": 601},
        {"onError": "ignore"},
    ],
)
def test_a_policy_out_of_range_is_a_problem_of_its_node(
    caller: Caller, data: dict[str, Any]
) -> None:
    answer = caller.create(failing(**data))

    assert answer.json()["code"] == "INVALID_GRAPH"
    assert [each["nodeId"] for each in answer.json()["problems"]] == ["sum"]


def call_of(stub: Stub, path: str, **data: Any) -> dict[str, Any]:
    return node("call", "httpRequest", url=stub.url + path, **data)


def test_a_call_is_a_get_and_gives_text(caller: Caller, stub: Stub) -> None:
    result = caller.result([call_of(stub, "/plain"), OUT], [to_out("call", "response-out")])

    (request,) = stub.requests
    assert (request.method, request.path) == ("GET", "/plain")
    assert result == "/plain"


def test_a_call_that_is_answered_in_json_gives_the_value(caller: Caller, stub: Stub) -> None:
    result = caller.result([call_of(stub, "/json/x"), OUT], [to_out("call", "response-out")])

    assert result == {"path": "/json/x", "n": 2}


def test_a_call_is_put_together_from_templates(caller: Caller, stub: Stub) -> None:
    call = call_of(
        stub,
        "/a/{{ p }}?q={{ q }}",
        method="POST",
        headers={"x-mine": "{{ p }}"},
        body='{"q": {{ j }}}',
    )
    nodes = [
        form(field("p", "text"), field("q", "text"), field("j", "json")),
        node("j", "transform", expression="value.j"),
        call,
        OUT,
    ]
    edges = [
        edge("in", "params", "j", "value-in"),
        edge("in", "p", "call", "p"),
        edge("in", "q", "call", "q"),
        edge("j", "value-out", "call", "j"),
        to_out("call", "response-out"),
    ]

    caller.result(nodes, edges, {"p": "x/../y", "q": "a&b=ü", "j": {"a": [1, None]}})

    (request,) = stub.requests
    assert request.method == "POST"
    assert request.path == "/a/x%2F..%2Fy?q=a%26b%3D%C3%BC"
    assert request.headers["x-mine"] == "x/../y"
    assert request.body == b'{"q": {"a":[1,null]}}'


def test_a_url_that_is_one_placeholder_is_taken_as_it_is(caller: Caller, stub: Stub) -> None:
    nodes = [form(field("u", "text")), node("call", "httpRequest", url="{{ u }}"), OUT]
    edges = [edge("in", "u", "call", "u"), to_out("call", "response-out")]

    assert caller.result(nodes, edges, {"u": f"{stub.url}/as?it=is"}) == "/as?it=is"


def test_a_wired_body_and_wired_parameters_count_instead_of_what_is_typed(
    caller: Caller, stub: Stub
) -> None:
    nodes = given(VALUE, call_of(stub, "/wired", method="POST", body="typed"))
    edges = [
        TO_VALUE,
        edge("value", "value-out", "call", "body-in"),
        edge("in", "params", "call", "params-in"),
        to_out("call", "response-out"),
    ]

    caller.result(nodes, edges, {"v": "a b"})

    (request,) = stub.requests
    assert (request.path.replace("+", "%20"), request.body) == ("/wired?v=a%20b", b"a b")


@pytest.mark.parametrize(
    ("path", "data"), [("/slow/9", {"timeoutSeconds": 0.2}), ("/json/x", {"maxBytes": 3})]
)
def test_a_call_is_bounded_in_time_and_bytes(
    caller: Caller, stub: Stub, path: str, data: dict[str, Any]
) -> None:
    nodes = [call_of(stub, path, **data), OUT]

    shown = caller.ended(
        caller.start(caller.save(workflow(nodes, [to_out("call", "response-out")])))
    )

    (record,) = [each for each in shown["nodes"] if each["id"] == "call"]
    code = "timeout" if "slow" in path else "response_too_large"
    assert (shown["status"], record["error"]["code"]) == ("failed", code)


def test_a_node_with_some_inputs_skipped_runs_with_what_was_delivered(caller: Caller) -> None:
    nodes = given(
        VALUE,
        node("is", "condition", expression="value"),
        part("list", "list", items=[{"value": "own", "included": True}]),
    )
    edges = [
        TO_VALUE,
        edge("value", "value-out", "is", "value-in"),
        edge("is", "true-out", "list", "items-in"),
        edge("is", "false-out", "list", "items-in"),
        to_out("list", "items-out"),
    ]

    assert caller.result(nodes, edges, {"v": True}) == ["own", True]


def test_a_status_of_400_or_more_fails_the_node(caller: Caller, stub: Stub) -> None:
    nodes = [call_of(stub, "/status/404/x"), OUT]

    answer = caller.run(caller.save(workflow(nodes, [to_out("call", "response-out")])))

    assert (answer.status_code, answer.json()["nodeType"]) == (500, "httpRequest")
    assert len(stub.requests) == 1


def test_a_status_that_is_wired_does_not_fail_the_node(caller: Caller, stub: Stub) -> None:
    names = [{"name": "status"}, {"name": "body"}]
    nodes = [call_of(stub, "/status/503/x"), node("out", "responseOutput", fields=names)]
    edges = [
        edge("call", "status-out", "out", "status"),
        edge("call", "response-out", "out", "body"),
    ]

    assert caller.result(nodes, edges) == {"status": 503, "body": "/status/503/x"}


@pytest.mark.parametrize(
    ("status", "calls"), [(408, 3), (425, 3), (429, 3), (500, 3), (503, 3), (404, 1), (400, 1)]
)
def test_retry_repeats_what_may_pass(caller: Caller, stub: Stub, status: int, calls: int) -> None:
    retry = {"attempts": 3, "backoff": 0}
    nodes = [call_of(stub, f"/status/{status}/x", retry=retry), OUT]
    slug = caller.save(workflow(nodes, [to_out("call", "response-out")]))

    shown = caller.ended(caller.start(slug))

    (record,) = [each for each in shown["nodes"] if each["id"] == "call"]
    assert len(stub.requests) == calls
    assert_fits(
        record,
        {
            "id": "call",
            "type": "httpRequest",
            "status": "failed",
            "attempts": calls,
            "startedAt": moment_or_null,
            "durationMs": whole_or_null,
            "creditsCost": number,
            "error": dict,
        },
    )


def test_a_result_is_dropped_and_no_node_starts_after_a_cancel(caller: Caller, stub: Stub) -> None:
    retry = {"attempts": 10, "backoff": 60}
    nodes = [
        call_of(stub, "/status/503/held", retry=retry),
        node("next", "httpRequest", url=f"{stub.url}/{{{{ x }}}}"),
        OUT,
    ]
    edges = [edge("call", "response-out", "next", "x"), to_out("next", "response-out")]
    execution_id = caller.start(caller.save(workflow(nodes, edges)))
    until(lambda: stub.requests)

    caller.post(f"/api/executions/{execution_id}/cancel")

    assert caller.ended(execution_id)["status"] == "cancelled"
    assert [request.path for request in stub.requests] == ["/status/503/held"]
