"""Documents: their text and tables, read in child processes of a pool of their own."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, cast

from engine.nodes.support.documents import DocumentOptions, DocumentText
from engine.process.account_semaphore import AccountSemaphore
from engine.process.pool import AccountRunner, Pool, PoolCrashed, PoolGate, PoolTimeout
from workers.nodes.documents.limits import unreadable

PRELOAD = ("workers.nodes.documents.reading", "workers.nodes.documents.pdf.drawing")
SLOTS = 1
MEMORY_BYTES = 1024 * 1024 * 1024
"""Of address space, which holds the file twice, its inflated parts and the text."""

FILES, FILES_OF_ACCOUNT = 8, 2
"""Files that a worker process has in memory at a time, of all accounts and of one."""


class DocumentPool(Pool):
    """A pool with memory for documents, in which accounts take turns."""

    def __init__(self, *, slots: int = SLOTS, memory_bytes: int = MEMORY_BYTES) -> None:
        super().__init__(slots=slots, memory_bytes=memory_bytes, preload=PRELOAD)
        self._files = AccountSemaphore(FILES, share=FILES_OF_ACCOUNT)

    @contextlib.asynccontextmanager
    async def turn(self, account_id: str, gate: PoolGate | None) -> AsyncIterator[None]:
        """Hold the place of one file in memory, taken while the gate is open.

        Work in the turn passes no gate: whoever waits at one must not hold what others wait for.
        """
        while True:
            if gate is not None:
                await gate.wait()
            async with self._files.slot(account_id):
                if gate is None or gate.may_grow:
                    yield
                    return

    async def read(
        self,
        content_type: str,
        data: bytes,
        options: DocumentOptions,
        *,
        seconds: float,
        account_id: str = "",
    ) -> DocumentText:
        """Return the contents of a document, within `seconds`.

        Raises NodeFailed (document_unreadable).
        """
        from workers.nodes.documents.packing import unpack_document
        from workers.nodes.documents.reading import read_packed  # needs libraries of documents

        runner = AccountRunner(self, account_id)
        work = runner.run(read_packed, content_type, data, options, deadline_seconds=seconds)
        return await unpack_document(await _explained(work, seconds))

    async def draw(
        self, data: bytes, numbers: Sequence[int], *, seconds: float, account_id: str = ""
    ) -> list[bytes]:
        """Return pages of a PDF as pictures, within `seconds`; a bare page has no bytes.

        Raises NodeFailed (document_unreadable).
        """
        from workers.nodes.documents.pdf.drawing import draw_pages

        runner = AccountRunner(self, account_id)
        work = runner.run(draw_pages, data, numbers, deadline_seconds=seconds)
        return cast(list[bytes], await _explained(work, seconds))


async def _explained(work: Awaitable[Any], seconds: float) -> Any:
    try:
        return await work
    except PoolTimeout:
        message = f"The document was not read within {seconds:g} s"
        raise unreadable(message) from None
    except (PoolCrashed, MemoryError):
        message = "Reading the document needed more memory than it may have"
        raise unreadable(message) from None
