"""Names of tools for models: those of servers are made to fit."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.agents.tool_names import (
    MAX_TOOLS,
    NO_ARGUMENTS,
    KnownTool,
    check_names,
    fit_name,
    remote_tools,
)


@pytest.mark.parametrize(
    ("name", "fitted"),
    [("a.b/c d", "a_b_c_d"), ("x" * 80, "x" * 64), ("", "tool"), ("Zürich", "Z_rich")],
)
def test_names_of_servers_are_made_to_fit(name: str, fitted: str) -> None:
    assert fit_name(name) == fitted


def test_a_list_with_strange_members_gives_what_is_usable() -> None:
    [tool] = remote_tools(0, None, ["no tool", {"name": "a", "title": "A", "inputSchema": 5}])

    assert (tool.name, tool.description, tool.parameters) == ("a", "A", NO_ARGUMENTS)
    assert remote_tools(0, None, {"no": "list"}) == []


def test_one_tool_of_a_server_may_be_chosen() -> None:
    listed = [{"name": "a"}, {"name": "b"}]

    assert [each.name for each in remote_tools(0, "b", listed)] == ["b"]
    with pytest.raises(NodeFailed, match="no tool 'c'"):
        remote_tools(0, "c", listed)


def test_an_agent_has_a_bounded_number_of_tools() -> None:
    many = [KnownTool(name=f"t{number}") for number in range(MAX_TOOLS + 1)]

    with pytest.raises(NodeFailed, match="at most 128"):
        check_names(many, ())
