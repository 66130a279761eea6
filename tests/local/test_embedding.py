"""The real model that embeds texts, in the pool: `make local`."""

import itertools
import json
import time
from pathlib import Path

import pytest

from engine.models.registry import find_model
from tests.support.acceptance.running_stack import running
from tests.support.contract.installation import Administration
from workers.nodes.local_models import LocalPool
from workers.nodes.local_models.embedding import embed
from workers.providers.model_caller import ModelCaller

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


async def test_the_model_gives_the_vector_that_the_node_gives() -> None:
    pool = LocalPool()
    found = find_model("local-embedding")
    assert found is not None

    answer = await ModelCaller(embed=pool.embed).call(found, {"text": TEXTS[0]})
    [vector] = await pool.embed(TEXTS[:1], 60)
    await pool.close()

    assert json.loads(answer.value) == vector


def test_a_run_of_the_model_over_http_is_answered_with_its_vector(tmp_path: Path) -> None:
    with running(tmp_path, "--no-demo") as stack:
        made = Administration(stack)
        admin = made.with_key(made.key(made.account("business"), "model:run"))
        answer = admin.run_model("local-embedding", {"text": TEXTS[0]})
        made.close()

    assert answer.status_code == 200, answer.text
    assert len(json.loads(answer.json()["result"]["text"])) == 384
