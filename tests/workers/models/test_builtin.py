"""What the worker itself answers for: templates, and vectors of what they make."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from engine.extras import install_hint
from engine.images import READ_SECONDS
from engine.models.calls import Builtin
from engine.models.manifest import ManifestError, Model
from engine.models.registry import find_model
from engine.models.sections.builtin import Gives
from engine.nodes.base import NodeFailed
from tests.manifests import model
from workers.local import LocalPool
from workers.models import Errand, Models
from workers.pool import PoolCrashed, PoolTimeout

ECHO = '[builtin]\ntemplate = "About {{ prompt }}"\n'
EMBEDDING = ECHO + 'gives = "embedding"\n'


class Embedding:
    """Takes texts, and gives a vector of their lengths."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], float]] = []

    async def __call__(self, texts: Sequence[str], seconds: float) -> list[list[float]]:
        self.asked.append((list(texts), seconds))
        return [[0.25, float(len(text))] for text in texts]


def local_embedding() -> Model:
    found = find_model("local-embedding")
    assert found is not None
    return found


async def fail(models: Models) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await models.call(local_embedding(), {"text": "x"})
    return raised.value


async def test_a_text_is_the_answer_unless_the_manifest_says_more() -> None:
    answer = await Models().call(model(call=ECHO), {"prompt": "cats"})

    assert answer.value == "About cats"


async def test_an_embedding_is_the_vector_of_what_the_template_makes_as_json() -> None:
    embed = Embedding()

    answer = await Models(embed=embed).call(model(call=EMBEDDING), {"prompt": "cats"})

    assert json.loads(answer.value) == [0.25, 10]
    assert embed.asked == [(["About cats"], READ_SECONDS)]


async def test_an_embedding_takes_no_longer_than_its_node_has() -> None:
    embed = Embedding()
    errand = Errand(deadline=asyncio.get_running_loop().time() + 2)

    await Models(embed=embed).call(local_embedding(), {"text": "x"}, errand)

    assert 1.5 < embed.asked[0][1] < 2


async def test_a_vector_is_no_answer_of_images() -> None:
    with pytest.raises(ManifestError) as raised:
        model(category="image", call=EMBEDDING)

    assert "builtin.gives 'embedding' is for models of the category text" in str(raised.value)


async def test_the_model_that_ships_embeds_and_costs_nothing() -> None:
    found = local_embedding()

    assert isinstance(found.call, Builtin) and found.call.gives is Gives.EMBEDDING
    assert (found.pricing, found.tier) == ((), "free")


# -- where it cannot ------------------------------------------------------------------------------


class Broken(LocalPool):
    """Fails as the model's process may."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def run(self, function: Any, *args: Any, deadline_seconds: float) -> Any:
        raise self._error


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (PoolTimeout("late"), "timeout", True),
        (PoolCrashed("gone"), "resource_exhausted", False),
        (MemoryError(), "resource_exhausted", False),
        (NodeFailed("not_installed", "install it"), "not_installed", False),
    ],
)
async def test_what_happens_to_its_process_is_told_as_a_failure_of_the_node(
    error: Exception, code: str, retryable: bool
) -> None:
    failure = await fail(Models(embed=Broken(error).embed))

    assert (failure.code, failure.retryable) == (code, retryable)


async def test_nothing_is_embedded_where_there_is_nothing_to_embed_with() -> None:
    assert (await fail(Models())).code == "not_installed"


async def test_a_worker_without_the_extra_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('as if it were not here')")
    monkeypatch.syspath_prepend(tmp_path)  # which the pool's children have too
    pool = LocalPool()

    failure = await fail(Models(embed=pool.embed))
    await pool.close()

    assert install_hint("local-embeddings") in failure.message
