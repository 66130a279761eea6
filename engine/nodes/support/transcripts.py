"""Outputs of nodes that call a model for transcripts."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.models.transcripts import SEGMENTS, TEXT
from engine.values.sockets import Socket, SocketType

TEXT_OUT, SEGMENTS_OUT = "text-out", "segments-out"
TRANSCRIPT_SOCKETS: Mapping[str, Socket] = {
    TEXT_OUT: Socket(type=SocketType.TEXT),
    SEGMENTS_OUT: Socket(type=SocketType.ANY),
}


def outputs_of(transcript: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a node that made one call."""
    return {TEXT_OUT: transcript[TEXT], SEGMENTS_OUT: transcript[SEGMENTS]}


def outputs_of_all(transcripts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the outputs of a node that made a call for each item."""
    return {
        TEXT_OUT: [each[TEXT] for each in transcripts],
        SEGMENTS_OUT: [each[SEGMENTS] for each in transcripts],
    }
