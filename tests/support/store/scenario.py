"""Scenarios: effective calls of scripts, each on keys that its seed has written."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.script_runner import with_keys

NOW = 1_000_000
Value = str | bytes | int


@dataclass(frozen=True)
class Scenario:
    """Effective call of a script on keys that the seed has written."""

    seed: Sequence[Sequence[Value]]
    names: Mapping[str, Any]
    again: object
    """Answer of a second call; None: that of the first."""

    def call(self, client: Client, name: str) -> asyncio.Future[Any]:
        """Call the script of that name; keys by `with_keys`, at the time NOW."""
        script = SCRIPTS[name]
        takes_now = any(each.name == "now" for each in script.names.arguments)
        names = ({"now": NOW} if takes_now else {}) | self.names
        return client.call(script, **with_keys(script, names))


def scenario(*seed: Sequence[Value], again: object = None, **names: Any) -> Scenario:
    """Return the scenario of a call by names."""
    return Scenario(seed, names, again)
