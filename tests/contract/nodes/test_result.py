from typing import Any

import pytest

from tests.support.contract.installation import Caller, field, form
from tests.support.gateway.documents import edge, node

IMAGE, VIDEO, AUDIO = (f"https://example.org/a.{kind}" for kind in ("png", "mp4", "mp3"))
FORM = form(
    *(field(kind, kind) for kind in ("text", "image", "video", "audio")), field("v", "json")
)
INPUTS = {"text": "T", "image": IMAGE, "video": VIDEO, "audio": AUDIO, "v": 1}


def collected(caller: Caller, *outputs: str) -> Any:
    """Return the result of connecting these outputs of the form to `result-in`."""
    edges = [edge("in", output, "out", "result-in") for output in outputs]
    return caller.result([FORM, node("out", "responseOutput")], edges, INPUTS)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("text", {"text": "T"}),
        ("image", {"images": [IMAGE]}),
        ("video", {"videos": [VIDEO]}),
        ("audio", {"audios": [AUDIO]}),
        ("params", {"v": 1}),
    ],
)
def test_one_wire_decides_the_result_by_its_type(
    caller: Caller, output: str, expected: Any
) -> None:
    assert collected(caller, output) == expected


def test_several_wires_are_put_together_by_kind(caller: Caller) -> None:
    assert collected(caller, "text", "image", "params") == {
        "images": [IMAGE],
        "texts": ["T"],
        "values": [{"v": 1}],
    }
    assert collected(caller, "video", "audio") == {"videos": [VIDEO], "audios": [AUDIO]}


def test_named_inputs_give_an_object_of_plain_values(caller: Caller) -> None:
    names = ("text", "image", "list", "params")
    items = [{"value": "a", "included": True}]
    nodes = [
        FORM,
        {**node("list", "list"), "data": {"kind": "text", "items": items}},
        node("out", "responseOutput", fields=[{"name": name} for name in names]),
    ]
    edges = [
        *(edge("in", name, "out", name) for name in ("text", "image", "params")),
        edge("list", "items-out", "out", "list"),
    ]

    assert caller.result(nodes, edges, INPUTS) == {
        "text": "T",
        "image": IMAGE,
        "list": ["a"],
        "params": {"v": 1},
    }


@pytest.mark.parametrize(
    ("kind", "output", "target"),
    [
        ("text", "text", "image"),
        ("image", "image", "text"),
        ("video", "video", "audio"),
    ],
)
def test_sockets_of_different_types_do_not_fit(
    caller: Caller, kind: str, output: str, target: str
) -> None:
    nodes = [
        FORM,
        {**node("list", "list"), "data": {"kind": target, "items": []}},
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", output, "list", "items-in"),
        edge("list", "items-out", "out", "result-in"),
    ]

    answer = caller.create({"name": "Misfit", "nodes": nodes, "edges": edges})

    assert answer.json()["code"] == "INVALID_GRAPH"
    assert [each["edgeId"] for each in answer.json()["problems"]] == [edges[0]["id"]]
