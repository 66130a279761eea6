"""An installation with records of all kinds, a backup of it under load, and its comparison."""

import json
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from deploy.net.http_client import call
from tests.conftest import RedisServer
from tests.support.acceptance.callers import make_caller
from tests.support.acceptance.callers import save as save_greeting
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.documents import get
from tests.support.acceptance.gated_server import Gate
from tests.support.acceptance.running_stack import HEADRACE, RunningStack, environment, until
from tests.support.contract.installation import (
    Caller,
    asking,
    failing,
    never,
    open_client,
    workflow,
)
from tests.support.factories import greeting
from tests.support.gateway.documents import edge, node
from tests.support.http.echo_server import EchoServer
from tests.support.media.files import png

SECRET = "canary-4711-of-the-backup"
LOADED = 3
"""Callers that run workflows while the backup is taken."""


class Installation:
    """One installation: its quiet account with records of all kinds, and a busy one."""

    def __init__(self, stack: RunningStack, gate: Gate, echo: EchoServer) -> None:
        self.data_dir = stack.data_dir
        self.gate, self.echo = gate, echo
        self.account, self.key = make_caller(stack, "quiet")
        self.busy_account, self.busy_key = make_caller(stack, "busy")
        json_of(stack, "account", "credit", self.busy_account, str(10**9))
        self.ended: list[str] = []
        """Executions that ended before the backup."""
        with open_client(stack.url, {"x-api-key": self.key}) as client:
            caller = Caller(client)
            self._make_settings(stack, caller, echo)
            self.asset = self._upload(caller)
            self._run(caller)
            self.waiting = caller.start(caller.save(waiting(gate)))
            """Execution of two calls, of which the first waits while the backup is taken."""
            until(lambda: gate.counts["/wait"] == 1)
            self.retrying = caller.start(caller.save(never()))
            """Execution that waits for its next attempt."""
        until(lambda: archived(stack) >= len(self.ended))
        self.facts = read_facts(stack, self)

    def _make_settings(self, stack: RunningStack, caller: Caller, echo: EchoServer) -> None:
        """Make a secret, a workflow that uses it, a draft and a webhook."""
        json_of(stack, "account", "credit", self.account, "1000", "--note", "before")
        set_secret(stack, self.account)
        auth = {"type": "bearer", "secret": "TOKEN"}
        nodes = [
            node("call", "httpRequest", url=f"{echo.url}/json", auth=auth),
            node("out", "responseOutput"),
        ]
        self.secret_slug = caller.save(
            workflow(nodes, [edge("call", "response-out", "out", "result-in")])
        )
        draft = caller.post(
            "/api/workflows", workflow([node("out", "responseOutput")], [], name="D", draft=True)
        )
        assert draft.status_code == 201, draft.text
        self.draft_slug = draft.json()["slug"]
        preset = ("--preset", "Run with webhooks")
        made = json_of(stack, "key", "create", "--account", self.account, *preset)
        hook = {"HEADRACE_ALLOW_PRIVATE_URLS": "1"}
        json_of(stack, "key", "webhook", made["id"], "--url", f"{echo.url}/text", **hook)
        self.hooked_key = str(made["key"])

    def _upload(self, caller: Caller) -> str:
        headers = {"content-type": "image/png"}
        answer = caller.request("POST", "/api/assets", content=png(), headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def _run(self, caller: Caller) -> None:
        """Make executions that complete, fail and are cancelled."""
        completes, fails = save_as(caller, "Completes"), caller.save(failing())
        begun = [caller.start(completes, {"who": f"Ada {number}"}) for number in range(20)]
        begun += [caller.start(fails), caller.start(self.secret_slug)]
        tagged = {"inputs": {"who": "Eve"}, "tags": ["nightly"]}
        path = f"/api/workflows/{completes}/run?async=true"
        begun.append(caller.post(path, tagged).json()["executionId"])
        stopped = caller.start(caller.save(never()))
        assert caller.post(f"/api/executions/{stopped}/cancel").status_code in (200, 202)
        with open_client(str(caller.client.base_url), {"x-api-key": self.hooked_key}) as hooked:
            begun.append(Caller(hooked).start(completes, {"who": "Eve"}))
        for each in (*begun, stopped):
            caller.ended(each)
            self.ended.append(each)
        self.batch = self._run_batch(caller, completes)
        self.triggers = self._make_triggers(caller, completes)

    def _run_batch(self, caller: Caller, slug: str) -> str:
        """Make a batch that completes; return its id."""
        items = [{"inputs": {"who": f"Bob {number}"}} for number in range(3)]
        started = caller.post(f"/api/workflows/{slug}/batch", {"items": items, "tags": ["many"]})
        assert started.status_code == 202, started.text
        path = f"/api/batches/{started.json()['batchId']}"
        until(lambda: caller.get(path).json()["completedAt"])
        rows = caller.get(f"{path}/items").json()["rows"]
        self.ended += [row["executionId"] for row in rows]
        return path

    def _make_triggers(self, caller: Caller, slug: str) -> list[str]:
        """Make a schedule, and an inbound webhook with an event that starts a run."""
        common = {"workflowSlug": slug, "name": "Trigger"}
        schedule = {"kind": "schedule", "cron": "@yearly", "inputs": {"who": "Ada"}}
        hook = {"kind": "webhook", "verify": {"kind": "none"}}
        made = [caller.post("/api/triggers", common | kind) for kind in (schedule, hook)]
        assert [each.status_code for each in made] == [201, 201], [each.text for each in made]
        self.hook_path = urlsplit(made[1].json()["url"]).path
        started = send_event(str(caller.client.base_url).rstrip("/"), self)
        assert started[0] == 202, started
        self.started_by_event = str(started[1]["executionId"])
        caller.ended(self.started_by_event)
        self.ended.append(self.started_by_event)
        paths = [f"/api/triggers/{each.json()['id']}" for each in made]
        [row] = caller.get(f"{paths[1]}/occurrences").json()["rows"]
        assert row["executionId"] == self.started_by_event
        return paths


def send_event(url: str, made: Installation) -> tuple[int, Any]:
    """Send the one event of the inbound webhook; return the answer."""
    body, headers = {"who": "Eve"}, {"webhook-id": "event-1"}
    answer = httpx2.post(url + made.hook_path, json=body, headers=headers)
    return answer.status_code, answer.json()


def set_secret(stack: RunningStack, account: str) -> None:
    words = ("secret", "set", "TOKEN", "--account", account, "--data-dir", str(stack.data_dir))
    subprocess.run([*HEADRACE, *words], input=SECRET, env=environment(), text=True, check=True)


def save_as(caller: Caller, name: str) -> str:
    return caller.save(greeting().body() | {"name": name})


def waiting(gate: Gate) -> dict[str, Any]:
    """Return a workflow with a call that waits, and one after it."""
    nodes = [
        get("first", f"{gate.url}/wait"),
        get("second", f"{gate.url}/then-{{{{ seen }}}}"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("first", "response-out", "second", "seen"),
        edge("second", "response-out", "out", "result-in"),
    ]
    return workflow(nodes, edges, name="Waits")


def archived(stack: RunningStack) -> int:
    return int(json_of(stack, "history", "status")["executions"])


def read_facts(stack: RunningStack, made: Installation) -> dict[str, Any]:
    """Return what the quiet account sees of its records."""
    paths = [f"/api/executions/{each}" for each in made.ended]
    paths += [f"/api/workflows/{slug}" for slug in (made.secret_slug, made.draft_slug)]
    paths += [f"/api/workflows/{made.draft_slug}?draft=true", "/api/whoami", "/api/assets"]
    paths += ["/api/executions?status=completed&limit=100", "/api/executions?status=failed"]
    paths += ["/api/executions?tag=nightly", "/api/executions?tag=many", "/api/deliveries"]
    paths += ["/api/triggers", *made.triggers, *(f"{each}/occurrences" for each in made.triggers)]
    paths += [f"/api/executions?triggerId={each.rpartition('/')[2]}" for each in made.triggers]
    paths += ["/api/batches", made.batch, f"{made.batch}/items"]
    facts = {path: unlinked(call("GET", stack.url + path, key=made.key)) for path in paths}
    for words in (
        ("ledger", "show", made.account, "--limit", "500"),
        ("key", "list", "--account", made.account),
        ("secret", "list", "--account", made.account),
        ("audit", "--limit", "500"),
    ):
        facts[" ".join(words)] = json_of(stack, *words)
    accounts = json_of(stack, "account", "list")
    facts["account"] = [row for row in accounts if row["id"] == made.account]
    return facts


def unlinked(answer: tuple[int, Any]) -> tuple[int, Any]:
    """Return an answer without links, which name the port and end."""
    text = json.dumps(answer[1])
    return answer[0], json.loads(text, object_hook=_without_links)


def _without_links(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if not str(value).startswith("http")}


class Load:
    """Runs of the busy account, which cost credits, made while the context lasts."""

    def __init__(self, stack: RunningStack, made: Installation) -> None:
        self._url = stack.url
        self._key = made.busy_key
        self._slug = save_greeting(stack, made.busy_key, "Busy", asking("echo"))
        self._stopped = threading.Event()
        self.accepted: list[str] = []
        """Ids of the executions, in the order of their acceptance by one caller each."""
        self._threads = [threading.Thread(target=self._call) for _ in range(LOADED)]

    def _call(self) -> None:
        with open_client(self._url, {"x-api-key": self._key}) as client:
            while not self._stopped.is_set():
                body = {"inputs": {"prompt": "Ada"}}
                answer = client.post(f"/api/workflows/{self._slug}/run?async=true", json=body)
                if answer.status_code == 202:
                    self.accepted.append(answer.json()["executionId"])

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def load(stack: RunningStack, made: Installation) -> Iterator[Load]:
    """Run the load while the context lasts."""
    running = Load(stack, made)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def loaded_dump(backup: Path, folder: Path) -> Iterator[str]:
    """Yield the address of a server with the state of Redis that a backup holds."""
    folder.mkdir()
    with zipfile.ZipFile(backup) as file:
        (folder / "dump.rdb").write_bytes(file.read("redis/0.rdb"))
    server = RedisServer("--dbfilename", "dump.rdb", is_marked=False)
    server.start(folder)
    try:
        yield server.url
    finally:
        server.stop()


def copy_data(made: Installation, data_dir: Path, *, key: bool = True, media: bool = True) -> None:
    """Make a new data directory with what an operator copies by hand."""
    data_dir.mkdir(parents=True)
    if key:
        shutil.copy(made.data_dir / "secret.key", data_dir)
    if media:
        shutil.copytree(made.data_dir / "media", data_dir / "media")
