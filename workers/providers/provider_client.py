"""HTTP client of one call to a provider: URL, key, headers and mapping of errors."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from msgspec import structs

from engine.errors.nodes import NodeFailed
from engine.models.availability import missing_sentence
from engine.models.calls.answer_paths import Path
from engine.models.dialects.endpoint import ProviderEndpoint
from engine.nodes.support.base import HttpAnswer, HttpCall
from workers.providers.answers.errors import (
    REJECTED,
    UNAVAILABLE,
    cut,
    failure_of_status,
    failure_of_transport,
    find_message,
)
from workers.providers.answers.parsing import pack, parse, parse_quietly
from workers.providers.answers.redactor import SecretRedactor, known_secrets, redact
from workers.providers.answers.streaming import EVENTS, EventJoiner, StreamReader
from workers.providers.base import CallContext, with_margin

MAX_BYTES = 10_485_760
MAX_MEDIA_BYTES = 50_331_648
"""Largest answer with media in base64, which takes a third more than their bytes."""
DEFAULT_MEDIA_BYTES = 16_777_216
"""Assumed size of such an answer without a length."""
LENGTH = re.compile(r"[0-9]{1,12}", re.ASCII)
MAX_STREAM_BYTES = 67_108_864
"""Largest stream of events, whose texts are a small part of it."""
IDLE_SECONDS = 180.0
"""A stream without data for this time is dead; models that think may be silent a while."""
UNKNOWN_MEMBER_STATUSES = (400, 422)
"""Statuses by which providers refuse an unknown member of the request."""
SEE_LOG = "the operator's log says more"

log = logging.getLogger(__name__)


def _expected_bytes(answer: HttpAnswer, most: int) -> int:
    """Return the expected size of the body of an answer."""
    length = answer.headers.get("content-length", "")
    return min(int(length), most) if LENGTH.fullmatch(length) else DEFAULT_MEDIA_BYTES


class ProviderClient:
    """Sends requests of a dialect; every failure is one of the provider's."""

    def __init__(
        self,
        endpoint: ProviderEndpoint,
        call: CallContext,
        *,
        error: Sequence[Path] = (),
        status_code: Path | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._endpoint = endpoint
        self._call = call
        self._error = error
        self._status_code = status_code
        self._dialect_headers = headers

    async def fetch_json(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        seconds: float | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Any:
        """Send a request and return the JSON of the answer. Raises NodeFailed.

        `key` is the idempotency key.
        """
        answer = await self.fetch(method, path, body, key=key, seconds=seconds, max_bytes=max_bytes)
        return parse(answer.body)

    async def stream(
        self,
        path: str,
        body: Mapping[str, Any],
        stream_members: Mapping[str, Any],
        joiner: EventJoiner,
        *,
        key: str = "",
    ) -> Any:
        """Return the JSON that the events of a stream add up to; the text is published on the way.

        `stream_members` ask for a stream, in the body. A provider that does not stream is read as
        by `fetch_json`; one that refuses the members is asked without them. Raises NodeFailed.
        """
        redactor, publish_text = SecretRedactor(self._secrets()), self._call.model_call.publish_text
        reader = StreamReader(joiner, redactor, publish_text, self.explain, MAX_BYTES)
        request = await self._request(
            "POST", path, {**body, **stream_members}, key=key, accept=f"{EVENTS}, application/json"
        )
        answer = await self._send(
            structs.replace(
                request,
                max_bytes=MAX_STREAM_BYTES,
                idle_seconds=IDLE_SECONDS,
                consume=reader.read_answer,
            )
        )
        if reader.has_streamed:
            return joiner.reply()
        if answer.status in UNKNOWN_MEMBER_STATUSES and b"stream" in reader.body:
            return await self.fetch_json("POST", path, body, key=key and f"{key}-whole")
        self._check(structs.replace(answer, body=reader.body))
        return parse(reader.body)

    async def fetch(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        seconds: float | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> HttpAnswer:
        """Send a request and return the answer; a body that is no `Form` goes as JSON.

        Raises NodeFailed.
        """
        request = await self._request(method, path, body, key=key, seconds=seconds)
        request = structs.replace(request, max_bytes=max_bytes)
        if max_bytes > MAX_BYTES:
            answer = await self._send_for_media(request)
        else:
            answer = await self._send(request)
        self._check(answer)
        return answer

    async def _send_for_media(self, request: HttpCall) -> HttpAnswer:
        """Send a request and read its large answer once there is memory for it.

        Lack of memory is not the provider's failure.
        """
        receiving, parts = self._call.receiving, list[bytes]()
        clock = asyncio.get_running_loop().time
        deadline = clock() + request.timeout_seconds

        async def take(answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
            expected = _expected_bytes(answer, request.max_bytes)
            await receiving.acquire(expected, with_margin(deadline - clock()))
            parts.extend([piece async for piece in pieces])

        answer = await self._send(structs.replace(request, consume=take))
        body = b"".join(parts)
        receiving.resize(len(body))
        return structs.replace(answer, body=body)

    def redact(self, text: str) -> str:
        """Return the text without any provider's key."""
        return redact(text, self._secrets())

    def explain(self, otherwise: str, body: Any) -> str:
        """Return the provider's message without secrets, or the other one."""
        return cut(self.redact(find_message(body, self._error) or otherwise))

    async def _request(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        key: str,
        seconds: float | None = None,
        accept: str = "application/json",
    ) -> HttpCall:
        content_type, packed = await pack(body)
        return HttpCall(
            method=method,
            url=self._base_url() + path,
            headers=(("Accept", accept), *self._headers(key, content_type)),
            body=packed,
            timeout_seconds=self._call.bound(seconds or self._endpoint.timeout_seconds),
            account_id=self._call.account_id,
            is_counted=False,
            keep_alive=self._endpoint.keep_alive,
        )

    async def _send(self, request: HttpCall) -> HttpAnswer:
        try:
            return await self._call.fetch(request)
        except NodeFailed as failure:
            raise failure_of_transport(failure) from None

    def _check(self, answer: HttpAnswer) -> None:
        status, body = answer.status, None
        if not 200 <= status <= 299 or self._status_code is not None:
            body = parse_quietly(answer.body)
        if 200 <= status <= 299 and self._status_code is not None:
            reported = self._status_code.first(body)
            status = reported if type(reported) is int else status
        if not 200 <= status <= 299:
            message = self.explain(f"The provider answered {status}", body)
            raise failure_of_status(status, answer.headers, message)

    def _base_url(self) -> str:
        endpoint = self._endpoint
        base_url = endpoint.place(self._call.environ)
        if not base_url:
            fix = f"Set {endpoint.base_url_env} for all workers"
            log.warning("a provider is not set up", extra={"setup": endpoint.setup, "fix": fix})
            raise NodeFailed(UNAVAILABLE, self._missing_message(endpoint.base_url_env))
        return base_url.rstrip("/")

    def _missing_message(self, variable: str) -> str:
        """Return the message about a variable that is not set; by default only the log names it."""
        names_variable = self._call.names_variables
        sentence = missing_sentence(self._endpoint, {variable}, names_variables=names_variable)
        return sentence if names_variable else f"{sentence}; {SEE_LOG}"

    def _key(self) -> str:
        name = self._endpoint.api_key_env
        return self._call.environ.get(name, "").strip() if name else ""

    def _secrets(self) -> set[str]:
        return known_secrets(self._call.environ) | {self._key()}

    def _fixed_headers(self) -> Iterator[tuple[str, str]]:
        """Yield headers of the manifest, and of the dialect where the manifest has none."""
        declared = {name.lower() for name, _ in self._endpoint.headers}
        yield from self._endpoint.headers
        yield from (pair for pair in self._dialect_headers if pair[0].lower() not in declared)

    def _headers(self, key: str, content_type: str) -> list[tuple[str, str]]:
        endpoint = self._endpoint
        headers = [*self._fixed_headers()]
        if content_type:
            headers.append(("Content-Type", content_type))
        if endpoint.api_key_env:
            if not self._key():
                fix = f"Set {endpoint.api_key_env} for all workers"
                extra = {"variable": endpoint.api_key_env, "fix": fix}
                log.warning("no key of a provider is set", extra=extra)
                raise NodeFailed(REJECTED, self._missing_message(endpoint.api_key_env))
            headers.append((endpoint.key_header, endpoint.key_prefix + self._key()))
        if endpoint.idempotency_header and key:
            headers.append((endpoint.idempotency_header, key))
        return headers
