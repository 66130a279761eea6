"""Redirects: the next call, its target, and the headers that it drops."""

from base64 import b64encode
from urllib.parse import quote

import pytest
from msgspec import structs

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import NodeFailed
from engine.net.url_policy import check_url
from engine.nodes.support.base import HttpCall
from tests.support.http.raw_server import Stub, answer, failure, redirect, serving
from workers.outbound.client import Egress
from workers.outbound.redirects import next_call

SECRETS = (
    ("Authorization", "Bearer s3cret"),
    ("Cookie", "session=s3cret"),
    ("x-api-key", "s3cret"),
    ("X-My-Own-Token", "s3cret"),
)
HARMLESS = (("Accept", "text/plain"), ("User-Agent", "me"), ("Content-Type", "application/json"))
CALL = HttpCall(
    method="POST",
    url="https://a.example/x/y?q=1",
    headers=(*SECRETS, *HARMLESS),
    body=b"{}",
    signature=(("webhook-signature", "s3cret"),),
    max_redirects=3,
)


def follow(call: HttpCall, status: int, *places: str) -> HttpCall:
    return next_call(call, check_url(call.url, allow_private=True), status, places)


@pytest.mark.parametrize(
    ("status", "method", "then", "has_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
        (301, "PUT", "PUT", True),
        (302, "DELETE", "DELETE", True),
        (303, "PUT", "GET", False),
        (303, "HEAD", "HEAD", True),
        (302, "HEAD", "HEAD", True),
        (301, "GET", "GET", True),
        (308, "PATCH", "PATCH", True),
    ],
)
def test_method_and_body_follow_the_status(
    status: int, method: str, then: str, has_body: bool
) -> None:
    call = follow(structs.replace(CALL, method=method), status, "/z")

    assert (call.method, call.body) == (then, b"{}" if has_body else None)
    assert ("Content-Type" in dict(call.headers)) is has_body


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("/z", "https://a.example/z"),
        ("z", "https://a.example/x/z"),
        ("../z?a=b#c", "https://a.example/z?a=b#c"),
        ("?a=b", "https://a.example/x/y?a=b"),
        ("", "https://a.example/x/y?q=1"),
        ("//b.example/z", "https://b.example/z"),
        ("http://b.example", "http://b.example"),
    ],
)
def test_a_place_is_relative_to_the_url(place: str, url: str) -> None:
    assert follow(CALL, 307, place).url == url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://a.example/", "https://A.example:443/z"),
        ("http://a.example/", "https://a.example/z"),
        ("http://a.example:81/", "http://a.example:81/z"),
    ],
)
def test_the_same_host_gets_all_headers_again(url: str, place: str) -> None:
    assert follow(structs.replace(CALL, url=url), 307, place).headers == CALL.headers


@pytest.mark.A42
@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://a.example/", "https://b.example/"),
        ("https://a.example/", "https://a.example.b.example/"),
        ("https://a.example/", "https://www.a.example/"),
        ("https://a.example/", "//b.example/"),
        ("https://a.example/", "http://a.example/"),
        ("https://a.example/", "https://a.example:80/"),
        ("http://a.example/", "https://a.example:444/"),
        ("http://a.example:81/", "https://a.example/"),
        ("https://a.example/", "https://a.example@b.example/"),
        ("https://a.example/", "file:///etc/passwd"),
    ],
)
def test_another_host_gets_no_secret(url: str, place: str) -> None:
    call = follow(structs.replace(CALL, url=url), 307, place)

    assert call.headers == HARMLESS
    assert "s3cret" not in repr(call)


def test_a_signature_is_for_one_receiver() -> None:
    assert follow(CALL, 307, "/z").signature == ()


@pytest.mark.parametrize("places", [("/a", "/b"), ("/a", "https://b.example/")])
def test_a_redirect_to_several_places_is_refused(places: tuple[str, ...]) -> None:
    with pytest.raises(NodeFailed) as caught:
        follow(CALL, 302, *places)

    assert caught.value.code == "bad_response"


@pytest.mark.parametrize(
    "place", ["http://b.example/\t", "http:\\\\b.example/", "http://[::1", " "]
)
def test_a_place_that_parsers_read_differently_is_refused(place: str) -> None:
    with pytest.raises(NodeFailed) as caught:
        follow(CALL, 302, place)

    assert caught.value.code == "url_blocked"


# -- over the wire --------------------------------------------------------------------------------


@pytest.mark.A42
async def test_three_redirects_are_followed(stub: Stub, egress: Egress) -> None:
    stub.pages = {f"/{n}": redirect(302, f"/{n + 1}") for n in range(3)}

    got = await egress.fetch(HttpCall(method="GET", url=stub.url + "/0", max_redirects=3))

    assert (got.status, got.body, stub.lines) == (
        200,
        b"ok",
        ["GET /0", "GET /1", "GET /2", "GET /3"],
    )


@pytest.mark.A42
async def test_a_fourth_redirect_is_a_failure(stub: Stub, egress: Egress) -> None:
    stub.pages = {f"/{n}": redirect(302, f"/{n + 1}") for n in range(20)}

    failed = await failure(egress, HttpCall(method="GET", url=stub.url + "/0", max_redirects=3))

    assert (failed.code, failed.retryable, len(stub.requests)) == ("bad_response", False, 4)


async def test_none_is_followed_unless_the_call_says_so(stub: Stub, egress: Egress) -> None:
    stub.pages = {"/0": redirect(307, "/1")}

    got = await egress.fetch(HttpCall(method="POST", url=stub.url + "/0", body=b"{}"))

    assert (got.status, got.headers["location"], stub.lines) == (307, "/1", ["POST /0"])


@pytest.mark.parametrize("status", [300, 304, 305, 306, 399])
async def test_any_other_answer_of_that_kind_is_the_answer(
    stub: Stub, egress: Egress, status: int
) -> None:
    stub.pages = {"/0": redirect(status, "/1")}

    got = await egress.fetch(HttpCall(method="GET", url=stub.url + "/0", max_redirects=3))

    assert (got.status, len(stub.requests)) == (status, 1)


async def test_a_redirect_to_nowhere_is_the_answer(stub: Stub, egress: Egress) -> None:
    stub.pages = {"/0": redirect(302)}

    got = await egress.fetch(HttpCall(method="GET", url=stub.url + "/0", max_redirects=3))

    assert got.status == 302


@pytest.mark.A42
async def test_a_body_goes_along_and_secrets_do_not(stub: Stub, egress: Egress) -> None:
    async with serving(Stub()) as other:
        stub.pages = {"/0": redirect(307, other.url + "/there")}
        await egress.fetch(structs.replace(CALL, url=stub.url + "/0", signature=()))

    assert b"s3cret" in stub.requests[0]
    assert other.requests[0].startswith(b"POST /there HTTP/1.1\r\n")
    assert other.requests[0].endswith(b"\r\n\r\n{}")
    assert b"s3cret" not in other.requests[0]


@pytest.mark.A42
async def test_the_body_of_a_redirect_is_not_read(stub: Stub, egress: Egress) -> None:
    head = redirect(302, "/1").replace(b"Content-Length: 0", b"Content-Length: 1073741824")
    stub.pages = {"/0": head + bytes(100_000)}

    got = await egress.fetch(
        HttpCall(method="GET", url=stub.url + "/0", max_redirects=3, max_bytes=10)
    )

    assert (got.body, stub.connections) == (b"ok", 2)


@pytest.mark.A42
@pytest.mark.parametrize(
    "place",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_SET",
        "ftp://a.example/",
        "data:text/plain,hello",
        "http://user:pw@a.example/",
        "http://2130706433/",
        "http://a.example\\@b.example/",
    ],
)
async def test_a_redirect_out_of_http_is_blocked(stub: Stub, egress: Egress, place: str) -> None:
    stub.pages = {"/0": redirect(302, place)}

    failed = await failure(egress, HttpCall(method="GET", url=stub.url + "/0", max_redirects=3))

    assert (failed.code, failed.retryable) == ("url_blocked", False)


async def test_the_deadline_holds_for_all_redirects_together(stub: Stub, egress: Egress) -> None:
    stub.pause = 0.2
    stub.reply = [redirect(302, "/again")]

    failed = await failure(
        egress, HttpCall(method="GET", url=stub.url, max_redirects=3, timeout_seconds=0.5)
    )

    assert failed.code == "timeout"
    assert len(stub.requests) <= 3


async def test_a_redirect_without_length_is_followed_too(stub: Stub, egress: Egress) -> None:
    stub.pages = {"/0": answer("Location: /1", status="302 Found")[0]}

    got = await egress.fetch(HttpCall(method="GET", url=stub.url + "/0", max_redirects=1))

    assert got.body == b"ok"


# -- secrets of the account -----------------------------------------------------------------------

CANARY = "canary/+4711"
OPENED = OpenedSecrets({"TOKEN": CANARY})
SECRET_CALL = structs.replace(
    CALL, headers=(("Accept", CANARY), ("User-Agent", "me"), ("X-Key", CANARY)), secrets=OPENED
)


@pytest.mark.A42
@pytest.mark.parametrize(
    ("url", "place", "names"),
    [
        ("https://a.example/x", "/z", ["Accept", "User-Agent", "X-Key"]),
        ("https://a.example/x", "https://a.example:443/z", ["Accept", "User-Agent", "X-Key"]),
        ("https://a.example/x", "https://b.example/z", ["User-Agent"]),
        ("https://a.example/x", "https://a.example:8443/z", ["User-Agent"]),
        ("https://a.example/x", "http://a.example/z", ["User-Agent"]),
        ("http://a.example/x", "https://a.example/z", ["User-Agent"]),
    ],
)
def test_a_header_with_a_secret_stays_at_its_origin(url: str, place: str, names: list[str]) -> None:
    headers = follow(structs.replace(SECRET_CALL, url=url), 307, place).headers

    assert [name for name, _ in headers] == names


@pytest.mark.parametrize(
    "form",
    [
        *(CANARY, quote(CANARY, safe=""), b64encode(CANARY.encode()), CANARY.encode().hex()),
        "".join(f"%{byte:02x}" for byte in CANARY.encode()),
        quote(quote(CANARY, safe=""), safe=""),
    ],
)
def test_a_place_with_a_secret_is_not_followed_to_another_origin(form: str | bytes) -> None:
    text = form if isinstance(form, str) else form.decode()
    with pytest.raises(NodeFailed) as caught:
        follow(SECRET_CALL, 302, f"https://b.example/?k={text}")

    assert caught.value.code == "secret_exposed"
    assert text not in caught.value.message
    assert follow(SECRET_CALL, 302, f"/z?k={text}").url == f"https://a.example/z?k={text}"
