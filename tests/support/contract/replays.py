"""Calls about replays."""

from collections.abc import Mapping
from typing import Any

import httpx2

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Caller

OVER = {"completed", "cancelled"}


def start_replay(
    caller: Caller, slug: str, *, headers: Mapping[str, str] | None = None, **body: Any
) -> httpx2.Response:
    """Start a replay with these members of the body."""
    return caller.post(f"/api/workflows/{slug}/replay", body, headers=dict(headers or {}))


def begun_replay(caller: Caller, slug: str, **body: Any) -> str:
    """Start a replay; return its id."""
    answer = start_replay(caller, slug, **body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["replayId"])


def replay_of(caller: Caller, replay_id: str, query: str = "") -> Any:
    """Return a replay with its rows."""
    answer = caller.get(f"/api/replays/{replay_id}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended_replay(caller: Caller, replay_id: str) -> Any:
    """Return a replay once it is over."""
    return until(lambda: replay_of(caller, replay_id), lambda found: found["status"] in OVER)
