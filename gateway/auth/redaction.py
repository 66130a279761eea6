"""Redaction of templates for other accounts: saved values and the secrets in nodes.

Masked texts keep their placeholders, so that the document can still be saved as one's own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.graph.bodies import body_of
from engine.graph.document import Document
from engine.nodes.agents.agent import Agent
from engine.nodes.agents.tool_settings import TOOLS
from engine.nodes.http_request import HttpRequest
from engine.nodes.mcp_tool import McpTool
from engine.nodes.request_input import RequestInput
from engine.nodes.support.http_auth import AUTH, HEADER
from engine.nodes.support.server_settings import SERVER
from engine.nodes.support.settings import Faults
from engine.values.templates import PLACEHOLDER

MASK = "REDACTED"
SAVED_VALUES = "values"
PLAIN_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
SECRET_NAME = re.compile(
    r"(auth|key|sig|bearer|cookie|jwt|pwd)|"
    r".*(apikey|accesskey|privatekey|secret|password|passwd|passphrase|authorization|"
    r"credential|credentials|signature|token)"
)
CALLERS = frozenset({HttpRequest.type, McpTool.type, Agent.type})
"""Types of nodes with an `auth` that only names a secret."""
ADDRESSES = frozenset({"url", SERVER.name})
SCHEME = re.compile(r"\s*(?:(?:Basic|Bearer|Token|ApiKey)\s+)?", re.IGNORECASE)
USER_INFO = re.compile(r"(?<=://)[^/?#@]*(?=@)")


def redacted(document: Document) -> Document:
    """Return the document as other accounts see it."""
    nodes = _redact_nodes(document.nodes)
    return replace(document, nodes=nodes, folder_id=None, editor={})


def _redact_nodes(nodes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    # Nodes of bodies may have other members than those of a document.
    return [{**_redact(node), "data": _redact_data(node)} for node in nodes]


def _redact_data(node: dict[str, Any]) -> Any:
    data, body = node.get("data", {}), body_of(node)
    if not isinstance(data, dict):
        return _redact(data)
    shown: dict[str, Any] = _redact(data)
    if body is not None:
        shown["body"] = {**shown["body"], "nodes": _redact_nodes(body["nodes"])}
    if node.get("type") in CALLERS:
        _show_auth(data, shown)
        for given, tool in zip(*map(_tools_of, (data, shown)), strict=True):
            _show_auth(given, tool)
    is_form = node.get("type") == RequestInput.type
    return {**shown, SAVED_VALUES: {}} if is_form and SAVED_VALUES in shown else shown


def _tools_of(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tools of an agent, of which those of servers may have an authorization."""
    tools = data.get(TOOLS.name)
    return [each for each in tools if isinstance(each, dict)] if isinstance(tools, list) else []


def _show_auth(data: dict[str, Any], shown: dict[str, Any]) -> None:
    if AUTH.name in shown:
        shown[AUTH.name] = _redact_auth(data, shown[AUTH.name])


def _redact_auth(data: dict[str, Any], masked: Any) -> Any:
    """Return a valid authorization, which only names a secret, as it is; mask any other."""
    auth = AUTH.read(data, Faults())
    if auth is None:
        return masked
    header = {"name": auth.header} if auth.type == HEADER else {}
    return {"type": auth.type, "secret": auth.secret, **header}


def _redact(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _redact_member(name, member) for name, member in value.items()}
    if isinstance(value, list):
        return [_redact(item) for item in value]
    return value


def _redact_member(name: str, value: Any) -> Any:
    if _is_secret(name):
        return _mask(value)
    if name == "headers" and isinstance(value, dict):
        return {each: text if _is_plain(each) else _mask(text) for each, text in value.items()}
    if name in ADDRESSES and isinstance(value, str):
        return _redact_url(value)
    return _redact(value)


def _is_secret(name: str) -> bool:
    return SECRET_NAME.fullmatch(re.sub(r"[^a-z]", "", name.lower())) is not None


def _is_plain(header: str) -> bool:
    return header.lower() in PLAIN_HEADERS


def _redact_url(url: str) -> str:
    address, mark, query = USER_INFO.sub(MASK, url).partition("?")
    return address + mark + "&".join(_redact_pair(pair) for pair in query.split("&"))


def _redact_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return f"{name}{equals}{_mask(value)}" if _is_secret(name) else pair


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mask(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_mask(item) for item in value]
    return _mask_text(value) if isinstance(value, str) else value


def _mask_text(text: str) -> str:
    pieces, end = [], 0
    for match in PLACEHOLDER.finditer(text):
        pieces += [_mask_literal(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*pieces, _mask_literal(text[end:])])


def _mask_literal(text: str) -> str:
    scheme = SCHEME.match(text)
    kept = scheme.group() if scheme else ""
    return kept + MASK if text[len(kept) :].strip() else text
