from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.list import List
from engine.nodes.support.base import WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.nodes.node_context import run_pure
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"list": NodeSample(WorkKind.PURE, "Utilities", {"items": [{"value": "a"}]})}

ITEMS = [
    {"value": "a", "included": True},
    {"value": "b", "included": False},
    {"value": "c"},
]
FALSY = [0, 0.0, False, "", {}, None]
"""Values that count as false, and are values like any other; an empty list is a list of none."""


@pytest.mark.parametrize(
    ("data", "inputs", "expected"),
    [
        ({}, {}, []),
        ({"items": ITEMS}, {}, ["a", "c"]),
        (
            {"items": ITEMS, "mode": "keep"},
            {"items-in": ["x", ["y", ["z"]]]},
            ["a", "c", "x", "y", ["z"]],
        ),
        ({"items": ITEMS, "mode": "replace"}, {"items-in": ["x", [], ["y"]]}, ["x", "y"]),
        ({"items": ITEMS, "mode": "replace"}, {}, ["a", "c"]),
        (
            {"items": [{"value": {"k": 1}}, {"value": None}]},
            {"items-in": [None, 2]},
            [{"k": 1}, None, None, 2],
        ),
        (
            {"items": [{"value": each} for each in FALSY]},
            {"items-in": [*FALSY, FALSY]},
            [*FALSY, *FALSY, *FALSY],
        ),
        ({"items": ITEMS, "mode": "replace"}, {"items-in": [""]}, [""]),
    ],
)
async def test_a_list_is_its_included_items_and_the_wired_values(
    data: dict[str, Any], inputs: dict[str, Any], expected: list[Any]
) -> None:
    assert await run_pure("list", data, inputs) == expected


@pytest.mark.parametrize("kind", SocketType)
def test_its_sockets_have_its_kind(kind: SocketType) -> None:
    settings = List().parse({"kind": str(kind)})

    assert List().inputs(settings) == {"items-in": Socket(type=kind, many=True)}
    assert List().outputs(settings) == {"items-out": Socket(type=kind)}


def test_without_a_kind_it_takes_anything() -> None:
    assert List().outputs(List().parse({}))["items-out"].type is SocketType.ANY


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"kind": "number"}, "kind must be one of text, image"),
        ({"mode": "merge"}, "mode must be 'keep' or 'replace'"),
        ({"items": "x"}, "items must be a list"),
        ({"items": ["a"]}, r"items\[0\] must be an object with value and included"),
        ({"items": [{"included": True}]}, r"items\[0\] must be an object"),
        ({"items": [{"value": 1, "included": 1}]}, r"items\[0\].included must be true or false"),
        (
            {"kind": "image", "items": [{"value": 1}]},
            r"items\[0\].value must be the URL of the image",
        ),
    ],
)
def test_settings_that_are_not_right_are_refused(data: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        List().parse(data)
