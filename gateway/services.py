"""What handlers work with: opened once per process, found on every request."""

import asyncio
from dataclasses import dataclass
from typing import TypedDict

from starlette.requests import Request

from engine.settings import Settings
from engine.store import Bell, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The settings, the store, the bell, and whether the process is about to stop."""

    settings: Settings
    store: Store
    bell: Bell
    stopping: asyncio.Event


class State(TypedDict):
    """What the lifespan puts on each request."""

    services: Services


GatewayRequest = Request[State]
