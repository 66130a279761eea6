"""A real Prometheus, Debian's, that scrapes given addresses, and its answers to queries."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from deploy.net.http_client import Unreachable, call
from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS

JOB = "headrace"
"""Job of all targets, as in the files of deployment."""
PROCESSES = "headrace-processes"
"""Job of targets that are single processes."""
NEEDS = "this needs Debian's package prometheus"


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one series of an answer over time; an instant query has one value."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]
    """Seconds since the epoch, and the value then."""

    @property
    def value(self) -> float:
        """Return the last value."""
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is pending or firing."""

    name: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class QueryRefused(Exception):
    """Prometheus refused a query; the text is its reason."""


@dataclass
class Prometheus:
    """A Prometheus with a folder of its own. Its targets may change while it runs."""

    folder: Path
    targets: Sequence[str]
    """Addresses, `host:port`, each with the path `/metrics`."""
    rules: Sequence[Path] = ()
    """Files of alert rules."""
    scrape_seconds: float = 1.0
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    processes: Mapping[str, str] = field(default_factory=dict)
    """Addresses of single processes with the paths of their metrics, under a job of their own."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers queries."""
        program = shutil.which("prometheus")
        assert program is not None, NEEDS
        self.folder.mkdir(parents=True, exist_ok=True)
        self.set_targets(self.targets)
        (self.folder / "prometheus.yml").write_text(json.dumps(self._configuration()))
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    program,
                    f"--config.file={self.folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self.folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--query.lookback-delta=10s",
                ],
                stdout=log,
                stderr=log,
            )
        self.until(self._is_ready, "it is ready")

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_SECONDS)

    def set_targets(self, targets: Sequence[str]) -> None:
        """Scrape these addresses from now on; the server reads them again within a second."""
        self.targets = tuple(targets)
        changed = self.folder / "targets.new"
        alone = [
            {"targets": [address], "labels": {"job": PROCESSES, "__metrics_path__": path}}
            for address, path in self.processes.items()
        ]
        changed.write_text(json.dumps([{"targets": list(self.targets)}, *alone]))
        changed.replace(self.folder / "targets.json")

    # -- queries ----------------------------------------------------------------------------------

    def query(self, expression: str) -> list[Series]:
        """Return the series of an expression now. Raises QueryRefused."""
        found = self._get("query", query=expression)
        if found["resultType"] == "scalar":
            return [Series({}, (_point(found["result"]),))]
        return [Series(each["metric"], (_point(each["value"]),)) for each in found["result"]]

    def query_range(
        self, expression: str, start: float, end: float, step: float = 1.0
    ) -> list[Series]:
        """Return the series of an expression between two times. Raises QueryRefused."""
        found = self._get("query_range", query=expression, start=start, end=end, step=step)
        return [
            Series(each["metric"], tuple(map(_point, each["values"]))) for each in found["result"]
        ]

    def value(self, expression: str) -> float | None:
        """Return the only value of an expression, None where there is none."""
        found = self.query(expression)
        assert len(found) <= 1, (expression, found)
        return found[0].value if found else None

    def await_value(
        self, expression: str, holds: Callable[[float], object] = bool, *, timeout: float = 60.0
    ) -> float:
        """Wait until the only value of an expression is as expected; return it."""
        seen: list[float] = []

        def read() -> bool:
            seen[:] = [each.value for each in self.query(expression)]
            return len(seen) == 1 and bool(holds(seen[0]))

        self.until(read, f"{expression} is as expected", timeout, seen)
        return seen[0]

    def alerts(self) -> list[Alert]:
        """Return the alerts that are pending or firing."""
        return [
            Alert(
                name=each["labels"]["alertname"],
                state=each["state"],
                labels=each["labels"],
                annotations=each["annotations"],
            )
            for each in self._get("alerts")["alerts"]
        ]

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        return {each.name for each in self.alerts() if each.state == "firing"}

    def rule_problems(self) -> list[str]:
        """Return the errors of the last evaluation of each rule."""
        groups = self._get("rules")["groups"]
        return [
            f"{each['name']}: {each['lastError']}"
            for group in groups
            for each in group["rules"]
            if each.get("lastError")
        ]

    def health(self) -> dict[str, str]:
        """Return `up`, `down` or `unknown` for each target."""
        active = self._get("targets")["activeTargets"]
        return {
            each["labels"]["instance"]: each["health"]
            for each in active
            if each["labels"]["job"] == JOB
        }

    def await_targets(self) -> None:
        """Wait until each target was scraped."""
        wanted = dict.fromkeys(self.targets, "up")
        seen: dict[str, str] = {}

        def read() -> bool:
            seen.clear()
            seen.update(self.health())
            return seen == wanted

        self.until(read, "all targets are up", seen=seen)

    # -- waiting ----------------------------------------------------------------------------------

    def until(
        self,
        holds: Callable[[], bool],
        awaited: str,
        timeout: float = PATIENCE_SECONDS,
        seen: object = None,
    ) -> None:
        """Wait until something holds. Raises AssertionError that names it."""
        deadline = time.monotonic() + timeout
        while not holds():
            assert self.process is None or self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, f"not within {timeout} s: {awaited}; seen: {seen}"
            time.sleep(0.2)

    @property
    def _log(self) -> Path:
        return self.folder / "prometheus.log"

    def _is_ready(self) -> bool:
        with contextlib.suppress(Unreachable):
            return call("GET", f"{self.url}/-/ready", timeout=5)[0] == 200
        return False

    def _configuration(self) -> dict[str, Any]:
        """Return the configuration; JSON is YAML."""
        found = {"files": [str(self.folder / "targets.json")], "refresh_interval": "1s"}
        seconds = f"{round(self.scrape_seconds * 1_000)}ms"
        return {
            "global": {
                "scrape_interval": seconds,
                "scrape_timeout": seconds,
                "evaluation_interval": seconds,
            },
            "rule_files": [str(each) for each in self.rules],
            "scrape_configs": [{"job_name": JOB, "file_sd_configs": [found]}],
        }

    def _get(self, path: str, **words: object) -> Any:
        url = f"{self.url}/api/v1/{path}?{urlencode(words)}"
        _, answer = call("GET", url, timeout=30)
        if answer["status"] != "success":
            raise QueryRefused(f"{words.get('query')}: {answer['error']}")
        return answer["data"]


def _point(pair: Sequence[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])


@contextlib.contextmanager
def running_prometheus(
    folder: Path, targets: Sequence[str], *rules: Path, scrape_seconds: float = 1.0
) -> Iterator[Prometheus]:
    """Run a Prometheus while the context lasts."""
    server = Prometheus(folder, targets, rules, scrape_seconds)
    server.start()
    try:
        yield server
    finally:
        server.stop()
