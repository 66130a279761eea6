"""Answers of tools as plain values."""

import base64
from typing import Any

import mcp_types as types
import pytest

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets
from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.nodes.support.tool_servers import ToolAnswer
from workers.mcp.answers import read_answer


async def keep(data: bytes, content_type: str) -> str:
    if content_type != "image/png":
        raise NodeFailed(BAD_RESPONSE, "unknown")
    return f"https://kept.example/{len(data)}"


async def read(
    *blocks: types.ContentBlock, structured: Any = None, secrets: OpenedSecrets = NO_SECRETS
) -> ToolAnswer:
    result = types.CallToolResult(content=list(blocks), structured_content=structured)
    return await read_answer(result, secrets, keep)


def text(words: str) -> types.TextContent:
    return types.TextContent(text=words)


async def test_texts_stand_on_lines_and_the_structured_value_counts() -> None:
    answer = await read(text("a"), text("b"), structured={"n": 1})

    assert answer == ToolAnswer(text="a\nb", value={"n": 1})


async def test_an_empty_answer_is_an_empty_text() -> None:
    assert await read() == ToolAnswer(text="", value="")


async def test_a_medium_of_a_kind_that_cannot_be_kept_is_told() -> None:
    blob = types.BlobResourceContents(
        uri="x://1", mime_type="application/zip", blob=base64.b64encode(b"abc").decode()
    )

    answer = await read(text("see"), types.EmbeddedResource(resource=blob))

    assert answer.text == "see\n(application/zip of 3 bytes, which cannot be kept)"


async def test_a_medium_with_a_secret_in_it_fails_the_node() -> None:
    data = base64.b64encode(b"my sesame-4711").decode()
    image = types.ImageContent(data=data, mime_type="image/png")

    with pytest.raises(NodeFailed) as failed:
        await read(image, secrets=OpenedSecrets({"token": "sesame-4711"}))

    assert failed.value.code == "secret_exposed"


async def test_a_medium_that_is_not_base64_fails_the_node() -> None:
    with pytest.raises(NodeFailed, match="not base64"):
        await read(types.ImageContent(data="%%%", mime_type="image/png"))


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}])
async def test_a_value_that_is_none_of_json_fails_the_node(value: Any) -> None:
    with pytest.raises(NodeFailed) as failed:
        await read(text("a"), structured=value)

    assert failed.value.code == "bad_response"


async def test_secrets_are_hidden_in_text_and_value() -> None:
    secrets = OpenedSecrets({"token": "sesame-4711"})

    answer = await read(
        text("it is sesame-4711"), structured={"a": ["sesame-4711"]}, secrets=secrets
    )

    assert answer == ToolAnswer(text="it is •••", value={"a": ["•••"]})
