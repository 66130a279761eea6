"""A proxy on loopback that makes faults by rules, and remembers what it has seen."""

import asyncio
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request, with the status of its answer; 0 for a broken connection."""

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int


@dataclass
class Rule:
    """A fault for requests of a method and a path, as `tests/clients/scenarios/README.md` says."""

    members: Mapping[str, Any]
    left: float
    window: int = -1
    calls: int = 0

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> "Rule":
        is_endless = members["do"] == "limit"
        return cls(members, math.inf if is_endless else members.get("times", 1))

    def fits(self, request: web.Request) -> bool:
        return (
            self.left > 0
            and request.method == self.members["method"]
            and re.fullmatch(self.members["path"], request.path) is not None
        )

    def count(self) -> tuple[bool, dict[str, str]]:
        """Count a call in its window; return whether it passes, and headers of the rate limit."""
        seconds, most = self.members["seconds"], self.members["calls"]
        window = int(time.time() // seconds)
        if window != self.window:
            self.window, self.calls = window, 0
        passes = self.calls < most
        self.calls += passes
        ends = (window + 1) * seconds
        return passes, {
            "x-ratelimit-limit": str(most),
            "x-ratelimit-remaining": str(most - self.calls),
            "x-ratelimit-reset": str(ends),
            "ratelimit-policy": f'"default";q={most};w={seconds}',
            **({} if passes else {"retry-after": str(math.ceil(ends - time.time()))}),
        }


@dataclass
class FaultProxy:
    """Forwards to the upstream, unless a rule makes a fault."""

    upstream: str
    rules: list[Rule] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    session: ClientSession | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, and remember it."""
        rule = next((each for each in self.rules if each.fits(request)), None)
        if rule is not None:
            rule.left -= 1
        status, began = 0, time.time()
        body = await request.read()
        try:
            response = await self._answer(request, body, rule.members if rule else {}, rule)
            status = response.status
        finally:
            self.seen.append(
                Seen(
                    at=began,
                    method=request.method,
                    path=request.path,
                    query=dict(request.query),
                    headers={name.lower(): value for name, value in request.headers.items()},
                    status=status,
                )
            )
        return response

    async def _answer(
        self, request: web.Request, body: bytes, members: Mapping[str, Any], rule: Rule | None
    ) -> web.StreamResponse:
        kind = members.get("do")
        if kind == "drop":
            _break(request)
        if kind == "answer":
            headers = members.get("headers", {})
            return web.json_response(members["body"], status=members["status"], headers=headers)
        if kind == "limit" and rule is not None:
            passes, headers = rule.count()
            if not passes:
                error = {"error": "Rate limit exceeded", "code": "RATE_LIMIT_EXCEEDED"}
                return web.json_response(error, status=429, headers=headers)
            return await self._forward(request, body, members, headers)
        return await self._forward(request, body, members, {})

    async def _forward(
        self, request: web.Request, body: bytes, members: Mapping[str, Any], more: dict[str, str]
    ) -> web.StreamResponse:
        assert self.session is not None
        query = {**request.query, **members["set"]} if members.get("do") == "query" else None
        async with self.session.request(
            request.method,
            self.upstream + request.path,
            params=request.query if query is None else query,
            headers=[
                (name, value)
                for name, value in request.headers.items()
                if name.lower() not in HOP_BY_HOP
            ],
            data=body,
        ) as answer:
            if members.get("do") == "lose":
                await answer.read()
                _break(request)
            headers = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() not in HOP_BY_HOP
            }
            response = web.StreamResponse(status=answer.status, headers={**headers, **more})
            await response.prepare(request)
            events, most = 0, members.get("events", math.inf)
            if events == most:
                _break(request)
            block = b""
            async for line in answer.content:
                block += line
                if line.strip():
                    continue
                await response.write(block)
                events += b"data:" in block
                block = b""
                if events >= most:
                    _break(request)
            await response.write(block)
            await response.write_eof()
            return response


def _break(request: web.Request) -> None:
    """Close the connection of the caller at once."""
    if request.transport is not None:
        request.transport.close()
    raise asyncio.CancelledError
