"""Records as a release writes them, written to a file once, when the release is made.

Run it with the code of the release, from the folder of its tree:

    PYTHONPATH=. python PATH/tests/support/store/golden/make.py FILE

Later releases read the file and walk its executions to their end, by the tests in
`tests/workers/walk/test_walk_golden.py`. A file never changes. Use nothing here that a release may
lack.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine.access.capabilities import Role, Tier
from engine.executions.statuses import ExecutionStatus
from engine.graph.document import parse_document
from engine.graph.model_plan import model_plan
from engine.media.objects import ObjectStore
from engine.models.registry import find_model
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.telemetry.metrics import snapshot
from tests.conftest import RedisServer
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting
from tests.support.manifests import manifest
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.records import accept
from tests.support.workers.draft_runs import accept_draft, drafted
from tests.support.workers.leases import beat
from tests.support.workers.paying_account import PayingAccount, answer, fan, model_node

HOOK = "http://127.0.0.1:9/hook"
LATER = {"attempts": 3, "backoff": 60}


def chain() -> Graph:
    """Return three calls of a model, each with the answer of the one before."""
    graph = Graph("who").node("first", "assistant", model="echo", prompt="first {{ who }}")
    graph.wire("in.who > first.who")
    for former, node in (("first", "second"), ("second", "third")):
        graph.node(node, "assistant", model="echo", prompt=f"{node} {{{{ a }}}}")
        graph.wire(f"{former}.text-out > {node}.a")
    return answer(graph, "third")


class Maker:
    """Fills a store, and knows the executions by names and the results that they must have."""

    def __init__(self, store: Store, runner: Runner) -> None:
        self.store = store
        self.runner = runner
        self.account = runner.account
        self.payer = PayingAccount(runner)
        self.executions: dict[str, str] = {}
        self.results: dict[str, Any] = {}
        """Results of executions that have yet to end."""

    async def fill(self) -> dict[str, Any]:
        """Write records of all kinds; return what readers need to know of them."""
        facts = await self._make_account()
        await self._make_ended(facts["key"]["id"])
        await self._make_waiting(facts["key"]["id"])
        await self._make_walked()
        await beat(self.store, "worker-1", 1, ["OPENAI_API_KEY"])
        await self.store.snapshots.put("worker-1", snapshot())
        return facts

    async def _make_account(self) -> dict[str, Any]:
        store, account = self.store, self.account
        key, secret = await store.api_keys.create(
            account, name="golden", capabilities=["workflow:*", "webhook:receive"]
        )
        webhook = await store.webhooks.save(account.id, key.id, url=HOOK, by=account.id)
        login = await store.sessions.create_login(account.id)
        session = await store.sessions.redeem(login, user_agent="a browser", address="192.0.2.1")
        await store.secrets.save(account.id, "TOKEN", "a secret value")
        await store.models.create("own", manifest("own"), account.id)
        await store.accounts.create(email="root@example.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
        await store.wallets.top_up(account.id, self.payer.terms, 100, note="a gift")
        return {
            "account": account.id,
            "key": {"id": key.id, "secret": secret},
            "session": session,
            "webhookSecret": webhook.made_secret,
        }

    async def _make_ended(self, key_id: str) -> None:
        payer = self.payer
        await self._keep("completed", (await payer.run(chain(), {"who": "Ada"})).id)
        payer.models.failures = {"second <first Eve>": 1}
        await self._keep("failed", (await payer.run(chain(), {"who": "Eve"})).id)
        payer.models.failures = {}
        cancelled = await payer.accept(chain(), {"who": "Bob"})
        status = await self.store.executions.cancel(self.account.id, cancelled)
        assert status is ExecutionStatus.CANCELLED
        await self._keep("cancelled", cancelled)
        options = {"key_id": key_id, "webhook_url": HOOK}
        await self._keep("delivered", (await payer.run(chain(), {"who": "Joe"}, **options)).id)

    async def _make_waiting(self, key_id: str) -> None:
        """Accept executions that no worker has claimed."""
        runner, payer, names = self.runner, self.payer, {"who": "Ada"}
        slug = await runner.save(greeting())
        document = parse_document(greeting().body() | {"recordValues": "none", "tags": ["x"]})
        workflow = await self.store.workflows.get_own(self.account.id, slug)
        await self.store.workflows.revise(workflow, document)
        await self._keep("pure", await runner.begin(slug, names), None)
        await self._keep("charged", await payer.accept(chain(), {"who": "Ida"}), "Ida")
        hooked = await payer.accept(chain(), {"who": "Kim"}, key_id=key_id, webhook_url=HOOK)
        await self._keep("hooked", hooked, "Kim")
        watched = await payer.accept(chain(), {"who": "Lea"}, watcher="")
        await self._keep("watched", watched, "Lea")
        draft = await drafted(self.store, self.account, greeting())
        await self._keep("draft", await accept_draft(self.store, self.account, draft), None)
        model = find_model("echo")
        assert model is not None
        plan, inputs = model_plan(model), {"prompt": "a model"}
        run = await accept(
            self.store, self.account, None, plan, inputs, terms=payer.terms, notifier="n"
        )
        await self._keep("model", run.id, None)

    async def _make_walked(self) -> None:
        """Let a worker begin executions and die in the middle of them."""
        payer, models = self.payer, self.payer.models
        models.held = {"second <first Max>", "second <first Mia>", "many3"}
        for name, who, options in (("middle", "Max", {}), ("seen", "Mia", {"watcher": ""})):
            execution_id = await payer.begin(chain(), {"who": who}, **options)
            await self._until_called(f"second <first {who}>")
            await self._keep(name, execution_id, who)
        many = await payer.begin(answer(fan(Graph(), "many", 5), "many"))
        await self._until_called("many3")
        await self._until_recorded(many, "answer_batches")
        await self._keep("items", many, None)
        models.failures = {"again": 1}
        again = await payer.begin(answer(model_node(Graph(), "again", retry=LATER), "again"))
        await self._until_recorded(again, "n0", "statuses", b"t")
        await self._keep("retrying", again, None)
        lost = await payer.accept(chain(), {"who": "Tim"})
        await self.store.walks.claim(payer.reference(lost), "worker-2")
        await self.store.walks.give_back(payer.reference(lost), "worker-2", is_lost=True)
        await self._keep("given back", lost, "Tim")

    async def _keep(self, name: str, execution_id: str, who: str | None = None) -> None:
        self.executions[name] = execution_id
        if who is not None:
            self.results[name] = who

    async def _until_called(self, prompt: str) -> None:
        async def calls() -> list[str]:
            return self.payer.models.calls

        await eventually(calls, lambda found: prompt in found)

    async def _until_recorded(
        self, execution_id: str, field: str, other: str = "", word: bytes = b""
    ) -> None:
        async def record() -> dict[str, bytes]:
            return await self.store.walks.records(self.account.id, execution_id)

        await eventually(
            record, lambda found: field in found and word in found.get(other or field, b"")
        )


async def dump(store: Store) -> list[list[Any]]:
    """Return name, type, value and whether it expires of each key, bytes as Latin-1."""
    reads: dict[bytes, tuple[Any, ...]] = {
        b"string": ("GET",),
        b"stream": ("XRANGE", "-", "+"),
        b"hash": ("HGETALL",),
        b"set": ("SMEMBERS",),
        b"list": ("LRANGE", 0, -1),
        b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    }
    rows = []
    for key in sorted(await store.client.send("KEYS", "*")):
        kind = await store.client.send("TYPE", key)
        command, *rest = reads[kind]
        value = await store.client.send(command, key, *rest)
        if isinstance(value, dict):
            value = sorted(map(list, value.items()))
        if isinstance(value, set):
            value = sorted(value)
        expires = await store.client.send("PTTL", key) > 0
        rows.append([_text(key), kind.decode(), _text(value), expires])
    return rows


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list | tuple):
        return [_text(each) for each in value]
    return value


async def write(url: str, folder: Path, path: Path) -> None:
    """Fill a store of this release, and write it to the file."""
    settings = Settings(
        redis_url=url,
        allow_private_urls=True,
        cpu_slots=1,
        secret_key=SECRET_KEY,
        media_url=folder.as_uri(),
        media_free_bytes=0,
    )
    store = Store.open(settings, ObjectStore.from_settings(settings))
    account = await store.accounts.create(email="ada@example.com", tier=Tier.PRO)
    async with CompletionNotifier.open(store.address) as notifier:
        maker = Maker(store, Runner(store, account, notifier))
        facts = await maker.fill()
        rows = await dump(store)
    content = {**facts, "executions": maker.executions, "who": maker.results, "keys": rows}
    text = json.dumps(content, ensure_ascii=True, indent=0, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
    await maker.payer.held_walker.walker.drain(0)
    await store.close()


def main(path: Path) -> None:
    """Write the file, with a server of its own."""
    server = RedisServer()
    try:
        server.start()
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(write(server.url, Path(folder), path))
    finally:
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
