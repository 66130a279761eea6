"""Settings of nodes that call servers of tools: address, authorization and time limit."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.base import SecretName
from engine.nodes.support.http_auth import AUTH
from engine.nodes.support.policy import read_timeout
from engine.nodes.support.settings import Faults, Setting
from engine.nodes.support.tool_servers import ToolServer

TIMEOUT_SECONDS = 60.0
"""Time limit of a call without `timeoutSeconds`."""
SERVER_WORDS = "must be the URL of an MCP server, which begins with http:// or https://"


def read_server_url(raw: Any, path: str, faults: Faults) -> str | None:
    """Return the URL of a server; add its fault."""
    if not isinstance(raw, str) or not raw.strip():
        faults.add(path, SERVER_WORDS)
        return None
    try:
        check_url(raw.strip(), allow_private=True)
    except UrlRefused as error:
        faults.add_rule(f"{path}: {error}", path)
        return None
    return raw.strip()


SERVER = Setting(
    name="server",
    about="URL of the MCP server (Streamable HTTP).",
    widget="toolServer",
    value={"type": "string", "minLength": 1},
    parse=read_server_url,
    is_required=True,
    missing=SERVER_WORDS,
    title="MCP server",
)


def read_server(
    data: Mapping[str, Any], faults: Faults, seconds: float = TIMEOUT_SECONDS
) -> ToolServer:
    """Return the server that `data` names, with an empty URL after a fault; add its faults."""
    url, auth = SERVER.read(data, faults), AUTH.read(data, faults)
    return ToolServer(url=url or "", auth=auth, timeout_seconds=read_timeout(data) or seconds)


def server_secrets(data: Mapping[str, Any], path: str = "") -> Iterable[SecretName]:
    """Return the secret that a server of tools in settings gets; `path` precedes its field."""
    if not data.get(AUTH.name):
        return ()
    auth = AUTH.read(data, Faults())
    return () if auth is None else [SecretName(f"{path}auth.secret", auth.secret, _host(data))]


def _host(data: Mapping[str, Any]) -> str | None:
    url = SERVER.read(data, Faults())
    return None if url is None else check_url(url, allow_private=True).host
