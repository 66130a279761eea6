"""Failures of the embedding model."""

import builtins
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from workers.nodes.local_models import embedding


def test_a_worker_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name in ("onnxruntime", "tokenizers"):
            raise ImportError(name)
        return real(name, *rest)

    embedding._models.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(NodeFailed) as caught:
        embedding.embed(["a"])

    assert (caught.value.code, caught.value.message) == ("not_installed", embedding.MISSING)


def test_texts_go_in_in_batches_and_come_out_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def embed(tokenizer: Any, session: Any, texts: list[str]) -> list[list[float]]:
        seen.append(len(texts))
        return [[float(text)] for text in texts]

    monkeypatch.setattr(embedding, "_models", lambda: (None, None))
    monkeypatch.setattr(embedding, "_embed", embed)

    given = embedding.embed([str(number) for number in range(40)])

    assert given == [[float(number)] for number in range(40)]
    assert seen == [16, 16, 8]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(RuntimeError("std::bad_alloc"), MemoryError), (ValueError("other"), ValueError)],
)
def test_lack_of_memory_in_the_model_is_a_memory_error(
    monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    def fail(*_: Any) -> list[list[float]]:
        raise error

    monkeypatch.setattr(embedding, "_models", lambda: (None, None))
    monkeypatch.setattr(embedding, "_embed", fail)

    with pytest.raises(raised):
        embedding.embed(["a"])
