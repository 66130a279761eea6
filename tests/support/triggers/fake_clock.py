"""Redis with a clock of the test's choice, and processes that die at its calls."""

import asyncio
import random
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.store import Store
from engine.store.redis.scripts import Script


class ProcessDied(BaseException):
    """The process was killed at a call, before it or after it."""


class FakeClock:
    """Sets the time of all scripts and of `TIME`, and fails calls at random."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch, now: int) -> None:
        self.now = now
        """Milliseconds since the epoch."""
        self.deaths = 0.0
        """Share of the scripts at which the process dies."""
        self.faults = 0.0
        """Share of the scripts that Redis does not answer."""
        self._random = random.Random(7)
        client = store.client
        call, send = client.call, client.send

        def timed_call(script: Script, **names: Any) -> Any:
            try:
                script.words(**names, now=self.now)
            except TypeError:  # the script needs no time
                return self._call_or_die(call, script, names)
            return self._call_or_die(call, script, {**names, "now": self.now})

        def timed_send(*command: Any) -> Any:
            if command == ("TIME",):
                answer = asyncio.get_running_loop().create_future()
                answer.set_result([self.now // 1000, self.now % 1000 * 1000])
                return answer
            return send(*command)

        monkeypatch.setattr(client, "call", timed_call)
        monkeypatch.setattr(client, "send", timed_send)

    def _call_or_die(self, call: Any, script: Script, names: dict[str, Any]) -> Any:
        fate = self._random.random()
        if fate < self.deaths / 2:
            return _fail(ProcessDied())
        if fate < self.deaths:
            return _do_and_fail(call(script, **names), ProcessDied())
        if fate < self.deaths + self.faults / 2:
            return _fail(Unavailable())
        if fate < self.deaths + self.faults:
            return _do_and_fail(call(script, **names), Unavailable())
        return call(script, **names)


async def _fail(error: BaseException) -> None:
    raise error


async def _do_and_fail(reply: Any, error: BaseException) -> None:
    await reply
    raise error
