"""No run without credits for it, however many start at the same moment."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.acceptance.connections import server_of
from tests.support.acceptance.http_load import Connection
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.eventually import eventually
from tests.support.factories import Graph

CALLERS = 50
ROUNDS = int(os.environ.get("ROUNDS", "500"))
PRICE = 11
"""Credits for one call of `echo`, 0.010 USD, for an Enterprise account, whose markup is 1.1."""
TERMS = load().terms(Tier.ENTERPRISE, Role.USER)


class Watch:
    """Polls a wallet over a connection of its own."""

    def __init__(self, redis_url: str, account_id: str) -> None:
        self._store = Store.open(Settings(redis_url=redis_url))
        self._key = keyspace.wallet(account_id)
        self.looks = 0
        self.lowest = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            wallet = await self._store.client.send("HGETALL", self._key)
            buckets = [int(left) for name, left in wallet.items() if name.startswith(b"b:")]
            self.lowest = min(self.lowest, *buckets, sum(buckets)) if buckets else self.lowest
            self.looks += 1

    @asynccontextmanager
    async def all_the_while(self) -> AsyncIterator["Watch"]:
        task = asyncio.create_task(self.run())
        yield self
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._store.close()


async def make_account(store: Store) -> tuple[Account, str]:
    """Create an account without an allowance or a rate limit; return it and its key."""
    account = await store.accounts.create(email="a@localhost", tier=Tier.ENTERPRISE)
    rights = ["workflow:*", "model:*"]
    _, secret = await store.api_keys.create(account, name="k", capabilities=rights)
    return account, secret


async def save_model_workflow(connection: Connection) -> str:
    """Save a workflow with one charged node; return the path of its runs."""
    graph = Graph().node("model", "customModel", model="echo", prompt="Hello")
    graph.node("out", "responseOutput").wire("model.text-out > out.result-in")
    status, answer = await connection.call("POST", "/api/workflows", graph.body("Charged"))
    assert status == 201, answer
    return f"/api/workflows/{answer['slug']}/run?async=true"


async def ask_together(callers: list[Connection], path: str) -> list[tuple[int, dict[str, object]]]:
    """Return the answers to requests whose last bytes were sent together."""
    for caller in callers:
        caller.hold("POST", path, {"inputs": {"prompt": "Hello"}})
    await asyncio.sleep(0)  # the last bytes go out
    for caller in callers:
        caller.release()
    return await asyncio.gather(*(caller.answer() for caller in callers))


async def open_callers(stack: RunningStack, key: str) -> list[Connection]:
    """Open connections, half of them to either gateway."""
    gateways = stack.part("gateway")
    assert len(gateways) == 2
    callers: dict[int, list[Connection]] = {pid: [] for pid in gateways}
    for _ in range(100 * CALLERS):
        caller = await Connection(stack.url, key).open()
        await caller.call("GET", "/api/whoami", {})
        mine = callers[server_of(caller.port, gateways)]
        if len(mine) < CALLERS // 2:
            mine.append(caller)
        else:
            await caller.close()
        if all(len(each) == CALLERS // 2 for each in callers.values()):
            break
    first, second = callers.values()
    assert len(first) == len(second)
    return [caller for pair in zip(first, second, strict=True) for caller in pair]


async def race(folder: Path, *, rounds: int) -> int:
    """Return the least that the wallet was seen to hold."""
    with running(folder, "--no-demo", "--gateways", "2", "--workers", "2") as stack:
        store = Store.open(Settings(redis_url=stack.redis_url))
        account, key = await make_account(store)
        callers = await open_callers(stack, key)
        subjects = [await save_model_workflow(callers[0]), "/api/models/echo/run?async=true"]
        async with Watch(stack.redis_url, account.id).all_the_while() as watch:
            for number in range(rounds):
                await store.wallets.top_up(account.id, TERMS, PRICE)
                answers = await ask_together(callers, subjects[number % 2])
                refused = [answer for status, answer in answers if status == 402]
                assert Counter(status for status, _ in answers) == {202: 1, 402: CALLERS - 1}
                assert {answer["code"] for answer in refused} == {"INSUFFICIENT_CREDITS"}
                assert {(each["required"], each["balance"]) for each in refused} == {(PRICE, 0)}
        for caller in callers:
            await caller.close()
        await check_books(store, account, rounds)
        assert watch.looks > rounds
        assert watch.lowest == 0
        await store.close()
        return watch.lowest


async def check_books(store: Store, account: Account, rounds: int) -> None:
    """Check that each round had one run, which was paid once."""
    active = keyspace.active(account.id)
    await eventually(lambda: store.client.send("SCARD", active), lambda left: left == 0)
    found, cursor = await store.executions.list(account.id, limit=rounds + 1)
    assert cursor is None
    assert [each.credits_cost for each in found] == [PRICE] * rounds
    assert await store.wallets.check(account.id) == []
    wallet = await store.wallets.get(account.id, TERMS)
    assert (wallet.balance, wallet.reserved) == (0, 0)


@pytest.mark.thorough
async def test_one_of_fifty_runs_that_come_together_is_paid_for(tmp_path: Path) -> None:
    await race(tmp_path, rounds=10)


@pytest.mark.A29
@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_one_of_fifty_runs_that_come_together_is_paid_for_every_time(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    lowest = await race(tmp_path, rounds=ROUNDS)

    record_property("rounds", ROUNDS)
    record_property("executions", ROUNDS)
    record_property("refused", ROUNDS * (CALLERS - 1))
    record_property("lowest_balance_credits", lowest)
