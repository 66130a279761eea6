import json
from pathlib import Path

import pytest

from deploy.client.document_files import document_text, read_document
from deploy.output.problems import CommandFailed
from engine.graph.document import parse_document
from tests.support.gateway.documents import greeting, node


def test_a_document_has_the_same_text_whatever_its_order() -> None:
    one = {"slug": "greeting", **greeting(tags=["b", "a"]), "version": 3, "updatedAt": "2026"}
    other = {**one, "nodes": one["nodes"][::-1], "version": 4}
    other = json.loads(json.dumps(dict(reversed(other.items()))))

    assert document_text(one) == document_text(other)
    assert list(json.loads(document_text(one))) == ["slug", "name", "tags", "nodes", "edges"]


def test_nodes_of_a_body_are_in_order_too() -> None:
    inner = [node("b", "responseOutput"), node("a", "requestInput")]
    one = {"nodes": [node("each", "forEach", body={"nodes": inner, "edges": []})]}
    other = {"nodes": [node("each", "forEach", body={"edges": [], "nodes": inner[::-1]})]}

    assert document_text(one) == document_text(other)


def test_a_text_is_the_document_for_whoever_pushes_it() -> None:
    body = greeting(tags=["b", "a"], editor={"z": [{"b": 1, "a": 2}]}, draft=True)

    read = json.loads(document_text(body))

    before, after = parse_document(body), parse_document(read)
    assert sorted(after.nodes, key=str) == sorted(before.nodes, key=str)
    assert (after.edges, after.tags, after.editor) == (before.edges, before.tags, before.editor)
    assert read["draft"] is True


def test_a_change_of_one_setting_changes_one_line() -> None:
    before, changed = greeting(), greeting()
    changed["nodes"][1]["data"]["text"] = "Bye"

    lines = zip(
        document_text(before).splitlines(), document_text(changed).splitlines(), strict=True
    )

    assert sum(one != other for one, other in lines) == 1


@pytest.mark.parametrize("text", ["[]", "{", "5"])
def test_a_file_without_a_document_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "w.json").write_text(text)

    with pytest.raises(CommandFailed, match=r"w\.json"):
        read_document(tmp_path / "w.json")
