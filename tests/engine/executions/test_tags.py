import pytest

from engine.executions.tags import distinct_tags, pack_tags, parse_tags


@pytest.mark.parametrize("tags", [(), ("a",), ("a, b", "c\n", "ä")])
def test_tags_are_read_as_they_were_written(tags: tuple[str, ...]) -> None:
    assert parse_tags(pack_tags(tags).encode()) == tags


def test_a_record_without_tags_has_none() -> None:
    assert parse_tags(None) == ()


def test_tags_of_several_lists_stand_in_order_and_once() -> None:
    assert distinct_tags(["b", "a"], ["c", "b"]) == ("b", "a", "c")
