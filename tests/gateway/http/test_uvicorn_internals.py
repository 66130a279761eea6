"""The installed release of uvicorn has the undocumented parts that the gateway relies on."""

import ast
import inspect
import textwrap

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.protocol import GatewayProtocol
from gateway.http.uvicorn_internals import (
    PROTOCOL_ATTRIBUTES,
    Config,
    FlowControl,
    RequestResponseCycle,
    ServerState,
)


def attributes_of(kind: type) -> set[str]:
    """Return the attributes that the methods of a class assign."""
    source = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    return {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
    }


def test_every_attribute_of_the_protocol_has_a_slot() -> None:
    assert attributes_of(HttpToolsProtocol) == set(PROTOCOL_ATTRIBUTES)


def test_a_cycle_has_the_attributes_that_the_gateway_reads_and_replaces() -> None:
    used = {"body", "disconnected", "message_event", "response_complete", "response_started"}

    assert attributes_of(RequestResponseCycle) >= used | {"transport"}


def test_a_flow_control_has_the_members_that_the_gateway_replaces() -> None:
    members = {name for name in vars(FlowControl) if not name.startswith("__")}

    assert members == {
        "drain",
        "pause_reading",
        "pause_writing",
        "resume_reading",
        "resume_writing",
    }
    assert attributes_of(FlowControl) == {
        *("_is_writable_event", "_transport", "read_paused", "write_paused"),
    }


@pytest.mark.parametrize(
    ("kind", "name", "parameters"),
    [
        (HttpToolsProtocol, "__init__", ["config", "server_state", "app_state", "_loop"]),
        (HttpToolsProtocol, "_unset_keepalive_if_required", []),
        (HttpToolsProtocol, "connection_made", ["transport"]),
        (HttpToolsProtocol, "connection_lost", ["exc"]),
        (HttpToolsProtocol, "on_message_begin", []),
        (HttpToolsProtocol, "on_header", ["name", "value"]),
        (HttpToolsProtocol, "on_headers_complete", []),
        (HttpToolsProtocol, "on_body", ["body"]),
        (HttpToolsProtocol, "on_message_complete", []),
        (HttpToolsProtocol, "on_response_complete", []),
        (HttpToolsProtocol, "pause_writing", []),
        (HttpToolsProtocol, "resume_writing", []),
        (uvicorn.Server, "main_loop", []),
        (uvicorn.Server, "on_tick", ["counter"]),
        (uvicorn.Server, "capture_signals", []),
    ],
)
def test_a_method_that_the_gateway_calls_or_replaces_is_there(
    kind: type, name: str, parameters: list[str]
) -> None:
    assert list(inspect.signature(getattr(kind, name)).parameters)[1:] == parameters


async def test_a_connection_keeps_nothing_in_a_dictionary() -> None:
    config = Config(app="", interface="asgi3", log_config=None)
    config.loaded, config.loaded_app, config.ws_protocol_class = True, None, None

    assert vars(GatewayProtocol(config, ServerState(), {})) == {}
