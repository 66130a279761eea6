"""Graphs of the parts of an agent, and their names."""

from engine.nodes.agents.parts import PartKind, one_node_graph, part_name


def test_a_part_wires_each_field_to_the_socket_of_its_name():
    nodes, edges = one_node_graph("agentToolCall", {"server": "x"}, ("tool",), "answer-out")

    assert [each["type"] for each in nodes] == ["requestInput", "agentToolCall", "responseOutput"]
    assert [(each["sourceHandle"], each["targetHandle"]) for each in edges] == [
        ("tool", "tool-in"),
        ("answer-out", "result-in"),
    ]


def test_parts_of_servers_are_named_by_the_position_of_the_server():
    assert part_name(PartKind.TURN) == "turn"
    assert part_name(PartKind.CALL, 2) == "call:2"
