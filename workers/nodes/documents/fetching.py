"""Documents at URLs: assets with the type on record, all others by their answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from engine.errors.nodes import NodeFailed
from engine.media.documents.types import DOCUMENTS, PDF_MARK_WITHIN, ZIP
from engine.nodes.support.base import BodyConsumer, HttpAnswer, HttpCall
from workers.nodes.documents.answer_type import (
    may_be_office,
    type_of_answer,
    type_of_whole_answer,
)
from workers.nodes.documents.limits import unreadable
from workers.providers.base import Fetcher, MediaStore

FETCH_SECONDS = 30.0
MAX_REDIRECTS = 3
MAX_FILE_BYTES = 104_857_600
"""Of a document, packed."""
TOO_LARGE = f"The document is larger than {MAX_FILE_BYTES} bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSource:
    """Sources of an account's documents. Every call may raise NodeFailed."""

    media_store: MediaStore
    fetcher: Fetcher
    account_id: str
    owner_id: str = ""
    """May own the document too."""

    async def find_type(self, url: str) -> str:
        """Return the content type of the document at a URL."""
        stored = await self.media_store.content_type(self.account_id, url, self.owner_id)
        if stored is not None:
            return _required(stored if stored in DOCUMENTS else None)
        found = await self._foreign_type(url)
        return (await self.fetch(url))[0] if found == ZIP else _required(found)

    async def fetch(self, url: str) -> tuple[str, bytes]:
        """Return the content type and the bytes of the document at a URL."""
        stored = await self.media_store.content_type(self.account_id, url, self.owner_id)
        try:
            if stored is not None:
                content_type = _required(stored if stored in DOCUMENTS else None)
                data = await self._read(url)
                if data is not None:
                    return content_type, data
            answer = await self.fetcher.fetch(self._call(url))
        except NodeFailed as failure:
            if failure.code != "response_too_large":
                raise
            raise unreadable(TOO_LARGE) from None
        _check_status(answer)
        declared = answer.headers.get("content-type", "")
        found = await asyncio.to_thread(type_of_whole_answer, answer.body, declared, url)
        return _required(found), answer.body

    async def _read(self, url: str) -> bytes | None:
        return await self.media_store.read(self.account_id, url, MAX_FILE_BYTES, self.owner_id)

    async def _foreign_type(self, url: str) -> str | None:
        """Return the type by the start of an answer; ZIP where its end alone tells the type."""
        found: list[str | None] = []

        async def examine(answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
            _check_status(answer)
            head = bytearray()
            async for piece in pieces:
                head += piece
                if len(head) >= PDF_MARK_WITHIN:
                    break
            declared = answer.headers.get("content-type", "")
            start = bytes(head)
            found.append(
                type_of_answer(start, declared, url) or (ZIP if may_be_office(start) else None)
            )

        await self.fetcher.fetch(self._call(url, examine))
        return found[0] if found else None

    def _call(self, url: str, consume: BodyConsumer | None = None) -> HttpCall:
        return HttpCall(
            method="GET",
            url=url,
            timeout_seconds=FETCH_SECONDS,
            max_bytes=MAX_FILE_BYTES,
            max_redirects=MAX_REDIRECTS,
            account_id=self.account_id,
            owner_id=self.owner_id,
            consume=consume,
        )


def _required(content_type: str | None) -> str:
    if content_type is None:
        message = (
            "The file is no document that is read: PDF, DOCX, XLSX, PPTX, CSV, TSV, TXT, MD, "
            "HTML or JSON"
        )
        raise unreadable(message)
    return content_type


def _check_status(answer: HttpAnswer) -> None:
    if answer.status >= 400:
        message = f"The server that has the document answered {answer.status}"
        is_retryable = answer.status in (408, 425, 429) or answer.status >= 500
        raise NodeFailed("http_status", message, retryable=is_retryable)
