"""The TypeScript client in a browser, on a page of another origin."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.clients.typescript.installed import install
from tests.support.acceptance.running_stack import ONE_WORKER, running

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).parents[2] / "clients" / "typescript" / "programs" / "first_calls.mjs"
PAGE = """<!doctype html>
<script type="importmap">
{"imports": {"headrace": "./node_modules/headrace/dist/index.js"}}
</script>
<script type="module">
import { firstCalls } from "./first_calls.mjs";
globalThis.firstCalls = firstCalls;
</script>
"""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Write nothing."""


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    """The address of a page that has the client."""
    folder = install(tmp_path)
    shutil.copy(PROGRAM, folder)
    (folder / "index.html").write_text(PAGE)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_page_calls_another_origin(
    chromium: Browser, origin: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running(
        tmp_path_factory.mktemp("cors"), *ONE_WORKER, HEADRACE_CORS_ORIGINS=origin
    ) as stack:
        page = chromium.new_page()
        page.goto(origin)
        page.wait_for_function("() => Boolean(globalThis.firstCalls)")
        seen = page.evaluate("([url, key]) => firstCalls(url, key)", [stack.url, stack.key])
        page.close()

    assert seen["run"]["result"]["text"].startswith("Dear Ada,")
    assert seen["ended"]["status"] == "completed"
    assert seen["events"][-1] == "execution.finished"
    assert seen["again"] == seen["events"]
    assert seen["unknown"]["code"] == "WORKFLOW_NOT_FOUND"
    assert seen["unknown"]["requestId"]  # a header that pages may read
    assert seen["aborted"]["name"] == "AbortError"
    assert seen["run"]["executionId"] in seen["listed"]
