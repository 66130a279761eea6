"""The real model that embeds texts, in the pool: `make local`."""

import itertools
import time

import pytest

from workers.local import LocalPool, embed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TEXTS = ["red ceramic mug", "clay cup coloured red", "The stock market fell sharply on Monday."]


def product(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_what_means_alike_is_near() -> None:
    pool = LocalPool()
    times = []
    for texts in (
        TEXTS,
        TEXTS,
        [f"{text} {n}" for text, n in itertools.product(TEXTS, range(100))],
    ):
        began = time.monotonic()
        vectors = await pool.run(embed, texts, deadline_seconds=60)
        times.append(round((time.monotonic() - began) * 1000))
        assert all(len(vector) == 384 for vector in vectors)
        assert all(abs(product(vector, vector) - 1) < 1e-4 for vector in vectors)
    mug, cup, market = await pool.run(embed, TEXTS, deadline_seconds=60)
    await pool.close()

    assert product(mug, cup) == pytest.approx(0.63, abs=0.03)
    assert abs(product(mug, market)) < 0.15
    print(f"\nms for 3 texts with the model loaded, 3 more, 300 more: {times}")
