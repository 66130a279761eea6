"""Answers to workers that ask for items of a list to begin: of a batch, or of a group."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct


class FeedState(StrEnum):
    """State of a batch or of a group for a worker that wants to begin items of it."""

    ITEMS = "items"
    HELD = "held"
    """Another worker begins its items."""
    FULL = "full"
    """As many items run as may."""
    LATER = "later"
    """The rate of runs of a batch's account is used up."""
    BEGUN = "begun"
    """No item is queued."""
    CANCELLING = "cancelling"
    """Items that run are to be cancelled."""
    OVER = "over"
    """The end of a batch is to be delivered."""
    SETTLED = "settled"
    """The end of a batch needs nothing more."""
    DONE = "done"
    """All children of a group have ended."""
    GONE = "gone"


class TakenItems(Struct, frozen=True):
    """Items that a worker is to begin, in order; none unless the state is ITEMS."""

    state: FeedState
    indexes: Sequence[int] = ()
    grows: bool = False
    """Whether a group may have queued children again."""


def parse_taken(reply: Sequence[Any]) -> TakenItems:
    """Return the answer of the script `feed_batch` or `feed_children`."""
    state = FeedState(reply[0].decode())
    if state is not FeedState.ITEMS:
        return TakenItems(state, grows=reply[1:] == [b"grows"])
    return TakenItems(state, [int(each) for each in reply[1].split(b",")])
