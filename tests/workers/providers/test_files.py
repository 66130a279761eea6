"""PDFs for providers: data in each dialect, within bounds, and text for other models."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import Chat, ChatMessage, ChatRole
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.nodes.support.documents import DocumentText
from engine.nodes.support.model_files import PDF
from tests.support.http.providers import Kept, Provider, provided
from tests.support.manifests import PROMPT, field, model
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.streams import DONE, STOP, delta, stream
from workers.providers.base import ModelCall
from workers.providers.media import MAX_SENT_BYTES, NO_PDF
from workers.providers.media_memory import MAX_BYTES
from workers.providers.model_caller import ModelCaller

FIELDS = PROMPT + field("photo", "image") + field("file", "file")
PRICING = '[[pricing]]\nunit = "input_token"\nusd = "0.000001"\natMost = 50\n'
OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/2.pdf"
PICTURE = "https://cdn.example/1.png"
BILL, LETTER = b"%PDF-1.7 bill", b"\xef\xbb\xbf\n%PDF-1.4 letter"
CHAT = {"choices": [{"message": {"content": "hi"}}], "usage": {"prompt_tokens": 70}}
MESSAGE = {"content": [{"type": "text", "text": "hi"}], "usage": {"input_tokens": 70}}


def data(pdf: bytes) -> str:
    return base64.b64encode(pdf).decode()


def part(number: int, pdf: bytes) -> dict[str, Any]:
    url = f"data:application/pdf;base64,{data(pdf)}"
    return {"type": "file", "file": {"filename": f"document-{number}.pdf", "file_data": url}}


def block(pdf: bytes) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": data(pdf)}
    return {"type": "document", "source": source}


def reader(section: str, **parts: str) -> Model:
    return provided(section, '\nmodel = "m"', **{"fields": FIELDS, "pricing": PRICING, **parts})


async def fetch_media(url: str) -> bytes:
    return LETTER if url == FOREIGN else b"name;total\n"


async def read_document(url: str) -> DocumentText:
    return DocumentText(content_type=PDF, pages=(f"text of {url}",))


def call(chat: Chat | None = None, most: Usage | None = None) -> ModelCall:
    return ModelCall(
        checkpoints=RecordedCheckpoints(),
        fetch_media=fetch_media,
        read_document=read_document,
        chat=chat,
        most=most,
    )


def talk(*documents: str, files: tuple[str, ...] = ()) -> Chat:
    asked = ChatMessage(role=ChatRole.USER, text="Sum it up", files=files, documents=documents)
    return Chat(messages=(asked,))


@pytest.fixture(autouse=True)
def own(kept: Kept) -> Iterator[None]:
    kept.own[("acc", OURS)] = BILL
    with use_models([model("echo")]):
        yield


async def sent(models: ModelCaller, found: Model, provider: Provider, **values: Any) -> Any:
    await models.call(found, {"prompt": "Sum it up", **values}, call())
    return provider.asked[-1].body["messages"][0]["content"]


# -- dialects -------------------------------------------------------------------------------------


async def test_openai_gets_parts_of_the_type_file_before_the_text(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [CHAT]

    content = await sent(models, reader("openai"), provider, file=[OURS, FOREIGN], photo=PICTURE)

    image = {"type": "image_url", "image_url": {"url": PICTURE}}
    text = {"type": "text", "text": "Sum it up"}
    assert content == [part(1, BILL), part(2, LETTER), text, image]


async def test_anthropic_gets_document_blocks_before_the_text(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [MESSAGE]

    content = await sent(models, reader("anthropic"), provider, file=FOREIGN, photo=PICTURE)

    image = {"type": "image", "source": {"type": "url", "url": PICTURE}}
    assert content == [block(LETTER), image, {"type": "text", "text": "Sum it up"}]


async def test_any_api_gets_the_data_of_a_field_that_is_inline(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"text": "hi"}]
    parts = (
        'path = "/generate"\nresult = "text"\ninline = ["file"]\n'
        'body = { parts = [{ inlineData = { mimeType = "{{ file.type }}", '
        'data = "{{ file.data }}" } }] }\n'
    )
    native = provided("http", f"\n{parts}", fields=FIELDS)

    for file in (OURS, [OURS]):
        await models.call(native, {"prompt": "x", "file": file}, call())
    with pytest.raises(NodeFailed, match="'file' takes one file here, not 2"):
        await models.call(native, {"prompt": "x", "file": [OURS, OURS]}, call())

    inline = {"inlineData": {"mimeType": "application/pdf", "data": data(BILL)}}
    assert [each.body for each in provider.asked] == [{"parts": [inline]}] * 2


@pytest.mark.parametrize(
    ("section", "answer", "expected"),
    [("openai", CHAT, part(1, BILL)), ("anthropic", MESSAGE, block(BILL))],
)
async def test_a_turn_of_a_chat_has_documents_too(
    models: ModelCaller,
    provider: Provider,
    section: str,
    answer: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    provider.answers = [answer]

    await models.call(reader(section), {}, call(talk(OURS, files=(PICTURE,))))

    [message] = provider.asked[-1].body["messages"]
    kinds = {each["type"] for each in message["content"]}
    assert message["content"][0] == expected
    assert kinds == {expected["type"], "text", "image_url" if section == "openai" else "image"}


async def test_a_stream_is_asked_for_with_the_same_content(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [stream(delta("hi"), STOP, DONE)]
    pieces: list[str] = []
    watched = replace(call(), publish_text=pieces.append)

    answer = await models.call(reader("openai"), {"prompt": "x", "file": OURS}, watched)

    body = provider.asked[-1].body
    assert (body["stream"], body["messages"][0]["content"][0]) == (True, part(1, BILL))
    assert (answer.value, pieces) == ("hi", ["hi"])


# -- bounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["openai", "anthropic"])
async def test_a_file_that_is_no_pdf_is_refused_before_any_call(
    models: ModelCaller, provider: Provider, section: str
) -> None:
    with pytest.raises(NodeFailed) as raised:
        await sent(models, reader(section), provider, file="https://cdn.example/3.csv")

    assert (raised.value.code, raised.value.message) == ("invalid_value", NO_PDF)
    assert provider.asked == []


@pytest.mark.parametrize("in_chat", [False, True])
async def test_a_file_has_the_bound_of_media(
    models: ModelCaller, provider: Provider, kept: Kept, in_chat: bool
) -> None:
    kept.own[("acc", OURS)] = BILL + bytes(MAX_SENT_BYTES)
    values = {} if in_chat else {"prompt": "x", "file": OURS}

    with pytest.raises(NodeFailed) as raised:
        await models.call(reader("openai"), values, call(talk(OURS) if in_chat else None))

    assert raised.value.code == "response_too_large"
    assert provider.asked == []


async def test_files_have_a_bound_together(
    models: ModelCaller, provider: Provider, kept: Kept
) -> None:
    kept.own[("acc", OURS)] = BILL + bytes(MAX_SENT_BYTES - 100)

    with pytest.raises(NodeFailed) as raised:
        await sent(models, reader("openai"), provider, file=[OURS] * 3)

    assert raised.value.code == "response_too_large"


async def test_memory_of_files_is_returned_after_the_call(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [CHAT]

    await sent(models, reader("openai"), provider, file=[OURS] * 20)

    assert models._sending.available == MAX_BYTES


# -- what is charged ------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "tokens"), [(None, 50), (60, 60), (90, 70)])
async def test_the_bound_of_the_price_or_the_nodes_bounds_the_tokens(
    models: ModelCaller, provider: Provider, most: int | None, tokens: int
) -> None:
    provider.answers = [CHAT]
    bound = None if most is None else Usage(calls=1, input_tokens=most)
    values = {"prompt": "x", "file": OURS}

    answer = await models.call(reader("openai"), values, call(most=bound))

    assert answer.usage.input_tokens == tokens
