from typing import Any

import pytest

from tests.support.contract.installation import Caller, field, form, workflow
from tests.support.gateway.documents import edge, node


def rendered(caller: Caller, text: str, value: Any) -> Any:
    """Return the text of a text box with `{{ x }}` connected to a value."""
    nodes = [
        form(field("v", "json")),
        node("value", "transform", expression="value.v"),
        node("text", "textBox", text=text),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "params", "value", "value-in"),
        edge("value", "value-out", "text", "x"),
        edge("text", "text-out", "out", "result-in"),
    ]
    return caller.result(nodes, edges, {"v": value})["text"]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("{{ x }}", "a", "a"),
        ("{{x}}", "a", "a"),
        ("{{  x  }}-{{x}}", "a", "a-a"),
        ("[{{ x }}]", None, "[]"),
        ("{{ x }}", 1, "1"),
        ("{{ x }}", 1.5, "1.5"),
        ("{{ x }}", True, "true"),
        ("{{ x }}", {"a": [1, None, "ü"]}, '{"a":[1,null,"ü"]}'),
        ("{{ x.field[0] }}", {"field": ["first"]}, "first"),
        ("{{ x.a.b }}", {"a": {"b": {"c": 1}}}, '{"c":1}'),
        ("{{ x }}", "{{ y }} {{ x }}", "{{ y }} {{ x }}"),
        ("{ {{x}} }", "a", "{ a }"),
    ],
)
def test_a_placeholder_is_replaced_by_the_wired_value(
    caller: Caller, text: str, value: Any, expected: str
) -> None:
    assert rendered(caller, text, value) == expected


ESCAPES = [
    "{{''.__class__}}",
    "{{ x|attr('__class__') }}",
    "{{ x.__class__.__init__.__globals__ }}",
    "{{ x.constructor }}",
    "{{ x.__proto__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ 7*7 }}",
    "{% include '/etc/passwd' %}",
    "{%- for a in b -%}",
    "${jndi:ldap://example.org/a}",
    "${7*7}",
    "<%= 7*7 %>",
    "#{7*7}",
    "{0.__class__}",
    "%s %(x)s",
]


@pytest.mark.A49
@pytest.mark.parametrize("text", ESCAPES)
def test_a_value_is_never_read_as_a_template(caller: Caller, text: str) -> None:
    assert rendered(caller, "{{ x }}", text) == text


@pytest.mark.A49
@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_but_names_and_members_is_read_in_a_template(caller: Caller, text: str) -> None:
    nodes = [
        form(field("x", "text")),
        node("text", "textBox", text=text + "{{ x }}"),
        node("out", "responseOutput"),
    ]
    edges = [edge("in", "x", "text", "x"), edge("text", "text-out", "out", "result-in")]
    saved = caller.create(workflow(nodes, edges))
    if saved.status_code == 400:
        assert saved.json()["code"] == "INVALID_GRAPH"
        return

    answer = caller.run(saved.json()["slug"], {"x": "v"})

    assert answer.status_code == 500 or answer.json()["result"] in (
        {"text": text + "v"},
        {"text": "v"},
    )


@pytest.mark.parametrize(
    ("nodes", "node_id"),
    [
        ([node("text", "textBox", text="{{ x }}")], "text"),
        ([node("text", "httpRequest", url="https://example.org/{{ x }}")], "text"),
        ([node("text", "httpRequest", url="https://example.org/", body="{{ x }}")], "text"),
        ([node("text", "httpRequest", url="https://example.org/", headers={"a": "{{x}}"})], "text"),
    ],
)
def test_a_placeholder_without_a_wire_is_a_problem_at_save(
    caller: Caller, nodes: list[Any], node_id: str
) -> None:
    answer = caller.create(workflow([*nodes, node("out", "responseOutput")], []))

    assert answer.json()["code"] == "INVALID_GRAPH"
    assert node_id in [each.get("nodeId") for each in answer.json()["problems"]]
