"""Every model that ships, against the stub: the recorded request is sent, and it answers."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from starlette.datastructures import Headers

from deploy.stub_provider.contents import sounds
from deploy.stub_provider.exchange import read_body
from deploy.stub_provider.part import PATHS
from engine.models.dialects.builtin import BuiltinSection
from engine.models.manifest import Category, Model
from engine.models.registry import all_models, find_model
from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.documents.small_pdf import small_pdf
from tests.support.http.providers import KEY, Kept, calling
from tests.support.media.files import png
from tests.support.models.chats import ASKED, FOUND, answered, continue_chat
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.recorded_requests import DOCUMENT, FOREIGN, OURS, RECORDED, SOUND
from workers.outbound.client import Egress
from workers.providers import jobs
from workers.providers.base import ModelCall, ignore_update

PNG, WAV = png(), sounds.play("a", 1_000)
DATA = base64.b64encode(PNG).decode()
PDF = small_pdf("Total: 144")
PDF_DATA = base64.b64encode(PDF).decode()
PROVIDED = [
    each.internal_name
    for each in all_models()
    if not isinstance(each.call, BuiltinSection) and each.call.endpoint.api_key_env
]


@dataclass
class Recorder:
    """A fetcher that notes calls."""

    egress: Egress
    calls: list[HttpCall] = field(default_factory=list)

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        return await self.egress.fetch(call)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between polls."""
    monkeypatch.setattr(jobs, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(jobs, "MAX_PAUSE_SECONDS", 0.05)


@pytest.fixture(params=PROVIDED)
def found(request: pytest.FixtureRequest) -> Model:
    model = find_model(request.param)
    assert model is not None
    return model


async def fetch_media(url: str) -> bytes:
    assert url == FOREIGN
    return PNG


def environ_of(model: Model, url: str) -> dict[str, str]:
    assert not isinstance(model.call, BuiltinSection)
    endpoint = model.call.endpoint
    return {endpoint.base_url_env: url + PATHS[endpoint.base_url_env], endpoint.api_key_env: KEY}


def read(call: HttpCall) -> Any:
    """Return the sent body, with words for the bytes and base64 of files."""
    body = read_body(Headers(dict(call.headers)), call.body or b"")
    words = {PNG: "<file>", WAV: "<sound>"}
    files = {name: [words[each] for each in value] for name, value in forms(body)}
    written = json.dumps(body, default=repr).replace(DATA, "<png>").replace(PDF_DATA, "<pdf>")
    return {**json.loads(written), **files}


def forms(body: Any) -> Iterator[tuple[str, list[bytes]]]:
    for name, value in body.items():
        if isinstance(value, list) and value and isinstance(value[0], bytes):
            yield name, value


async def test_a_model_sends_the_recorded_request_and_the_stub_answers(
    found: Model, egress: Egress, stub_url: str, kept: Kept
) -> None:
    recorded, recorder = RECORDED[found.internal_name], Recorder(egress)
    environ = environ_of(found, stub_url)
    kept.own |= {("acc", OURS): PNG, ("acc", DOCUMENT): PDF, ("acc", SOUND): WAV}
    kept.lengths[SOUND] = Decimal(1)
    model_call = ModelCall(checkpoints=RecordedCheckpoints(), fetch_media=fetch_media)

    answer = await calling(recorder, environ, kept).call(found, recorded.values, model_call)

    first, *rest = recorder.calls
    headers = {name.lower(): value for name, value in first.headers}
    assert f"{first.method} {first.url}" == f"POST {next(iter(environ.values()))}{recorded.path}"
    assert read(first) == recorded.body
    assert headers.keys() - {"accept", "content-type"} == {key_header(found), *recorded.headers}
    assert headers.items() >= recorded.headers.items()
    assert KEY in headers[key_header(found)]
    assert all(call.method == "GET" and call.body is None for call in rest)
    if found.is_transcriber:
        assert answer.value["text"] == "A sound of 1.0 seconds."
        return
    values = answer.value if isinstance(answer.value, list) else [answer.value]
    assert all(is_right(found.category, value, stub_url) for value in values), values


def key_header(model: Model) -> str:
    assert not isinstance(model.call, BuiltinSection)
    return model.call.endpoint.key_header.lower()


def is_right(category: Category, value: str, stub_url: str) -> bool:
    if category is Category.TEXT:
        return value.startswith(('{"a":', "[0.", "[-0."))
    return value.startswith(("https://kept.example/", f"{stub_url}/files/"))


def test_every_model_that_ships_was_recorded_with_all_of_its_fields() -> None:
    fields = {name: {each.name for each in model.fields} for name, model in shipped()}

    assert {name: set(each.values) for name, each in RECORDED.items()} == fields


def shipped() -> Iterator[tuple[str, Model]]:
    for name in PROVIDED:
        model = find_model(name)
        assert model is not None
        yield name, model


# -- chats with tools -----------------------------------------------------------------------------

TALKING = [name for name in PROVIDED if (each := find_model(name)) and each.takes_tools]


@pytest.mark.parametrize("name", TALKING)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_chat_model_calls_a_tool_and_takes_its_result(
    name: str, egress: Egress, stub_url: str, kept: Kept, *, is_streamed: bool
) -> None:
    model = find_model(name)
    assert model is not None
    models = calling(egress, environ_of(model, stub_url), kept)
    publish: Any = [].append if is_streamed else ignore_update

    first = await continue_chat(models, model, ASKED, publish)
    chat = answered(*first.calls, text=first.text, model=first.model, extra=first.extra)
    last = await continue_chat(models, model, chat, publish)

    assert [(call.name, call.arguments) for call in first.calls] == [
        ("find-order", {"number": "A-7"})
    ]
    assert last.text == f"(stub) find-order: result of {first.calls[0].id}"


@pytest.mark.parametrize("name", TALKING)
async def test_a_chat_goes_on_with_another_model(
    name: str, egress: Egress, stub_url: str, kept: Kept
) -> None:
    model = find_model(name)
    assert model is not None
    thought = {"type": "thinking", "thinking": "x", "signature": "y", "reasoning_content": "z"}
    chat = answered(FOUND, model="another", extra=(thought,))

    models = calling(egress, environ_of(model, stub_url), kept)
    turn = await continue_chat(models, model, chat)

    assert turn.text == "(stub) find-order: result of c1"
