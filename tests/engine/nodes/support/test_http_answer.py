"""Answers to HTTP requests: media and failures."""

from typing import Any

import pytest

from engine.errors.nodes import BAD_RESPONSE, FilesMustWait, NodeFailed, SettingsError
from engine.media.documents.types import CSV, DOCX, PDF, TEXTS
from engine.nodes.http_request import HttpRequest
from engine.nodes.support.base import HttpAnswer
from engine.values.sockets import SocketType
from tests.support.documents.samples import archive, samples
from tests.support.media.files import png
from tests.support.nodes.node_context import FakeContext, run_node

URL = "https://a.example/x"
PNG = png(3, 2)
SAMPLES = samples()
KEPT = "https://kept.example/1"


async def receive(
    body: bytes,
    content_type: str | None,
    *,
    to: SocketType = SocketType.ANY,
    status: int = 200,
    wired: frozenset[str] = frozenset(),
    context: FakeContext | None = None,
    **data: Any,
) -> Any:
    """Return the value of `response-out`, wired to a socket of a type."""
    headers = {} if content_type is None else {"content-type": content_type}
    context = context or FakeContext()
    context.answer = HttpAnswer(status=status, headers=headers, body=body)
    media = {} if to is SocketType.ANY else {"response-out": frozenset({to})}
    outputs = await run_node(
        "httpRequest", {"url": URL, **data}, context=context, wired=wired, media=media
    )
    return outputs["response-out"]


@pytest.mark.parametrize(
    "content_type", ["image/png", "Image/PNG; a=b", "application/octet-stream", None]
)
async def test_an_image_for_a_socket_of_images_becomes_an_asset(content_type: str | None) -> None:
    context = FakeContext()

    assert await receive(PNG, content_type, to=SocketType.IMAGE, context=context) == KEPT
    assert context.kept == [PNG]


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream"])
async def test_with_save_as_asset_any_medium_becomes_one(content_type: str) -> None:
    assert await receive(PNG, content_type, saveAs="asset") == KEPT


@pytest.mark.parametrize(
    ("sample", "content_type"),
    [
        *((each, each) for each in SAMPLES),
        (CSV, "application/csv; charset=utf-8"),
        (PDF, "application/octet-stream"),
        (DOCX, None),
    ],
)
@pytest.mark.parametrize("options", [{"saveAs": "asset"}, {"to": SocketType.FILE}])
async def test_a_document_becomes_an_asset(
    sample: str, content_type: str | None, options: dict[str, Any]
) -> None:
    context, data = FakeContext(), SAMPLES[sample]

    value = await receive(data, content_type, context=context, **options)

    is_text = sample in TEXTS and "to" not in options  # which is a value by itself
    assert context.kept == ([] if is_text else [data])
    assert is_text or value == KEPT


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a", PDF),
        (SAMPLES[DOCX], PDF),
        (archive(["a.txt"]), DOCX),
        ("Grüße".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        (b"a\0", "text/plain"),
        (b"a,b", None),
        (b"a", "text/javascript"),
    ],
)
@pytest.mark.parametrize("options", [{"saveAs": "asset"}, {"to": SocketType.FILE}])
async def test_an_answer_that_its_type_does_not_fit_is_no_document(
    body: bytes, content_type: str | None, options: dict[str, Any]
) -> None:
    context = FakeContext()

    await receive(body, content_type, context=context, **options)

    assert context.kept == []


@pytest.mark.parametrize(
    ("body", "content_type", "options"),
    [
        (b"abc", "image/png", {}),
        (b"abc", "text/plain", {}),
        (b"abc", "text/plain", {"to": SocketType.TEXT}),
        (b"abc", "image/png", {"to": SocketType.FILE}),
        (b"abc", "video/mp4", {"to": SocketType.IMAGE}),
        (b"abc", "text/plain", {"to": SocketType.IMAGE}),
        (b"abc", "application/octet-stream", {"saveAs": "asset"}),
        (b"abc", None, {"saveAs": "asset"}),
        (b"abc", "image/svg+xml", {"saveAs": "asset"}),
    ],
)
async def test_other_answers_stay_what_they_are(
    body: bytes, content_type: str | None, options: dict[str, Any]
) -> None:
    context = FakeContext()

    assert await receive(body, content_type, context=context, **options) == "abc"
    assert context.kept == []


async def test_a_document_that_must_wait_stays_a_value_unless_a_file_is_needed() -> None:
    class Waiting(FakeContext):
        async def keep_media(self, data: bytes, content_type: str) -> str:
            raise FilesMustWait("Files need the store's new schema: … `headrace migrate` …")

    value = await receive(SAMPLES[PDF], PDF, saveAs="asset", context=Waiting())

    assert value.startswith("%PDF-")
    with pytest.raises(NodeFailed, match="headrace migrate") as raised:
        await receive(b"{}", "application/json", to=SocketType.FILE, context=Waiting())
    assert (raised.value.code, raised.value.retryable) == ("storage_error", True)


async def test_json_for_a_socket_of_images_is_a_value() -> None:
    found = await receive(b'{"url": "x"}', "application/json", to=SocketType.IMAGE)

    assert found == {"url": "x"}


async def test_a_failed_answer_is_never_an_asset() -> None:
    wired = frozenset({"status-out"})
    context = FakeContext()

    await receive(PNG, "image/png", saveAs="asset", status=404, wired=wired, context=context)

    assert context.kept == []


async def test_each_answer_of_a_list_becomes_an_asset() -> None:
    context = FakeContext(answer=HttpAnswer(status=200, headers={}, body=PNG))
    data = {"url": "https://a.example/{{ id }}", "each": True, "saveAs": "asset"}

    outputs = await run_node("httpRequest", data, {"id": [1, 2]}, context=context)

    assert sorted(outputs["response-out"]) == [KEPT, "https://kept.example/2"]


class Picky(FakeContext):
    def __init__(self, code: str) -> None:
        super().__init__()
        self._code = code

    async def keep_media(self, data: bytes, content_type: str) -> str:
        raise NodeFailed(self._code, "It is broken")


@pytest.mark.parametrize(
    ("code", "expected", "message"),
    [
        (BAD_RESPONSE, "bad_response", "The answer is image/png that cannot be kept as an asset"),
        ("storage_error", "storage_error", "It is broken"),
    ],
)
async def test_a_medium_that_cannot_be_kept_fails_the_node(
    code: str, expected: str, message: str
) -> None:
    with pytest.raises(NodeFailed, match=message) as raised:
        await receive(PNG, "image/png", saveAs="asset", context=Picky(code))

    assert raised.value.code == expected


def test_answers_are_saved_as_assets_or_not_at_all() -> None:
    with pytest.raises(SettingsError, match="saveAs must be 'asset'"):
        HttpRequest().parse({"url": URL, "saveAs": "file"})


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (b'{"error": "no such order"}', "application/json", ': {"error": "no such order"}'),
        (b"  sorry\n", "text/plain", ": sorry"),
        ("é".encode("latin-1"), "text/plain; charset=iso-8859-1", ": é"),
        (b"", "text/plain", ""),
        (b"a\x00b", "text/plain", ""),
        (PNG, "image/png", ""),
        (b"x" * 2_048, "text/plain", ": " + "x" * 2_048),
        (b"x" * 2_049, "text/plain", ": " + "x" * 2_048 + "…"),
        (b"x" + "é".encode() * 2_000, "text/plain", ": x" + "é" * 1_023 + "…"),
    ],
)
async def test_a_failure_shows_the_beginning_of_the_answer(
    body: bytes, content_type: str, shown: str
) -> None:
    with pytest.raises(NodeFailed) as raised:
        await receive(body, content_type, status=422)

    assert raised.value.message == "The server answered 422" + shown
