"""Graphs of the parts of an agent, and their names."""

from engine.nodes.agents.parts import PartKind, inlets, one_node_graph, part_name


def test_a_part_wires_each_field_to_the_socket_of_its_name() -> None:
    graph = one_node_graph("agentToolCall", {"server": "x"}, inlets("tool"), "answer-out")

    assert [each["type"] for each in graph.nodes] == [
        "requestInput",
        "agentToolCall",
        "responseOutput",
    ]
    assert [(each["sourceHandle"], each["targetHandle"]) for each in graph.edges] == [
        ("tool", "tool-in"),
        ("answer-out", "result-in"),
    ]


def test_parts_of_servers_are_named_by_the_position_of_the_server() -> None:
    assert part_name(PartKind.TURN) == "turn"
    assert part_name(PartKind.CALL, 2) == "call:2"
