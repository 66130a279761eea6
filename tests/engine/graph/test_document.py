from typing import Any

import msgpack
import pytest

from engine.errors import InvalidBody
from engine.graph.document import Document, RecordValues, from_record, parse_document, to_record
from tests.support.graphs.graph_text import edge, node

FULL: dict[str, Any] = {
    "name": "Letters",
    "description": "Writes them",
    "tags": ["a", "b"],
    "nodes": [node("a", "list", kind="text"), node("b", "responseOutput")],
    "edges": [edge("a.items-out", "b.result-in")],
    "viewport": {"x": 1.5, "y": -2, "zoom": 0.5},
    "publicPlayground": True,
    "isTemplate": True,
    "folderId": "f1",
    "hidden": True,
    "archived": True,
    "cover": "https://a.example/c.png",
    "editor": {"groups": [{"nodes": ["a"]}], "pinned": {"a": {"items-out": [1.5, None]}}},
}


def test_a_full_body_is_read_as_it_is() -> None:
    assert parse_document(FULL) == Document(
        name="Letters",
        description="Writes them",
        tags=("a", "b"),
        nodes=FULL["nodes"],
        edges=FULL["edges"],
        viewport={"x": 1.5, "y": -2, "zoom": 0.5},
        public_playground=True,
        is_template=True,
        folder_id="f1",
        hidden=True,
        archived=True,
        cover="https://a.example/c.png",
        editor=FULL["editor"],
    )


def test_a_name_is_enough() -> None:
    document = parse_document({"name": "x"})

    assert document == Document(name="x")
    assert document.viewport == {"x": 0, "y": 0, "zoom": 1}
    assert document.nodes == document.edges == []


def test_a_node_without_position_and_data_gets_empty_ones() -> None:
    document = parse_document({"name": "x", "nodes": [{"id": "n", "type": "note"}]})

    assert document.nodes == [node("n", "note")]


def test_what_the_server_decides_and_what_nobody_knows_is_ignored() -> None:
    body = {
        "name": "x",
        "slug": 5,
        "createdBy": [],
        "version": "9",
        "createdAt": {},
        "updatedAt": None,
        "account": "other",
        "nodes": [node("n", "note") | {"selected": True, "width": 12}],
    }

    assert parse_document(body) == Document(name="x", nodes=[node("n", "note")])


def test_a_partial_update_keeps_what_it_leaves_out() -> None:
    base = parse_document(FULL)

    changed = parse_document({"description": "New", "tags": [], "folderId": None}, base)

    expected = {**FULL, "description": "New", "tags": [], "folderId": None}
    assert changed == parse_document(expected)
    assert parse_document({}, base) == base


def test_a_record_gives_the_document_back() -> None:
    document = parse_document(FULL)

    assert from_record(msgpack.unpackb(msgpack.packb(to_record(document)))) == document
    assert from_record(to_record(Document(name="x"))) == Document(name="x")


def test_members_of_a_later_release_are_kept_by_its_readers() -> None:
    later = {"budget": {"credits": 9}, "owners": ["ada"]}

    found = from_record(to_record(parse_document(FULL)) | later | {"record_values": "hashed"})
    changed = parse_document({"name": "Other"}, found)

    assert found.later == later
    assert found.record_values is RecordValues.NONE
    assert {name: to_record(changed)[name] for name in later} == later
    assert "later" not in to_record(changed)


def at(body: Any, path: str, value: Any) -> Any:
    """Return a copy of the body with another value at `path`."""
    head, _, rest = path.partition("/")
    if not head:
        return value
    if isinstance(body, list):
        position = int(head)
        return [*body[:position], at(body[position], rest, value), *body[position + 1 :]]
    return {**body, head: at(body.get(head), rest, value)}


TEXTS = ["name", "description", "folderId", "cover", "tags/0", "nodes/0/id", "nodes/0/type"]
EDGES = ["edges/0/id", "edges/0/source", "edges/0/target", "edges/0/sourceHandle"]
NUMBERS = ["nodes/0/position/x", "nodes/0/position/y", "viewport/x", "viewport/zoom"]
FLAGS = ["publicPlayground", "isTemplate", "hidden", "archived"]
LISTS = ["tags", "nodes", "edges"]
OBJECTS = ["nodes/0", "edges/0", "nodes/0/position", "nodes/0/data", "viewport"]
WRONG = [
    *[(path, value) for path in TEXTS + EDGES for value in (1, True, [], {}, "\ud800")],
    *[(path, None) for path in [*EDGES, "name", "tags/0", "nodes/0/id", "nodes/0/type"]],
    *[(path, value) for path in NUMBERS for value in ("1", None, True, [], float("nan"), 2**70)],
    *[(path, value) for path in FLAGS for value in ("true", 1, None, [])],
    *[(path, value) for path in LISTS for value in ("x", 1, {}, True)],
    *[(path, value) for path in OBJECTS for value in ("x", 1, [], True)],
    *[(path, None) for path in ["nodes", "edges", "nodes/0", "edges/0", "nodes/0/data"]],
    ("nodes/0/data", {"deep": float("inf")}),
    ("nodes/0/data", {"a": "\udc00"}),
    ("name", ""),
    ("name", "x" * 201),
    ("description", "x" * 10_001),
    ("tags", ["x"] * 51),
    ("tags/0", "x" * 65),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_a_wrong_type_anywhere_is_refused_by_the_name_of_its_place(path: str, value: Any) -> None:
    with pytest.raises(InvalidBody) as raised:
        parse_document(at(FULL, path, value))

    place = path.replace("/0", "[0]").replace("/", ".")
    assert raised.value.context["field"] == place
    assert place in raised.value.message or "needs a name" in raised.value.message


@pytest.mark.parametrize("path", ["name", "nodes/0/id", "nodes/0/type", *EDGES])
def test_what_must_be_there_is_missed_by_name(path: str) -> None:
    head, _, last = path.rpartition("/")
    owner = FULL[head[:5]][0] if head else FULL
    less = {key: value for key, value in owner.items() if key != last}
    body = at(FULL, head, less) if head else less

    with pytest.raises(InvalidBody) as raised:
        parse_document(body)

    assert raised.value.context["field"] == path.replace("/0", "[0]").replace("/", ".")
