"""The real models that read images, in the pool and through a whole stack: `make local`."""

import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.support.acceptance.running_stack import running
from tests.support.factories import Graph
from workers.nodes.local_models import LocalPool
from workers.nodes.local_models.ocr import read_text

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LINES = ["Invoice 2026-118", "Red ceramic mug 2 x 12.50", "Total 25.00 EUR", "Lisbon, 3 Nov 2026"]


def page(size: tuple[int, int] = (1_200, 800)) -> bytes:
    image = Image.new("RGB", size, "white")
    drawing = ImageDraw.Draw(image)
    scale = size[0] / 1_200
    font = ImageFont.load_default(round(40 * scale))
    for number, line in enumerate(LINES):
        place = (round(60 * scale), round((60 + number * 120) * scale))
        drawing.text(place, line, fill="black", font=font)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = page()
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def page_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/page.png"
        server.shutdown()
        thread.join()


async def test_every_character_of_a_printed_page_is_read_within_the_cap() -> None:
    pool = LocalPool()
    times = []
    for size in ((1_200, 800), (1_200, 800), (6_000, 4_000)):
        data = page(size)
        began = time.monotonic()
        text = await pool.run(read_text, data, deadline_seconds=60)
        times.append(round(time.monotonic() - began, 2))
        assert text.splitlines() == LINES

    children = [child._pid for child in pool._pool._children]
    peaks = [Path(f"/proc/{pid}/status").read_text() for pid in children]
    memory = max(
        int(line.split()[1]) // 1024
        for status in peaks
        for line in status.splitlines()
        if line.startswith("VmHWM")
    )
    await pool.close()
    print(
        f"\nseconds a page, the first with the models loaded, the last of 24 MP: {times}; "
        f"memory {memory} MB"
    )


def test_a_workflow_reads_an_image_and_a_model_here_answers_about_it(
    tmp_path: Path, page_url: str
) -> None:
    graph = Graph()
    graph.node("form", "requestInput", fields=[{"name": "page", "type": "image"}])
    graph.node("read", "imageText")
    graph.node(
        "ask",
        "assistant",
        model="local-text",
        temperature=0,
        maxTokens=60,
        prompt="{{ page }}\n\nWhat is the total of this invoice?",
        jsonSchema={
            "type": "object",
            "properties": {"total": {"type": "number", "minimum": 0, "maximum": 9999}},
            "required": ["total"],
        },
    )
    graph.node("out", "responseOutput", fields=[{"name": "text"}, {"name": "answer"}])
    graph.wire(
        "form.page > read.image-in",
        "read.text-out > ask.page",
        "read.text-out > out.text",
        "ask.items-out > out.answer",
    )
    with running(tmp_path, "--local", HEADRACE_ALLOW_PRIVATE_URLS="1") as stack:
        saved, problem = stack.api("POST", "/api/workflows", graph.body("Read"))
        assert saved == 201, problem

        began = time.monotonic()
        status, answer = stack.api(
            "POST", "/api/workflows/read/run", {"inputs": {"page": page_url}}, timeout=300
        )

        assert status == 200, answer
        assert answer["result"] == {"text": "\n".join(LINES), "answer": [{"total": 25}]}
        print(f"\nread and answered in {time.monotonic() - began:.1f} s")
