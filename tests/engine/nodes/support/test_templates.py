"""Templates typed on nodes: parsed with the name of their member in each fault."""

import pytest

from engine.nodes.support.templates import EMPTY, read_template


def test_placeholders_become_names_of_sockets() -> None:
    reasons: list[str] = []

    template = read_template("text", "{{ name }} and {{ other.member }}", reasons, {"image-in"})

    assert template.names == {"name", "other"}
    assert reasons == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (5, "text: must be a text"),
        (None, "text: must be a text"),
        ("{{ name", "text: the '{{' at character 1 has no '}}'"),
    ],
)
def test_an_invalid_template_becomes_an_empty_one_with_a_fault(text: object, reason: str) -> None:
    reasons = ["earlier"]

    assert read_template("text", text, reasons) is EMPTY
    assert reasons == ["earlier", reason]


def test_each_placeholder_with_the_name_of_a_socket_is_a_fault() -> None:
    reasons: list[str] = []

    read_template("text", "{{ b }}{{ a }}{{ c }}", reasons, ["a", "b"])

    assert reasons == [
        "text: 'a' is a socket already; the placeholder needs another name",
        "text: 'b' is a socket already; the placeholder needs another name",
    ]
