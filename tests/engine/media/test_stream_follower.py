"""Incremental parsers get exactly the bytes that they request, whatever the pieces are."""

import pytest

from engine.media.stream_follower import Steps, StreamFollower


def follow(received: list[bytes]) -> Steps:
    received.append((yield 0, 2))
    received.append((yield 3, 4))
    received.append((yield 1, 1))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_the_requested_bytes_arrive_in_pieces_of_any_size(size: int) -> None:
    received: list[bytes] = []
    follower = StreamFollower(follow(received))
    data = b"ab...cdef.g"

    fed = sum(follower.feed(data[at : at + size]) for at in range(0, len(data), size))

    assert received == [b"ab", b"cdef", b"g"]
    assert follower.is_over and fed == len(data)


def test_bytes_after_the_end_of_the_parser_are_not_consumed() -> None:
    follower = StreamFollower(follow([]))

    assert follower.feed(b"ab...cdef.gmore") == 11
    assert follower.feed(b"more") == 0


def test_a_parser_that_needs_more_bytes_is_not_over() -> None:
    received: list[bytes] = []
    follower = StreamFollower(follow(received))

    follower.feed(b"ab...cde")

    assert received == [b"ab"] and not follower.is_over


def test_errors_of_the_parser_are_raised() -> None:
    def fail() -> Steps:
        yield 0, 1
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        StreamFollower(fail()).feed(b"x")
