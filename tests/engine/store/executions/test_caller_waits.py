"""Ends of waits: an end is answered or delivered, never both and never neither."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.ids.idempotency import IdempotencyKey
from engine.store import Account, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.executions.caller_waits import DeadGateway, WaitDecision, WaitVerdict
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.webhooks.delivery_keys import WebhookOwner
from tests.support.store.claims import claim
from tests.support.store.ended import URL, Ending
from tests.support.store.records import BOTH_DONE
from tests.support.store.redis_contents import contents
from workers.walk.step import Recorder

CHANNEL = "hr:notifier:of-a-gateway"
DELIVERED = WaitDecision(verdict=WaitVerdict.DELIVERED, webhook_url=URL)
ENDED = WaitDecision(verdict=WaitVerdict.ENDED)
OPEN = WaitDecision(verdict=WaitVerdict.OPEN)
FIRST_CALL = IdempotencyKey(digest="digest", fingerprint="fingerprint")


@dataclass(frozen=True)
class Waiting:
    """Executions of one key with a webhook, whose callers wait at one gateway."""

    ending: Ending
    key_id: str

    @property
    def store(self) -> Store:
        return self.ending.store

    @property
    def account_id(self) -> str:
        return self.ending.account.id

    async def begin(self, **options: Any) -> str:
        """Accept an execution whose caller waits; return its id."""
        options = {"key_id": self.key_id, "notifier": CHANNEL, **options}
        return keyspace.parse_reference(await self.ending.accept(**options))[1]

    async def end_wait(self, execution_id: str, **options: Any) -> WaitDecision:
        """End the wait, by default of a caller who is still connected."""
        options = {"is_caller_gone": False, **options}
        key_id = options.pop("key_id", self.key_id)
        return await self.store.caller_waits.end(self.account_id, execution_id, key_id, **options)

    async def walk(self, execution_id: str, ends: ExecutionStatus | None = None) -> None:
        """End the execution as a worker does that has claimed it before."""
        reference = keyspace.reference(self.account_id, execution_id)
        await Recorder(self.store.walks, await claim(self.store, reference)).end(
            ends or ExecutionStatus.CANCELLED, pack("done"), None
        )

    async def delivery(self, execution_id: str) -> dict[str, str]:
        """Return the delivery of the end, empty for none."""
        key = keyspace.delivery(self.account_id, execution_id)
        words = await self.store.client.send("HGETALL", key)
        return {name.decode(): value.decode() for name, value in words.items()}

    async def deliveries(self) -> int:
        """Return the number of deliveries of the key's webhook."""
        listed = keyspace.webhook_deliveries(self.account_id, self.key_id)
        return int(await self.store.client.send("ZCARD", listed))


@pytest.fixture
async def waiting(store: Store, account: Account) -> Waiting:
    ending = await Ending.of(store, account)
    return Waiting(ending, await ending.with_webhook())


async def test_an_end_that_is_still_to_come_is_delivered(waiting: Waiting) -> None:
    execution_id = await waiting.begin()

    decision = await waiting.end_wait(execution_id)
    before = await waiting.delivery(execution_id)
    await waiting.walk(execution_id)

    assert decision == DELIVERED
    assert before == {}
    delivery = await waiting.delivery(execution_id)
    assert (delivery["status"], delivery["url"]) == ("pending", URL)
    assert (delivery["event"], delivery["key"]) == ("execution.cancelled", waiting.key_id)
    assert await waiting.deliveries() == 1


async def test_a_worker_that_claimed_the_execution_before_delivers_its_end(
    waiting: Waiting,
) -> None:
    execution_id = await waiting.begin()
    reference = keyspace.reference(waiting.account_id, execution_id)
    claimed = await claim(waiting.store, reference)
    recorder = Recorder(waiting.store.walks, claimed)

    await waiting.end_wait(execution_id)
    before = await contents(waiting.store.client)
    step = Step(settled=list(BOTH_DONE), end=ExecutionStatus.COMPLETED, result=pack("done"))
    refused = await waiting.store.walks.advance(claimed.lease, 1, step)
    unchanged = await contents(waiting.store.client) == before
    ended = await recorder.end(ExecutionStatus.CANCELLED, b"", None)

    assert (refused.verdict, ended.verdict) == (Verdict.ARMED, Verdict.OK)
    assert unchanged
    assert (await waiting.delivery(execution_id))["event"] == "execution.cancelled"


async def test_an_end_whose_delivery_redis_has_lost_goes_through_without_it(
    waiting: Waiting,
) -> None:
    execution_id = await waiting.begin()
    claimed = await claim(waiting.store, keyspace.reference(waiting.account_id, execution_id))
    step = Step(end=ExecutionStatus.CANCELLED, webhook=WebhookOwner(waiting.key_id))

    ended = await waiting.store.walks.advance(claimed.lease, 1, step)

    assert ended.verdict is Verdict.OK
    assert await waiting.delivery(execution_id) == {}


@pytest.mark.F54
async def test_an_end_that_has_come_is_answered(waiting: Waiting) -> None:
    execution_id = await waiting.begin()
    await waiting.walk(execution_id)

    assert await waiting.end_wait(execution_id) == ENDED
    assert await waiting.delivery(execution_id) == {}
    assert await waiting.deliveries() == 0


async def test_an_end_that_has_come_is_delivered_to_a_caller_who_is_gone(
    waiting: Waiting,
) -> None:
    execution_id = await waiting.begin()
    await waiting.walk(execution_id)

    first = await waiting.end_wait(execution_id, is_caller_gone=True)
    before = await contents(waiting.store.client)
    again = await waiting.end_wait(execution_id, is_caller_gone=True)

    assert (first, again) == (DELIVERED, DELIVERED)
    assert await contents(waiting.store.client) == before
    assert (await waiting.delivery(execution_id))["status"] == "pending"
    assert await waiting.deliveries() == 1


async def test_a_decision_stays_after_the_end(waiting: Waiting) -> None:
    execution_id = await waiting.begin()
    await waiting.end_wait(execution_id)
    await waiting.walk(execution_id)

    assert await waiting.end_wait(execution_id) == DELIVERED
    assert await waiting.end_wait(execution_id, is_caller_gone=True) == DELIVERED
    assert await waiting.deliveries() == 1


async def test_a_cancelled_execution_is_delivered_too(waiting: Waiting) -> None:
    execution_id = await waiting.begin()
    await waiting.end_wait(execution_id)

    await waiting.store.executions.cancel(waiting.account_id, execution_id)

    assert (await waiting.delivery(execution_id))["event"] == "execution.cancelled"


async def test_a_cancel_that_has_not_seen_the_webhook_asks_again(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await waiting.begin()
    client = waiting.store.executions._client
    send = client.send

    def send_then_arm(*command: Any) -> Any:
        async def answer() -> Any:
            monkeypatch.undo()
            reply = await send(*command)
            await waiting.end_wait(execution_id)
            return reply

        return answer()

    monkeypatch.setattr(client, "send", send_then_arm)

    await waiting.store.executions.cancel(waiting.account_id, execution_id)

    assert (await waiting.delivery(execution_id))["event"] == "execution.cancelled"


@pytest.mark.parametrize("is_caller_gone", [False, True])
async def test_a_session_has_no_webhook(waiting: Waiting, is_caller_gone: bool) -> None:
    execution_id = await waiting.begin(key_id="")

    decision = await waiting.end_wait(execution_id, key_id="", is_caller_gone=is_caller_gone)

    assert decision == OPEN


@pytest.mark.parametrize("is_caller_gone", [False, True])
@pytest.mark.parametrize("has_ended", [False, True])
async def test_a_webhook_that_is_disabled_or_deleted_is_not_notified(
    waiting: Waiting, is_caller_gone: bool, has_ended: bool
) -> None:
    for each in range(2):
        execution_id = await waiting.begin()
        if has_ended:
            await waiting.walk(execution_id)
        if each == 0:
            await waiting.store.webhooks.save(
                waiting.account_id, waiting.key_id, url=URL, enabled=False
            )
        else:
            await waiting.store.webhooks.delete(waiting.account_id, waiting.key_id)

        decision = await waiting.end_wait(execution_id, is_caller_gone=is_caller_gone)

        assert decision == (ENDED if has_ended else OPEN)
        assert await waiting.deliveries() == 0


async def test_the_webhook_counts_as_it_is_when_the_wait_ends(waiting: Waiting) -> None:
    execution_id = await waiting.begin()
    other = "https://example.com/other"
    await waiting.store.webhooks.save(waiting.account_id, waiting.key_id, url=other)

    decision = await waiting.end_wait(execution_id)

    assert decision.webhook_url == other


async def test_a_key_without_the_capability_has_no_delivery(waiting: Waiting) -> None:
    account, store = waiting.ending.account, waiting.store
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await store.webhooks.save(account.id, key.id, url=URL)
    execution_id = await waiting.begin(key_id=key.id)

    assert await waiting.end_wait(execution_id, key_id=key.id) == OPEN


async def test_a_revoked_key_has_no_delivery(waiting: Waiting) -> None:
    execution_id = await waiting.begin()
    await waiting.store.api_keys.revoke(waiting.key_id)

    assert await waiting.end_wait(execution_id) == OPEN


async def test_a_key_that_has_expired_has_no_delivery(waiting: Waiting) -> None:
    execution_id = await waiting.begin()
    seconds, _ = await waiting.store.client.send("TIME")
    soon = int(seconds) * 1000 + 1_500
    await waiting.store.api_keys.change(waiting.key_id, owner=waiting.account_id, expires_at=soon)
    await asyncio.sleep(1.6)

    assert await waiting.end_wait(execution_id) == OPEN


@pytest.mark.parametrize(
    ("events", "frozen"),
    [
        ("execution.started", None),
        ("execution.started,node.finished", None),
        ("execution.started,execution.failed,node.finished", b"execution.failed"),
        ("execution.cancelled,execution.completed", b"execution.completed,execution.cancelled"),
    ],
)
async def test_a_webhook_that_asks_for_no_end_is_not_notified(
    waiting: Waiting, events: str, frozen: bytes | None
) -> None:
    execution_id = await waiting.begin()
    key = keyspace.webhook(waiting.account_id, waiting.key_id)
    await waiting.store.client.send("HSET", key, "events", events)

    decision = await waiting.end_wait(execution_id)

    record = await waiting.store.executions.record(waiting.account_id, execution_id)
    assert decision == (OPEN if frozen is None else DELIVERED)
    assert record.get("webhook_events") == frozen


async def test_an_end_that_the_webhook_does_not_ask_for_is_not_delivered(
    waiting: Waiting,
) -> None:
    key = keyspace.webhook(waiting.account_id, waiting.key_id)
    await waiting.store.client.send("HSET", key, "events", "execution.failed")
    early, late = await waiting.begin(), await waiting.begin()
    await waiting.walk(early)

    for each in (early, late):
        assert await waiting.end_wait(each, is_caller_gone=True) == DELIVERED
    await waiting.walk(late)

    assert await waiting.deliveries() == 0


async def test_a_run_with_a_webhook_is_told_by_that_one(waiting: Waiting) -> None:
    own = "https://example.com/own"
    execution_id = await waiting.begin(webhook_url=own)

    decision = await waiting.end_wait(execution_id)

    assert decision == WaitDecision(verdict=WaitVerdict.OPEN, webhook_url=own)
    assert (await waiting.end_wait(execution_id, is_caller_gone=True)).webhook_url == own
    await waiting.walk(execution_id)
    assert (await waiting.delivery(execution_id))["url"] == own
    assert await waiting.deliveries() == 1


async def test_a_store_that_0_1_0_may_use_delivers_nothing(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await waiting.begin()
    monkeypatch.setattr(waiting.store.guard, "schema", 1)

    assert await waiting.end_wait(execution_id) == OPEN
    await waiting.walk(execution_id)
    assert await waiting.end_wait(execution_id, is_caller_gone=True) == ENDED


async def test_an_execution_that_is_gone_is_missing(waiting: Waiting) -> None:
    decision = await waiting.end_wait("no-such")

    assert decision == WaitDecision(verdict=WaitVerdict.MISSING)


async def test_the_answer_of_the_first_call_is_recorded_in_the_same_step(
    waiting: Waiting,
) -> None:
    execution_id = await waiting.begin(idempotency_key=FIRST_CALL)

    await waiting.end_wait(execution_id, idempotency_key=FIRST_CALL, answer="accepted")
    replay = await waiting.store.acceptance.find_replay(waiting.account_id, FIRST_CALL)

    assert replay is not None
    assert replay.answer == "accepted"


async def test_the_answer_of_an_end_is_not_recorded_here(waiting: Waiting) -> None:
    execution_id = await waiting.begin(idempotency_key=FIRST_CALL)
    await waiting.walk(execution_id)

    await waiting.end_wait(execution_id, idempotency_key=FIRST_CALL, answer="accepted")
    replay = await waiting.store.acceptance.find_replay(waiting.account_id, FIRST_CALL)

    assert replay is not None
    assert replay.answer == ""


async def test_a_first_call_that_is_forgotten_stays_so(waiting: Waiting) -> None:
    execution_id = await waiting.begin()

    await waiting.end_wait(execution_id, idempotency_key=FIRST_CALL, answer="accepted")

    key = keyspace.idempotency(waiting.account_id, FIRST_CALL.digest)
    assert await waiting.store.client.send("EXISTS", key) == 0


async def dead_gateway(waiting: Waiting, channel: str = CHANNEL) -> DeadGateway:
    return DeadGateway(channel=channel, lived_until=await waiting.store.leases.now())


async def test_waits_of_a_dead_gateway_are_decided_once(waiting: Waiting) -> None:
    running, ended = await waiting.begin(), await waiting.begin()
    await waiting.walk(ended)
    gateway = await dead_gateway(waiting)

    found = [
        await waiting.end_wait(each, is_caller_gone=True, gateway=gateway)
        for each in (running, ended, running, ended)
    ]

    assert found == [DELIVERED] * 4
    assert await waiting.deliveries() == 1
    await waiting.walk(running)
    assert await waiting.deliveries() == 2


async def test_other_waits_are_left_alone(waiting: Waiting) -> None:
    gateway = await dead_gateway(waiting)
    await asyncio.sleep(0.01)
    later = await waiting.begin()
    elsewhere = await waiting.begin(notifier="hr:notifier:of-another")
    unwaited = await waiting.begin(notifier="")
    decided = await waiting.begin()
    await waiting.end_wait(decided, key_id="")
    past = DeadGateway(channel=CHANNEL, lived_until=gateway.lived_until + 60_000)

    found = [
        await waiting.end_wait(each, is_caller_gone=True, gateway=each_gateway)
        for each, each_gateway in (
            (later, gateway),
            (elsewhere, past),
            (unwaited, past),
            (decided, past),
        )
    ]

    assert {each.verdict for each in found} == {WaitVerdict.DECIDED}
    assert await waiting.deliveries() == 0


async def race(waiting: Waiting, draw: random.Random) -> str:
    """Let an execution's end meet the end of its wait; return how its caller is told."""
    execution_id = await waiting.begin()
    reference = keyspace.reference(waiting.account_id, execution_id)
    claimed = await claim(waiting.store, reference)
    is_gone = draw.random() < 0.3

    async def end() -> None:
        await asyncio.sleep(draw.random() * 0.004)
        if draw.random() < 0.2:
            await waiting.store.executions.cancel(waiting.account_id, execution_id)
        recorder = Recorder(waiting.store.walks, claimed)
        ended = await recorder.end(ExecutionStatus.CANCELLED, b"", None)
        assert ended.verdict is Verdict.OK

    async def give_up() -> WaitDecision:
        await asyncio.sleep(draw.random() * 0.004)
        return await waiting.end_wait(execution_id, is_caller_gone=is_gone)

    _, decision = await asyncio.gather(end(), give_up())
    is_answered = decision.verdict is WaitVerdict.ENDED
    is_delivered = bool(await waiting.delivery(execution_id))
    assert is_answered is not is_delivered
    assert not (is_answered and is_gone)
    return "answered" if is_answered else "delivered"


@pytest.mark.F54
@pytest.mark.parametrize(
    "count", [200, pytest.param(5_000, marks=pytest.mark.thorough)], ids=["few", "many"]
)
async def test_an_end_that_meets_the_end_of_its_wait_is_told_once(
    waiting: Waiting, count: int
) -> None:
    draw = random.Random(31)
    told = []

    for _ in range(count // 20):
        told += await asyncio.gather(*(race(waiting, draw) for _ in range(20)))

    assert min(told.count("answered"), told.count("delivered")) > count // 20
    assert await waiting.deliveries() == told.count("delivered")
