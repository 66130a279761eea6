"""Controls: one for each kind of field, with its rules and its default."""

from typing import Any

import pytest

from engine.values.fields import parse_fields
from gateway.approvals.controls import MAX_RADIOS, Control, default_text, fault_note
from tests.support.gateway.html_pages import Element, HtmlPage


def control(fault: str = "", text: str | None = None, **members: Any) -> Element:
    (field,) = parse_fields([{"name": "the name", "label": "The label", **members}])
    shown = default_text(field) if text is None else text
    return HtmlPage.parse(str(Control(field=field, id="f0", text=shown, fault=fault)))


def named(element: Element) -> list[Element]:
    return [each for each in element if each.attributes.get("name") == "fields.the name"]


@pytest.mark.parametrize(
    ("members", "tag", "expected"),
    [
        ({"type": "text"}, "input", {"type": "text", "value": ""}),
        ({"type": "text", "default": 'a "b"'}, "input", {"value": 'a "b"'}),
        ({"type": "number"}, "input", {"type": "number", "step": "any"}),
        (
            {"type": "number", "min": 0.5, "max": 9, "step": 0.5, "default": 1.5},
            "input",
            {"min": "0.5", "max": "9", "step": "0.5", "value": "1.5"},
        ),
        ({"type": "number", "step": 2, "default": 4}, "input", {"step": "any", "value": "4"}),
        ({"type": "slider", "min": 0, "max": 1}, "input", {"type": "number", "min": "0"}),
        ({"type": "textarea"}, "textarea", {}),
        ({"type": "json"}, "textarea", {"class": "json", "spellcheck": "false"}),
        ({"type": "text", "options": ["a", "b"]}, "select", {}),
        ({"type": "pills", "options": list(range(MAX_RADIOS + 1))}, "select", {}),
    ],
)
def test_a_field_has_one_control_with_a_label(
    members: dict[str, Any], tag: str, expected: dict[str, str]
) -> None:
    made = control(**members)

    (found,) = named(made)
    assert found.tag == tag
    assert expected.items() <= found.attributes.items()
    assert made.one("label").attributes["for"] == found.attributes["id"]
    assert made.one("label").text == "The label (optional)"
    assert "required" not in found.attributes


@pytest.mark.parametrize(
    ("members", "values", "checked"),
    [
        ({"type": "toggle"}, ["true", "false"], []),
        ({"type": "toggle", "default": False}, ["true", "false"], ["false"]),
        ({"type": "pills", "options": ["a", 2], "default": 2}, ["a", "2"], ["2"]),
    ],
)
def test_few_choices_are_radios_in_a_group(
    members: dict[str, Any], values: list[str], checked: list[str]
) -> None:
    made = control(**members, required=True)

    radios = named(made)
    assert [each.attributes["value"] for each in radios] == values
    assert [each.attributes["value"] for each in radios if "checked" in each.attributes] == checked
    assert len({each.attributes["id"] for each in radios}) == len(radios)
    assert made.one("fieldset", role="radiogroup").one("legend").text == "The label"


def test_a_list_holds_its_choice() -> None:
    made = control(type="text", options=["a", "b"], default="b")

    assert [each.attributes["value"] for each in made.all("option")] == ["", "a", "b"]
    assert [each.text for each in made.all("option", selected="")] == ["b"]


@pytest.mark.parametrize("members", [{"type": "text"}, {"type": "toggle"}, {"type": "json"}])
def test_only_what_must_be_given_is_required(members: dict[str, Any]) -> None:
    default = {"text": "x", "toggle": True, "json": 1}[members["type"]]

    assert all("required" in each.attributes for each in named(control(**members, required=True)))
    with_default = named(control(**members, required=True, default=default))
    assert not any("required" in each.attributes for each in with_default)


def test_a_text_keeps_its_line_breaks() -> None:
    assert control(type="textarea", text="\n<a>").one("textarea").text == "\n\n<a>"
    assert control(type="json", default={"ä": 1}).one("textarea").text == '\n{\n  "ä": 1\n}'
    assert control(type="json", default="a").one("textarea").text == '\n"a"'


@pytest.mark.parametrize("kind", ["text", "toggle"])
def test_help_and_fault_belong_to_the_control(kind: str) -> None:
    made = control(type=kind, helperText="In <short>", fault="This is <wrong>.")

    described = next(each for each in made if "aria-describedby" in each.attributes)
    assert described.attributes["aria-invalid"] == "true"
    notes = [
        made.one("p", id=each).text for each in described.attributes["aria-describedby"].split()
    ]
    assert notes == ["In <short>", "This is <wrong>."]
    assert fault_note("x", "") == ""
