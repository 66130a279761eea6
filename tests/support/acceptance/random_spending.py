"""Accounts that spend at random: nodes that fail, cancels, replays, late workers."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from engine.access.capabilities import Tier
from engine.access.tiers import Tiers, TierTerms
from engine.errors import ExecutionNotFound
from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL, NodeStatus
from engine.ids.executions import child_execution_id
from engine.store import Account, Store
from engine.store.executions.advance import Charge, Step
from engine.store.executions.claim import Lease
from engine.store.redis import keyspace
from tests.support.acceptance.http_load import Connection
from tests.support.factories import Graph
from workers.runtime.store_retries import retry_until_answered

CALL_MICRO_USD = 10_000
"""Price of a call of `echo`."""
NOBODY = "worker-of-the-past"
BUSY_SECONDS = 0.2
AT_ONCE = 8
"""Executions that are read at once."""


def line() -> Graph:
    """Return a charged node, a call that the input selects, and another charged node."""
    graph = Graph("url").node("first", "customModel", model="echo", prompt="Hello")
    retry = {"attempts": 2, "backoff": 0.02}
    graph.node("wait", "httpRequest", method="POST", url="{{ url }}", retry=retry)
    graph.node("second", "customModel", model="echo", prompt="Hello again")
    graph.node("out", "responseOutput")
    return graph.wire(
        "in.url > wait.url",
        "first.text-out > wait.body-in",
        "wait.response-out > second.params-in",
        "second.text-out > out.result-in",
    )


def fan(count: int) -> Graph:
    """Return a charged node with a call per item, beside a call that the input selects."""
    items = [{"value": f"Number {number}", "included": True} for number in range(count)]
    graph = Graph("url").node("list", "list", items=items)
    graph.node("many", "customModel", model="echo")
    graph.node("wait", "httpRequest", method="POST", url="{{ url }}")
    graph.node("out", "responseOutput")
    return graph.wire(
        "in.url > wait.url",
        "list.items-out > many.prompt-in",
        "many.text-out > out.result-in",
        "wait.response-out > out.result-in",
    )


WORKFLOWS = ((line(), {"first": 1, "second": 1}), (fan(2), {"many": 2}), (fan(5), {"many": 5}))
"""Graphs, and the calls of each charged node."""


def for_each(count: int) -> Graph:
    """Return a charged node for each item, in children, beside a call that the input selects."""
    body = Graph("prompt").node("one", "customModel", model="echo").node("end", "responseOutput")
    body.wire("in.prompt > one.prompt-in", "one.text-out > end.result-in")
    items = [{"value": f"Number {number}", "included": True} for number in range(count)]
    graph = Graph("url").node("list", "list", items=items)
    inner = {"nodes": body.nodes, "edges": body.edges}
    graph.node(EACH, "forEach", body=inner, onItemError="null")
    graph.node("wait", "httpRequest", method="POST", url="{{ url }}")
    graph.node("out", "responseOutput")
    return graph.wire(
        "in.url > wait.url",
        "list.items-out > each.prompt",
        "each.results-out > out.result-in",
        "wait.response-out > out.result-in",
    )


EACH = "each"
"""Node of `for_each` with children."""
CHILDREN = 4
WITH_CHILDREN = (*WORKFLOWS, (for_each(CHILDREN), {}))
"""These, and one whose children are charged."""
Workflows = Sequence[tuple[Graph, Mapping[str, int]]]


@dataclass
class Spender:
    """One account, its workflows and the outcomes of its runs."""

    store: Store
    account: Account
    terms: TierTerms
    url: str
    key: str
    pours: int
    """Credits of each top-up."""
    workflows: Workflows = WORKFLOWS
    slugs: list[str] = field(default_factory=list)
    topped_up: int = 0
    runs: dict[str, int] = field(default_factory=dict)
    """Workflows by execution."""
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def price(self) -> int:
        """Return the credits for a call of `echo`."""
        return int(CALL_MICRO_USD * self.terms.markup / 1_000)

    async def begin(self) -> None:
        """Save the workflows."""
        connection = await Connection(self.url, self.key).open()
        for number, (graph, _) in enumerate(self.workflows):
            body = graph.body(f"Spending {number}")
            status, answer = await connection.call("POST", "/api/workflows", body)
            assert status == 201, answer
            self.slugs.append(answer["slug"])
        await connection.close()

    async def top_up(self, draw: random.Random) -> None:
        """Add credits that expire some day, or never; now and then requested twice."""
        seconds, _ = await retry_until_answered(
            lambda: self.store.client.send("TIME"), "read the time"
        )
        days = draw.choice([None, 1, 2, 30])
        expires = None if days is None else (int(seconds) + days * 86_400) * 1_000
        operation = f"{draw.randrange(10**12)}"
        for _ in range(draw.choice([1, 2])):
            await retry_until_answered(
                lambda: self.store.wallets.top_up(
                    self.account.id, self.terms, self.pours, expires_at=expires, operation=operation
                ),
                "top up",
            )
        self.topped_up += self.pours


class Caller:
    """One caller of an account: starts runs, cancels, repeats and disturbs."""

    def __init__(self, spender: Spender, target: str, draw: random.Random) -> None:
        self._spender = spender
        self._target = target
        self._draw = draw

    async def spend(self, turns: Iterator[int]) -> None:
        """Start a run for each turn."""
        self._connection = await Connection(self._spender.url, self._spender.key).open()
        for _ in turns:
            await self._run()
        await self._connection.close()

    def _url(self) -> str:
        kinds = ["slow/0", "slow/0.02", "slow/0.05", "status/500", "large/3", "flaky/1"]
        kind = self._draw.choices(kinds, [6, 4, 2, 2, 2, 1])[0]
        return f"{self._target}/{kind}/{self._draw.randrange(10**9)}"

    async def _run(self) -> None:
        spender, draw = self._spender, self._draw
        workflow = draw.randrange(len(spender.workflows))
        waits = draw.random() < 0.6
        path = f"/api/workflows/{spender.slugs[workflow]}/run{'' if waits else '?async=true'}"
        body = {"inputs": {"url": self._url()}}
        key = f"key-{draw.randrange(10**12)}"
        for _ in range(2 if draw.random() < 0.2 else 1):
            status, answer = await self._ask(path, body, key)
            spender.statuses[status] += 1
            if "executionId" in answer:
                spender.runs[answer["executionId"]] = workflow
        if status == 202:
            await self._disturb(answer["executionId"])
        if status == 402 or draw.random() < 0.02:
            await spender.top_up(draw)

    async def _ask(self, path: str, body: Any, key: str) -> tuple[int, Any]:
        while True:
            status, answer = await self._post(path, body, idempotency_key=key)
            if status != 503:
                return status, answer
            await asyncio.sleep(BUSY_SECONDS)

    async def _post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        while True:
            try:
                return await self._connection.call("POST", path, body, **headers)
            except (asyncio.IncompleteReadError, ConnectionError):
                # the gateway was killed, or has closed a connection that was idle for too long
                await self._connection.reopen()

    async def _disturb(self, execution_id: str) -> None:
        draw, account_id, store = self._draw, self._spender.account.id, self._spender.store
        for act in draw.sample(["cancel", "hint", "late", "none"], draw.randrange(3)):
            await asyncio.sleep(draw.random() * 0.06)
            if act == "cancel":
                path = f"/api/executions/{execution_id}/cancel"
                status, _ = await self._ask(path, {}, f"key-{draw.randrange(10**12)}")
                assert status in (202, 409)
            elif act == "hint":
                reference = keyspace.reference(account_id, execution_id)
                await retry_until_answered(partial(store.hints.send, [reference]), "send a hint")
            elif act == "late":
                await self._come_late(execution_id)

    async def _come_late(self, execution_id: str) -> None:
        """Report from a worker without a lease that a node has finished, with its cost."""
        step = Step(settled=[(1, NodeStatus.COMPLETED)], charges={1: Charge(1_000, 1_000)})
        ids = self._spender.account.id, execution_id
        walks, late = self._spender.store.walks, Lease(*ids, NOBODY, 1, "t")
        await retry_until_answered(lambda: walks.advance(late, 1, step), "come late")


async def open_spenders(
    store: Store, url: str, tiers: Tiers, workflows: Workflows = WORKFLOWS
) -> list[Spender]:
    """Create a rich account, one with an allowance, and one that is always short of credits."""
    spenders = []
    for name, tier, pours in (
        ("rich", Tier.ENTERPRISE, 100_000),
        ("monthly", Tier.PRO, 2_000),
        ("short", Tier.ENTERPRISE, 40),
    ):
        account = await store.accounts.create(email=f"{name}@localhost", tier=tier)
        _, key = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
        terms = tiers.terms(tier, account.role)
        spender = Spender(store, account, terms, url, key, pours, workflows)
        await spender.begin()
        await spender.top_up(random.Random(name))
        spenders.append(spender)
    return spenders


async def check_books(spender: Spender, *, in_redis: bool = True) -> Counter[str]:
    """Check that every credit is accounted for; return the ends of runs and of charged nodes.

    `in_redis`: Redis has all runs, else none.
    """
    store, account_id = spender.store, spender.account.id
    ends: Counter[str] = Counter()
    spent = 0
    listed = await store.client.send("ZCARD", keyspace.account_executions(account_id))
    assert listed == (len(spender.runs) if in_redis else 0)
    for ids in _chunks(list(spender.runs)):
        for execution in await asyncio.gather(*(store.executions.get(account_id, i) for i in ids)):
            await check_execution(spender, execution, ends)
            spent += execution.credits_cost
    wallet = await store.wallets.get(account_id, spender.terms)
    assert await store.wallets.check(account_id) == []
    assert spender.topped_up + spender.terms.allowance - wallet.balance == spent
    assert wallet.reserved == 0
    return ends


async def check_execution(spender: Spender, execution: Execution, ends: Counter[str]) -> None:
    """Check that each charged node that finished is paid once, and no other node."""
    _, calls = spender.workflows[spender.runs[execution.id]]
    _, plan = await spender.store.workflows.plan_of(
        execution.account_id, execution.workflow_slug, execution.workflow_version
    )
    nodes = {plan.nodes[node.index].id: node for node in execution.nodes}
    for node_id, node in nodes.items():
        count = calls.get(node_id, 0) if node.status == "completed" else 0
        assert node.credits_cost == count * spender.price, (execution, node_id)
    of_children = 0 if EACH not in nodes else await check_children(spender, execution, ends)
    of_nodes = sum(node.credits_cost for node in execution.nodes)
    assert execution.credits_cost == of_nodes + of_children
    assert execution.micro_usd * spender.terms.markup == execution.credits_cost * 1_000
    if execution.result is not None:  # a run that was cancelled too late has one too
        assert {nodes[node_id].status for node_id in calls} <= {"completed"}
    ends[execution.status.value] += 1
    ends.update(f"node {nodes[node_id].status}" for node_id in calls)


async def check_children(spender: Spender, execution: Execution, ends: Counter[str]) -> int:
    """Check the children of `for_each`; return the credits that they have cost."""
    credits = 0
    for index in range(CHILDREN):
        child_id = child_execution_id(execution.id, EACH, index)
        try:
            child = await spender.store.executions.get(execution.account_id, child_id)
        except ExecutionNotFound:  # it has never begun
            continue
        assert child.status in TERMINAL
        done = sum(node.credits_cost for node in child.nodes if node.status == "completed")
        # A node that was done when the root had ended costs nothing.
        assert child.credits_cost in ({done} if child.status == "completed" else {0, done})
        assert done in (0, spender.price)
        assert child.status != "completed" or done == spender.price
        credits += child.credits_cost
        ends[f"child {child.status.value}"] += 1
    return credits


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
