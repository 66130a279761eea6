from dataclasses import replace

from deploy.client.document_diff import diff_documents, lines_of
from engine.graph.document import Document, parse_document
from tests.support.gateway.documents import edge, greeting, node


def document(**members: object) -> Document:
    return parse_document(greeting(**members))


def test_the_same_document_has_no_changes() -> None:
    assert diff_documents(document(), document()) == []


def test_members_nodes_edges_and_settings_are_told_apart() -> None:
    before = document(tags=["a"])
    body = greeting(tags=["b"], editor={"groups": []})
    body["nodes"][1]["data"] = {"text": "Bye {{ name }}", "trim": True}
    body["nodes"][1]["position"] = {"x": 5, "y": 0}
    body["nodes"].append(node("note", "note", text="Greets"))
    body["edges"][1] = edge("in", "name", "out", "result-in")

    changes = diff_documents(before, parse_document(body))

    assert [(each["change"], each["kind"], each["id"]) for each in changes] == [
        ("changed", "member", "tags"),
        ("changed", "member", "editor"),
        ("changed", "node", "text"),
        ("added", "node", "note"),
        ("removed", "edge", "text.text-out-out.result-in"),
        ("added", "edge", "in.name-out.result-in"),
    ]
    assert list(lines_of(changes))[4:8] == [
        "~ node text",
        "    position.x: 0 -> 5",
        '    text: "Hello {{ name }}" -> "Bye {{ name }}"',
        "    trim: null -> true",
    ]


def test_another_order_of_edges_is_a_change_and_one_of_nodes_is_not() -> None:
    before = document()

    assert diff_documents(before, replace(before, nodes=before.nodes[::-1])) == []
    (change,) = diff_documents(before, replace(before, edges=before.edges[::-1]))
    assert (change["kind"], change["id"]) == ("member", "edges")


def test_long_values_are_cut_in_lines() -> None:
    changes = diff_documents(document(), document(description="x" * 1_000))

    assert all(len(line) < 200 for line in lines_of(changes))


def with_body(**text: object) -> Document:
    inner = greeting()
    inner["nodes"][1]["data"] |= text
    return replace(
        document(), nodes=[node("each", "forEach", body={**inner, "name": "b"}, concurrency=2)]
    )


def test_changes_in_a_body_name_the_nodes_around_it() -> None:
    before = with_body()
    changed = with_body(text="Bye {{ name }}")
    changed.nodes[0]["data"]["concurrency"] = 3
    changed.nodes[0]["data"]["body"]["edges"].pop()

    lines = list(lines_of(diff_documents(before, changed)))

    assert lines == [
        "~ node each",
        "    concurrency: 2 -> 3",
        "~ node each/text",
        '    text: "Hello {{ name }}" -> "Bye {{ name }}"',
        "- edge each/text.text-out-out.result-in",
    ]


def test_another_order_of_nodes_in_a_body_is_no_change_and_one_of_edges_is() -> None:
    before, other = with_body(), with_body()
    body = other.nodes[0]["data"]["body"]
    body["nodes"].reverse()

    assert diff_documents(before, other) == []
    body["edges"].reverse()
    (change,) = diff_documents(before, other)
    assert (change["kind"], change["id"]) == ("member", "each/edges")


def test_a_body_that_is_no_graph_is_compared_as_a_value() -> None:
    before, broken = with_body(), with_body()
    broken.nodes[0]["data"]["body"]["nodes"] = [{"type": "note"}]

    (change,) = diff_documents(before, broken)
    assert list(change["values"]) == ["body.nodes"]
