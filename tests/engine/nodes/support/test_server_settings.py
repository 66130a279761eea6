"""Settings of nodes that call servers of tools."""

from typing import Any

import pytest

from engine.nodes.support.base import SecretName
from engine.nodes.support.server_settings import read_server, server_secrets
from engine.nodes.support.settings import Faults
from engine.nodes.support.tool_servers import ToolServer

URL = "https://tools.example/mcp"


def test_a_server_has_its_address_and_the_time_limit_of_the_node() -> None:
    faults = Faults()

    assert read_server({"server": f" {URL} "}, faults) == ToolServer(url=URL)
    assert read_server({"server": URL, "timeoutSeconds": 5}, faults).timeout_seconds == 5
    assert faults.found == []


@pytest.mark.parametrize("raw", [None, "", 5, [], "tools.example", "ftp://tools.example/"])
def test_another_value_than_a_url_is_a_fault(raw: Any) -> None:
    faults = Faults()

    server = read_server({"server": raw}, faults)

    assert server.url == "" and [each.field for each in faults.found] == ["server"]


def test_the_secret_of_a_server_is_found_with_its_host_even_beside_faults() -> None:
    auth = {"type": "bearer", "secret": "TOKEN"}

    assert list(server_secrets({"server": URL, "auth": auth}, "tools[0].")) == [
        SecretName("tools[0].auth.secret", "TOKEN", "tools.example")
    ]
    assert list(server_secrets({"server": 5, "auth": auth})) == [
        SecretName("auth.secret", "TOKEN", None)
    ]
    assert list(server_secrets({"server": URL})) == []
