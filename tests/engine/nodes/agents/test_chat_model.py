"""Model of an agent: the fields that a chat gives, and those that the settings give."""

from collections.abc import Iterator

import pytest

from engine.models.registry import use_models
from engine.nodes.agents.chat_model import has_schema, own_fields, read_chat_model
from engine.nodes.support.settings import Faults
from tests.support.manifests import PROMPT, field, model

CALL = '[openai]\nbase_url = "http://127.0.0.1:9"\nmodel = "m"\n'
CHAT = model(
    "chat",
    fields=PROMPT + field("system") + field("photo", "image") + field("jsonSchema", "json"),
    call=CALL,
)
STYLED = model(
    "styled",
    fields=PROMPT + field("style", more="required = true"),
    call=CALL + 'prompt = "{{ prompt }} in {{ style }}"\nbody = { style = "{{ style }}" }\n',
)


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    with use_models([CHAT, STYLED]):
        yield


def test_a_chat_gives_the_fields_of_prompts_and_images() -> None:
    assert own_fields(CHAT) == []


def test_a_field_of_the_body_is_a_setting() -> None:
    assert [each.name for each in own_fields(STYLED)] == ["style"]


def test_a_required_field_without_a_value_is_a_fault() -> None:
    faults = Faults()

    read_chat_model("styled", {}, faults)

    assert [(each.field, each.reason) for each in faults.found] == [
        ("style", "'style' is required")
    ]


def test_values_of_no_field_are_left_out() -> None:
    settings = read_chat_model("styled", {"style": "blue", "other": 1}, Faults())

    assert settings is not None
    assert settings.values == {"style": "blue"}


def test_a_model_takes_a_schema_where_its_request_has_a_place_for_one() -> None:
    assert has_schema(CHAT)
    assert not has_schema(STYLED)
