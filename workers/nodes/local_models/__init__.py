"""Local models for OCR and embeddings, which extras carry, in a pool of their own."""

from collections.abc import Sequence
from typing import cast

from engine.process.pool import AccountRunner, Pool, compute

PRELOAD = ("workers.nodes.local_models.ocr", "workers.nodes.local_models.embedding")
SLOTS = 1
"""Each child keeps its loaded models."""
MEMORY_BYTES = 1536 * 1024 * 1024
"""Of address space: a runtime of models maps far more than it uses."""


class LocalPool(Pool):
    """A pool with memory for models."""

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES) -> None:
        super().__init__(slots=SLOTS, reserved=0, memory_bytes=memory_bytes, preload=PRELOAD)

    async def read_image(self, data: bytes, seconds: float, account_id: str = "") -> str:
        """Return the text in an image, within `seconds`. Raises NodeFailed."""
        from workers.nodes.local_models.ocr import read_text  # needs the library of images

        return cast(
            str,
            await compute(AccountRunner(self, account_id), "The image", seconds, read_text, data),
        )

    async def embed(
        self, texts: Sequence[str], seconds: float, account_id: str = ""
    ) -> list[list[float]]:
        """Return a vector for each text, within `seconds`. Raises NodeFailed."""
        from workers.nodes.local_models.embedding import embed

        runner = AccountRunner(self, account_id)
        vectors = await compute(runner, "The text", seconds, embed, texts)
        return cast(list[list[float]], vectors)
