"""Inner nodes of an agent that call a server of tools."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.nodes.support.base import NodeType, SecretName, WorkKind
from engine.nodes.support.http_auth import AUTH
from engine.nodes.support.server_settings import (
    SERVER,
    TIMEOUT_SECONDS,
    read_server,
    server_secrets,
)
from engine.nodes.support.settings import Faults
from engine.nodes.support.tool_servers import ToolServer


class ServerNode(NodeType):
    """Inner node type whose settings are a server and its authorization."""

    category = "LLMs"
    kind = WorkKind.IO
    is_inner = True
    members = (SERVER, AUTH)
    url_member = SERVER.name
    timeout_seconds = TIMEOUT_SECONDS
    """Time limit of a call without `timeoutSeconds`."""

    def read(self, data: Mapping[str, Any], faults: Faults) -> ToolServer:
        return read_server(data, faults, self.timeout_seconds)

    def fixed_url(self, settings: ToolServer) -> str | None:
        return settings.url

    def secret_uses(self, data: Mapping[str, Any]) -> Iterable[SecretName]:
        return server_secrets(data)
