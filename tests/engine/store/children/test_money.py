"""Children are paid for by their root: exactly once, within its cap, and never after its end."""

import random
from collections import Counter
from typing import Any

import pytest

from engine.access.tiers import TierTerms
from engine.errors import GrantExhausted
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.document import parse_document
from engine.models.manifest import Trial
from engine.store import Account, Store
from engine.store.children.records import ChildCharge
from engine.store.executions.advance import Charge, Step, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis import keyspace
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested import each_row
from tests.support.store.child_runs import ChildRuns
from tests.support.store.records import accept

TOP_UP = 1_000


class Payer:
    """Charges nodes of a root and of its children."""

    def __init__(self, runs: ChildRuns, terms: TierTerms) -> None:
        self.runs = runs
        self.store = runs.store
        self.terms = terms
        self.charge = ChildCharge(models=["painter"], terms=terms, trials={})
        self.steps: Counter[str] = Counter()

    async def balance(self) -> int:
        wallet = await self.store.wallets.get(self.runs.account.id, self.terms)
        return wallet.balance

    async def step(self, walk: ClaimedExecution, /, **members: Any) -> Verdict:
        """Record the next step of a claim, twice as after a lost reply; return its verdict."""
        number = self.steps[walk.reference] + 1
        members.setdefault("slug", self.runs.workflow.slug)
        verdicts = [
            (await self.store.walks.advance(walk.lease, number, Step(**members))).verdict
            for _ in range(2)
        ]
        assert verdicts[0] is verdicts[1] or verdicts[0] is not Verdict.OK
        self.steps[walk.reference] += verdicts[0] is Verdict.OK
        return verdicts[0]

    async def claim_node(self, claimed: ClaimedExecution, node: int, credits: int) -> Verdict:
        return await self.step(claimed, claimed=[node], reservations={node: credits})

    async def charge_node(self, claimed: ClaimedExecution, node: int, credits: int) -> Verdict:
        charges = {node: Charge(credits, credits * 700)}
        return await self.step(claimed, settled=[(node, NodeStatus.COMPLETED)], charges=charges)

    async def end(self, claimed: ClaimedExecution) -> Verdict:
        return await self.step(claimed, end=ExecutionStatus.FAILED)

    async def numbers(self, execution_id: str) -> dict[str, int]:
        """Return the credits on the record of an execution."""
        record = await self.runs.record(execution_id)
        reserved = record.get("reserved", b"").decode()
        return {
            "reserved": sum(int(each.split("=")[1]) for each in reserved.split(",") if each),
            "of_children": int(record.get("children_reserved", 0)),
            "spent": int(record.get("spent", 0)),
            "usd": int(record.get("usd", 0)),
        }

    async def captures(self) -> Counter[tuple[str | None, str | None, int | None]]:
        """Return the captured credits by execution, child and node."""
        page = await self.store.wallets.entries(self.runs.account.id, 10_000)
        found: Counter[tuple[str | None, str | None, int | None]] = Counter()
        for each in page.entries:
            if each.kind == "capture":
                found[each.execution_id, each.child_id, each.node] -= each.reserved
        return found


@pytest.fixture
async def payer(runs: ChildRuns, store: Store, account: Account) -> Payer:
    payer = Payer(runs, store.tiers.terms(account.tier, account.role))
    await store.wallets.top_up(account.id, payer.terms, TOP_UP)
    payer.steps[runs.parent.reference] = 1
    return payer


async def test_a_child_reserves_and_spends_credits_of_its_root(
    payer: Payer, runs: ChildRuns
) -> None:
    before = await payer.balance()
    await runs.open(3)
    await runs.begin(0, 1, charge=payer.charge)
    first, second = [await runs.claim_child(index) for index in (0, 1)]
    root, child = runs.root_id, runs.child_id(0)

    assert await payer.claim_node(first, 0, 100) is Verdict.OK
    assert await payer.numbers(root) == {"reserved": 100, "of_children": 100, "spent": 0, "usd": 0}
    assert await payer.charge_node(first, 0, 60) is Verdict.OK
    assert await payer.claim_node(second, 0, 30) is Verdict.OK
    expected = {"reserved": 40, "of_children": 30, "spent": 60, "usd": 42_000}
    assert await payer.numbers(root) == expected
    own = await payer.numbers(child)
    assert (own["spent"], own["usd"], own["reserved"]) == (60, 42_000, 0)
    assert await payer.captures() == {(root, child, 0): 60}

    assert await payer.end(second) is Verdict.OK
    assert (await payer.numbers(root))["of_children"] == 0
    assert await runs.store.wallets.check(runs.account.id) == []
    assert await payer.end(runs.parent) is Verdict.OK
    assert await payer.balance() == before - 60
    assert await runs.store.wallets.check(runs.account.id) == []
    execution = await runs.store.executions.get(runs.account.id, root)
    assert (execution.credits_cost, execution.model_ids) == (60, ("painter",))
    assert execution.markup == payer.terms.markup


@pytest.mark.A32
async def test_the_cap_of_the_root_binds_its_children(
    payer: Payer, runs: ChildRuns, store: Store
) -> None:
    key = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("HSET", key, "cap", 80)
    await runs.open(2)
    await runs.begin(0, 1, charge=payer.charge)
    first, second = [await runs.claim_child(index) for index in (0, 1)]

    assert await payer.claim_node(first, 0, 50) is Verdict.OK
    assert await payer.claim_node(second, 0, 31) is Verdict.OVER
    assert await payer.claim_node(second, 0, 30) is Verdict.OK
    assert await payer.charge_node(first, 0, 50) is Verdict.OK
    assert await payer.claim_node(first, 1, 1) is Verdict.OVER
    assert await payer.claim_node(runs.parent, 1, 1) is Verdict.OVER


@pytest.mark.A32
async def test_a_balance_that_does_not_cover_an_item_refuses_it_alone(
    payer: Payer, runs: ChildRuns
) -> None:
    balance = await payer.balance()
    await runs.open(2)
    await runs.begin(0, 1, charge=payer.charge)
    first, second = [await runs.claim_child(index) for index in (0, 1)]

    assert await payer.claim_node(first, 0, balance) is Verdict.OK
    assert await payer.claim_node(second, 0, 1) is Verdict.INSUFFICIENT
    assert await payer.end(first) is Verdict.OK
    assert await payer.claim_node(second, 0, 1) is Verdict.OK


async def test_nothing_is_charged_once_the_root_has_ended(
    payer: Payer, runs: ChildRuns, store: Store
) -> None:
    before = await payer.balance()
    await runs.open(2)
    await runs.begin(0, 1, charge=payer.charge)
    first, second = [await runs.claim_child(index) for index in (0, 1)]
    await payer.claim_node(first, 0, 100)
    await payer.claim_node(second, 0, 100)
    assert await payer.end(runs.parent) is Verdict.OK
    assert await payer.balance() == before

    assert await payer.charge_node(first, 0, 60) is Verdict.CLOSED
    assert (await runs.record(runs.child_id(0)))["statuses"].startswith(b"r")
    assert await payer.claim_node(first, 1, 1) is Verdict.CANCEL
    assert await payer.step(first, end=ExecutionStatus.CANCELLED) is Verdict.OK
    root = await runs.record(runs.root_id)
    key = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("DEL", key)  # it has gone to the history
    await store.executions.cancel(runs.account.id, runs.child_id(1))

    assert int(root["usd"]) == 0
    assert not await store.client.send("EXISTS", key)
    assert await payer.balance() == before
    assert await payer.captures() == {}
    assert await store.wallets.check(runs.account.id) == []


async def test_nodes_that_complete_while_the_root_is_being_cancelled_are_charged(
    payer: Payer, runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.begin(0, charge=payer.charge)
    first = await runs.claim_child(0)
    await payer.claim_node(first, 0, 100)
    status = await store.executions.cancel(runs.account.id, runs.root_id)
    assert status is ExecutionStatus.CANCEL_REQUESTED

    assert await payer.charge_node(first, 0, 60) is Verdict.OK
    assert await payer.step(runs.parent, end=ExecutionStatus.CANCELLED) is Verdict.OK

    assert await payer.captures() == {(runs.root_id, runs.child_id(0), 0): 60}
    assert await store.wallets.check(runs.account.id) == []


@pytest.mark.parametrize("seed", range(12))
async def test_the_ledger_is_exact_whatever_happens(
    payer: Payer, runs: ChildRuns, store: Store, seed: int
) -> None:
    draw = random.Random(seed)
    before = await payer.balance()
    await runs.open(6, on_error="skip")
    await runs.begin(*range(6), charge=payer.charge)
    walks = {runs.child_id(index): await runs.claim_child(index) for index in range(6)}
    walks[runs.root_id] = runs.parent
    charged: Counter[tuple[str | None, str | None, int | None]] = Counter()
    running: dict[tuple[str, int], int] = {}
    begun = {(runs.root_id, 0)}
    for _ in range(60):
        name = draw.choice(sorted(walks))
        node = draw.randrange(2)
        claimed, credits = walks[name], draw.randrange(0, 90)
        match draw.choice(["claim", "claim", "charge", "charge", "end"]):
            case "claim" if (name, node) not in begun:
                if await payer.claim_node(claimed, node, credits) is Verdict.OK:
                    begun.add((name, node))
                    running[name, node] = credits
            case "charge" if (name, node) in running:
                paid = min(credits, running.pop((name, node)))
                assert await payer.charge_node(claimed, node, paid) is Verdict.OK
                child = None if name == runs.root_id else name
                charged[runs.root_id, child, node] += paid
            case "end" if name != runs.root_id:
                assert await payer.end(claimed) is Verdict.OK
                del walks[name]
                running = {key: value for key, value in running.items() if key[0] != name}
        children = sum(value for (name, _), value in running.items() if name != runs.root_id)
        numbers = await payer.numbers(runs.root_id)
        assert numbers["of_children"] == children
        assert numbers["spent"] == charged.total()
        assert numbers["reserved"] >= sum(running.values())
        assert await store.wallets.check(runs.account.id) == []
    assert await payer.end(runs.parent) is Verdict.OK
    assert await payer.balance() == before - charged.total()
    assert await payer.captures() == +charged
    assert await store.wallets.check(runs.account.id) == []


async def test_a_trial_is_used_once_for_all_children_of_a_root(
    payer: Payer, runs: ChildRuns, store: Store
) -> None:
    charge = ChildCharge(models=["painter"], terms=payer.terms, trials={"painter": Trial(runs=1)})
    wallet = keyspace.wallet(runs.account.id)
    await runs.open(3)

    assert await runs.begin(0, charge=charge) == [0]
    assert await runs.begin(0, 1, charge=charge) == [0, 1]
    assert await store.client.send("HGET", wallet, "g:painter") == b"r1"
    root = await runs.record(runs.root_id)
    assert (root["tried"], root["trials"]) == (b"painter", b"painter")
    first = await runs.claim_child(0)
    assert await payer.claim_node(first, 0, 0) is Verdict.OK
    charges = {0: Charge(0, 500, "painter")}
    settled = [(0, NodeStatus.COMPLETED)]
    assert await payer.step(first, settled=settled, charges=charges) is Verdict.OK
    await payer.end(runs.parent)
    assert await store.client.send("HGET", wallet, "g:painter") == b"r1"

    await runs.begin_root()
    await runs.open(1)
    with pytest.raises(GrantExhausted):
        await runs.begin(0, charge=charge)
    assert (await runs.group()).states == "q"


async def test_a_trial_without_a_completed_node_is_given_back(
    payer: Payer, runs: ChildRuns, store: Store
) -> None:
    charge = ChildCharge(models=["painter"], terms=payer.terms, trials={"painter": Trial(runs=1)})
    await runs.open(1)
    assert await runs.begin(0, charge=charge) == [0]

    await payer.end(runs.parent)

    wallet = keyspace.wallet(runs.account.id)
    assert await store.client.send("HGET", wallet, "g:painter") == b"r0"


@pytest.mark.parametrize(("graph", "cap"), [(each_row(), b"5"), (greeting(), None)])
async def test_the_cap_of_a_run_is_recorded_where_children_may_be_charged(
    store: Store, account: Account, graph: Graph, cap: bytes | None
) -> None:
    document = parse_document(graph.body())
    slug = (await store.workflows.create(account.id, document, [])).slug
    workflow, plan = await store.workflows.plan(slug)
    assert plan is not None

    accepted = await accept(store, account, workflow, plan, {"who": "Ada"}, max_credits=5)

    key = keyspace.execution(account.id, accepted.id)
    assert await store.client.send("HGET", key, "cap") == cap
