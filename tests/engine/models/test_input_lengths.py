"""Sentences about lengths: a gateway finds the field and the reason in those of workers."""

import pytest

from engine.models.input_lengths import TOO_LONG, UNKNOWN, read_refusal


@pytest.mark.parametrize(
    "reason", [UNKNOWN, f"{UNKNOWN}: The WAV has no sound", TOO_LONG.format(60, 61)]
)
def test_a_refusal_has_a_field_and_a_reason(reason: str) -> None:
    assert read_refusal(f"'audio' {reason}") == ("audio", reason)


@pytest.mark.parametrize(
    "message", ["", "'audio' is required", UNKNOWN, f"Item 1: 'audio' {UNKNOWN}"]
)
def test_other_messages_are_none(message: str) -> None:
    assert read_refusal(message) is None
