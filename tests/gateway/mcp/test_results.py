"""Results of tool calls."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from mcp_types import ResourceLink, TextContent

from engine.errors import InvalidInputs
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import AssetSource
from gateway.mcp.results import COST, ERROR, EXECUTION, error_result, goes_on, run_result
from tests.support.media.files import png

ANSWER = {"success": True, "cost": 3, "ms": 5, "executionId": "e1"}


@pytest.fixture
def services(settings: Settings, store: Store) -> Any:
    return SimpleNamespace(store=store, media_service=MediaService.from_settings(settings, store))


@pytest.mark.parametrize(
    ("result", "text", "structured"),
    [
        ({"text": "Hello"}, "Hello", {"text": "Hello"}),
        ("Hello", "Hello", {"result": "Hello"}),
        ([1, "a"], '[1,"a"]', {"result": [1, "a"]}),
        (None, "null", {"result": None}),
        (7, "7", {"result": 7}),
        ({"a": "x", "b": None}, '{"a":"x","b":null}', {"a": "x", "b": None}),
        ({"text": ["a"]}, '["a"]', {"text": ["a"]}),
    ],
)
async def test_a_result_is_a_text_for_models_and_an_object_for_programs(
    services: Any, result: Any, text: str, structured: dict[str, Any]
) -> None:
    made = await run_result(services, {**ANSWER, "result": result})

    assert made.content == [TextContent(text=text)]
    assert made.structured_content == structured
    assert made.meta == {EXECUTION: "e1", COST: 3}
    assert not made.is_error


async def test_media_are_links_wherever_they_stand(
    services: Any, store: Store, account: Account
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield png()

    asset = await services.media_service.save(
        account.id, "image/png", pieces(), source=AssetSource.UPLOAD
    )
    url = services.media_service.link(asset)

    named = await run_result(services, {**ANSWER, "result": {"picture": url, "title": "A"}})
    listed = await run_result(services, {**ANSWER, "result": {"images": [url, url]}})

    expected = ResourceLink(name=asset.id, uri=url, mime_type="image/png", size=len(png()))
    assert named.content[1:] == [expected]
    assert listed.content[1:] == [expected]


async def test_media_of_other_hosts_are_links_where_a_member_says_media(services: Any) -> None:
    result = {"images": ["https://cdn.example/a/cat.png", "data:image/png;base64,AA"]}

    made = await run_result(services, {**ANSWER, "result": result})
    other = await run_result(services, {**ANSWER, "result": {"url": "https://cdn.example/a"}})

    assert made.content[1:] == [
        ResourceLink(name="cat.png", uri="https://cdn.example/a/cat.png"),
    ]
    assert len(other.content) == 1


async def test_documents_of_other_hosts_are_links(services: Any) -> None:
    result = {"files": ["https://files.example/a/report.pdf"]}

    made = await run_result(services, {**ANSWER, "result": result})

    assert made.content[1:] == [
        ResourceLink(name="report.pdf", uri="https://files.example/a/report.pdf"),
    ]


async def test_a_revision_without_links_gets_texts(services: Any) -> None:
    result = {"images": ["https://cdn.example/cat.png"]}

    made = await run_result(services, {**ANSWER, "result": result}, "2025-03-26")

    assert made.content[1:] == [TextContent(text="https://cdn.example/cat.png")]


async def test_an_error_has_its_code_and_sentence() -> None:
    result = error_result(InvalidInputs("name", "is required"))

    assert result.is_error
    assert result.structured_content is None
    assert result.content == [
        TextContent(text="INVALID_INPUTS: Input 'name': is required"),
    ]
    body = {"error": "Input 'name': is required", "code": "INVALID_INPUTS"}
    assert result.meta == {ERROR: {**body, "field": "name", "reason": "is required"}}


async def test_a_run_that_goes_on_is_told_with_its_id(services: Any) -> None:
    result = await run_result(services, {"executionId": "e1"})

    assert result == goes_on("e1")
    assert result.is_error
    assert result.meta is not None
    assert result.meta[EXECUTION] == "e1"
