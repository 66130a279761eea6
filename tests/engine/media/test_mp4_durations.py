"""Headers of real and damaged films."""

import random

import pytest

from engine.media.detection import read_start
from engine.media.mp4_durations import read_movie
from engine.media.stream_follower import HeaderMetadata
from tests.support.media import files


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(("turned", "size"), [(False, (640, 360)), (True, (360, 640))])
def test_a_film_is_as_large_as_its_picture_is_shown(
    version: int, turned: bool, size: tuple[int, int]
) -> None:
    data = files.film(640, 360, version=version, turned=turned)

    facts = read_start(data, "video/mp4")

    assert (facts.width, facts.height, facts.duration_ms) == (*size, 2_000)


def test_a_film_larger_than_any_image_may_be_is_taken() -> None:
    facts = read_start(files.film(16_384, 16_384), "video/mp4")

    assert (facts.width, facts.height) == (16_384, 16_384)


@pytest.mark.parametrize("data", [files.mp4(), files.film(0, 360), files.film(640, 0)])
def test_a_film_that_does_not_say_how_large_it_is_is_taken(data: bytes) -> None:
    facts = read_start(data, "video/mp4")

    assert (facts.width, facts.height, facts.duration_ms) == (None, None, 2_000)


def test_a_sound_has_no_size() -> None:
    facts = read_start(files.film(640, 360), "audio/mp4")

    assert (facts.width, facts.height) == (None, None)


def test_a_header_that_breaks_off_says_what_it_has_said() -> None:
    data = files.film(640, 360)
    results = {read_movie(data[:end]) for end in range(len(data) + 1)}

    assert results == {
        HeaderMetadata(),
        HeaderMetadata(duration_ms=2_000),
        HeaderMetadata(duration_ms=2_000, width=640, height=360),
    }


def test_any_damage_is_borne() -> None:
    whole, chance = files.film(640, 360), random.Random(4)

    for _ in range(3_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(20, len(data))] = chance.randrange(256)
        movie = read_movie(bytes(data))
        assert movie.width is None or 0 < movie.width < 65_536
