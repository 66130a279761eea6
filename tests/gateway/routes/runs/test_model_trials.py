"""Trials of models: a number of free runs or days, exactly."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.advance import Charge, Step
from engine.store.executions.claim import Lease
from engine.store.redis import keyspace
from tests.gateway.conftest import MakeBrowser
from tests.support.manifests import model

RUNS = 3
TOGETHER = 50
ROUNDS = int(os.environ.get("ROUNDS", "500"))
WINDOW_SECONDS = 3.0
ASK = {"inputs": {"prompt": "Eve"}}
WORKER = "worker-of-the-test"
UNLIMITED = '[free]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n'
BY_RUNS = f"[trial]\nruns = {RUNS}\n"
BY_DAYS = f"[trial]\ndays = {WINDOW_SECONDS / 86_400:.10f}\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings without rate limits for free accounts, so that the trial alone stops them."""
    file = tmp_path / "tiers.toml"
    file.write_text(UNLIMITED)
    return replace(settings, tiers_file=str(file))


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    models = [
        model("one", call=trial(BY_RUNS)),
        model("two", tier="business", call=trial(BY_RUNS)),
        model("timed", tier="pro", call=trial(BY_DAYS)),
        model("paid"),
        model("above", tier="pro"),
    ]
    with use_models(models):
        yield


def trial(table: str) -> str:
    return f'[builtin]\ntemplate = "{{{{ prompt }}}}"\n\n{table}'


@pytest.fixture
def account_tier() -> Tier:
    return Tier.FREE


async def call(browser: httpx2.AsyncClient, name: str = "one") -> tuple[int, dict[str, Any]]:
    """Return status and body of starting a run without waiting."""
    answer = await browser.post(f"/api/models/{name}/run?async=true", json=ASK)
    return answer.status_code, answer.json()


ALL_DONE = [(0, NodeStatus.COMPLETED), (1, NodeStatus.COMPLETED), (2, NodeStatus.COMPLETED)]


async def walk(store: Store, account: Account, execution_id: str, step: Step) -> None:
    """Let a worker claim the execution and begin its charged node."""
    claimed = await store.walks.claim(keyspace.reference(account.id, execution_id), WORKER)
    assert claimed is not None
    await store.walks.advance(claimed.lease, 1, Step(claimed=[1], reservations={1: 0}))
    await store.walks.advance(claimed.lease, 2, step)


async def give_all(browser: httpx2.AsyncClient, name: str = "one") -> list[str]:
    """Use up a trial; return the executions."""
    answers = [await call(browser, name) for _ in range(RUNS)]
    assert {status for status, _ in answers} == {202}
    return [answer["executionId"] for _, answer in answers]


async def test_a_model_is_tried_so_many_times_and_then_refused(
    browser: httpx2.AsyncClient,
) -> None:
    await give_all(browser)

    status, answer = await call(browser)

    assert status == 402
    assert answer["code"] == "grant_exhausted"


async def test_a_trial_of_one_model_is_none_of_another(browser: httpx2.AsyncClient) -> None:
    await give_all(browser, "one")

    assert (await call(browser, "one"))[0] == 402
    await give_all(browser, "two")


async def test_a_trial_costs_nothing(
    browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    executions = await give_all(browser)

    settled = Step(settled=ALL_DONE, charges={1: Charge(0, 10_000, "one")})
    settled.end = ExecutionStatus.COMPLETED
    await walk(store, account, executions[0], settled)

    execution = await store.executions.get(account.id, executions[0])
    me = (await browser.get("/api/me")).json()
    assert (execution.credits_cost, execution.micro_usd) == (0, 10_000)
    assert me["credits"]["balance"] == 250
    assert await store.wallets.check(account.id) == []


@pytest.mark.parametrize("end", [ExecutionStatus.FAILED, ExecutionStatus.CANCELLED])
async def test_a_trial_whose_model_did_not_finish_is_given_back_once(
    end: ExecutionStatus, browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    executions = await give_all(browser)

    for _ in range(2):
        await store.walks.claim(keyspace.reference(account.id, executions[0]), WORKER, "t")
        await walk_to_end(store, account, executions[0], end)

    assert [(await call(browser))[0] for _ in range(2)] == [202, 402]


async def walk_to_end(
    store: Store, account: Account, execution_id: str, end: ExecutionStatus
) -> None:
    """End an execution without a finished charged node, if it has not ended yet."""
    await store.walks.advance(
        Lease(account.id, execution_id, WORKER, 1, "t"),
        1,
        Step(settled=[(1, NodeStatus.FAILED)], end=end),
    )


async def test_a_cancel_before_any_worker_came_gives_the_trial_back(
    browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    executions = await give_all(browser)

    await store.executions.cancel(account.id, executions[0])

    assert [(await call(browser))[0] for _ in range(2)] == [202, 402]


@pytest.mark.parametrize("end", [ExecutionStatus.COMPLETED, ExecutionStatus.FAILED])
async def test_a_trial_whose_model_has_finished_is_spent_however_the_run_ends(
    end: ExecutionStatus, browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    executions = await give_all(browser)

    done = Step(settled=ALL_DONE, charges={1: Charge(0, 10_000, "one")}, end=end)
    await walk(store, account, executions[0], done)

    assert (await call(browser))[0] == 402


@pytest.mark.A80
async def test_a_trial_by_days_lasts_until_its_time_is_over_from_the_first_run(
    browser: httpx2.AsyncClient,
) -> None:
    began = time.monotonic()
    statuses = [await call(browser, "timed")]
    first_answered = last_begun = time.monotonic()

    while statuses[-1][0] == 202:
        # Each accepted call began within the trial, which began during the first one.
        assert last_begun - first_answered < WINDOW_SECONDS
        last_begun = time.monotonic()
        statuses.append(await call(browser, "timed"))

    assert len(statuses) > RUNS
    assert statuses[-1][1]["code"] == "grant_exhausted"
    assert time.monotonic() - began >= WINDOW_SECONDS
    assert (await call(browser, "timed"))[0] == 402


async def test_a_model_without_a_trial_is_paid_for_or_above_the_tier(
    browser: httpx2.AsyncClient,
) -> None:
    await call(browser, "paid")
    status, answer = await call(browser, "above")
    me = (await browser.get("/api/me")).json()

    assert me["credits"]["balance"] == 250 - 15
    assert (status, answer["code"]) == (403, "MODEL_TIER_REQUIRED")


async def race(store: Store, make_browser: MakeBrowser, rounds: int) -> None:
    for number in range(rounds):
        account = await store.accounts.create(email=f"a{number}@localhost", tier=Tier.FREE)
        browser = await make_browser(account)
        names = ["one", "two"] * (TOGETHER // 2)
        answers = await asyncio.gather(*(call(browser, name) for name in names))
        await browser.aclose()
        for name in ("one", "two"):
            mine = [each for payload, each in zip(names, answers, strict=True) if payload == name]
            refused = [answer for status, answer in mine if status == 402]
            assert Counter(status for status, _ in mine) == {202: RUNS, 402: len(mine) - RUNS}
            assert {answer["code"] for answer in refused} == {"grant_exhausted"}
        uses = await store.client.send("HMGET", keyspace.wallet(account.id), "g:one", "g:two")
        assert uses == [b"r3", b"r3"]
        assert await store.wallets.check(account.id) == []


@pytest.mark.A80
async def test_of_fifty_runs_together_three_of_each_model_are_tried(
    store: Store, make_browser: MakeBrowser
) -> None:
    await race(store, make_browser, rounds=4)


@pytest.mark.A80
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_of_fifty_runs_together_three_of_each_model_are_tried_every_time(
    store: Store, make_browser: MakeBrowser, record_property: Callable[[str, object], None]
) -> None:
    await race(store, make_browser, rounds=ROUNDS)

    record_property("rounds", ROUNDS)
    record_property("executions", ROUNDS * 2 * RUNS)
    record_property("refused", ROUNDS * (TOGETHER - 2 * RUNS))
