"""A real collector of traces, Arize Phoenix from PyPI, in an environment of its own.

`make watch-pictures` installs it, and names its command in HEADRACE_TEST_COLLECTOR.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.net.http_client import Unreachable, call
from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.observability.spans import Span
from tests.support.observability.trace_store import TraceStore

COMMAND = "HEADRACE_TEST_COLLECTOR"
MOST_SPANS = 1_000
PROJECT = "default"
START_SECONDS = 2 * PATIENCE_SECONDS
READ_SECONDS = 3 * PATIENCE_SECONDS
"""Time until the collector has written the spans that it got: it writes them slowly."""


@dataclass
class Phoenix(TraceStore):
    """A collector with a page for each trace."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def trace_url(self) -> str:
        return f"{self.url}/redirects/traces/{{traceId}}"

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace as the collector has them, the first to begin first.

        It keeps neither their kinds nor their resource.
        """
        path = f"/v1/projects/{PROJECT}/spans?limit={MOST_SPANS}&trace_id={trace_id}"
        status, answer = call("GET", self.url + path)
        found = map(_read, answer["data"]) if status == 200 else ()
        return sorted(found, key=lambda each: each.began)


def _read(record: Any) -> Span:
    context = record["context"]
    return Span(
        trace_id=context["trace_id"],
        span_id=context["span_id"],
        parent_id=record["parent_id"] or "",
        name=record["name"],
        kind="",
        began=datetime.fromisoformat(record["start_time"]).timestamp(),
        ended=datetime.fromisoformat(record["end_time"]).timestamp(),
        attributes=record["attributes"],
        resource={},
        is_error=record["status_code"] == "ERROR",
        message=record["status_message"],
    )


def find_phoenix() -> str:
    """Return the command of the collector; empty where none is named."""
    return os.environ.get(COMMAND, "")


@contextlib.contextmanager
def running_phoenix(folder: Path) -> Iterator[Phoenix]:
    """Run the collector while the context lasts; it sends no usage data."""
    command = find_phoenix()
    assert command, f"name its command in {COMMAND}"
    phoenix = Phoenix(free_port())
    folder.mkdir(parents=True, exist_ok=True)
    environ = {
        **os.environ,
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(phoenix.port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    log = folder / "phoenix.log"
    with log.open("ab") as output:
        process = subprocess.Popen([command, "serve"], env=environ, stdout=output, stderr=output)
    try:
        _await_answer(phoenix, process, log)
        yield phoenix
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _await_answer(phoenix: Phoenix, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(Unreachable):
            if call("GET", f"{phoenix.url}/v1/projects", timeout=5)[0] == 200:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
