"""Hostile documents on a real stack: what an upload and a run answer, and whom they disturb."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.callers import Caller, make_caller, save
from tests.support.acceptance.footprint import resident_megabytes
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running
from tests.support.documents.document_caller import DocumentCaller, document_caller
from tests.support.documents.hostile.corpus import HostileDocument, every_document
from tests.support.documents.small_pdf import small_pdf
from tests.support.http.target import stub_server

DOCUMENTS = list(every_document())
SLOWEST = "pdf: forms in forms"
HARMLESS = {"read", "document_unreadable", "415", "run_too_large"}
"""Outcomes; the last one is that of a text that is longer than all values of a run may be."""
MOST_SECONDS = 10 + 20
"""Of one run: the time of a document, and that of a busy machine for all else."""
MOST_MEGABYTES = 900
GREEDY, NEIGHBOURS = 50, 5


@dataclass
class Watched:
    """Times of a neighbour's runs, and the memory of the parts of a stack."""

    seconds: list[float] = field(default_factory=list)
    megabytes: dict[str, float] = field(default_factory=dict)


@contextmanager
def watching(stack: RunningStack) -> Iterator[Watched]:
    """Make runs of a neighbour and measure memory for as long as the block lasts."""
    _, key = make_caller(stack, "neighbour")
    slug, stop, watched = save(stack, key, "Light"), threading.Event(), Watched()

    def watch() -> None:
        with closing(Caller(stack, slug, key)) as caller:
            while not stop.wait(0.05):
                watched.seconds.append(caller.time_run())
                for part in ("gateway", "worker"):
                    size = max(map(resident_megabytes, stack.part(part)))
                    watched.megabytes[part] = max(size, watched.megabytes.get(part, 0))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield watched
    finally:
        stop.set()
        thread.join()


def attack(caller: DocumentCaller, document: HostileDocument, url: str) -> tuple[str, float]:
    """Upload a document and run the workflow; return the outcome and the seconds of the run."""
    data = document.make(url)
    uploaded = caller.upload(f"file.{document.ending}", document.content_type, data)
    if uploaded.status_code != 201:
        return str(uploaded.status_code), 0
    if document.ending == "pdf":
        assert picture_status(caller, uploaded.json()) in (200, 404, 415)
    began = time.monotonic()
    ended = caller.ended(caller.begin(uploaded.json()["id"]))
    seconds = time.monotonic() - began
    codes = [node["error"]["code"] for node in ended["nodes"] if node["error"]]
    return codes[0] if codes else "read", seconds


def picture_status(caller: DocumentCaller, asset: Mapping[str, Any]) -> int:
    """Return the status of a picture of a document's first page."""
    key = {"x-api-key": caller.key}
    shown = httpx2.get(f"{caller.stack.url}/api/assets/{asset['id']}?w=256", headers=key)
    assert shown.status_code == 200 and "w=256" in shown.json()["url"], shown.text
    return httpx2.get(shown.json()["url"], timeout=60).status_code


@pytest.mark.A101b
@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_hostile_document_ends_in_time_and_disturbs_nobody(tmp_path: Path) -> None:
    outcomes: dict[str, str] = {}
    late: dict[str, float] = {}
    with running(tmp_path, "--no-demo", *ONE_WORKER) as stack, stub_server() as nobody:
        caller = document_caller(stack, "hostile")
        before = stack.part("worker"), stack.part("gateway")
        with watching(stack) as watched:
            for document in DOCUMENTS:
                outcome, seconds = attack(caller, document, nobody.url)
                print(f"{seconds:6.2f} s  {document}: {outcome}")
                outcomes[str(document)] = outcome
                if seconds > MOST_SECONDS:
                    late[str(document)] = seconds
        after = stack.part("worker"), stack.part("gateway")

    print(f"memory {watched.megabytes}, neighbour at most {max(watched.seconds):.2f} s")
    assert {name: each for name, each in outcomes.items() if each not in HARMLESS} == {}
    assert late == {}
    assert nobody.requests == []
    assert after == before
    assert max(watched.megabytes.values()) < MOST_MEGABYTES
    assert max(watched.seconds) < 5
    assert outcomes["docx: macros"] == "415"
    assert outcomes["pdf: scripts, programs and links"] == "read"


@pytest.mark.A91j
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_neighbours_document_does_not_wait_for_fifty_slow_ones(tmp_path: Path) -> None:
    (slowest,) = (each for each in DOCUMENTS if str(each) == SLOWEST)
    with running(tmp_path, "--no-demo", *ONE_WORKER) as stack:
        greedy, neighbour = document_caller(stack, "greedy"), document_caller(stack, "other")
        slow = greedy.upload("slow.pdf", slowest.content_type, slowest.make("")).json()["id"]
        small = neighbour.upload("small.pdf", "application/pdf", small_pdf("Hello")).json()["id"]
        neighbour.ended(neighbour.begin(small))
        begun = [greedy.begin(slow) for _ in range(GREEDY)]
        seconds = []
        for _ in range(NEIGHBOURS):
            began = time.monotonic()
            ended = neighbour.ended(neighbour.begin(small))
            seconds.append(time.monotonic() - began)
            assert (ended["status"], ended["result"]) == ("completed", {"error": None})
        last = greedy.execution(begun[-1])

    print(f"beside {GREEDY} slow documents: {[round(each, 2) for each in seconds]} s")
    assert last["status"] == "processing"
    assert max(seconds) < 5  # one slow document takes 10
