"""The functions that the editor lists are those of the engine, with examples that are right."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.values import cel
from tests.engine.values.test_expressions_page import FUNCTIONS

GROUPS = json.loads(Path("gateway/ui/src/editor/settings/expression/functions.json").read_text())
LISTED: list[dict[str, Any]] = [each for group in GROUPS for each in group["functions"]]
CALL = re.compile(r"([\w.]+)\(")


@pytest.mark.parametrize("entry", LISTED, ids=lambda each: each["signature"])
def test_an_example_gives_what_the_editor_says(entry: dict[str, str]) -> None:
    found = cel.evaluate(entry["example"], {"value": json.loads(entry["value"])})

    assert json.dumps(found) == json.dumps(json.loads(entry["gives"]))


def test_the_editor_lists_each_function_of_the_reference_page() -> None:
    called = [name for each in LISTED for name in CALL.findall(each["signature"])]

    missing = [
        name
        for name in FUNCTIONS
        if not any(each == name or each.endswith(f".{name}") for each in called)
    ]
    assert missing == []
