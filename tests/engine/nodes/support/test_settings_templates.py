"""Templates typed on nodes: parsed with the name of their member in each fault."""

import pytest

from engine.nodes.support.settings import Faults, read_template


def reasons(faults: Faults) -> list[str]:
    return [each.reason for each in faults.found]


def test_placeholders_become_names_of_sockets() -> None:
    faults = Faults()

    template = read_template("text", "{{ name }} and {{ other.member }}", faults, {"image-in"})

    assert template.names == {"name", "other"}
    assert faults.found == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (5, "text: must be a text"),
        (None, "text: must be a text"),
        ("{{ name", "text: the '{{' at character 1 has no '}}'"),
    ],
)
def test_an_invalid_template_has_no_names_and_a_fault(text: object, reason: str) -> None:
    faults = Faults()
    faults.add_rule("earlier")

    assert read_template("text", text, faults).names == frozenset()
    assert reasons(faults) == ["earlier", reason]


def test_each_placeholder_with_the_name_of_a_socket_is_a_fault() -> None:
    faults = Faults()

    read_template("text", "{{ b }}{{ a }}{{ c }}", faults, ["a", "b"])

    assert reasons(faults) == [
        "text: 'a' is a socket already; the placeholder needs another name",
        "text: 'b' is a socket already; the placeholder needs another name",
    ]
