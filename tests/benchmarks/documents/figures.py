"""Figures of reading: right words and cells, time and memory of the child process."""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import MAX_PAGES, DocumentOptions, DocumentText
from tests.support.documents.corpus.document import CorpusDocument
from tests.support.documents.corpus.measures import Shares, measure
from workers.nodes.documents import DocumentPool
from workers.nodes.documents.pictures import read_pictures
from workers.nodes.documents.reading import read

SECONDS = 120.0
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
"""Writing 5 begins the peak of memory anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One document, as it was read."""

    name: str
    content_type: str
    bytes: int
    pages: int = 0
    shares: Shares | None = None
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    """Of the child, with what it had before."""
    fault: str = ""
    """The document should be read otherwise, and how; empty: it is as it should be."""
    reason: str = ""
    """Reason of a document that cannot be read."""


def timed(
    content_type: str, data: bytes, options: DocumentOptions
) -> tuple[DocumentText, float, float]:
    """Read in this process; return seconds of CPU and the peak of memory in MB, too."""
    _begin_peak()
    before = time.process_time()
    contents = read(content_type, data, options)
    return contents, time.process_time() - before, _peak_mb()


def _begin_peak() -> None:
    if CLEAR.exists():
        CLEAR.write_text("5")


def _peak_mb() -> float:
    if STATUS.exists():
        lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


async def measure_document(
    document: CorpusDocument, pool: DocumentPool, read_image: Callable[[bytes], Any]
) -> Reading:
    """Read a document in a child of the pool, and compare it with its truth."""
    data = document.make()
    done = Reading(name=document.name, content_type=document.content_type, bytes=len(data))
    options = DocumentOptions(max_pages=MAX_PAGES)
    try:
        contents, cpu_seconds, peak_mb = await pool.run(
            timed, document.content_type, data, options, deadline_seconds=SECONDS
        )
        if document.is_scanned:
            contents = await _read_scan(contents, data, pool, read_image)
    except NodeFailed as failure:
        is_right = bool(document.fails) and document.fails in failure.message
        return replace(done, reason=failure.message, fault="" if is_right else failure.message)
    return replace(
        done,
        pages=len(contents.pages),
        shares=measure(document.text, document.tables, contents.text, contents.tables),
        cpu_seconds=cpu_seconds,
        peak_mb=peak_mb,
        fault=_fault(document, contents),
    )


def _fault(document: CorpusDocument, contents: DocumentText) -> str:
    if document.fails:
        return "it is read, but should not be"
    if len(contents.pages) != document.pages:
        return f"{len(contents.pages)} pages, not {document.pages}"
    return ""


async def _read_scan(
    contents: DocumentText, data: bytes, pool: DocumentPool, read_image: Callable[[bytes], Any]
) -> DocumentText:
    async def draw(numbers: Sequence[int]) -> list[bytes]:
        return await pool.draw(data, numbers, seconds=SECONDS)

    return await read_pictures(contents, draw, read_image, SECONDS)
