"""Secrets of the account in HTTP Requests: their places, their use and their redaction."""

import base64
import json
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.http_request import HttpRequest
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.nodes.support.http_settings import read_secret_uses
from engine.nodes.text_box import TextBox
from tests.support.nodes.node_context import FakeContext, run_node

URL = "https://a.example/x"
CANARY = "sk/canary+4711"
LOGIN = "ada:" + CANARY


async def run(context: FakeContext, data: dict[str, Any], **inputs: Any) -> Any:
    return await run_node("httpRequest", {"url": URL, **data}, inputs, context=context)


async def send(data: dict[str, Any], value: str = CANARY, **inputs: Any) -> HttpCall:
    context = FakeContext(secrets={"TOKEN": value})
    await run(context, data, **inputs)
    return context.calls[0]


def auth(kind: str, **more: Any) -> dict[str, Any]:
    return {"auth": {"type": kind, "secret": "TOKEN", **more}}


@pytest.mark.parametrize(
    ("data", "value", "header"),
    [
        (auth("bearer"), CANARY, ("Authorization", f"Bearer {CANARY}")),
        (
            auth("basic"),
            LOGIN,
            ("Authorization", "Basic " + base64.b64encode(LOGIN.encode()).decode()),
        ),
        (auth("header", name="X-Api-Key"), CANARY, ("X-Api-Key", CANARY)),
        ({"headers": {"X-Key": "k={{ secret.TOKEN }}"}}, CANARY, ("X-Key", f"k={CANARY}")),
    ],
)
async def test_a_header_carries_the_secret(
    data: dict[str, Any], value: str, header: tuple[str, str]
) -> None:
    assert (await send(data, value)).headers == (header,)


async def test_a_query_carries_the_secret_encoded() -> None:
    call = await send({"url": "https://a.example/{{ p }}?k={{ secret.TOKEN }}&n={{ n }}"}, p=1, n=2)

    assert call.url == "https://a.example/1?k=sk%2Fcanary%2B4711&n=2"


async def test_a_node_without_secrets_opens_none() -> None:
    class Closed(FakeContext):
        async def open_secrets(self, names: Any) -> Any:
            raise AssertionError

    await run(Closed(), {})


async def test_the_calls_of_all_items_share_one_opening() -> None:
    opened = []

    class Counting(FakeContext):
        async def open_secrets(self, names: Any) -> Any:
            opened.append(sorted(names))
            return await super().open_secrets(names)

    context = Counting(secrets={"TOKEN": CANARY, "OTHER": "another"})
    data = {"url": URL + "/{{ n }}?k={{ secret.OTHER }}", "each": True, **auth("bearer")}
    await run(context, data, n=[1, 2, 3])

    assert opened == [["OTHER", "TOKEN"]]
    assert len(context.calls) == 3


# -- settings -------------------------------------------------------------------------------------


def faults(data: dict[str, Any], kind: Any = None) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        (kind or HttpRequest()).parse(data)
    return [(fault.field, fault.reason) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"url": "https://{{ secret.TOKEN }}.example/"}, "url"),
        ({"url": "https://a.example/{{ secret.TOKEN }}?a=b"}, "url"),
        ({"url": "https://a.example/?a=b#{{ secret.TOKEN }}"}, "url"),
        ({"url": "https://u:{{ secret.TOKEN }}@a.example/?a"}, "url"),
        ({"url": URL, "body": "{{ secret.TOKEN }}"}, "body"),
        ({"url": URL, "bodyType": "form", "body": {"a": "{{ secret.TOKEN }}"}}, "body.a"),
    ],
)
def test_a_secret_elsewhere_is_a_fault_that_names_the_places(
    data: dict[str, Any], field: str
) -> None:
    (found,) = faults(data)

    assert found[0] == field
    assert "only in 'auth', in a header and in the query" in found[1]


def test_a_secret_in_a_text_box_is_a_fault() -> None:
    ((field, reason),) = faults({"text": "Hi {{ secret.TOKEN }}"}, TextBox())

    assert (field, "only in 'auth'" in reason) == ("text", True)


def test_a_socket_may_be_called_secret() -> None:
    assert set(TextBox().inputs(TextBox().parse({"text": "{{ secret }} {{ secret.a }}"}))) == {
        "secret"
    }


@pytest.mark.parametrize("url", ["{{ u }}", "https://{{ h }}/x", "https://a.{{ h }}?q=1"])
def test_callers_do_not_choose_the_host_that_gets_a_secret(url: str) -> None:
    ((field, reason),) = faults({"url": url, **auth("bearer")})

    assert (field, "host must be written out" in reason) == ("url", True)


def test_uses_are_read_even_if_other_settings_are_invalid() -> None:
    data = {
        "url": "https://a.example/?k={{ secret.A }}",
        "method": "FLY",
        "headers": {"X": "{{ secret.B }}"},
        **auth("bearer"),
    }

    assert read_secret_uses(data) == [("auth.secret", "TOKEN"), ("url", "A"), ("headers.X", "B")]
    assert read_secret_uses({"headers": 5, "auth": "x"}) == []
    assert read_secret_uses({"url": "https://a.example/{{ secret.a }}", "headers": {"X": 5}}) == []


# -- values that cannot be sent -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (auth("bearer"), f"{CANARY}\r\nX-Evil: 1"),
        (auth("header", name="X-Key"), f"{CANARY}\x00"),
        ({"headers": {"X-Key": "{{ secret.TOKEN }}"}}, f"{CANARY}\n{CANARY}"),
        (auth("bearer"), CANARY * 700),
        (auth("basic"), CANARY),
    ],
)
async def test_a_value_that_no_header_takes_fails_the_node_and_is_not_repeated(
    data: dict[str, Any], value: str
) -> None:
    with pytest.raises(NodeFailed) as caught:
        await send(data, value)

    assert caught.value.code == "secret_invalid"
    assert CANARY not in caught.value.message


# -- redaction ------------------------------------------------------------------------------------


def answering(body: bytes, kind: str = "application/json", status: int = 200) -> FakeContext:
    answer = HttpAnswer(status=status, headers={"content-type": kind}, body=body)
    return FakeContext(secrets={"TOKEN": LOGIN}, answer=answer)


async def test_values_and_keys_of_a_json_answer_are_redacted() -> None:
    sent = base64.b64encode(LOGIN.encode()).decode()
    echo = {"headers": {"Authorization": f"Basic {sent}"}, CANARY: [LOGIN, "ada"]}
    escaped = json.dumps(echo).replace("s", "\\u0073").encode()

    for body in (json.dumps(echo).encode(), escaped):
        outputs = await run(answering(body), auth("basic"))
        assert outputs["response-out"] == {
            "headers": {"Authorization": "Basic •••"},
            "•••": ["•••", "ada"],
        }


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16"])
async def test_a_text_is_redacted_in_any_charset(charset: str) -> None:
    body = f"You sent {CANARY}".encode(charset)

    outputs = await run(answering(body, f"text/plain; charset={charset}"), auth("basic"))

    assert outputs["response-out"] == "You sent •••"


async def test_an_error_is_redacted_before_it_is_cut() -> None:
    body = ("x" * 2_040 + CANARY).encode()

    with pytest.raises(NodeFailed) as caught:
        await run(answering(body, "text/plain", 500), auth("basic"))

    assert "sk" not in caught.value.message
    assert caught.value.message.endswith("x•••…")


async def test_a_medium_with_a_secret_in_it_is_not_kept() -> None:
    context = answering(b"\x89PNG\r\n\x1a\n" + CANARY.encode(), "image/png")

    with pytest.raises(NodeFailed) as caught:
        await run(context, {"saveAs": "asset", **auth("basic")})

    assert (caught.value.code, context.kept) == ("secret_exposed", [])


@pytest.mark.parametrize("status", [200, 500])
async def test_a_large_answer_is_redacted_as_a_small_one(status: int) -> None:
    body = f"{CANARY} {'x' * 100_000} {CANARY}".encode()
    context = answering(body, "text/plain", status)

    if status == 200:
        shown = (await run(context, auth("basic")))["response-out"]
        assert (shown[:4], shown[-4:]) == ("••• ", " •••")
    else:
        with pytest.raises(NodeFailed) as caught:
            await run(context, auth("basic"))
        shown = caught.value.message
    assert CANARY not in shown


@pytest.mark.parametrize(
    ("hosts", "is_sent"),
    [
        ((), True),
        (("a.example",), True),
        (("*.a.example",), False),
        (("b.example", "*.example.com"), False),
    ],
)
@pytest.mark.parametrize("url", [URL, "https://A.EXAMPLE:8443/x?k={{ secret.TOKEN }}"])
async def test_a_secret_goes_to_its_hosts_alone(
    url: str, hosts: tuple[str, ...], is_sent: bool
) -> None:
    context = FakeContext(secrets={"TOKEN": CANARY}, hosts={"TOKEN": hosts})
    data = {"url": url, **auth("bearer")}

    if is_sent:
        await run(context, data)
        assert len(context.calls) == 1
        return
    with pytest.raises(NodeFailed) as caught:
        await run(context, data)

    assert (caught.value.code, context.calls) == ("secret_kept", [])
    assert "'TOKEN' is not sent to a.example" in caught.value.message
    assert CANARY not in caught.value.message


async def test_hosts_bind_secrets_alone_that_the_call_carries() -> None:
    context = FakeContext(secrets={"TOKEN": CANARY}, hosts={"OTHER": ("b.example",)})

    await run(context, auth("bearer"))

    assert len(context.calls) == 1
