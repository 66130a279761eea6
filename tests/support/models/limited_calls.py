"""Processes that call models in turn, and their provider."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.errors.nodes import NodeFailed
from engine.models.limits import ModelLimits
from engine.models.manifest import Model
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.store import Store
from engine.store.limits.governor import USUAL_PACING, CallOutcome, CallReport, Pacing
from engine.store.limits.governor import Governor as Governor
from engine.store.limits.governor import ProviderStanding as ProviderStanding
from engine.store.redis.address import RedisAddress
from engine.telemetry import metrics
from tests.support.eventually import eventually
from tests.support.manifests import model
from workers.providers.base import Fetcher, ModelAnswer, ModelCall, NoCheckpoints, ignore_turn
from workers.providers.limiter.call_limiter import CallLimiter
from workers.providers.model_caller import ModelCaller

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
    """Gives its answers one after the other, the last one for ever; waits while closed."""

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


class WatchedGovernor(Governor):
    """A governor that notes reports, and is unreachable while a test says so."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.client)
        self.reports: list[CallReport] = []
        self.turns = 0
        self.is_away = False
        self.is_broken = False
        self.is_never_due = False
        """True: callers that wait are told to look again in an hour."""

    async def turn(
        self,
        provider: str,
        caller: str,
        limits: ModelLimits,
        events: Sequence[CallReport],
        *,
        pacing: Pacing = USUAL_PACING,
        now: int | None = None,
    ) -> ProviderStanding:
        if self.is_away:
            raise Unavailable("Redis cannot be reached")
        if self.is_broken:
            raise RuntimeError("There is no such script")
        given = await super().turn(provider, caller, limits, events, pacing=pacing, now=now)
        self.reports += events  # once there is an answer, which the reporter knows by then
        self.turns += 1
        return replace(given, due_seconds=3_600.0) if self.is_never_due else given

    def kinds(self) -> list[CallOutcome]:
        return [event.kind for event in self.reports if event.kind is not CallOutcome.TOOK]


class Process:
    """The model calls of one worker process."""

    def __init__(self, provider: Provider, watched: WatchedGovernor, limiter: CallLimiter) -> None:
        self.watched = watched
        self._models = ModelCaller(provider, limiter=limiter, environ=ENVIRON)

    async def call(
        self,
        asked: Model,
        checkpoints: NoCheckpoints | None = None,
        *,
        seconds: float | None = None,
        note_turn: Callable[[], None] = ignore_turn,
    ) -> ModelAnswer:
        now = asyncio.get_running_loop().time()
        deadline = None if seconds is None else now + seconds
        checkpoints = checkpoints or NoCheckpoints()
        model_call = ModelCall(checkpoints=checkpoints, deadline=deadline, note_turn=note_turn)
        return await self._models.call(asked, {"prompt": "x"}, model_call)


@contextlib.asynccontextmanager
async def process(store: Store, url: str, provider: Provider, name: str) -> AsyncIterator[Process]:
    watched = WatchedGovernor(store)
    limiter = CallLimiter(watched, name)
    async with limiter.running(RedisAddress.parse(url)):
        yield Process(provider, watched, limiter)


async def failure(calling: Any) -> NodeFailed:
    with pytest.raises(NodeFailed) as caught:
        await calling
    return caught.value


async def calls(provider: Provider, count: int) -> None:
    """Wait until this many calls have reached the provider."""

    async def reached() -> int:
        return len(provider.calls)

    await eventually(reached, lambda seen: seen == count)


def report_kinds(process: Process) -> Any:
    async def kinds() -> list[CallOutcome]:
        return process.watched.kinds()

    return kinds


def sample(name: str) -> float:
    labels = {"provider": "provider.example"}
    return metrics.REGISTRY.get_sample_value(f"headrace_provider_{name}", labels) or 0
