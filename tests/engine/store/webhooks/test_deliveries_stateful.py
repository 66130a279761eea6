"""Scripts of deliveries against a model: repeated calls, late senders, time jumps."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.store.script_runner import Scripts, profile

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

    hook: ExpectedWebhook | None = field(default_factory=ExpectedWebhook)
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
        hook = self.hook
        if hook is None or hook.url != self.url:
            return status
        if status == "delivered":
            hook.failing = None
            return status
        is_too_long = hook.failing is not None and now - hook.failing >= WINDOW
        hook.failing = now if hook.failing is None else hook.failing
        if not reason and not is_too_long:
            return status
        hook.enabled = False
        return "failed"

    def redeliver(self, now: int) -> str:
        if self.hook is None:
            return "missing"
        if not self.hook.enabled:
            return "disabled"
        if not (self.status == "pending" and self.token and self.next > now):
            self.status, self.url, self.tries = "pending", self.hook.url, 0
            self.next, self.token = now, None
        return "ok"


class Database(Scripts):
    """Calls the real scripts."""

    def call(self, name: str, keys: list[str], *args: str | int | bytes) -> str:
        reply = self.run(name, keys, args)
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
        self.keys = ["d", "due", "hook"]

    @initialize()
    def begin(self) -> None:
        self.database.send("FLUSHDB")
        self.database.send("HSET", "keys", "key_1", "digest")
        self.save("u1", True)
        args = (START, "acc/d", "d", "key_1", "u1", "webhook.test", b"{}", 10**9, RESEND)
        self.database.call("add_delivery", ["d", "due", "all"], *args)

    @rule(seconds=st.sampled_from([1, 5, 25, 200]))
    def let_time_pass(self, seconds: int) -> None:
        self.now += seconds * 1_000

    @rule(token=st.sampled_from("abc"), url=st.sampled_from(["u1", "u1", "u2"]))
    def claim(self, token: str, url: str) -> None:
        args = (self.now, "acc/d", token, LEASE, url)
        self.check(
            self.database.call("claim_delivery", self.keys, *args),
            self.model.claim(self.now, token, url),
        )

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
        args = (self.now, "acc/d", fence, status, delay, b"attempt", 16, reason, WINDOW, "why")
        self.check(
            self.database.call("settle_delivery", [*self.keys, "unarchived"], *args),
            self.model.settle(self.now, fence, status, delay, reason),
        )

    @rule()
    def redeliver(self) -> None:
        args = (self.now, "acc/d", RESEND)
        self.check(
            self.database.call("redeliver", self.keys, *args), self.model.redeliver(self.now)
        )

    @rule(url=st.sampled_from(URLS), enabled=st.sampled_from([True, True, False]))
    def change_webhook(self, url: str, enabled: bool) -> None:
        self.save(url, enabled)
        self.model.hook = ExpectedWebhook(url=url, enabled=enabled)

    @rule()
    def delete_webhook(self) -> None:
        self.database.send("DEL", "hook")
        self.model.hook = None

    def save(self, url: str, enabled: bool) -> None:
        args = (START, "key_1", url, int(enabled), "", "made", 1_000)
        assert self.database.call("save_webhook", ["hook", "keys"], *args) == "ok"

    def check(self, answer: str, expected: str) -> None:
        """Compare the answer and the record with the model."""
        assert answer == expected
        model = self.model
        names = ("status", "url", "next", "token", "fence", "settled", "tries")
        found = self.database.send("HMGET", "d", *names)
        status, url, next_at, token, *numbers = [each and each.decode() for each in found]
        assert (status, url, int(next_at), token) == (
            model.status,
            model.url,
            model.next,
            model.token,
        )
        wanted = [model.fence, model.settled, model.tries]
        assert [int(each or 0) for each in numbers] == wanted
        is_due = self.database.send("ZSCORE", "due", "acc/d") is not None
        assert is_due is (model.status == "pending")
        url, enabled, failing = self.database.send("HMGET", "hook", "url", "enabled", "failing")
        hook = model.hook
        assert (url and url.decode()) == (hook and hook.url)
        if hook is not None:
            assert (enabled == b"1", failing and int(failing)) == (hook.enabled, hook.failing)


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
