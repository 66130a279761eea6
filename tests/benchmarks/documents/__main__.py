"""`python -m tests.benchmarks.documents`: how much of the documents of a corpus is read.

Writes `documents.md` and `documents.json`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.media.documents.types import EXTENSIONS
from engine.nodes.image_text import is_installed
from tests.benchmarks.documents.figures import SECONDS, Reading, measure_document
from tests.benchmarks.processes import REPOSITORY, benchmarks_folder
from tests.benchmarks.report import machine_line
from tests.support.documents.corpus.corpus import every_document
from tests.support.documents.corpus.measures import MAX_ORDERED
from workers.nodes.documents import DocumentPool
from workers.nodes.local_models import LocalPool

TEMPLATE = Path(__file__).with_name("page.md")
SHARES = ("recall", "precision", "order", "cells")
QUICK = frozenset({"invoice with lines", "two columns", "password", "dates", "article", "tabs"})


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.documents")
    parser.add_argument("--quick", action="store_true", help="a few documents, no figures to trust")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    before = os.getloadavg()[0]
    readings = asyncio.run(measure_all(is_quick=arguments.quick))
    output = arguments.output or benchmarks_folder(is_kept=not arguments.quick)
    words = ["git", "rev-parse", "--short=8", "HEAD"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    facts = {"commit": done.stdout.strip(), "load": (before, os.getloadavg()[0])}
    write(output, facts, readings)
    print(f"results in {output}")
    return 1 if any(reading.fault for reading in readings) else 0


async def measure_all(*, is_quick: bool) -> list[Reading]:
    """Read the documents, one after another; scans need the extra."""
    documents, models = DocumentPool(), LocalPool()

    async def read_image(data: bytes) -> str:
        return await models.read_image(data, SECONDS)

    try:
        return [
            await measure_document(document, documents, read_image)
            for document in every_document()
            if (not is_quick or document.name in QUICK)
            and (not document.is_scanned or is_installed())
        ]
    finally:
        await documents.close()
        await models.close()


def write(folder: Path, facts: dict[str, Any], readings: Sequence[Reading]) -> None:
    """Write documents.md and documents.json."""
    folder.mkdir(parents=True, exist_ok=True)
    record = facts | {"documents": [asdict(reading) for reading in readings]}
    (folder / "documents.json").write_text(json.dumps(record, indent=2) + "\n")
    (folder / "documents.md").write_text(page(facts, readings))


def page(facts: dict[str, Any], readings: Sequence[Reading]) -> str:
    """Return the page."""
    before, after = facts["load"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        machine=machine_line().rstrip("."),
        commit=facts["commit"],
        before=before,
        after=after,
        count=len(readings),
        ordered=MAX_ORDERED,
        kinds="\n".join(_kind_rows(readings)),
        documents="\n".join(map(_document_row, readings)),
        scans=_scans(readings),
        faults="\n".join(_faults(readings)),
    )


def _kind_rows(readings: Sequence[Reading]) -> Iterator[str]:
    for content_type in dict.fromkeys(reading.content_type for reading in readings):
        of_kind = [reading for reading in readings if reading.content_type == content_type]
        read = [reading for reading in of_kind if reading.shares is not None]
        seconds = sum(reading.cpu_seconds for reading in read)
        pages = sum(reading.pages for reading in read)
        cells = [
            EXTENSIONS[content_type].upper(),
            str(len(of_kind)),
            *(_percent(_mean(read, name)) for name in SHARES),
            f"{pages / seconds:,.0f}" if seconds else "–",
            f"{max((reading.peak_mb for reading in read), default=0):.0f}",
        ]
        yield f"| {' | '.join(cells)} |"


def _mean(readings: Sequence[Reading], name: str) -> float | None:
    values = [getattr(reading.shares, name) for reading in readings]
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _document_row(reading: Reading) -> str:
    name = f"{EXTENSIONS[reading.content_type].upper()}: {reading.name}"
    if reading.shares is None:
        return f"| {name} | {reading.bytes / 1000:.1f} | – | – | – | – | – | – | – |"
    shares = " | ".join(_percent(getattr(reading.shares, each)) for each in SHARES)
    return (
        f"| {name} | {reading.bytes / 1000:.1f} | {reading.pages:,} | {shares} "
        f"| {reading.cpu_seconds * 1000:.1f} | {reading.peak_mb:.0f} |"
    )


def _scans(readings: Sequence[Reading]) -> str:
    scans = [each for each in readings if each.name.startswith("scan") and each.shares is not None]
    if not scans:
        return "Scans were left out: the extra `local-ocr` is not installed."
    return "Scans were read by the extra `local-ocr`, whose time and memory are not in the table."


def _faults(readings: Sequence[Reading]) -> Iterator[str]:
    refused = [each for each in readings if each.reason and not each.fault]
    for each in refused:
        yield f"{each.name}: not read, as it should be. {each.reason}."
        yield ""
    wrong = [each for each in readings if each.fault]
    for each in wrong:
        yield f"**{each.name}** is not read as it should be: {each.fault}."
        yield ""
    if not wrong:
        yield "All others have as many pages as they should."


if __name__ == "__main__":
    raise SystemExit(main())
