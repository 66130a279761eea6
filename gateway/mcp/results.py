"""Results of tool calls: contents for models, and the result as it is for programs."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent

from engine.errors import EngineError
from engine.store import Asset
from gateway.http.responses import encode_json
from gateway.services import Services

ERROR = "headrace/error"
EXECUTION = "headrace/executionId"
COST = "headrace/creditsCost"
WARNINGS = "headrace/warnings"
"""Members of `_meta` in results."""
GOES_ON = "EXECUTION_GOES_ON"
MEDIA_MEMBERS = ("images", "videos", "audios", "files")
"""Members of a result that list the URLs of media, of any host."""
MAX_LINKS = 100
LINKED_SINCE = "2025-06-18"
"""First revision with links in results."""


async def run_result(
    services: Services, answer: Mapping[str, Any], revision: str = LINKED_SINCE
) -> CallToolResult:
    """Return the result of a run by its answer over HTTP: a `RunResult` or an `AcceptedView`.

    Clients of revisions that know no links get the URLs as texts.
    """
    if "result" not in answer:
        return goes_on(answer["executionId"])
    result = answer["result"]
    meta = {EXECUTION: answer["executionId"], COST: answer["cost"]}
    if "warnings" in answer:
        meta[WARNINGS] = answer["warnings"]
    links = await _links(services, result)
    content: list[ContentBlock] = [_text_of(result), *links]
    if revision < LINKED_SINCE:
        content = [_text_of(result), *(TextContent(text=link.uri) for link in links)]
    return CallToolResult(
        content=content,
        structured_content=result if isinstance(result, dict) else {"result": result},
        _meta=meta,
    )


def _text_of(result: Any) -> TextContent:
    """Return a text as it is, and any other result as JSON."""
    if isinstance(result, dict) and list(result) == ["text"]:
        result = result["text"]
    return TextContent(text=result if isinstance(result, str) else encode_json(result).decode())


async def _links(services: Services, result: Any) -> list[ResourceLink]:
    """Return links to the media of a result: assets by their links, others by their member."""
    asset_ids = services.media_service.linked_assets(result)
    named = dict.fromkeys(url for url in _media_urls(result) if url not in asset_ids)
    urls = [*asset_ids, *named][:MAX_LINKS]
    assets = await asyncio.gather(*(_find(services, asset_ids.get(url)) for url in urls))
    return [_link(url, asset) for url, asset in zip(urls, assets, strict=True)]


def _media_urls(result: Any) -> list[str]:
    if not isinstance(result, dict):
        return []
    listed = (result.get(member) for member in MEDIA_MEMBERS)
    return [
        url
        for urls in listed
        if isinstance(urls, list)
        for url in urls
        if isinstance(url, str) and url.startswith(("https://", "http://"))
    ]


async def _find(services: Services, asset_id: str | None) -> Asset | None:
    if asset_id is None:
        return None
    try:
        return await services.store.assets.find(asset_id)
    except EngineError:
        return None  # the link is told all the same


def _link(url: str, asset: Asset | None) -> ResourceLink:
    if asset is not None:
        return ResourceLink(name=asset.id, uri=url, mime_type=asset.content_type, size=asset.bytes)
    return ResourceLink(name=urlsplit(url).path.rpartition("/")[2] or "medium", uri=url)


def error_result(error: EngineError) -> CallToolResult:
    """Return the result for an error that the run would be answered with."""
    code = error.code or "ERROR"
    body = msgspec.json.decode(encode_json({"error": error.message, "code": code, **error.context}))
    meta = {ERROR: body}
    if "executionId" in error.context:
        meta[EXECUTION] = error.context["executionId"]
    return CallToolResult(
        content=[TextContent(text=f"{code}: {error.message}")], is_error=True, _meta=meta
    )


def goes_on(execution_id: str) -> CallToolResult:
    """Return the result for a run that lasts longer than its caller may wait."""
    sentence = f"The run goes on as execution {execution_id}; its result can be read over the API"
    body = {"error": sentence, "code": GOES_ON, "executionId": execution_id}
    return CallToolResult(
        content=[TextContent(text=f"{GOES_ON}: {sentence}")],
        is_error=True,
        _meta={ERROR: body, EXECUTION: execution_id},
    )
