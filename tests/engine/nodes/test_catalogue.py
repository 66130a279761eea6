"""The catalogue: the schema of each node type says what a save takes."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings

from engine.errors.nodes import SettingFault, SettingsError
from engine.models.registry import use_models
from engine.nodes import NODE_TYPES
from engine.nodes.catalogue import list_node_types, settings_schema
from engine.nodes.support.base import NodeType
from engine.nodes.support.policy import parse_policy, reserved_faults
from tests.engine.nodes.test_node_types import SAMPLES
from tests.support.nodes.setting_values import members

pytestmark = pytest.mark.usefixtures("installed")
TYPES = pytest.mark.parametrize("kind", NODE_TYPES, ids=lambda each: each.type)


def faults_at_save(kind: NodeType, data: dict[str, Any]) -> list[SettingFault]:
    found = list(reserved_faults(data))
    for read in (parse_policy, kind.parse):
        try:
            read(data)
        except SettingsError as error:
            found += error.faults
    return found


def check_agreement(kind: NodeType, count: int) -> None:
    """A save refuses what the schema refuses, and besides by named rules alone."""
    schema = settings_schema(kind)
    validator = jsonschema_rs.validator_for(schema)

    @settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(data=members(schema))
    def agree(data: dict[str, Any]) -> None:
        found = faults_at_save(kind, data)

        if validator.is_valid(data):
            assert [each for each in found if not each.is_beyond_schema] == []
        else:
            assert found != []

    agree()


@TYPES
def test_a_save_agrees_with_the_schema(kind: NodeType) -> None:
    check_agreement(kind, 5)


@pytest.mark.thorough
@TYPES
def test_a_save_agrees_with_the_schema_about_many_settings(kind: NodeType) -> None:
    check_agreement(kind, 60)


@TYPES
def test_the_schema_takes_examples_and_its_own_defaults(kind: NodeType) -> None:
    schema = settings_schema(kind)
    defaults = {
        name: each["default"] for name, each in schema["properties"].items() if "default" in each
    }

    jsonschema_rs.validate(schema, SAMPLES[kind.type].settings)
    jsonschema_rs.validate(schema, defaults | dict(SAMPLES[kind.type].settings))
    kind.parse(defaults | dict(SAMPLES[kind.type].settings))


@TYPES
def test_defaults_change_nothing(kind: NodeType) -> None:
    schema = settings_schema(kind)
    defaults = {
        name: each["default"] for name, each in schema["properties"].items() if "default" in each
    }

    assert kind.parse(defaults | dict(SAMPLES[kind.type].settings)) == kind.parse(
        SAMPLES[kind.type].settings
    )


@TYPES
def test_each_member_has_a_control_and_a_sentence(kind: NodeType) -> None:
    for member in settings_schema(kind)["properties"].values():
        assert member["x-widget"]
        assert member["description"].endswith(".")
        assert member["title"][0].isupper()


def test_types_whose_sockets_depend_on_settings_say_so() -> None:
    for kind in NODE_TYPES:
        if kind.unavailable_reason() is None:
            parsed = kind.parse(SAMPLES[kind.type].settings)
            shown = (kind.inputs(parsed), kind.outputs(parsed))
            assert kind.is_dynamic or shown == tuple(kind.sketch({})), kind.type


def test_a_type_without_a_model_to_name_is_not_available() -> None:
    with use_models([]):
        found = {each.type: each.unavailable_reason for each in list_node_types()}

    assert found["videoGenerator"] == "No model here gives video"
    assert found["customModel"] == "There is no model here"
    assert found["textBox"] is None


def test_titles_of_settings_read_as_people_write_them() -> None:
    titles = {
        name: each["title"]
        for entry in list_node_types()
        for name, each in entry.settings["properties"].items()
    }

    expected = {
        "url": "URL",
        "jsonSchema": "JSON Schema",
        "maxBytes": "Max bytes",
        "text": "Text",
        "prompt": "Prompt",
        "aspectRatio": "Aspect ratio",
    }
    assert expected.items() <= titles.items()
    wrong = ("Url", "Json", "Ocr")
    assert not [title for title in titles.values() if any(each in title for each in wrong)]
