"""Files of the embedding model, and its failures."""

import builtins
import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.process.extras import install_hint
from workers.nodes.local_models import embedding


@pytest.fixture
def package_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a package with a file; returns the hash of the file."""
    for name, data in {
        "made_up/a.onnx": b"weights",
        "made_up-1.dist-info/METADATA": b"Name: made-up\nVersion: 1\n",
        "made_up-1.dist-info/RECORD": b"made_up/a.onnx,,\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return hashlib.sha256(b"weights").hexdigest()


def test_a_file_is_found_without_its_package_being_imported(
    package_hash: str, tmp_path: Path
) -> None:
    assert embedding._find("made-up", "a.onnx", package_hash) == tmp_path / "made_up" / "a.onnx"
    assert "made_up" not in sys.modules


@pytest.mark.parametrize(
    ("package", "file", "message"),
    [
        ("made-up", "a.onnx", "is not the one that belongs to it"),
        ("made-up", "b.onnx", install_hint("local-embeddings")),
        ("not-there", "a.onnx", install_hint("local-embeddings")),
    ],
)
def test_a_file_that_is_missing_or_another_is_not_used(
    package_hash: str, package: str, file: str, message: str
) -> None:
    with pytest.raises(NodeFailed) as caught:
        embedding._find(package, file, "0" * 64)

    assert caught.value.code == "not_installed"
    assert message in caught.value.message


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
