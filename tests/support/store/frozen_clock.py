"""Scripts that run at a time of the test's choice."""

from functools import partial
from typing import Any

import pytest

from engine.store import Store
from engine.store.redis.scripts import SCRIPTS


def set_clock(store: Store, monkeypatch: pytest.MonkeyPatch, script_name: str, now: int) -> None:
    """Let the calls of one script happen at this time, in milliseconds."""
    call = type(store.client).call

    def call_then(client: Any, script: Any, **names: Any) -> Any:
        if script is SCRIPTS[script_name]:
            names["now"] = now
        return call(client, script, **names)

    monkeypatch.setattr(store.client, "call", partial(call_then, store.client))
