"""`python -m tests.benchmarks.drafts`: writes of a large draft over HTTP, and what they leave."""

import argparse
import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from redis import Redis

from deploy.stack.redis_server import open_server
from tests.benchmarks.systems import HEADRACE, Surroundings, started
from tests.support.gateway.documents import edge, node

NODES = 300
BYTES = 300_000
WORKERS = 2
KINDS = 4


def main() -> None:
    """Measure, and print one line per figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.drafts", description=__doc__)
    parser.add_argument("--writes", type=int, default=1_000)
    writes = parser.parse_args().writes
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        around = Surroundings(folder=folder, target="http://127.0.0.1:9", wait_ms=1)
        with started(HEADRACE, around, WORKERS) as system:
            endpoint = system.endpoints["w1"]
            name, _, key = endpoint.headers[0].partition(": ")
            editor = Editor(endpoint.port, {name: key})
            redis = Redis.from_url(open_server(system.data_dir).url)
            _measure(editor, redis, writes)


class Editor:
    """Client of one workflow's draft on one connection, as an editor has it."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"content-type": "application/json", **headers}
        self._path = f"/api/workflows/{self.call('POST', '/api/workflows', graph(0))['slug']}"

    def write(self, number: int) -> tuple[float, int]:
        """Write the draft. Returns milliseconds until the answer was read, and bytes sent."""
        body = json.dumps(graph(number)).encode()
        began = time.perf_counter()
        answer = self.call("PUT", f"{self._path}/draft", body)
        elapsed = (time.perf_counter() - began) * 1_000
        assert (answer["problems"], len(answer["sockets"])) == ([], NODES), answer["problems"][:3]
        return elapsed, len(body)

    def versions(self) -> int:
        """Return the number of versions of the workflow."""
        return len(self.call("GET", f"{self._path}/versions")["rows"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the decoded answer of a call that succeeds."""
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self._connection.request(method, path, sent, self._headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        assert response.status < 300, answer
        return answer


def _measure(editor: Editor, redis: "Redis[bytes]", writes: int) -> None:
    for number in range(10):
        editor.write(number)
    memory = redis.info("memory")["used_memory_dataset"]
    found = [editor.write(number) for number in range(writes)]
    times = sorted(milliseconds for milliseconds, _ in found)
    grown = redis.info("memory")["used_memory_dataset"] - memory
    print(f"{writes} writes of a draft with {NODES} nodes and {found[-1][1] / 1_000:.0f} kB")
    print(f"p50 {statistics.median(times):.1f} ms, p95 {times[int(writes * 0.95) - 1]:.1f} ms")
    print(f"versions {editor.versions()}, memory of Redis {grown / 1_000:+.0f} kB")


def graph(number: int) -> dict[str, Any]:
    """Return a document of 300 nodes of several types that differs from others by its texts."""
    filler = f"{number} " + "x" * (BYTES // NODES - 240)
    nodes = [node("in", "requestInput", fields=[{"name": "f", "type": "text", "label": "F"}])]
    edges, source, output = [], "in", "f"
    for index in range(NODES - 2):
        each = f"n{index}"
        kind, socket, following, data = _kind(index, filler)
        nodes.append(node(each, kind, **data))
        edges.append(edge(source, output, each, socket))
        source, output = each, following
    nodes.append(node("out", "responseOutput"))
    edges.append(edge(source, output, "out", "result-in"))
    return {"name": "Large", "nodes": nodes, "edges": edges}


def _kind(index: int, filler: str) -> tuple[str, str, str, dict[str, Any]]:
    """Return type, input socket, output socket and settings of a node."""
    kinds: list[tuple[str, str, str, dict[str, Any]]] = [
        ("textBox", "a", "text-out", {"text": f"{filler} {{{{ a }}}}"}),
        ("transform", "value-in", "value-out", {"expression": f"value + '{filler}'"}),
        ("customModel", "prompt-in", "text-out", {"model": "echo", "prompt": filler}),
        (
            *("httpRequest", "a", "response-out"),
            {"url": "https://example.com/{{ a }}", "method": "POST", "body": filler},
        ),
    ]
    return kinds[index % KINDS]


if __name__ == "__main__":
    main()
