"""Images sent to models as bytes: in a form for OpenAI's edits, as data in a body."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.datastructures import Headers

from deploy.stub_provider.exchange import read_body
from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.http.providers import MODEL_KEYS, Kept, calling, provided
from tests.support.manifests import PROMPT
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from workers.providers.base import ModelCall
from workers.providers.media import MAX_SENT_BYTES
from workers.providers.model_caller import ModelCaller

OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/1.png"
PNG, JPEG = b"\x89PNG\r\n\x1a\nours", b"\xff\xd8\xfftheirs"
FIELDS = PROMPT + "".join(
    f'\n[[fields]]\nname = "{name}"\ntype = "image"\n' for name in ("photo", "other", "mask")
)
EDITS = """
model = "painter"
api = "images"
images = ["{{ photo }}", "{{ other }}"]
mask = "{{ mask }}"
idempotency_header = "Idempotency-Key"
body = { n = 2, quality = "low" }
"""
INLINE = """
path = "/"
inline = ["photo"]
result = "url"

[http.body]
parts = [{ text = "{{ prompt }}" }, { mime = "{{ photo.type }}", data = "{{ photo.data }}" }]
"""


class WayOut:
    """Notes calls, and answers with a picture."""

    def __init__(self) -> None:
        self.calls: list[HttpCall] = []

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        body = b'{"url": "https://a.example/1.png", "data": [{"url": "https://a.example/1.png"}]}'
        answer = HttpAnswer(status=200, headers={}, body=body)
        if call.consume is not None:
            await call.consume(answer, pieces(body))
        return answer


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


class Elsewhere:
    """Fetches media as workflows may fetch them."""

    def __init__(self, data: bytes = JPEG) -> None:
        self.data = data
        self.urls: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.urls.append(url)
        return self.data


@pytest.fixture
def way_out() -> WayOut:
    return WayOut()


@pytest.fixture
def caller(way_out: WayOut, kept: Kept) -> ModelCaller:
    kept.own[("acc", OURS)] = PNG
    return calling(way_out, {"PROVIDER_URL": "https://a.example", **MODEL_KEYS}, kept)


def edits() -> Model:
    return provided("openai", EDITS, category="image", fields=FIELDS)


def inline() -> Model:
    return provided("http", INLINE, category="image", fields=FIELDS)


async def call_model(caller: ModelCaller, model: Model, elsewhere: Elsewhere, **values: Any) -> Any:
    model_call = ModelCall(checkpoints=RecordedCheckpoints(), fetch_media=elsewhere.fetch)
    return await caller.call(model, {"prompt": "blue", **values}, model_call)


async def refused(
    caller: ModelCaller, model: Model, elsewhere: Elsewhere, **values: Any
) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await call_model(caller, model, elsewhere, **values)
    return raised.value


def form_of(call: HttpCall) -> Any:
    return read_body(Headers(dict(call.headers)), call.body or b"")


# -- OpenAI's edits -------------------------------------------------------------------------------


async def test_without_an_image_one_is_made_of_the_prompt_alone(
    caller: ModelCaller, way_out: WayOut
) -> None:
    await call_model(caller, edits(), Elsewhere())

    [call] = way_out.calls
    assert call.url.endswith("/images/generations")
    assert form_of(call) == {"model": "painter", "prompt": "blue", "n": 2, "quality": "low"}


async def test_images_go_as_files_of_a_form_in_the_order_of_the_manifest(
    caller: ModelCaller, way_out: WayOut
) -> None:
    elsewhere = Elsewhere()

    answer = await call_model(caller, edits(), elsewhere, other=FOREIGN, photo=OURS, mask=OURS)

    [call] = way_out.calls
    texts = {"model": "painter", "prompt": "blue", "n": "2", "quality": "low"}
    assert call.url.endswith("/images/edits")
    assert form_of(call) == {**texts, "image": [PNG, JPEG], "mask": [PNG]}
    assert b"Content-Type: image/jpeg" in (call.body or b"")
    assert dict(call.headers)["Idempotency-Key"] == "x-0"
    assert elsewhere.urls == [FOREIGN]
    assert answer.value == "https://a.example/1.png"
    assert answer.usage.images == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>not here", "invalid_value"),
        (b"OggS sound", "invalid_value"),
        (PNG + bytes(MAX_SENT_BYTES), "response_too_large"),
    ],
)
async def test_an_invalid_or_too_large_image_is_not_sent(
    caller: ModelCaller, way_out: WayOut, data: bytes, code: str
) -> None:
    failures = [
        await refused(caller, edits(), Elsewhere(data), photo=FOREIGN),
        await refused(caller, inline(), Elsewhere(data), photo=FOREIGN),
    ]

    assert [each.code for each in failures] == [code] * 2
    assert not way_out.calls


async def test_all_images_together_have_a_bound(caller: ModelCaller, way_out: WayOut) -> None:
    elsewhere = Elsewhere(PNG + bytes(MAX_SENT_BYTES - len(PNG)))

    failure = await refused(caller, edits(), elsewhere, photo=FOREIGN, other=FOREIGN, mask=FOREIGN)

    assert failure.code == "response_too_large"
    assert (len(elsewhere.urls), way_out.calls) == (3, [])


async def test_a_model_that_is_tried_without_a_node_has_no_way_to_media_of_others(
    caller: ModelCaller, way_out: WayOut
) -> None:
    with pytest.raises(NodeFailed) as raised:
        await caller.call(edits(), {"prompt": "blue", "photo": FOREIGN})

    assert (raised.value.code, way_out.calls) == ("connection_failed", [])


# -- as data in a body ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "mime", "data"), [(OURS, "image/png", PNG), (FOREIGN, "image/jpeg", JPEG)]
)
async def test_an_image_is_put_into_a_body_as_its_type_and_its_data(
    caller: ModelCaller, way_out: WayOut, url: str, mime: str, data: bytes
) -> None:
    await call_model(caller, inline(), Elsewhere(), photo=url)

    part = {"mime": mime, "data": base64.b64encode(data).decode()}
    assert form_of(way_out.calls[0]) == {"parts": [{"text": "blue"}, part]}


async def test_without_an_image_its_part_is_left_out(caller: ModelCaller, way_out: WayOut) -> None:
    await call_model(caller, inline(), Elsewhere())

    assert form_of(way_out.calls[0]) == {"parts": [{"text": "blue"}]}


async def test_other_media_of_such_a_model_go_as_they_always_do(
    caller: ModelCaller, way_out: WayOut
) -> None:
    section = INLINE + 'other = "{{ other }}"\n'
    model = provided("http", section, category="image", fields=FIELDS)

    await call_model(caller, model, Elsewhere(), other=FOREIGN)

    assert form_of(way_out.calls[0])["other"] == FOREIGN
