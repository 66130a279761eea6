"""A real Prometheus that scrapes one gateway, and its answers to queries."""

import http.client
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlencode

from tests.benchmarks.processes import free_port
from tests.benchmarks.scale.fleet import Fleet, wait_until

TIMEOUT_SECONDS = 5.0


class Prometheus:
    """A Prometheus with a folder of its own."""

    def __init__(self, port: int) -> None:
        self._port = port

    @classmethod
    def start(cls, fleet: Fleet, folder: Path, scrape_seconds: float) -> "Prometheus":
        """Start Debian's binary in a fleet, and wait until it has scraped the gateway."""
        folder.mkdir()
        target = f"127.0.0.1:{fleet.gateway_port}"
        config = {
            "global": {"scrape_interval": f"{scrape_seconds:g}s"},
            "scrape_configs": [{"job_name": "headrace", "static_configs": [{"targets": [target]}]}],
        }
        path = folder / "prometheus.yml"
        path.write_text(json.dumps(config))  # JSON is YAML
        found = cls(free_port())
        process = fleet.start(
            "prometheus",
            f"--config.file={path}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{found._port}",
        )
        wait_until(_unless_ended(process, found), "Prometheus")
        return found

    def ask(self, query: str) -> float | None:
        """Return the value of a query as KEDA reads it; None without an answer."""
        return parse_answer(self._get("query", query=query))

    def read(self, query: str, begin: float, end: float) -> Sequence[tuple[float, float]]:
        """Return the values of a query for each second between two times since the epoch."""
        answer = self._get("query_range", query=query, start=begin, end=end, step=1)
        match answer:
            case {"data": {"result": [{"values": values}]}}:
                return [(float(at), float(value)) for at, value in values]
        return []

    def _get(self, path: str, **words: object) -> object:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", f"/api/v1/{path}?{urlencode(words)}")
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError):
            return None
        finally:
            connection.close()


def parse_answer(answer: object) -> float | None:
    """Return the only value of an answer, None where there is none."""
    match answer:
        case {"status": "success", "data": {"result": [{"value": [_, str(value)]}]}}:
            return float(value)
    return None


def _unless_ended(process: subprocess.Popen[bytes], found: Prometheus) -> Callable[[], bool]:
    def is_up() -> bool:
        if process.poll() is not None:
            raise RuntimeError("Prometheus did not start")
        return found.ask("headrace_redis_up") == 1

    return is_up
