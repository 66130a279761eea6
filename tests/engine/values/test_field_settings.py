"""Fields as far as wrong ones tell them."""

from typing import Any

import pytest

from engine.values.field_settings import sketch_fields
from engine.values.fields import MAX_FIELDS


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (None, []),
        ({}, []),
        ([1, {"name": "a", "type": "text", "options": 5}], ["a"]),
        ([{"name": "a", "type": "x"}, {"name": "", "type": "text"}, {"type": "text"}], []),
        ([{"name": "a", "type": "text"}, {"name": "a", "type": "image"}], ["a"]),
        ([{"name": f"a{i}", "type": "text"} for i in range(MAX_FIELDS + 5)], None),
    ],
)
def test_fields_with_a_name_and_a_type_are_told(raw: Any, names: list[str] | None) -> None:
    found = [field.name for field in sketch_fields(raw)]

    assert len(found) == MAX_FIELDS if names is None else found == names
