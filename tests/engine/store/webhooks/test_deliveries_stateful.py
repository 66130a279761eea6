"""Scripts of deliveries against a model: repeated calls, late senders, time jumps."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.store.script_runner import Scripts, profile
from tests.support.store.script_scenarios import NO_ACT

START = 1_000_000
LEASE, WINDOW, RESEND = 20_000, 100_000, 2_000
URLS = ("u1", "u2")


@dataclass
class ExpectedWebhook:
    """Expected webhook."""

    url: str = "u1"
    enabled: bool = True
    failing: int | None = None


@dataclass
class Model:
    """Expected delivery with its webhook."""

    webhook: ExpectedWebhook | None = field(default_factory=ExpectedWebhook)
    status: str = "pending"
    url: str = "u1"
    next: int = START
    token: str | None = None
    fence: int = 0
    settled: int = 0
    tries: int = 0

    def claim(self, now: int, token: str, url: str) -> str:
        if self.status != "pending":
            return "ended"
        if self.token != token:
            if self.next > now:
                return "busy"
            if self.url != url:
                return "moved"
            self.fence += 1
            self.token, self.next = token, now + LEASE
        return "claimed"

    def settle(self, now: int, fence: int, status: str, delay: int, reason: str) -> str:
        if fence != self.fence:
            return "fenced"
        if fence != self.settled:
            self.status = self._judge(now, status, reason)
            self.settled, self.token, self.next = fence, None, now + delay
            self.tries += 1
        return self.status

    def _judge(self, now: int, status: str, reason: str) -> str:
        webhook = self.webhook
        if webhook is None or webhook.url != self.url:
            return status
        if status == "delivered":
            webhook.failing = None
            return status
        is_too_long = webhook.failing is not None and now - webhook.failing >= WINDOW
        webhook.failing = now if webhook.failing is None else webhook.failing
        if not reason and not is_too_long:
            return status
        webhook.enabled = False
        return "failed"

    def redeliver(self, now: int) -> str:
        if self.webhook is None:
            return "missing"
        if not self.webhook.enabled:
            return "disabled"
        if not (self.status == "pending" and self.token and self.next > now):
            self.status, self.url, self.tries = "pending", self.webhook.url, 0
            self.next, self.token = now, None
        return "ok"


class Database(Scripts):
    """Calls the real scripts."""

    def call(self, name: str, **names: Any) -> str:
        reply = self.run(name, **names)
        if name == "settle_delivery" and reply[0] == b"ok":
            return str(reply[1].decode())
        return str((reply[0] if isinstance(reply, list) else reply).decode())


class Delivering(RuleBasedStateMachine):
    """One delivery with several senders and its owner."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.model = Model()
        self.now = START

    @initialize()
    def begin(self) -> None:
        self.database.send("FLUSHDB")
        self.database.send("HSET", "account_api_keys", "key_1", "digest")
        self.save("u1", True)
        self.database.call(
            "add_delivery",
            now=START,
            reference="acc/delivery",
            api_key="key_1",
            url="u1",
            event="webhook.test",
            body=b"{}",
            keep_ms=10**9,
            resend_ms=RESEND,
            format=2,
        )

    @rule(seconds=st.sampled_from([1, 5, 25, 200]))
    def let_time_pass(self, seconds: int) -> None:
        self.now += seconds * 1_000

    @rule(token=st.sampled_from("abc"), url=st.sampled_from(["u1", "u1", "u2"]))
    def claim(self, token: str, url: str) -> None:
        answer = self.database.call(
            "claim_delivery",
            now=self.now,
            reference="acc/delivery",
            token=token,
            lease_ms=LEASE,
            url=url,
            delivery_format=2,
            webhook_format=2,
        )
        self.check(answer, self.model.claim(self.now, token, url))

    @rule(
        late=st.sampled_from([0, 0, 0, 1]),
        status=st.sampled_from(["delivered", "pending", "pending", "failed"]),
        delay=st.sampled_from([0, 5_000, 30_000]),
        reason=st.sampled_from(["", "", "", "gone"]),
    )
    def settle(self, late: int, status: str, delay: int, reason: str) -> None:
        fence = self.model.fence - late
        if fence < 1:
            return
        reason = reason if status == "failed" else ""
        answer = self.database.call(
            "settle_delivery",
            now=self.now,
            reference="acc/delivery",
            fence=fence,
            outcome=status,
            delay_ms=delay,
            attempt=b"attempt",
            most_attempts=16,
            disabling=reason,
            most_failing_ms=WINDOW,
            failing_reason="why",
        )
        self.check(answer, self.model.settle(self.now, fence, status, delay, reason))

    @rule()
    def redeliver(self) -> None:
        answer = self.database.call(
            "redeliver", now=self.now, reference="acc/delivery", resend_ms=RESEND
        )
        self.check(answer, self.model.redeliver(self.now))

    @rule(url=st.sampled_from(URLS), enabled=st.sampled_from([True, True, False]))
    def change_webhook(self, url: str, enabled: bool) -> None:
        self.save(url, enabled)
        self.model.webhook = ExpectedWebhook(url=url, enabled=enabled)

    @rule()
    def delete_webhook(self) -> None:
        self.database.send("DEL", "webhook")
        self.model.webhook = None

    def save(self, url: str, enabled: bool) -> None:
        answer = self.database.call(
            "save_webhook",
            now=START,
            api_key="key_1",
            url=url,
            enabled=int(enabled),
            new_secret="made",
            overlap_ms=1_000,
            format=2,
            act=NO_ACT,
        )
        assert answer == "ok"

    def check(self, answer: str, expected: str) -> None:
        """Compare the answer and the record with the model."""
        assert answer == expected
        model = self.model
        names = ("status", "url", "next", "token", "fence", "settled", "tries")
        found = self.database.send("HMGET", "delivery", *names)
        status, url, next_at, token, *numbers = [each and each.decode() for each in found]
        assert (status, url, int(next_at), token) == (
            model.status,
            model.url,
            model.next,
            model.token,
        )
        wanted = [model.fence, model.settled, model.tries]
        assert [int(each or 0) for each in numbers] == wanted
        is_due = self.database.send("ZSCORE", "deliveries_due", "acc/delivery") is not None
        assert is_due is (model.status == "pending")
        url, enabled, failing = self.database.send(
            "HMGET", "webhook", "url", "enabled", "failing_since"
        )
        webhook = model.webhook
        assert (url and url.decode()) == (webhook and webhook.url)
        if webhook is not None:
            assert (enabled == b"1", failing and int(failing)) == (webhook.enabled, webhook.failing)


@pytest.fixture
def database(redis_url: str) -> Iterator[Database]:
    database = Database(redis_url)
    yield database
    database.close()


def test_the_scripts_of_deliveries_follow_the_model(database: Database) -> None:
    run_state_machine_as_test(
        lambda: Delivering(database), settings=profile(150, 40, is_random=False)
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_scripts_of_deliveries_follow_the_model_for_long(database: Database) -> None:
    run_state_machine_as_test(
        lambda: Delivering(database), settings=profile(2_000, 80, is_random=True)
    )
