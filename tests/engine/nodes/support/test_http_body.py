"""Bodies of HTTP requests by their `bodyType`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.media.documents.types import DOCUMENTS, DOCX, EXTENSIONS
from engine.nodes.http_request import HttpRequest
from engine.nodes.support.base import HttpCall, InEdge
from engine.values.sockets import SocketType
from tests.support.documents.samples import office, pdf, samples
from tests.support.media.files import png
from tests.support.nodes.node_context import FakeContext, run_node

URL = "https://a.example/x"
ASSET = "Zr0sQm9yXk1dWc7uT2eHbL5a"
STORED = f"https://example.com/media/{ASSET}"
FILE = "https://files.example/a.png"


@dataclass
class Files(FakeContext):
    """Context that returns an image for every URL without a body."""

    bodies: Mapping[str, bytes] = field(default_factory=dict)
    stored_types: Mapping[str, str] = field(default_factory=lambda: {STORED: "text/csv"})

    async def fetch_media(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.bodies.get(url, png(3, 2))


def wire(socket: str, kind: SocketType = SocketType.IMAGE) -> InEdge:
    return InEdge(socket=socket, source=0, output="o", type=kind)


async def send(
    data: dict[str, Any],
    inputs: dict[str, Any] | None = None,
    context: FakeContext | None = None,
) -> HttpCall:
    context = context or FakeContext()
    await run_node("httpRequest", {"url": URL, "method": "POST", **data}, inputs, context=context)
    (call,) = context.calls
    return call


def content_type(call: HttpCall) -> str | None:
    return dict(call.headers).get("Content-Type")


@pytest.mark.parametrize(
    ("data", "inputs", "body"),
    [
        ({"body": '{"a": {{ a }}}'}, {"a": [1]}, b'{"a": [1]}'),
        ({"body": "{{ a }}"}, {"a": "7"}, b"7"),
        ({}, {"body-in": {"a": None}}, b'{"a":null}'),
        ({}, {"body-in": '"text"'}, b'"text"'),
    ],
)
async def test_json_is_sent_as_such(data: dict[str, Any], inputs: Any, body: bytes) -> None:
    call = await send({"bodyType": "json", **data}, inputs)

    assert (call.body, content_type(call)) == (body, "application/json")


@pytest.mark.parametrize(
    ("data", "inputs"), [({"body": '{"a": {{ a }}}'}, {"a": "b"}), ({}, {"body-in": "plain"})]
)
async def test_a_body_that_is_not_the_json_that_it_should_be_is_not_sent(
    data: dict[str, Any], inputs: Any
) -> None:
    context = FakeContext()

    with pytest.raises(NodeFailed, match="The body is not JSON") as raised:
        await send({"bodyType": "json", **data}, inputs, context)

    assert (raised.value.code, context.calls) == ("invalid_value", [])


async def test_a_text_is_sent_as_text_though_it_looks_like_json() -> None:
    call = await send({"bodyType": "text", "body": '{"a": 1}'})

    assert (call.body, content_type(call)) == (b'{"a": 1}', "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("data", "inputs"),
    [
        ({"body": {"a": "{{ a }}", "b": "x{{ b }}", "n": "{{ n }}", "no": "{{ no }}"}}, None),
        ({"body": '{"a": {{ a }}, "b": "x{{ b }}", "n": {{ n }}, "no": null}'}, {"a": '"é&="'}),
        ({}, {"body-in": {"a": "é&=", "b": "xy z", "n": [1, {"k": 2}], "no": None}}),
    ],
)
async def test_a_form_has_a_field_for_each_member_and_each_item_of_a_list(
    data: dict[str, Any], inputs: Any
) -> None:
    given = {"a": "é&=", "b": "y z", "n": [1, {"k": 2}], "no": None} | (inputs or {})

    call = await send({"bodyType": "form", **data}, given)

    assert call.body is not None
    assert content_type(call) == "application/x-www-form-urlencoded"
    assert parse_qsl(call.body.decode()) == [
        ("a", "é&="),
        ("b", "xy z"),
        ("n", "1"),
        ("n", '{"k":2}'),
    ]


@pytest.mark.parametrize("kind", ["form", "multipart"])
@pytest.mark.parametrize("value", ["a=b", [1], 7])
async def test_a_form_takes_an_object(kind: str, value: Any) -> None:
    with pytest.raises(NodeFailed, match=f"A body of the type {kind} takes an object"):
        await send({"bodyType": kind}, {"body-in": value})


async def test_multipart_has_texts_and_files() -> None:
    data = {"title": "A {{ what }}", 'photo"s': "{{ photos }}", "link": "at {{ photos[0] }}"}
    inputs = {"what": "tree", "photos": [FILE, ASSET]}
    wired = [(wire("photos"), inputs["photos"])]
    context = Files(delivered=wired, assets={ASSET: "image"}, stored_types={STORED: "image/png"})

    call = await send({"bodyType": "multipart", "body": data}, inputs, context)

    kind = content_type(call)
    assert kind is not None and call.body is not None
    parsed = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.body)
    parts = [
        (part["content-disposition"], part["content-type"], part.get_payload(decode=True))
        for part in parsed.walk()
        if not part.is_multipart()
    ]
    file = 'form-data; name="photo%22s"; filename="file.png"'
    assert parts == [
        ('form-data; name="title"', None, b"A tree"),
        (file, "image/png", png(3, 2)),
        (file, "image/png", png(3, 2)),
        ('form-data; name="link"', None, f"at {FILE}".encode()),
    ]
    assert context.fetched == [FILE, f"https://example.com/media/{ASSET}"]


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
async def test_a_document_of_a_multipart_body_has_its_type_and_a_name(kind: str) -> None:
    body = samples()[kind]
    context = Files(
        delivered=[(wire("doc", SocketType.FILE), STORED)],
        bodies={STORED: body},
        stored_types={STORED: kind},
    )
    data = {"bodyType": "multipart", "body": {"doc": "{{ doc }}"}}

    call = await send(data, {"doc": STORED}, context)

    head = f'Content-Disposition: form-data; name="doc"; filename="file.{EXTENSIONS[kind]}"'
    expected = f"{head}\r\nContent-Type: {kind}\r\n\r\n".encode() + body
    assert expected in (call.body or b"")


async def test_a_text_that_is_wired_to_a_field_of_a_multipart_body_is_no_file() -> None:
    context = Files(delivered=[(wire("u", SocketType.TEXT), FILE)])

    call = await send({"bodyType": "multipart", "body": {"u": "{{ u }}"}}, {"u": FILE}, context)

    assert context.fetched == []
    assert FILE.encode() in (call.body or b"")


@pytest.mark.parametrize(
    ("url", "body", "kind"),
    [
        (FILE, png(3, 2), "image/png"),
        ("https://files.example/a.txt", b"plain", "text/plain"),
        ("https://files.example/a.txt?b=c.md", b"plain", "text/plain"),
        ("https://files.example/a.txt", b"pl\0in", "application/octet-stream"),
        ("https://files.example/a", b"plain", "application/octet-stream"),
        ("https://files.example/a", pdf(), "application/pdf"),
        ("https://files.example/a.bin", office(DOCX), DOCX),
        (STORED, b"ID3,b", "text/csv"),
    ],
)
@pytest.mark.parametrize("is_wired", [True, False])
async def test_an_asset_is_sent_as_the_bytes_that_it_has(
    url: str, body: bytes, kind: str, is_wired: bool
) -> None:
    data, inputs = ({}, {"body-in": url}) if is_wired else ({"body": "{{ u }}"}, {"u": url})

    call = await send({"bodyType": "asset", **data}, inputs, Files(bodies={url: body}))

    assert (call.body, content_type(call)) == (body, kind)


async def test_the_header_of_the_author_counts_before_the_type_of_the_body() -> None:
    data = {"bodyType": "asset", "body": FILE, "headers": {"content-type": "image/x-own"}}

    assert (await send(data, context=Files())).headers == (("content-type", "image/x-own"),)


@pytest.mark.parametrize("kind", ["json", "text", "form", "multipart", "asset"])
@pytest.mark.parametrize("inputs", [{}, {"body-in": None}])
async def test_without_a_value_there_is_no_body(kind: str, inputs: dict[str, Any]) -> None:
    call = await send({"bodyType": kind}, inputs)

    assert (call.body, call.headers) == (None, ())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"bodyType": "xml"}, "bodyType must be one of json, text, form, multipart, asset"),
        ({"bodyType": 1}, "bodyType must be one of"),
        ({"bodyType": "json", "body": {"a": "b"}}, "body: must be a text"),
        ({"body": {"a": "b"}}, "body: must be a text"),
        ({"bodyType": "form", "body": {"a": 1}}, "body: a: must be a text"),
        ({"bodyType": "form", "body": {str(n): "" for n in range(101)}}, "at most 100 fields"),
        (
            {"bodyType": "multipart", "headers": {"content-TYPE": "multipart/form-data"}},
            "headers: Content-Type is made by the bodyType",
        ),
    ],
)
def test_what_is_wrong_is_told_at_save(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        HttpRequest().parse({"url": URL, **data})


def test_placeholders_of_fields_are_sockets() -> None:
    settings = HttpRequest().parse({"url": URL, "bodyType": "form", "body": {"a": "{{ x.y }}"}})

    assert HttpRequest().inputs(settings)["x"].required
