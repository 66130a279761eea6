"""Numbers are short, and of a width that changes little."""

import pytest

from deploy.admin.top.words import BARS, bars, words_of_bytes, words_of_rate, words_of_seconds


@pytest.mark.parametrize(
    ("number", "words"),
    [(None, "-"), (0, "0"), (0.25, "0.25"), (9.5, "9.50"), (1234.5, "1,234")],
)
def test_rates(number: float | None, words: str) -> None:
    assert words_of_rate(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        *((None, "-"), (0, "0 ms"), (0.0005, "0.5 ms"), (0.25, "250 ms"), (1.25, "1.2 s")),
        *((45, "45 s"), (600, "10 min"), (7_200, "2 h")),
    ],
)
def test_lengths_of_time(number: float | None, words: str) -> None:
    assert words_of_seconds(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        *((None, "-"), (0, "0 B"), (512, "512 B"), (1_536, "1.5 KB"), (10 * 1_048_576, "10 MB")),
        (3 * 1_073_741_824, "3.0 GB"),
    ],
)
def test_sizes(number: float | None, words: str) -> None:
    assert words_of_bytes(number) == words


def test_bars_have_the_width_and_the_highest_value_of_each_place() -> None:
    assert bars([0, 7, 0, 14], 2) == BARS[4] + BARS[7]


def test_places_without_values_are_blank() -> None:
    assert bars([None, 5, None], 3) == f" {BARS[7]} "
    assert bars([None, None], 4) == "    "


def test_idle_times_are_low_bars() -> None:
    assert bars([0, 0], 2) == BARS[0] * 2


def test_there_are_no_bars_without_room() -> None:
    assert bars([1, 2], 0) == ""
    assert bars([], 10) == ""
