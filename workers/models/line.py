"""A line to one provider for one call: address, key and headers on the way out, errors back."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from engine.models.paths import Path
from engine.models.sections.endpoint import Endpoint
from engine.nodes.base import HttpAnswer, HttpCall, NodeFailed
from engine.values import fault
from workers.models.base import CallContext
from workers.models.failing import (
    REJECTED,
    UNAVAILABLE,
    bad_response,
    cut,
    of_status,
    of_transport,
    sentence,
)
from workers.models.multipart import Form
from workers.models.secrets import hide, known_secrets

MAX_BYTES = 10_485_760
MAX_MEDIA_BYTES = 50_331_648
"""Of an answer that carries media: a third more than they have themselves."""


class Line:
    """Sends what a dialect asks for; every failure is one of the provider's."""

    def __init__(
        self,
        endpoint: Endpoint,
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

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        seconds: float | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Any:
        """The JSON that comes back; `key` names the call for the provider. Raises NodeFailed."""
        answer = await self.fetch(method, path, body, key=key, seconds=seconds, max_bytes=max_bytes)
        return _parse(answer.body)

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
        """The answer, when it is not a refusal; a body that is no `Form` goes as JSON.

        Raises NodeFailed.
        """
        content_type, packed = _pack(body)
        call = HttpCall(
            method=method,
            url=self._base_url() + path,
            headers=tuple(self._headers(key, content_type)),
            body=packed,
            timeout_seconds=self._call.bound(seconds or self._endpoint.timeout_seconds),
            max_bytes=max_bytes,
            keep_alive=self._endpoint.keep_alive,
        )
        try:
            answer = await self._call.fetch(call)
        except NodeFailed as failure:
            raise of_transport(failure) from None
        self._check(answer)
        return answer

    def hide(self, text: str) -> str:
        """The text without any provider's key."""
        return hide(text, known_secrets(self._call.environ) | {self._key()})

    def explain(self, otherwise: str, body: Any) -> str:
        """The provider's sentence about what went wrong, fit to be told, or another."""
        return cut(self.hide(sentence(body, self._error) or otherwise))

    def _check(self, answer: HttpAnswer) -> None:
        status, body = answer.status, None
        if not 200 <= status <= 299 or self._status_code is not None:
            body = _parse_quietly(answer.body)
        if 200 <= status <= 299 and self._status_code is not None:
            told = self._status_code.first(body)
            status = told if type(told) is int else status
        if not 200 <= status <= 299:
            message = self.explain(f"The provider answered {status}", body)
            raise of_status(status, answer.headers, message)

    def _base_url(self) -> str:
        endpoint = self._endpoint
        other = self._call.environ.get(endpoint.base_url_env) if endpoint.base_url_env else None
        if not other and not endpoint.base_url:
            raise NodeFailed(UNAVAILABLE, endpoint.setup)
        return (other or endpoint.base_url).rstrip("/")

    def _key(self) -> str:
        name = self._endpoint.api_key_env
        return self._call.environ.get(name, "").strip() if name else ""

    def _fixed_headers(self) -> Iterator[tuple[str, str]]:
        """What the manifest says, and what the dialect says where the manifest does not."""
        given = {name.lower() for name, _ in self._endpoint.headers}
        yield from self._endpoint.headers
        yield from (pair for pair in self._dialect_headers if pair[0].lower() not in given)

    def _headers(self, key: str, content_type: str) -> list[tuple[str, str]]:
        endpoint = self._endpoint
        headers = [("Accept", "application/json"), *self._fixed_headers()]
        if content_type:
            headers.append(("Content-Type", content_type))
        if endpoint.api_key_env:
            if not self._key():
                message = f"The worker has no {endpoint.api_key_env} in its environment"
                raise NodeFailed(REJECTED, message)
            headers.append((endpoint.key_header, endpoint.key_prefix + self._key()))
        if endpoint.idempotency_header and key:
            headers.append((endpoint.idempotency_header, key))
        return headers


def _pack(body: Any) -> tuple[str, bytes | None]:
    """The content type and the bytes; neither where there is no body."""
    if body is None:
        return "", None
    try:
        if isinstance(body, Form):
            return body.pack()
        return "application/json", msgspec.json.encode(body)
    except UnicodeEncodeError:
        raise NodeFailed("invalid_value", "The values have an unpaired surrogate") from None


def _parse(body: bytes) -> Any:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_response("is not JSON") from None
    reason = fault(value)
    if reason:
        raise bad_response(reason)
    return value


def _parse_quietly(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
