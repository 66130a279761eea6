"""Local models for OCR, embeddings and speech, which extras carry, in pools of their own."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from engine.process.account_semaphore import AccountSemaphore
from engine.process.pool import AccountRunner, Pool, compute

PRELOAD = ("workers.nodes.local_models.ocr", "workers.nodes.local_models.embedding")
SPEECH_PRELOAD = (
    "workers.nodes.local_models.speech",
    "workers.nodes.local_models.transcription",
)
SLOTS = 1
"""Each child keeps its loaded models."""
MEMORY_BYTES = 1536 * 1024 * 1024
"""Of address space: a runtime of models maps far more than it uses."""
SPEECH_MEMORY_BYTES = 2048 * 1024 * 1024
SOUNDS = 2
"""Sounds in memory: one is loaded while another is recognised."""


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


class SpeechPool(Pool):
    """A pool of its own for speech, whose minutes and memory nothing else waits for."""

    def __init__(self, *, memory_bytes: int = SPEECH_MEMORY_BYTES) -> None:
        super().__init__(slots=SLOTS, reserved=0, memory_bytes=memory_bytes, preload=SPEECH_PRELOAD)
        self._turns = AccountSemaphore(SOUNDS, share=1)

    def turn(self, account_id: str) -> AbstractAsyncContextManager[None]:
        """Wait for the account's turn to hold a sound in memory."""
        return self._turns.slot(account_id)

    async def transcribe(
        self, data: bytes, content_type: str, language: str, seconds: float, account_id: str = ""
    ) -> tuple[dict[str, Any], float]:
        """Return the transcript of a sound and its length, within `seconds`. Raises NodeFailed."""
        from workers.nodes.local_models.transcription import transcribe

        runner = AccountRunner(self, account_id)
        found = await compute(
            runner, "The sound", seconds, transcribe, data, content_type, language
        )
        return cast(tuple[dict[str, Any], float], found)

    async def speak(self, text: str, seconds: float, account_id: str = "") -> bytes:
        """Return a text as speech, a WAV, within `seconds`. Raises NodeFailed."""
        from workers.nodes.local_models.speech import speak

        runner = AccountRunner(self, account_id)
        return cast(bytes, await compute(runner, "The text", seconds, speak, text))
