"""Fields without a reader among the reachable nodes."""

from typing import Any

import pytest

from engine.graph.plan import compile_plan
from engine.models.registry import use_models
from tests.support.graphs.graph_text import edge, node
from tests.support.manifests import PROMPT, field, model

FIELDS = [
    {"name": "topic", "type": "text"},
    {"name": "photo", "type": "image"},
    {"name": "n", "type": "number"},
    {"name": "more", "type": "json"},
]


def unused(*more: dict[str, Any]) -> set[str]:
    """Return the unused fields of a form with these nodes and edges besides the output."""
    nodes = [node("in", "requestInput", fields=FIELDS), node("out", "responseOutput")]
    nodes += [each for each in more if "type" in each]
    edges = [each for each in more if "type" not in each]
    return set(compile_plan(nodes, edges).unused_fields)


def test_without_wires_no_field_is_used() -> None:
    assert unused() == {"topic", "photo", "n", "more"}


def test_a_wired_socket_uses_its_field() -> None:
    assert unused(edge("in.topic", "out.result-in")) == {"photo", "n", "more"}


def test_a_wire_from_a_field_that_is_no_text_uses_this_field_alone() -> None:
    assert unused(edge("in.n", "out.result-in")) == {"topic", "photo", "more"}


def test_a_wire_that_does_not_lead_to_the_output_uses_nothing() -> None:
    aside = node("aside", "textBox", text="{{ a }}")

    assert unused(edge("in.topic", "out.result-in"), aside, edge("in.photo", "aside.a")) == {
        *("photo", "n", "more")
    }


def test_params_are_used_as_a_whole_where_a_node_takes_all_of_them() -> None:
    assert unused(edge("in.params", "out.result-in")) == {"topic", "photo"}


TEXT = {"textBox": "text-out", "httpRequest": "response-out", "assistant": "text-out"}


def templated(kind: str, text: str) -> dict[str, Any]:
    if kind == "httpRequest":
        return node("t", kind, url="https://a.example", headers={"x": "{{p.n}}"}, body=text)
    named = {"text": text} if kind == "textBox" else {"model": "writer", "prompt": text}
    return node("t", kind, **named)


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("{{ p.n }}", {"topic", "photo", "more"}),
        ("{{ p.n }} {{ p.more.deep[0] }}", {"topic", "photo"}),
        ("{{ p.n }} {{ p }}", {"topic", "photo"}),
        ("{{ p.n }} {{ p[0] }}", {"topic", "photo"}),
    ],
)
def test_a_template_uses_the_params_that_its_placeholders_name(
    kind: str, text: str, left: set[str]
) -> None:
    with use_models([model("writer", fields=PROMPT + field("seed", "number"))]):
        found = unused(
            templated(kind, text),
            edge("in.params", "t.p"),
            edge(f"t.{TEXT[kind]}", "out.result-in"),
        )

    assert found == left


def test_params_are_used_by_all_that_they_are_wired_to() -> None:
    found = unused(
        node("t", "textBox", text="{{ p.n }}"),
        edge("in.params", "t.p"),
        node("f", "textBox", text="{{ p.more }}"),
        edge("in.params", "f.p"),
        *(edge(f"{each}.text-out", "out.result-in") for each in "tf"),
    )

    assert found == {"topic", "photo"}


def test_a_model_that_takes_params_is_given_all_of_them() -> None:
    painter = model("painter", category="image", fields=PROMPT + field("seed", "number"))
    with use_models([painter]):
        found = unused(
            node("t", "imageGenerator", model="painter", prompt="{{ p.n }}"),
            edge("in.params", "t.p"),
            edge("in.params", "t.params-in"),
            edge("t.image-out", "out.result-in"),
        )

    assert found == {"topic", "photo"}
