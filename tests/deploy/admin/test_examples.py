"""Templates that ship: their documents explain themselves, and are drawn without overlaps."""

from itertools import pairwise
from typing import Any

import pytest

from deploy.admin.examples import template_documents

COLUMN, HEIGHT = 320, 200
"""Width of a column of the canvas, and the height that a node may take."""
TEMPLATES = template_documents()
TOOL = "tools"
"""Tag of workflows that models call: a default would be an argument that nobody gave."""


@pytest.fixture(params=TEMPLATES)
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    return TEMPLATES[request.param]


def nodes_of(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [node for node in template["nodes"] if node["type"] == kind]


def test_there_are_at_least_eight_templates_with_names_of_their_own() -> None:
    assert len({template["name"] for template in TEMPLATES.values()}) == len(TEMPLATES) >= 8


def test_a_template_has_a_description_tags_and_a_note(template: dict[str, Any]) -> None:
    assert template["isTemplate"]
    assert template["description"].endswith(".") and template["tags"]
    assert all(len(node["data"]["text"]) > 60 for node in nodes_of(template, "note"))
    assert nodes_of(template, "note")


def test_a_template_can_be_run_with_the_defaults_of_its_form(template: dict[str, Any]) -> None:
    (form,) = nodes_of(template, "requestInput")
    fields = form["data"]["fields"]

    if TOOL in template["tags"]:
        assert not any(field.get("default") for field in fields)
        return
    assert all(field.get("default") is not None or not field.get("required") for field in fields)
    assert any(field.get("default") for field in fields)


def test_nodes_stand_in_columns_and_do_not_overlap(template: dict[str, Any]) -> None:
    places = sorted((node["position"]["x"], node["position"]["y"]) for node in template["nodes"])

    assert all(x % COLUMN == 0 for x, _ in places)
    assert all(below - y >= HEIGHT for (x, y), (column, below) in pairwise(places) if x == column)


def test_edges_lead_to_the_right(template: dict[str, Any]) -> None:
    columns = {node["id"]: node["position"]["x"] for node in template["nodes"]}

    assert all(columns[edge["source"]] < columns[edge["target"]] for edge in template["edges"])
