"""Values of executions and nodes over HTTP, with a real worker."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from engine.settings import Settings
from gateway.runs.values import MAX_VALUE_BYTES
from tests.support.gateway.documents import edge, node
from tests.support.http.sse_reader import named, parse
from tests.support.media.files import png
from workers.main import worker

TEXT = {"name": "name", "label": "Name", "type": "textarea", "required": True}
PICTURE = {"name": "picture", "label": "Picture", "type": "image"}
STRANGE = "the text / 1?"
"""Id of a node with characters that a path escapes."""


def document(**members: Any) -> dict[str, Any]:
    """Return a workflow whose text is made by an expression, so that its outputs are recorded."""
    return {
        "name": "Values",
        "nodes": [
            node("in", "requestInput", fields=[TEXT, PICTURE]),
            node(STRANGE, "transform", expression="'Hello ' + value"),
            node("out", "responseOutput", fields=[{"name": "text"}, {"name": "picture"}]),
        ],
        "edges": [
            edge("in", "name", STRANGE, "value-in"),
            edge(STRANGE, "value-out", "out", "text"),
            edge("in", "picture", "out", "picture"),
        ],
        **members,
    }


@pytest.fixture(autouse=True)
async def a_worker_runs(settings: Settings, client: httpx2.AsyncClient) -> AsyncIterator[None]:
    assert (await client.post("/api/workflows", json=document())).status_code == 201
    async with worker(settings):
        yield


async def run(client: httpx2.AsyncClient, name: str, **more: Any) -> str:
    """Run the workflow; return the path of its execution."""
    body = {"inputs": {"name": name, **more}}
    answer = await client.post("/api/workflows/values/run", json=body)
    assert answer.status_code == 200, answer.text
    return f"/api/executions/{answer.json()['executionId']}"


async def read(client: httpx2.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_node_is_found_by_any_id(client: httpx2.AsyncClient) -> None:
    execution = await run(client, "Ada")

    shown = await read(client, f"{execution}/nodes/{quote(STRANGE, safe='')}")

    assert shown["inputs"] == {"value-in": "Ada"}
    assert shown["outputs"] == {"value-out": "Hello Ada"}


@pytest.mark.parametrize("size", [MAX_VALUE_BYTES - 7, 300_000], ids=["on record", "offloaded"])
async def test_a_large_value_is_at_its_link(client: httpx2.AsyncClient, size: int) -> None:
    execution = await run(client, "x" * size)

    shown = await read(client, f"{execution}/nodes/{quote(STRANGE, safe='')}")

    output = shown["outputs"]["value-out"]
    assert (output["truncated"], output["bytes"]) == (True, size + 8)
    assert await read(client, output["url"]) == "Hello " + "x" * size
    given = shown["inputs"]["value-in"]
    if size > MAX_VALUE_BYTES:
        assert await read(client, given["url"]) == "x" * size
    else:
        assert given == "x" * size


async def test_media_are_links_that_last(client: httpx2.AsyncClient) -> None:
    file = {"file": ("a.png", png(), "image/png")}
    asset = (await client.post("/api/assets", files=file)).json()
    execution = await run(client, "Ada", picture=asset["id"])

    inputs = (await read(client, execution))["inputs"]
    shown = await read(client, f"{execution}/nodes/in")

    url = inputs["picture"]
    assert shown["outputs"]["picture"] == url
    assert shown["assets"] == [{"id": asset["id"], "url": url}]
    assert (await client.get(httpx2.URL(url).raw_path.decode())).content == png()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?node=nobody&output=value-out", (404, "NODE_NOT_FOUND")),
        ("?output=value-out", (404, "NODE_NOT_FOUND")),
        ("?node=in", (400, "INVALID_QUERY")),
        ("?node=in&input=a&output=name", (400, "INVALID_QUERY")),
        ("?node=in&output=nothing", (404, "NOT_FOUND")),
        ("?node=in&input=name", (404, "NOT_FOUND")),
    ],
)
async def test_a_value_that_is_not_there_is_not_found(
    client: httpx2.AsyncClient, query: str, code: tuple[int, str]
) -> None:
    execution = await run(client, "Ada")

    answer = await client.get(f"{execution}/values{query}")

    assert (answer.status_code, answer.json()["code"]) == code


async def test_events_show_the_beginning_of_an_offloaded_text(client: httpx2.AsyncClient) -> None:
    execution = await run(client, "x" * 300_000)

    events = parse((await client.get(f"{execution}/events")).text)

    outputs = {each["nodeId"]: each["outputs"] for each in named(events, "node.finished")}
    assert outputs[STRANGE] == {"value-out": {"text": f"Hello {'x' * 2_042}", "truncated": True}}
    assert outputs["in"]["name"] == {"text": "x" * 2_048, "truncated": True}
