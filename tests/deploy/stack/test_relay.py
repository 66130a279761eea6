from deploy.stack.relay import MAX_LINE_BYTES, LineSplitter


def test_lines_come_out_whole_however_they_came_in() -> None:
    splitter = LineSplitter()

    assert splitter.feed(b"on") == []
    assert splitter.feed(b"e\ntwo\r\nthr") == ["one", "two"]
    assert splitter.rest() == ["thr"]


def test_a_line_without_end_is_cut() -> None:
    splitter = LineSplitter()

    lines = splitter.feed(b"x" * (2 * MAX_LINE_BYTES))

    assert lines == ["x" * MAX_LINE_BYTES]
    assert splitter.rest() == []


def test_bytes_that_are_no_text_are_shown_all_the_same() -> None:
    assert LineSplitter().feed(b"a\xffb\n") == ["a\ufffdb"]
