"""Outputs of nodes that call a model for transcripts."""

from engine.nodes.support.transcripts import outputs_of, outputs_of_all

FIRST = {"text": "One.", "segments": [{"start": 0, "end": 1, "text": "One."}]}
SECOND = {"text": "", "segments": []}


def test_a_call_gives_a_text_and_segments() -> None:
    assert outputs_of(FIRST) == {"text-out": "One.", "segments-out": FIRST["segments"]}


def test_calls_for_items_give_a_list_of_each() -> None:
    assert outputs_of_all([FIRST, SECOND]) == {
        "text-out": ["One.", ""],
        "segments-out": [FIRST["segments"], []],
    }
    assert outputs_of_all([]) == {"text-out": [], "segments-out": []}
