"""An endpoint of the stub: the steps of every call, whatever its protocol."""

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from deploy.stub_provider.calls import PROMPT_KEPT, Call, CallCounters
from deploy.stub_provider.dialects import StubDialect
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import StubAnswer, StubRequest, answer_json, read_body
from deploy.stub_provider.jobs import Jobs
from deploy.stub_provider.limits import CredentialLimits, LimitState, LimitStates
from deploy.stub_provider.script import CallScript, read_script
from deploy.stub_provider.transmission import ClientLeft, pause, send_answer

PROMPTS = ("prompt", "text", "input", "content", "messages", "contents", "parts")
"""Members of a body that hold texts for a model."""
SCRIPTED = "x-stub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """State shared by all endpoints."""

    calls: CallCounters
    limits: CredentialLimits
    jobs: Jobs
    script: str = ""


Handler = Callable[[StubRequest, Stub], StubAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class StubEndpoint:
    """An ASGI application for one path."""

    path: str
    stub: Stub
    dialect: StubDialect
    handler: Handler
    is_limited: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        call = self.stub.calls.begin(request.method, self.path)
        has_left = False
        try:
            await self._serve(request, call, send)
        except (ClientLeft, ClientDisconnect):
            has_left = True
        finally:
            self.stub.calls.end(call, left=has_left)

    async def _serve(self, request: Request, call: Call, send: Send) -> None:
        raw = await request.body()
        request_id = self.dialect.id_prefix + uuid.uuid4().hex
        credential = _credential(request)
        script = CallScript()
        try:
            self.dialect.check(request.headers)
            stub_request = self._read(request, raw, call)
            script = stub_request.script
            if not self.is_limited:
                await self._answer(stub_request, raw, call, request, send, request_id)
                return
            with self.stub.limits.count_call(credential):
                await self._answer(stub_request, raw, call, request, send, request_id)
        except StubRefused as refused:
            answer = self._refusal(refused, request_id)
            call.status = answer.status
            headers = self._headers(credential, request_id, refused)
            await send_answer(answer, headers, replace(script, fault=""), request.receive, send)

    def _read(self, request: Request, raw: bytes, call: Call) -> StubRequest:
        body = read_body(request.headers, raw)
        model = str(
            body.get("model") or body.get("version") or request.path_params.get("model", "")
        )
        call.model = model
        call.prompt = prompt_of(body)[:PROMPT_KEPT]
        call.idempotency_key = request.headers.get("idempotency-key")
        scripts = (request.query_params.get("stub", ""), request.headers.get("x-stub", ""))
        script = read_script(*scripts, model=model, body=raw, base=self.stub.script)
        return StubRequest(
            body=body,
            headers=request.headers,
            path=request.path_params,
            query=request.query_params,
            base_url=str(request.base_url).rstrip("/"),
            script=script,
            model=model,
        )

    async def _answer(
        self,
        stub_request: StubRequest,
        raw: bytes,
        call: Call,
        request: Request,
        send: Send,
        request_id: str,
    ) -> None:
        script = stub_request.script
        is_faulty = bool(script.fail or script.fault)
        if is_faulty and not self.stub.calls.is_due(script, self.path, raw):
            script = replace(script, fail=0, fault="")
        answer = None if script.fail else self._handled(stub_request, request)
        if script.delay:
            await pause(request.receive, script.delay)
        if answer is None:
            raise _scripted(script)
        call.status = answer.status
        headers = self._headers(_credential(request), request_id)
        await send_answer(answer, headers, script, request.receive, send)

    def _handled(self, stub_request: StubRequest, request: Request) -> StubAnswer:
        answer = self.handler(stub_request, self.stub)
        self.stub.calls.spent(answer.input_tokens, answer.output_tokens)
        tokens = answer.input_tokens + answer.output_tokens
        self.stub.limits.spend(_credential(request), tokens)
        return answer

    def _refusal(self, refused: StubRefused, request_id: str) -> StubAnswer:
        body = self.dialect.error(refused, request_id)
        if refused.retry_after is None:
            return answer_json(body, status=refused.status)
        wait = {
            "retry-after": str(math.ceil(refused.retry_after)),
            "retry-after-ms": str(math.ceil(refused.retry_after * 1000)),
        }
        return answer_json(body, status=refused.status, headers=wait)

    def _headers(
        self, credential: str, request_id: str, refused: StubRefused | None = None
    ) -> dict[str, str]:
        limit_states = self.stub.limits.limit_states(credential)
        if refused is not None and refused.status == 429 and refused.param == SCRIPTED:
            limit_states = _exhausted(limit_states, refused.retry_after or 0)
        return {
            "x-stub-provider": "headrace",
            self.dialect.id_header: request_id,
            **self.dialect.rate_headers(limit_states),
        }


def _credential(request: Request) -> str:
    headers = request.headers
    names = ("x-api-key", "x-goog-api-key", "authorization")
    return next((headers[name] for name in names if headers.get(name)), "")


def _scripted(script: CallScript) -> StubRefused:
    wait = script.retry_after or (1 if script.fail == 429 else None)
    sentence = f"(stub) Status {script.fail}, as asked."
    return StubRefused(script.fail, sentence, param=SCRIPTED, retry_after=wait)


def _exhausted(limit_states: LimitStates, wait: float) -> LimitStates:
    """Return the rate limits of a provider that has just answered 429."""
    limit = limit_states.requests.limit if limit_states.requests else None
    return replace(limit_states, requests=LimitState(limit=limit, remaining=0, reset_seconds=wait))


def prompt_of(value: Any) -> str:
    """Return the last text of a body, for the record of calls."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next((text for each in reversed(value) if (text := prompt_of(each))), "")
    if not isinstance(value, dict):
        return ""
    return next((text for name in PROMPTS if (text := prompt_of(value.get(name)))), "")
