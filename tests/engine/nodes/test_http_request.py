import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.http_request import HttpRequest
from engine.nodes.support.base import HttpAnswer, HttpCall, WorkKind
from engine.nodes.support.http_answer import read_answer
from tests.engine.values.test_plain import PLAIN
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "httpRequest": NodeSample(
        WorkKind.IO, "Utilities", {"url": "https://a.example/{{ a }}", "body": "{{ b }}"}
    )
}

URL = "https://a.example/x"


async def send(data: dict[str, Any], inputs: dict[str, Any] | None = None) -> HttpCall:
    context = FakeContext()
    await run_node("httpRequest", {"url": URL, **data}, inputs, context=context)
    (call,) = context.calls
    return call


async def receive(
    status: int = 200, body: bytes = b"", *, wired: bool = False, **headers: str
) -> Any:
    answer = HttpAnswer(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
    )
    outputs = frozenset({"response-out", "status-out"} if wired else {"response-out"})
    context = FakeContext(answer=answer)
    return await run_node("httpRequest", {"url": URL}, context=context, wired=outputs)


# -- the call -------------------------------------------------------------------------------------


async def test_a_url_alone_is_a_get_with_the_usual_limits() -> None:
    assert await send({}) == HttpCall(
        method="GET",
        url=URL,
        headers=(),
        body=None,
        timeout_seconds=30.0,
        max_bytes=10_485_760,
        max_redirects=3,
    )


async def test_the_settings_reach_the_call() -> None:
    data = {
        "method": "post",
        "url": "https://a.example/{{ id }}?q={{ q }}",
        "headers": {"X-Name": "{{ who.name }}", "Accept": "text/plain"},
        "body": "Hello {{ who.name }}",
        "timeoutSeconds": 1.5,
        "maxBytes": 100,
    }

    call = await send(data, {"id": "a/b", "q": "1&2", "who": {"name": "Al"}})

    assert call == HttpCall(
        method="POST",
        url="https://a.example/a%2Fb?q=1%262",
        headers=(
            ("X-Name", "Al"),
            ("Accept", "text/plain"),
            ("Content-Type", "text/plain; charset=utf-8"),
        ),
        body=b"Hello Al",
        timeout_seconds=1.5,
        max_bytes=100,
        max_redirects=3,
    )


@pytest.mark.parametrize(
    ("data", "inputs", "body", "content_type"),
    [
        ({"body": '{"a": {{ v }}}'}, {"v": [1]}, b'{"a": [1]}', "application/json"),
        ({"body": "[{{ v }}"}, {"v": 1}, b"[1", "text/plain; charset=utf-8"),
        ({"body": "{{ v }}"}, {"v": "é"}, "é".encode(), "text/plain; charset=utf-8"),
        ({"body": "{{ v }}"}, {"v": {"é": 1}}, '{"é":1}'.encode(), "application/json"),
        ({}, {"body-in": {"a": [None]}}, b'{"a":[null]}', "application/json"),
        ({}, {"body-in": 5}, b"5", "application/json"),
        ({}, {"body-in": "plain"}, b"plain", "text/plain; charset=utf-8"),
        ({}, {"body-in": '{"a":1}'}, b'{"a":1}', "application/json"),
        ({"body": "typed"}, {"body-in": "wired"}, b"wired", "text/plain; charset=utf-8"),
        ({"body": "typed"}, {"body-in": None}, None, None),
        ({"body": ""}, {}, None, None),
        ({"headers": {"content-TYPE": "a/b"}}, {"body-in": {}}, b"{}", "a/b"),
    ],
)
async def test_a_body_is_typed_or_wired_and_named_by_its_type(
    data: dict[str, Any], inputs: dict[str, Any], body: bytes | None, content_type: str | None
) -> None:
    call = await send({"method": "POST", **data}, inputs)

    assert call.body == body
    assert {name.lower(): value for name, value in call.headers}.get("content-type") == content_type


@pytest.mark.parametrize(
    ("url", "params", "query"),
    [
        (
            URL,
            {"a": 1, "b": "x y", "c": True, "d": None, "e": {"k": 1}},
            "a=1&b=x%20y&c=true&e=%7B%22k%22%3A1%7D",
        ),
        (URL, {"a": ["1", None, 2]}, "a=1&a=2"),
        (URL + "?a=0&b=%20&c", {"a": "new"}, "b=%20&c&a=new"),
        (URL + "?a+b=0", {"a b": 1}, "a%20b=1"),
        (URL + "?a=0", {"a": None}, ""),
        (URL + "?a=0", {}, "a=0"),
        (URL + "?a=0", None, "a=0"),
        (URL, {"é&=": "#/?"}, "%C3%A9%26%3D=%23%2F%3F"),
    ],
)
async def test_params_are_merged_into_the_query(url: str, params: Any, query: str) -> None:
    call = await send({"url": url}, {"params-in": params})

    assert urlsplit(call.url).query == query


@given(params=st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=5))
async def test_params_arrive_as_they_were_given(params: dict[str, str]) -> None:
    call = await send({}, {"params-in": params})

    assert dict(parse_qsl(urlsplit(call.url).query, strict_parsing=bool(params))) == params


@pytest.mark.parametrize("params", ["a=1", 1, ["a"], True])
async def test_params_that_are_no_object_fail_the_node(params: Any) -> None:
    with pytest.raises(NodeFailed, match="'params-in' takes an object") as raised:
        await send({}, {"params-in": params})

    assert raised.value.code == "invalid_value"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "//a.example",
        "/etc/passwd",
        "file:///etc/passwd",
        "gopher://a.example",
        "javascript:alert(1)",
        "data:text/plain,x",
        "ws://a.example",
        "https://",
        "https:///x",
        "https://user:pass@a.example/",
        "https://a@127.0.0.1/",
        "https://evil\\@127.0.0.1/",
        "https://a.example/a b",
        "https://a.example/\r\nX: y",
        "https://a.example/\x00",
        "https://a.example:99999/",
        "https://a.example/" + "x" * 10_000,
    ],
)
async def test_a_url_that_is_none_is_refused_at_save_and_when_put_together(url: str) -> None:
    with pytest.raises(SettingsError, match="url"):
        HttpRequest().parse({"url": url})
    with pytest.raises(NodeFailed) as raised:
        await send({"url": "{{ u }}"}, {"u": url})
    assert raised.value.code == "url_blocked"


@pytest.mark.parametrize("host", ["u:p@a.example", "a.example\\@b", "a b", "a\nb", "", "a%00b"])
async def test_a_host_from_outside_is_checked_too(host: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        await send({"url": "https://{{ h }}/x"}, {"h": host})

    assert raised.value.code == "url_blocked"


@pytest.mark.A46
@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\x00b", "a\x7fb", "x" * 8193])
async def test_a_header_cannot_be_split_by_a_value(value: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        await send({"headers": {"X-A": "{{ v }}"}}, {"v": value})

    assert raised.value.code == "template_error"


def test_every_placeholder_is_a_socket_beside_those_for_body_and_params() -> None:
    kind = HttpRequest()
    settings = kind.parse(
        {"url": "https://a.example/{{ a }}", "headers": {"X": "{{ b }}"}, "body": "{{ c.d }}"}
    )

    inputs = kind.inputs(settings)

    assert {name: socket.required for name, socket in inputs.items()} == {
        "body-in": False,
        "params-in": False,
        "a": True,
        "b": True,
        "c": True,
    }
    assert list(kind.outputs(settings)) == ["response-out", "status-out"]


# -- the answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 404, 408, 425, 429, 499, 500, 503, 599, 600])
async def test_a_status_of_400_or_more_fails_unless_it_is_wired(status: int) -> None:
    with pytest.raises(NodeFailed, match=f"The server answered {status}") as raised:
        await receive(status)

    assert raised.value.code == "http_status"
    assert raised.value.retryable is (status in {408, 425, 429} or 500 <= status <= 599)
    outputs = await receive(status, b"sorry", wired=True)
    assert outputs == {"response-out": "sorry", "status-out": status}


@pytest.mark.parametrize("status", [200, 201, 204, 304, 399])
async def test_a_status_below_400_is_an_answer(status: int) -> None:
    assert (await receive(status))["status-out"] == status


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/problem+json",
        "application/vnd.api+json;v=1",
        "text/json",
        " application/json ",
    ],
)
async def test_json_is_parsed(content_type: str) -> None:
    outputs = await receive(
        200, b'\xef\xbb\xbf{"a": [1, 2.5, null, "\xc3\xa9"]}', content_type=content_type
    )

    assert outputs["response-out"] == {"a": [1, 2.5, None, "é"]}


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain", b'{"a":1}', '{"a":1}'),
        ("", b"\xc3\xa9", "é"),
        ("text/html; charset=iso-8859-1", b"\xe9", "é"),
        ('text/html; charset="windows-1252"', b"\x80", "€"),
        ("text/plain; charset=utf-16", "é".encode("utf-16"), "é"),
        ("text/plain; charset=unicode_escape", b"\\ud800", "\\ud800"),
        ("text/plain; charset=punycode", b"a-b", "a-b"),
        ("text/plain; charset=zlib", b"x", "x"),
        ("text/plain; charset=nonsense", b"x", "x"),
        ("text/plain", b"\xff\xfe", "\ufffd\ufffd"),
        ("application/x-ndjson", b"{}\n{}", "{}\n{}"),
        ("application/json-seq", b"{}", "{}"),
        ("image/svg+xml", b"<svg/>", "<svg/>"),
        ("application/json", b"", None),
        ("application/json", b" \n", None),
    ],
)
async def test_anything_else_is_text(content_type: str, body: bytes, expected: Any) -> None:
    assert (await receive(200, body, content_type=content_type))["response-out"] == expected


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"NaN",
        b"[Infinity]",
        b"1e400",
        b'"\\ud800"',
        b'"\xff"',
        b"\xed\xa0\x80",
        b"18446744073709551616",
        b"1" * 5000,
        b"[" * 70 + b"]" * 70,
        b"[" * 100_000 + b"]" * 100_000,
        b"{}{}",
        "{}".encode("utf-16"),
    ],
)
async def test_json_that_is_not_right_fails_the_node(body: bytes) -> None:
    with pytest.raises(NodeFailed) as raised:
        await receive(200, body, content_type="application/json")

    assert raised.value.code == "bad_response"
    assert not raised.value.retryable
    assert len(raised.value.message) < 200


@given(value=PLAIN)
def test_any_json_comes_back_as_it_was_sent(value: Any) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    answer = HttpAnswer(status=200, headers={"content-type": "application/json"}, body=body)

    assert read_answer(answer) == value


async def test_what_the_way_out_refuses_goes_on_record_as_it_is() -> None:
    class Blocked(FakeContext):
        async def fetch(self, call: HttpCall) -> HttpAnswer:
            raise NodeFailed("timeout", "No answer in time", retryable=True)

    with pytest.raises(NodeFailed, match="No answer in time") as raised:
        await run_node("httpRequest", {"url": URL}, context=Blocked())

    assert raised.value.retryable
