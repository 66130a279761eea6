"""Local models for OCR and embeddings, which extras carry, in a pool of their own."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from engine.process.pool import Pool, compute

PRELOAD = ("workers.nodes.local_models.ocr", "workers.nodes.local_models.embedding")
SLOTS = 1
"""Each child keeps its loaded models."""
MEMORY_BYTES = 1536 * 1024 * 1024
"""Of address space: a runtime of models maps far more than it uses."""


class LocalPool:
    """A pool with memory for models."""

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self._pool = Pool(slots=SLOTS, memory_bytes=memory_bytes, preload=PRELOAD)

    async def run(self, function: Callable[..., Any], *args: Any, deadline_seconds: float) -> Any:
        """Like `Pool.run`."""
        return await self._pool.run(function, *args, deadline_seconds=deadline_seconds)

    async def read_image(self, data: bytes, seconds: float) -> str:
        """Return the text in an image, within `seconds`. Raises NodeFailed."""
        from workers.nodes.local_models.ocr import read_text  # needs the library of images

        return cast(str, await compute(self, "The image", seconds, read_text, data))

    async def embed(self, texts: Sequence[str], seconds: float) -> list[list[float]]:
        """Return a vector for each text, within `seconds`. Raises NodeFailed."""
        from workers.nodes.local_models.embedding import embed

        vectors = await compute(self, "The text", seconds, embed, texts)
        return cast(list[list[float]], vectors)

    async def close(self) -> None:
        """Kill every process."""
        await self._pool.close()
