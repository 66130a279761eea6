"""Answers of the scripts that hand out items of batches and children of groups."""

import pytest

from engine.store.partitioned.taken_items import FeedState, TakenItems, parse_taken


def test_items_come_with_their_indexes_in_order() -> None:
    assert parse_taken([b"items", b"0,7,12"]) == TakenItems(FeedState.ITEMS, [0, 7, 12])


@pytest.mark.parametrize("state", [each for each in FeedState if each is not FeedState.ITEMS])
def test_any_other_answer_has_no_items(state: FeedState) -> None:
    assert parse_taken([state.value.encode(), 1796074593000]) == TakenItems(state)


def test_an_unknown_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="paused"):
        parse_taken([b"paused"])
