"""Files of an agent's turn: images, PDFs and texts of others."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.graph.plan import check_graph
from engine.models.calls.chat import ChatTurn
from engine.models.registry import use_models
from engine.nodes import node_type
from engine.nodes.support.documents import DocumentText
from engine.nodes.support.model_files import PDF
from tests.support.graphs.graph_text import edge, node
from tests.support.manifests import PROMPT, field, model
from tests.support.nodes.node_context import FakeContext, run_node

PICTURE, PHOTO = "https://a.example/1.PNG?x=1", "https://a.example/photo"
BILL, NOTES = "https://a.example/1.pdf", "https://a.example/2.md"
DOCUMENTS = {
    BILL: DocumentText(content_type=PDF, pages=("Total: 144",)),
    NOTES: DocumentText(content_type="text/markdown", pages=("# Notes",)),
}
PRICING = '[[pricing]]\nunit = "input_token"\nusd = "0.001"\natMost = 5000\nperImage = 10\n'
CALL = '[openai]\nbase_url = "http://127.0.0.1:9"\nmodel = "m"\n'
IMAGE = field("image", "image")


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    fields = {
        "reader": PROMPT + IMAGE + field("file", "file"),
        "plain": PROMPT + IMAGE,
        "blind": PROMPT + field("file", "file"),
    }
    models = [model(name, fields=each, pricing=PRICING, call=CALL) for name, each in fields.items()]
    dear = PRICING.replace("perImage = 10\n", "perImage = 10000\n")
    models.append(model("dear", fields=PROMPT + IMAGE, pricing=dear, call=CALL))
    with use_models(models):
        yield


class Seeing(FakeContext):
    """Context for which a URL without a known document is none, as that of an image."""

    async def file_type(self, url: str) -> str:
        if url not in self.documents:
            raise NodeFailed(DOCUMENT_UNREADABLE, "That is no document")
        return await super().file_type(url)


def chat(*files: str) -> dict[str, Any]:
    return {"messages-in": [{"role": "user", "text": "Sum it up", "files": list(files)}]}


async def turn(name: str, *files: str) -> FakeContext:
    context = Seeing(documents=DOCUMENTS, turns=[ChatTurn(text="Done", model=name)])
    await run_node("agentTurn", {"model": name}, chat(*files), context=context)
    return context


def most(name: str, *files: str) -> int:
    kind = node_type("agentTurn")
    assert kind is not None
    return kind.max_usage(kind.parse({"model": name}), chat(*files)).input_tokens


@pytest.mark.parametrize("name", ["reader", "blind"])
@pytest.mark.parametrize("kind", ["audio/wav", "video/mp4"])
async def test_a_sound_or_a_video_of_the_account_is_refused_by_its_type(
    name: str, kind: str
) -> None:
    context = Seeing(documents=DOCUMENTS, stored_types={PHOTO: kind})

    with pytest.raises(NodeFailed, match=f"takes images and documents.* is {kind}") as caught:
        await run_node("agentTurn", {"model": name}, chat(PHOTO), context=context)

    assert caught.value.code == "invalid_value"


async def test_an_image_on_record_is_one() -> None:
    stored = {PHOTO: "image/png", BILL: PDF}
    turns = [ChatTurn(text="Done", model="reader")]
    context = Seeing(documents=DOCUMENTS, stored_types=stored, turns=turns)

    await run_node("agentTurn", {"model": "reader"}, chat(PHOTO, BILL), context=context)

    message = context.chats[0].messages[-1]
    assert (message.files, message.documents) == ((PHOTO,), (BILL,))


@pytest.mark.parametrize("name", ["reader", "blind"])
async def test_pdfs_go_as_they_are_to_a_model_that_takes_them(name: str) -> None:
    context = await turn(name, BILL, NOTES)

    [message] = context.chats[0].messages
    assert (message.files, message.documents) == ((), (BILL,))
    assert message.text == '<document index="2">\n# Notes\n</document>\n\nSum it up'


async def test_images_stay_images_and_other_models_get_the_text_of_pdfs() -> None:
    context = await turn("plain", PICTURE, BILL, PHOTO)

    [message] = context.chats[0].messages
    assert (message.files, message.documents) == ((PICTURE, PHOTO), ())
    assert message.text == '<document index="1">\nTotal: 144\n</document>\n\nSum it up'


async def test_a_model_that_sees_nothing_takes_no_image() -> None:
    with pytest.raises(NodeFailed) as raised:
        await turn("blind", BILL, PHOTO)

    assert (raised.value.code, raised.value.message) == (
        "invalid_value",
        "The model takes no images",
    )


async def test_a_turn_has_twenty_documents_at_most() -> None:
    files = [f"https://a.example/{number}.pdf" for number in range(21)]
    context = FakeContext()

    with pytest.raises(NodeFailed, match="at most 20 files, not 21"):
        await run_node("agentTurn", {"model": "reader"}, chat(*files), context=context)


async def test_documents_are_charged_within_the_bound_of_the_price() -> None:
    context = await turn("plain", BILL)

    [bound] = context.most
    assert bound is not None
    assert bound.input_tokens == most("plain", BILL) == 5000
    assert most("plain", PICTURE) < 2000


async def test_a_document_does_not_count_as_an_image() -> None:
    context = await turn("dear", BILL, PHOTO)

    [bound] = context.most
    assert bound is not None
    assert 10_000 < bound.input_tokens < 20_000 < most("dear", BILL, PHOTO)


async def test_images_alone_are_charged_by_their_number() -> None:
    context = await turn("plain", PICTURE)

    assert context.most == [None]


def test_files_and_images_of_any_type_are_wired_to_an_agent() -> None:
    fields = [{"name": name, "type": name} for name in ("file", "image")]
    form = node("form", "requestInput", fields=fields)
    wires = [edge(f"form.{name}", "agent.file-in") for name in ("file", "image")]

    for name in ("reader", "blind"):
        agent = node("agent", "agent", model=name, prompt="x")
        assert check_graph([form, agent], wires) == []
