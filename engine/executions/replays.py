"""Replays: earlier executions that run again on another version of their workflow."""

from enum import StrEnum


class ReplayCalls(StrEnum):
    """Kind of the calls of a replay's executions."""

    RECORDED = "recorded"
    """Nodes take the outcomes of the earlier execution, and nobody is called."""
    LIVE = "live"
    """Nodes make their calls anew, and are charged."""
