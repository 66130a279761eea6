import itertools

import pytest

from engine.history.tag_lines import pack_tag_lines, parse_tag_lines, tag_line

TAGS = ["a", "b, c", "\n", "\\", "\\n", "\\\n", "n", 'a","b', "\r", " ", "a\nb"]
PAIRS = list(itertools.permutations(TAGS, 2))


@pytest.mark.parametrize("tags", [(), *((each,) for each in TAGS), *PAIRS], ids=repr)
def test_tags_are_read_and_found_as_they_were_written(tags: tuple[str, ...]) -> None:
    lines = pack_tag_lines(tags)

    assert parse_tag_lines(lines) == tags
    assert {each for each in TAGS if tag_line(each) in (lines or "")} == {*tags}
