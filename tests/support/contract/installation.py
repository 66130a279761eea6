"""The installation under test: an existing one, or a stack that was started for the tests."""

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import httpx2

from deploy.output.problems import CommandFailed
from deploy.stack.store_access import with_store
from engine.access.capabilities import Role, Tier
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.accounts.api_keys import pack_key
from engine.store.redis import keyspace
from engine.store.waits import keys as wait_keys
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.documents import edge, node

T = TypeVar("T")

ALL = ("workflow:*", "webhook:receive", "execution:*")
TERMINAL = {"completed", "failed", "cancelled"}
NEVER = {
    "url": "https://nobody.invalid/",
    "retry": {"attempts": 10, "backoff": 60},
}
"""Settings of a call that fails, and is retried after a minute."""


class Caller:
    """A client of one account, which runs, saves and removes its resources afterwards."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client
        self._saved: list[str] = []

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send a request; after a rate limit's refusal, send it again when allowed."""
        while (answer := self.client.request(method, path, **options)).status_code == 429:
            time.sleep(answer.json()["retryAfter"])
        return answer

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        """POST some JSON."""
        return self.request("POST", path, json=body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        """PUT some JSON."""
        return self.request("PUT", path, json=body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        """PATCH some JSON."""
        return self.request("PATCH", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> httpx2.Response:
        """DELETE."""
        return self.request("DELETE", path, **options)

    def create(self, document: dict[str, Any]) -> httpx2.Response:
        """POST a workflow; it is deleted when the test is over."""
        answer = self.post("/api/workflows", document)
        if answer.status_code == 201:
            self._saved.append(answer.json()["slug"])
        return answer

    def save(self, document: dict[str, Any]) -> str:
        """Save a workflow; return its slug."""
        answer = self.create(document)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["slug"])

    def run(
        self, slug: str, inputs: Any = None, query: str = "", **options: Any
    ) -> httpx2.Response:
        """Run a workflow."""
        body = {"inputs": {} if inputs is None else inputs}
        return self.post(f"/api/workflows/{slug}/run{query}", body, **options)

    def run_model(
        self, name: str, inputs: Any = None, query: str = "", **options: Any
    ) -> httpx2.Response:
        """Run a model."""
        body = {"inputs": {} if inputs is None else inputs}
        return self.post(f"/api/models/{name}/run{query}", body, **options)

    def start(self, slug: str, inputs: Any = None) -> str:
        """Run without waiting; return the execution's id."""
        answer = self.run(slug, inputs, "?async=true")
        assert answer.status_code == 202, answer.text
        return str(answer.json()["executionId"])

    def execution(self, execution_id: str) -> Any:
        """Return an execution."""
        return self.get(f"/api/executions/{execution_id}").json()

    def ended(self, execution_id: str, seconds: float = PATIENCE_SECONDS) -> Any:
        """Return an execution once it has ended."""
        return until(
            lambda: self.execution(execution_id),
            lambda found: found["status"] in TERMINAL,
            timeout=seconds,
        )

    def result(self, nodes: list[Any], edges: list[Any], inputs: Any = None) -> Any:
        """Return the answer of a workflow of these nodes and edges."""
        answer = self.run(self.save(workflow(nodes, edges)), inputs)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def clean(self) -> None:
        """Cancel running executions and delete saved workflows."""
        for slug in self._saved:
            found = self.get(f"/api/executions?workflowSlug={slug}&status=processing").json()
            for row in found["rows"]:
                self.post(f"/api/executions/{row['executionId']}/cancel")
            self.delete(f"/api/workflows/{slug}?force=true")
        self._saved.clear()


class Administration:
    """Operations that only the operator of the installation can do."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._clients: list[httpx2.Client] = []
        self.url = stack.url

    def account(self, tier: str = "pro", *, role: str = "user", approved: bool = True) -> str:
        """Create an account; return its id."""

        async def work(store: Store) -> str:
            made = await store.accounts.create(
                email="eve@example.org", tier=Tier(tier), role=Role(role), approved=approved
            )
            return made.id

        return self._with_store(work)

    def move(self, account_id: str, tier: str) -> None:
        """Move an account to another tier."""
        self._with_store(lambda s: s.accounts.set_tier(account_id, Tier(tier)))

    def top_up(self, account_id: str, tier: str, credits: int) -> None:
        """Give an account credits that do not expire."""

        async def work(store: Store) -> None:
            terms = store.tiers.terms(Tier(tier), Role.USER)
            await store.wallets.top_up(account_id, terms, credits)

        self._with_store(work)

    def key(self, account_id: str, *capabilities: str) -> str:
        """Create a key; return its secret."""

        async def work(store: Store) -> str:
            account = await store.accounts.get(account_id)
            _, secret = await store.api_keys.create(
                account, name="contract", capabilities=capabilities or ALL
            )
            return secret

        return self._with_store(work)

    def old_key(self, account_id: str, *capabilities: str) -> str:
        """Create a key that has just these capabilities, as one of an older version."""

        async def work(store: Store) -> str:
            account = await store.accounts.get(account_id)
            made, secret = await store.api_keys.create(account, name="old", capabilities=ALL)
            older = replace(made, capabilities=capabilities)
            partition = partition_of(account_id)
            digest = tokens.digest(secret)
            await store.client.send("HSET", keyspace.api_keys(partition), digest, pack_key(older))
            return secret

        return self._with_store(work)

    def pretend_waits(self, account_id: str, count: int) -> None:
        """Write that so many executions of an account wait."""
        entries = [each for number in range(count) for each in (f"of a test {number}", 1)]
        self._with_store(lambda s: s.client.send("HSET", wait_keys.waits(account_id), *entries))

    def caller(self, tier: str = "pro", *capabilities: str, **account: Any) -> Caller:
        """Return a client with a key of a new account."""
        return self.with_key(self.key(self.account(tier, **account), *capabilities))

    def with_key(self, secret: str) -> Caller:
        """Return a client with this key."""
        return Caller(self._open({"x-api-key": secret}))

    def browser(self, account_id: str) -> Caller:
        """Return a browser that is signed in and shows one of our pages."""
        browser = Caller(self._open({"origin": self.url}))
        answer = browser.client.post(self.login_path(account_id))
        assert answer.status_code == 303, answer.text
        return browser

    def login_path(self, account_id: str) -> str:
        """Return a path that signs a browser in, once."""
        token = self._with_store(lambda s: s.sessions.create_login(account_id))
        return f"/login?token={token}"

    def _with_store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Work with the store; on a busy machine it may be silent for a moment."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return with_store(self._stack.data_dir, work)
            except CommandFailed:
                if time.monotonic() > deadline:
                    raise

    def _open(self, headers: dict[str, str]) -> httpx2.Client:
        client = open_client(self.url, headers)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()


def open_client(url: str, headers: dict[str, str]) -> httpx2.Client:
    """Open a client of the installation."""
    return httpx2.Client(base_url=url, headers=headers, timeout=30, trust_env=False)


def workflow(nodes: list[Any], edges: list[Any], **members: Any) -> dict[str, Any]:
    """Return a document."""
    return {"name": "Contract", "nodes": nodes, "edges": edges, **members}


def form(*fields: dict[str, Any], **data: Any) -> dict[str, Any]:
    """Return a Request Input."""
    return node("in", "requestInput", fields=list(fields), **data)


def field(name: str, kind: str, **members: Any) -> dict[str, Any]:
    """Return a field of a Request Input."""
    return {"name": name, "label": name.title(), "type": kind, **members}


def params(*fields: dict[str, Any], **data: Any) -> dict[str, Any]:
    """Return a workflow that answers with the fields that are neither text nor media."""
    nodes = [form(*fields, **data), node("out", "responseOutput")]
    return workflow(nodes, [edge("in", "params", "out", "result-in")])


def never() -> dict[str, Any]:
    """Return a workflow that does not end by itself soon."""
    nodes = [node("call", "httpRequest", **NEVER), node("out", "responseOutput")]
    return workflow(nodes, [edge("call", "response-out", "out", "result-in")])


def asking(model: str, count: int = 1) -> dict[str, Any]:
    """Return a workflow that sends a text to a model, and its answer to the next node."""
    models = [f"m{number}" for number in range(count)]
    nodes = [
        form(field("prompt", "text", required=True)),
        *(node(name, "customModel", model=model) for name in models),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "prompt", "m0", "prompt-in"),
        *(edge(a, "text-out", b, "prompt-in") for a, b in pairwise(models)),
        edge(models[-1], "text-out", "out", "result-in"),
    ]
    return workflow(nodes, edges)


def failing(**data: Any) -> dict[str, Any]:
    """Return a workflow whose expression fails at run time."""
    nodes = [
        node("text", "textBox", text="a"),
        node("sum", "transform", expression="value.missing", **data),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("text", "text-out", "sum", "value-in"),
        edge("sum", "value-out", "out", "result-in"),
    ]
    return workflow(nodes, edges)


def cleaned(caller: Caller) -> Iterator[Caller]:
    """Yield the caller for one test."""
    yield caller
    caller.clean()
