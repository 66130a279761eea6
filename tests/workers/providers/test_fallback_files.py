"""Files of calls that a fallback makes: as they are where it takes them, else their text."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import Chat, ChatMessage, ChatRole
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.nodes.support import model_files
from engine.nodes.support.documents import DocumentText
from engine.nodes.support.model_files import PDF
from tests.support.http.providers import Kept, Provider, provided
from tests.support.manifests import PROMPT, field, model
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller

FIELDS = PROMPT + field("file", "file")
OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/2.pdf"
BILL = b"%PDF-1.7 bill"
CHAT = {"choices": [{"message": {"content": "hi"}}]}
MESSAGE = {"content": [{"type": "text", "text": "hi"}]}


@pytest.fixture(autouse=True)
def own(kept: Kept) -> Iterator[None]:
    kept.own |= {("acc", OURS): BILL, ("acc", FOREIGN): BILL}
    with use_models([model("echo")]):
        yield


async def read_document(url: str) -> DocumentText:
    return DocumentText(content_type=PDF, pages=(f"text of {url}",))


def call(chat: Chat | None = None) -> ModelCall:
    checkpoints = RecordedCheckpoints()
    return ModelCall(checkpoints=checkpoints, read_document=read_document, chat=chat)


def reader(section: str, **parts: str) -> Model:
    return provided(section, '\nmodel = "m"', fields=FIELDS, **parts)


def fallback_of(*names: str) -> Model:
    listed = ", ".join(f'"{name}"' for name in names)
    return reader("openai", name="first", head=f"fallback = [{listed}]\n")


async def test_a_fallback_that_takes_no_files_gets_their_text(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [web.Response(status=503)]

    answer = await models.call(
        fallback_of("echo"), {"prompt": "Sum it up", "file": [OURS, FOREIGN]}, call()
    )

    texts = "".join(
        f'<document index="{number}">\ntext of {url}\n</document>\n\n'
        for number, url in enumerate((OURS, FOREIGN), 1)
    )
    assert answer.value == f"<{texts}Sum it up>"


async def test_the_texts_of_all_files_of_a_fallback_have_the_limit_of_a_call(
    models: ModelCaller, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "MAX_CHARACTERS", 120)
    read: list[str] = []

    async def read_noted(url: str) -> DocumentText:
        read.append(url)
        return DocumentText(content_type=PDF, pages=("x" * 50,))

    provider.answers = [web.Response(status=503)]
    links = [OURS, FOREIGN, OURS]

    with pytest.raises(NodeFailed, match="have over") as caught:
        await models.call(
            fallback_of("echo"),
            {"prompt": "Sum it up", "file": links},
            replace(call(), read_document=read_noted),
        )

    assert caught.value.code == "invalid_value"
    assert read == links[:2]


async def test_a_fallback_that_takes_files_gets_them(
    models: ModelCaller, provider: Provider
) -> None:
    second = reader("anthropic", name="second")
    provider.answers = [web.Response(status=503), MESSAGE]

    with use_models([second]):
        await models.call(fallback_of("second"), {"prompt": "x", "file": OURS}, call())

    assert provider.asked[-1].body["messages"][0]["content"][0] == {
        "type": "document",
        "source": {
            "type": "base64",
            "media_type": "application/pdf",
            "data": base64.b64encode(BILL).decode(),
        },
    }


async def test_a_fallback_without_a_prompt_is_none_for_a_call_with_files(
    models: ModelCaller, provider: Provider
) -> None:
    deaf = model("deaf", fields=field("note"), call='[builtin]\ntemplate = "deaf"\n')
    provider.answers = [web.Response(status=503)]

    with use_models([deaf]), pytest.raises(NodeFailed) as raised:
        await models.call(fallback_of("deaf"), {"prompt": "x", "file": OURS}, call())

    assert raised.value.code == "PROVIDER_UNAVAILABLE"


async def test_a_fallback_of_a_chat_gets_the_text_of_documents(
    models: ModelCaller, provider: Provider
) -> None:
    plain = provided("openai", '\nmodel = "plain"', name="plain")
    asked = ChatMessage(role=ChatRole.USER, text="Sum it up", documents=(OURS,))
    chat = Chat(messages=(asked,))
    provider.answers = [web.Response(status=503), CHAT]

    with use_models([plain]):
        await models.call(fallback_of("plain"), {}, call(chat))

    [message] = provider.asked[-1].body["messages"]
    assert message["content"] == (f'<document index="1">\ntext of {OURS}\n</document>\n\nSum it up')
