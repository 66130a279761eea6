"""Two gateways and three workers behind a proxy, of which a test kills one at an exact point.

A run calls a target, then a model that costs credits and makes a picture, and tells its webhook.
"""

import contextlib
import itertools
import json
import os
import secrets
import signal
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from deploy.net.http_client import Unreachable, call
from tests.conftest import RedisServer
from tests.support.acceptance.connections import owner_of
from tests.support.acceptance.running_stack import until
from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, Member, fleet_on
from tests.support.factories import Graph
from tests.support.http.providers import ENDPOINT
from tests.support.http.target import PNG, Stub, stub_server
from tests.support.manifests import manifest
from tests.support.redis.proxy import RedisProxy, proxy_thread

GATEWAYS, WORKERS = 2, 3
PRICE = 11
"""Credits for one call at 0.010 USD, for an Enterprise account, whose markup is 1.1."""
END_SECONDS = 60.0
CAPABILITIES = ("workflow:*", "execution:*", "webhook:receive")
MODEL = "maker"
CALL = f"""[http]{ENDPOINT}idempotency_header = "Idempotency-Key"
path = "/make/{{{{ prompt }}}}"
body = {{}}
result = "data"
media = "base64"
content_type = "image/png"
"""


@dataclass(eq=False)
class Run:
    """One run, and its deaths."""

    name: str
    idempotency_key: str
    is_watched: bool
    id: str = ""
    deaths: int = 0
    """Processes that were killed on its way."""


@dataclass
class Scene:
    """An installation, its remotes, and what a test has done to it."""

    fleet: Fleet
    proxy: RedisProxy
    redis_url: str
    """Of the server behind the proxy."""
    target: Stub
    """Target of calls, provider of the model and receiver of webhooks."""
    account_id: str = ""
    key: str = ""
    slug: str = ""
    runs: list[Run] = field(default_factory=list)
    killed: list[Member] = field(default_factory=list)
    hook_secret: str = field(default_factory=lambda: f"canary-{secrets.token_hex(16)}")
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    # -- processes --------------------------------------------------------------------------------

    def living(self, kind: str) -> list[Member]:
        """Return the processes of a kind that run."""
        of_kind = (each for each in self.fleet.members if each.kind == kind)
        return [each for each in of_kind if each.process.poll() is None]

    def kill(self, pid: int) -> float:
        """Kill a process, and wait until it is gone; return the time of the monotonic clock."""
        [member] = [each for each in self.fleet.members if each.process.pid == pid]
        moment = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        member.process.wait()
        self.killed.append(member)
        return moment

    def restore(self) -> None:
        """Start a process for each that was killed, and wait until all are ready."""
        for kind, count in ((GATEWAY, GATEWAYS), (WORKER, WORKERS)):
            for _ in range(count - len(self.living(kind))):
                self.fleet.start(kind)
        for kind in (GATEWAY, WORKER):
            for member in self.living(kind):
                member.wait_ready()

    def caller_at(self, port: int) -> int:
        """Return the worker that has the connection from this port."""
        return owner_of(port, [each.process.pid for each in self.living(WORKER)])

    # -- runs -------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        gateway: Member | None = None,
        **options: Any,
    ) -> tuple[int, Any]:
        """Call a gateway, by default any that serves; status 0: the connection broke."""
        member = gateway or self.living(GATEWAY)[0]
        try:
            return call(method, member.url + path, key=self.key, body=body, timeout=60, **options)
        except (Unreachable, OSError):
            return 0, None

    def plan(self, *, may_be_watched: bool = True) -> Run:
        """Return a run that is still to be made; every other one is watched if it may be."""
        number = next(self._numbers)
        name = f"r{number}-{secrets.token_hex(4)}"
        run = Run(name, f"key-{name}", is_watched=may_be_watched and number % 2 == 0)
        self.prepare(name)
        self.runs.append(run)
        return run

    def prepare(self, name: str) -> None:
        """Let the target answer for inputs with this name."""
        self.target.give(f"/first/{name}", name)
        self.target.give(f"/make/{name}", {"data": b64encode(PNG).decode()})

    def request(self, run: Run, *, waits: bool = False, **options: Any) -> tuple[int, Any]:
        """Ask for a run; note its id when it is told."""
        hook = {"url": f"{self.target.url}/hook/{run.name}", "secret": self.hook_secret}
        body = {"inputs": {"who": run.name}, "webhook": hook}
        path = f"/api/workflows/{self.slug}/run{'' if waits else '?async=true'}"
        headers = {"Idempotency-Key": run.idempotency_key}
        status, answer = self.ask("POST", path, body, headers=headers, **options)
        if answer and "executionId" in answer:
            run.id = answer["executionId"]
        if status == 202 and run.is_watched:
            self._watch(run)
        return status, answer

    def _watch(self, run: Run) -> None:
        """Begin to follow the events of a run, which keeps them all, and leave."""
        connection = HTTPConnection("127.0.0.1", self.living(GATEWAY)[0].port, timeout=10)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            path = f"/api/executions/{run.id}/events"
            connection.request("GET", path, headers={"x-api-key": self.key})
            assert connection.getresponse().status == 200

    def start(self) -> Run:
        """Begin a run without waiting for its end."""
        run = self.plan()
        status, answer = self.request(run)
        assert status == 202, answer
        return run

    def read(self, run: Run) -> Mapping[str, Any]:
        """Return an execution."""
        status, answer = until(
            lambda: self.ask("GET", f"/api/executions/{run.id}"), lambda each: each[0] == 200
        )
        assert status == 200
        return dict(answer)

    def end(self, run: Run) -> Mapping[str, Any]:
        """Return an execution once it has ended."""
        deadline = time.monotonic() + END_SECONDS
        while not (found := self.read(run))["completedAt"]:
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def calls(self, run: Run, kind: str) -> int:
        """Return the number of calls for a run: `first`, `make` or `hook`."""
        return self.target.counts[f"/{kind}/{run.name}"]

    def fetch(self, url: str) -> bytes:
        """Return the bytes of a link to media, from a gateway."""
        parts = urlsplit(url)
        place = f"{self.living(GATEWAY)[0].url}{parts.path}?{parts.query}"
        with urlopen(place) as answer:
            return bytes(answer.read())

    def attempts(self, execution: Mapping[str, Any], node_id: str) -> int:
        """Return the attempts of a node of an execution."""
        [node] = [each for each in execution["nodes"] if each["id"] == node_id]
        return int(node["attempts"])

    def told_of(self, run: Run) -> str:
        """Return the execution of which the webhook of a run was told."""
        [told, *_] = self.target.at(f"/hook/{run.name}")
        return str(json.loads(told.body)["executionId"])


def workflow(url: str) -> Graph:
    """Return a call → a model that makes a picture → output."""
    graph = Graph("who").node("first", "httpRequest", url=f"{url}/first/{{{{ who }}}}")
    graph.node("make", "customModel", model=MODEL).node("out", "responseOutput")
    return graph.wire(
        "in.who > first.who",
        "first.response-out > make.prompt-in",
        "make.image-out > out.result-in",
    )


@contextlib.contextmanager
def running_scene(folder: Path, **environ: str) -> Iterator[Scene]:
    """Run an installation on a durable Redis of its own, with an account and a workflow."""
    server = RedisServer("--appendonly", "yes", "--appendfsync", "no")
    server.start()
    models = folder / "models"
    models.mkdir()
    (models / f"{MODEL}.toml").write_text(manifest(MODEL, category="image", call=CALL))
    with contextlib.ExitStack() as exits:
        exits.callback(server.stop)
        proxy = exits.enter_context(proxy_thread(server.url))
        target = exits.enter_context(stub_server())
        provider = {"PROVIDER_URL": target.url, "PROVIDER_KEY": "any"}
        media_url = (folder / "media").as_uri()
        known = {"HEADRACE_MODELS_DIR": str(models), "HEADRACE_MEDIA_URL": media_url}
        known |= provider | environ
        fleet = exits.enter_context(fleet_on(proxy.url, folder, is_forked=True, **known))
        scene = Scene(fleet, proxy, server.url, target)
        scene.restore()
        scene.account_id, scene.key = fleet.make_account("ada", *CAPABILITIES)
        scene.slug = fleet.save(scene.key, "Walk", workflow(target.url))
        yield scene
