"""Calls of models wait for their turn at a provider: within a process and between processes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from engine import metrics
from engine.errors import Unavailable
from engine.models.limits import Limits
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.nodes.base import HttpAnswer, HttpCall, NodeFailed
from engine.store import Store
from engine.store.governor import Event, Happening
from engine.store.governor import Governor as Turns
from engine.store.governor import Turns as Given
from tests.eventually import eventually
from tests.manifests import model
from workers.models import Answer, Errand, Fetcher, Governor, Models, NoDesk, lane
from workers.models.governing import Ticket, guess_tokens
from workers.models.signals import read_limits

CHAT = '[openai]\nbase_url = "https://provider.example/v1"\napi_key_env = "KEY"\nmodel = "m"\n'
REPLY = {"choices": [{"message": {"content": "yes"}}], "usage": {"total_tokens": 9}}
ENVIRON = {"KEY": "secret-key"}


def answer(status: int = 200, body: Any = REPLY, **headers: str) -> HttpAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status=status, headers=named, body=json.dumps(body).encode())


def limited(name: str = "own", *, head: str = "", call: str = CHAT, **limits: int) -> Model:
    lines = "".join(f"{key} = {value}\n" for key, value in limits.items())
    return model(name, head=head, call=f"{call}\n[limits]\n{lines}" if limits else call)


class Provider(Fetcher):
    """Gives its answers one after the other, the last one for ever; holds them while closed."""

    def __init__(self, *answers: HttpAnswer | NodeFailed) -> None:
        self.answers = list(answers) or [answer()]
        self.calls: list[HttpCall] = []
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        await self.is_open.wait()
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, NodeFailed):
            raise found
        return found


class Watched(Turns):
    """Remembers what it was told, and cannot be reached as long as a test says so."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.client)
        self.told: list[Event] = []
        self.turns = 0
        self.is_away = False
        self.is_broken = False

    async def turn(
        self, provider: str, caller: str, limits: Limits, events: Sequence[Event], *, now: int = 0
    ) -> Given:
        if self.is_away:
            raise Unavailable("Redis cannot be reached")
        if self.is_broken:
            raise RuntimeError("There is no such script")
        self.told += events
        self.turns += 1
        return await super().turn(provider, caller, limits, events, now=now)

    def kinds(self) -> list[Happening]:
        return [event.kind for event in self.told if event.kind is not Happening.TOOK]


class Process:
    """What calls models in one worker process."""

    def __init__(self, provider: Provider, watched: Watched, governor: Governor) -> None:
        self.watched = watched
        self._models = Models(provider, governor=governor, environ=ENVIRON)

    async def call(
        self, asked: Model, desk: NoDesk | None = None, *, seconds: float | None = None
    ) -> Answer:
        now = asyncio.get_running_loop().time()
        deadline = None if seconds is None else now + seconds
        desk = desk or NoDesk()
        return await self._models.call(asked, {"prompt": "x"}, Errand(desk=desk, deadline=deadline))


@contextlib.asynccontextmanager
async def process(store: Store, url: str, provider: Provider, name: str) -> AsyncIterator[Process]:
    watched = Watched(store)
    governor = Governor(watched, name)
    async with governor.running(url):
        yield Process(provider, watched, governor)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def one(store: Store, redis_url: str, provider: Provider) -> AsyncIterator[Process]:
    async with process(store, redis_url, provider, "one") as started:
        yield started


@pytest.fixture
async def two(store: Store, redis_url: str, provider: Provider) -> AsyncIterator[Process]:
    async with process(store, redis_url, provider, "two") as started:
        yield started


async def failure(calling: Any) -> NodeFailed:
    with pytest.raises(NodeFailed) as caught:
        await calling
    return caught.value


async def calls(provider: Provider, count: int) -> None:
    """Wait until so many have reached the provider."""

    async def reached() -> int:
        return len(provider.calls)

    await eventually(reached, lambda seen: seen == count)


def told(process: Process) -> Any:
    async def kinds() -> list[Happening]:
        return process.watched.kinds()

    return kinds


# -- whether calls ask ----------------------------------------------------------------------------


async def test_a_model_without_limits_asks_nobody(one: Process, provider: Provider) -> None:
    for _ in range(3):
        await one.call(limited())

    assert len(provider.calls) == 3
    assert one.watched.told == []


async def test_a_builtin_has_no_provider_to_wait_for(one: Process) -> None:
    assert (await one.call(model())).value == "<x>"
    assert one.watched.told == []


async def test_a_model_with_limits_asks_and_tells_what_became_of_it(one: Process) -> None:
    await one.call(limited(requests_per_minute=600))

    await eventually(told(one), lambda kinds: kinds == [Happening.ASK, Happening.DONE])


async def test_limits_in_headers_count_from_the_next_call(one: Process, provider: Provider) -> None:
    provider.answers = [answer(x_ratelimit_limit_requests="60")]
    await one.call(limited())

    waiting = [asyncio.create_task(one.call(limited())) for _ in range(3)]
    await calls(provider, 2)
    late = await failure(one.call(limited(), seconds=0.1))

    assert late.code == "PROVIDER_RATE_LIMITED"
    assert len(provider.calls) == 2, "one of three has its turn in the first second"
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_the_manifest_says_counts_more_than_headers(
    one: Process, provider: Provider
) -> None:
    provider.answers = [answer(x_ratelimit_limit_requests="1")]
    generous = limited(requests_per_minute=6_000)

    for _ in range(5):
        await one.call(generous)

    assert len(provider.calls) == 5


async def test_tokens_that_were_used_are_told(one: Process, provider: Provider) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 12}
    provider.answers = [answer(body=REPLY | {"usage": usage})]

    await one.call(limited(tokens_per_minute=60_000))

    await eventually(told(one), lambda kinds: Happening.DONE in kinds)
    assert one.watched.told[-1].amount == 42


# -- waiting --------------------------------------------------------------------------------------


async def test_the_end_of_a_call_is_the_turn_of_one_in_another_process(
    one: Process, two: Process, provider: Provider
) -> None:
    single = limited(concurrency=1)
    provider.is_open.clear()
    first = asyncio.create_task(one.call(single))
    await calls(provider, 1)
    second = asyncio.create_task(two.call(single))
    await eventually(told(two), bool)
    assert len(provider.calls) == 1

    provider.is_open.set()

    async with asyncio.timeout(0.8):  # it is rung for: without that it looks once a second
        await asyncio.gather(first, second)


async def test_a_call_that_is_cancelled_leaves_the_line(
    one: Process, two: Process, provider: Provider
) -> None:
    single = limited(concurrency=1)
    provider.is_open.clear()
    first = asyncio.create_task(one.call(single))
    await calls(provider, 1)
    second = asyncio.create_task(two.call(single))
    await eventually(told(two), bool)

    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    provider.is_open.set()

    assert (await one.call(single, seconds=2)).value == "yes"
    assert Happening.LEFT in two.watched.kinds()


async def test_a_call_that_has_no_turn_within_its_deadline_fails(
    one: Process, provider: Provider
) -> None:
    single = limited(concurrency=1)
    provider.is_open.clear()
    first = asyncio.create_task(one.call(single))
    await calls(provider, 1)

    late = await failure(one.call(single, seconds=0.05))
    provider.is_open.set()
    await first

    assert (late.code, late.retryable) == ("PROVIDER_RATE_LIMITED", True)
    await eventually(told(one), lambda kinds: Happening.LEFT in kinds)


async def test_a_fallback_is_asked_when_half_of_the_time_has_brought_no_turn(
    one: Process, provider: Provider
) -> None:
    single = limited(head='fallback = ["spare"]\n', concurrency=1)
    provider.is_open.clear()
    first = asyncio.create_task(one.call(single))
    await calls(provider, 1)

    with use_models([single, model("spare")]):
        async with asyncio.timeout(2):
            spare = await one.call(single, seconds=3)
    provider.is_open.set()
    await first

    assert spare.value == "<x>"


async def test_as_long_as_a_call_is_under_way_its_process_is_heard_of(
    one: Process, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "RENEW_SECONDS", 0.02)
    provider.is_open.clear()
    call = asyncio.create_task(one.call(limited(concurrency=1)))
    await calls(provider, 1)

    async def heard() -> int:
        return one.watched.turns

    await eventually(heard, lambda turns: turns > 5)
    provider.is_open.set()
    await call


async def test_calls_ask_again_when_redis_has_forgotten_them(
    one: Process, store: Store, provider: Provider
) -> None:
    single = limited(concurrency=1)
    provider.is_open.clear()
    tasks = [asyncio.create_task(one.call(single)) for _ in range(3)]
    await calls(provider, 1)
    await store.client.send("FLUSHALL")

    provider.is_open.set()

    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)


async def test_calls_wait_while_redis_is_away(one: Process, provider: Provider) -> None:
    paced = limited(requests_per_minute=6_000)
    one.watched.is_away = True
    waiting = asyncio.create_task(one.call(paced))
    await asyncio.wait([waiting], timeout=0.3)
    assert provider.calls == []

    one.watched.is_away = False

    assert (await waiting).value == "yes"


def sample(name: str) -> float:
    labels = {"provider": "provider.example"}
    return metrics.REGISTRY.get_sample_value(f"headrace_provider_{name}", labels) or 0


async def test_calls_do_not_wait_for_ever_when_turns_cannot_be_had(one: Process) -> None:
    paced = limited(requests_per_minute=6_000)
    one.watched.is_broken = True

    lost = await failure(one.call(paced, seconds=5))
    one.watched.is_broken = False

    assert (lost.code, lost.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert (await one.call(paced, seconds=5)).value == "yes"


async def test_calls_that_wait_and_have_their_turn_are_counted(
    one: Process, provider: Provider
) -> None:
    single, granted = limited(concurrency=1), sample("calls_granted_total")
    provider.is_open.clear()
    tasks = [asyncio.create_task(one.call(single)) for _ in range(3)]
    await calls(provider, 1)
    waiting = sample("calls_waiting")

    provider.is_open.set()
    await asyncio.gather(*tasks)

    assert (waiting, sample("calls_waiting")) == (2, 0)
    assert sample("calls_granted_total") == granted + 3


# -- refusals and trouble -------------------------------------------------------------------------


async def test_after_a_refusal_all_wait_as_long_as_the_provider_wants(
    one: Process, two: Process, provider: Provider
) -> None:
    loop = asyncio.get_running_loop()
    provider.answers = [answer(429, retry_after_ms="400"), answer()]
    paced = limited(requests_per_minute=6_000)
    began = loop.time()

    refused = await failure(one.call(paced))
    await two.call(paced)

    assert sample("calls_refused_total") > 0
    assert (refused.code, refused.retry_after) == ("PROVIDER_RATE_LIMITED", 0.4)
    assert loop.time() - began >= 0.39


async def test_a_call_that_cannot_wait_so_long_fails_at_once(
    one: Process, provider: Provider
) -> None:
    loop = asyncio.get_running_loop()
    provider.answers = [answer(429, retry_after="30"), answer()]
    paced = limited(requests_per_minute=6_000)
    await failure(one.call(paced))
    began = loop.time()

    late = await failure(one.call(paced, seconds=20))

    assert late.code == "PROVIDER_RATE_LIMITED"
    assert 29 < late.retry_after <= 30
    assert loop.time() - began < 5


@pytest.mark.parametrize("limits", [{}, {"requests_per_minute": 6_000}])
async def test_a_provider_in_trouble_is_not_asked_and_the_fallback_answers(
    one: Process, provider: Provider, limits: dict[str, int]
) -> None:
    troubled = limited("troubled", **limits)
    provider.answers = [answer(503)]
    await asyncio.gather(*(failure(one.call(troubled)) for _ in range(5)))
    await eventually(told(one), lambda kinds: kinds.count(Happening.FAILED) == 5)

    async def refusal() -> str:
        return (await failure(one.call(troubled))).message

    await eventually(refusal, lambda message: "not asked for now" in message)
    seen, asked = len(provider.calls), len(one.watched.told)
    shut = await failure(one.call(troubled))
    falling = limited("troubled", head='fallback = ["spare"]\n', **limits)
    with use_models([falling, model("spare")]):
        spare = await one.call(falling)

    assert (shut.code, shut.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert 0 < shut.retry_after <= 5
    assert (len(provider.calls), len(one.watched.told)) == (seen, asked)
    assert sample("breaker_open") > 0
    assert spare.value == "<x>"


async def test_a_provider_that_cannot_be_reached_is_in_trouble_and_an_answer_ends_that(
    one: Process, provider: Provider
) -> None:
    gone = NodeFailed("connection_failed", "The server could not be reached", retryable=True)
    provider.answers = [gone, gone, answer(), answer(418)]

    await failure(one.call(limited()))
    await failure(one.call(limited()))
    await eventually(told(one), lambda kinds: kinds.count(Happening.FAILED) == 2)
    await one.call(limited())

    await eventually(told(one), lambda kinds: kinds[2:] == [Happening.DONE])
    await failure(one.call(limited()))  # the provider is well: it is the call that is wrong
    assert Happening.FAILED not in one.watched.kinds()[2:]


async def test_a_job_that_is_under_way_needs_no_turn(one: Process, provider: Provider) -> None:
    class Begun(NoDesk):
        async def job(self, item: int) -> Any:
            return {"model": "job", "id": "j1", "round": 0}

    provider.answers = [answer(body={"status": "done", "out": "yes"})]
    job = model(
        "job",
        call='[http]\nbase_url = "https://provider.example"\npath = "/jobs"\nresult = "out"\n'
        '[http.job]\nid = "id"\npath = "/jobs/{{ job }}"\nstatus = "status"\n'
        'done = ["done"]\nfailed = ["failed"]\n'
        "[limits]\nconcurrency = 1\n",
    )

    given = await one.call(job, Begun())

    assert given.value == "yes"
    assert one.watched.told == []


# -- which line, which limits ---------------------------------------------------------------------


def line(asked: Model, **environ: str) -> str:
    ticket = Ticket.of(asked, environ)
    assert ticket is not None
    return ticket.provider


def test_models_with_one_credential_and_the_same_limits_share_a_line() -> None:
    first, second = (limited(name, requests_per_minute=9) for name in ("a", "b"))

    assert line(first) == line(second)
    assert line(first) != line(limited("a", requests_per_minute=8))
    assert line(first) != line(limited(call=CHAT.replace("KEY", "OTHER"), requests_per_minute=9))


def test_without_stated_limits_each_model_has_a_line_of_its_own() -> None:
    assert line(limited("a")) != line(limited("b"))


def test_where_a_provider_is_counts_as_the_environment_has_it() -> None:
    moved = model(call=CHAT + 'base_url_env = "PLACE"\n')

    assert line(moved) == line(limited())
    assert line(moved, PLACE="http://elsewhere.example") != line(moved)


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        ({}, Limits()),
        (
            {"x-ratelimit-limit-requests": "60", "x-ratelimit-limit-tokens": "9000"},
            Limits(requests_per_minute=60, tokens_per_minute=9_000),
        ),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-tokens-limit": "40000",
            },
            Limits(requests_per_minute=50, tokens_per_minute=40_000),
        ),
        ({"x-ratelimit-limit-requests": "0", "x-ratelimit-limit-tokens": "many"}, Limits()),
        ({"x-ratelimit-limit-requests": "-1", "x-ratelimit-limit-tokens": "²"}, Limits()),
        ({"x-ratelimit-limit-requests": "9" * 5_000}, Limits()),
    ],
)
def test_limits_are_read_from_headers(headers: dict[str, str], limits: Limits) -> None:
    assert read_limits(headers) == limits


def test_tokens_are_guessed_from_the_texts_there_are() -> None:
    assert guess_tokens({"prompt": "x" * 400, "n": 7, "images": ["y" * 40], "none": None}) == 111
