"""Answers of tools as plain values: texts, links, and media that are kept as assets."""

import asyncio
import base64
import binascii
from typing import Any

import mcp_types as types
import msgspec

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import BAD_RESPONSE, FilesMustWait, NodeFailed
from engine.nodes.support.tool_servers import KeepMedia, ToolAnswer
from engine.values.plain import fault
from workers.mcp.messages import MAX_VALUES, is_small

LARGE_TEXT = 65_536
"""Characters in which a search for secrets would hold up other nodes."""


async def read_answer(
    result: types.CallToolResult, secrets: OpenedSecrets, keep: KeepMedia
) -> ToolAnswer:
    """Return the answer of a tool, without the secrets that its call carried.

    Raises NodeFailed.
    """
    texts = [await _read_block(block, secrets, keep) for block in result.content]
    text = "\n".join(texts)
    value = result.structured_content
    if value is None:
        value = _parse(text)
    reason = fault(value) or fault(text)
    if reason:
        raise NodeFailed("bad_response", f"The tool's answer {reason}")
    answer = ToolAnswer(text=text, value=value, is_error=result.is_error)
    if not secrets.values:
        return answer
    if len(text) > LARGE_TEXT or result.structured_content is not None:
        return await asyncio.to_thread(_redact, answer, secrets)
    return _redact(answer, secrets)


def _redact(answer: ToolAnswer, secrets: OpenedSecrets) -> ToolAnswer:
    text, value = secrets.redact_text(answer.text), secrets.redact(answer.value)
    return ToolAnswer(text=text, value=value, is_error=answer.is_error)


async def _read_block(block: types.ContentBlock, secrets: OpenedSecrets, keep: KeepMedia) -> str:
    match block:
        case types.TextContent():
            return block.text
        case types.ResourceLink():
            return str(block.uri)
        case types.ImageContent() | types.AudioContent():
            return await _keep(block.data, block.mime_type, secrets, keep)
        case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
            return resource.text
        case types.EmbeddedResource(resource=types.BlobResourceContents() as resource):
            return await _keep(resource.blob, resource.mime_type or "", secrets, keep)
    return ""


async def _keep(data: str, content_type: str, secrets: OpenedSecrets, keep: KeepMedia) -> str:
    """Return the link of a medium that is kept, or words for one that cannot be."""
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise NodeFailed("bad_response", "A medium in the tool's answer is not base64") from None
    if secrets.is_in_bytes(decoded):
        raise NodeFailed("secret_exposed", "The medium in the answer has a secret in it")
    try:
        return await keep(decoded, content_type)
    except NodeFailed as failure:
        if failure.code != BAD_RESPONSE and not isinstance(failure, FilesMustWait):
            raise
        return f"({content_type[:100] or 'data'} of {len(decoded)} bytes, which cannot be kept)"


def _parse(text: str) -> Any:
    """Return the object or list that a text is as JSON, else the text.

    Servers without structured results answer so. A number or a word alone stays a text.
    """
    if not text.lstrip().startswith(("{", "[")) or text.count("[") + text.count("{") > MAX_VALUES:
        return text
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return value if is_small(value, MAX_VALUES) and not fault(value) else text
