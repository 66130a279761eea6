"""Builtin models: templates, and embeddings of rendered templates."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.dialects.builtin import BuiltinResult, BuiltinSection
from engine.models.manifest import ManifestError, Model
from engine.models.registry import find_model
from engine.nodes.support.image_edits import READ_SECONDS
from engine.process.extras import install_hint
from engine.process.pool import PoolCrashed, PoolTimeout
from tests.support.manifests import model
from workers.nodes.local_models import LocalPool
from workers.providers.base import ModelCall, NoCheckpoints
from workers.providers.model_caller import ModelCaller

ECHO = '[builtin]\ntemplate = "About {{ prompt }}"\n'
EMBEDDING = ECHO + 'gives = "embedding"\n'


class Embedding:
    """Takes texts of an account, and gives a vector of their lengths."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], float, str]] = []

    async def __call__(
        self, texts: Sequence[str], seconds: float, account_id: str
    ) -> list[list[float]]:
        self.asked.append((list(texts), seconds, account_id))
        return [[0.25, float(len(text))] for text in texts]


def local_embedding() -> Model:
    found = find_model("local-embedding")
    assert found is not None
    return found


async def fail(models: ModelCaller) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await models.call(local_embedding(), {"text": "x"})
    return raised.value


async def test_a_text_is_the_answer_unless_the_manifest_says_more() -> None:
    answer = await ModelCaller().call(model(call=ECHO), {"prompt": "cats"})

    assert answer.value == "About cats"


async def test_an_embedding_is_the_vector_of_the_rendered_template_as_json() -> None:
    embed = Embedding()

    answer = await ModelCaller(embed=embed).call(model(call=EMBEDDING), {"prompt": "cats"})

    assert json.loads(answer.value) == [0.25, 10]
    assert embed.asked == [(["About cats"], READ_SECONDS, NoCheckpoints.account_id)]


async def test_an_embedding_takes_no_longer_than_its_node_has() -> None:
    embed = Embedding()
    model_call = ModelCall(deadline=asyncio.get_running_loop().time() + 20)

    await ModelCaller(embed=embed).call(local_embedding(), {"text": "x"}, model_call)

    assert 10 < embed.asked[0][1] < 20


async def test_a_vector_is_no_answer_of_images() -> None:
    with pytest.raises(ManifestError) as raised:
        model(category="image", call=EMBEDDING)

    assert "builtin.gives 'embedding' is for models of the category text" in str(raised.value)


async def test_the_model_that_ships_embeds_and_costs_nothing() -> None:
    found = local_embedding()

    assert isinstance(found.call, BuiltinSection) and found.call.gives is BuiltinResult.EMBEDDING
    assert (found.pricing, found.tier) == ((), "free")


# -- failures -------------------------------------------------------------------------------------


class Broken(LocalPool):
    """Fails as the model's process may."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def run(self, *_: Any, **__: Any) -> Any:
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
async def test_an_error_of_its_process_is_a_failure_of_the_node(
    error: Exception, code: str, retryable: bool
) -> None:
    failure = await fail(ModelCaller(embed=Broken(error).embed))

    assert (failure.code, failure.retryable) == (code, retryable)


async def test_nothing_is_embedded_where_there_is_nothing_to_embed_with() -> None:
    assert (await fail(ModelCaller())).code == "not_installed"


async def test_a_worker_without_the_extra_names_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('as if it were not here')")
    monkeypatch.syspath_prepend(tmp_path)  # which the pool's children have too
    pool = LocalPool()

    failure = await fail(ModelCaller(embed=pool.embed))
    await pool.close()

    assert install_hint("local-embeddings") in failure.message
