"""Schemas of sections."""

import jsonschema_rs

from engine.models.dialects.section_schema import section_schema


def test_a_member_is_a_text_unless_all_sections_or_its_own_say_otherwise() -> None:
    schema = section_schema(("model", "keep_alive", "count"), count={"type": "integer"})
    is_valid = jsonschema_rs.validator_for(schema).is_valid

    assert is_valid({"model": "m", "keep_alive": True, "count": 1})
    assert not is_valid({"model": 1})
    assert not is_valid({"keep_alive": "yes"})
    assert not is_valid({"count": "1"})


def test_a_section_has_no_other_members_and_all_that_are_required() -> None:
    is_valid = jsonschema_rs.validator_for(section_schema(("model",), ("model",))).is_valid

    assert is_valid({"model": "m"})
    assert not is_valid({})
    assert not is_valid({"model": "m", "modle": "m"})
