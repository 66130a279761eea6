from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.graph.plan import compile_plan
from engine.nodes.note import Note
from engine.nodes.support.base import WorkKind
from tests.support.graphs.graph_text import node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"note": NodeSample(WorkKind.PURE, "Utilities", {"text": "hello"})}


def test_a_note_has_no_sockets_and_is_never_reached() -> None:
    plan = compile_plan([node("n", "note", text="hello"), node("out", "responseOutput")], [])

    assert plan.reachable == {1}
    assert Note().inputs(None) == Note().outputs(None) == {}


@pytest.mark.parametrize("text", [1, [], None])
def test_its_text_is_a_text(text: Any) -> None:
    with pytest.raises(SettingsError, match="text must be a text"):
        Note().parse({"text": text})
