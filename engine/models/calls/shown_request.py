"""Requests of `[http]` as admins read them after a try: without keys, media as they were given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.dialects.endpoint import ProviderEndpoint
from engine.models.dialects.http import HttpSection
from engine.models.disclosure import HIDDEN, SECRET_NAME
from engine.models.manifest import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    """Request to a provider; values of headers that may be keys are hidden."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any


def shown_request(
    model: Model, inputs: Mapping[str, Any], *, is_demo: bool = False
) -> ShownRequest | None:
    """Return the request of a call with these inputs, or None where its protocol makes it.

    `is_demo`: the variable of the manifest leads to the demo provider.
    """
    call = model.call
    if not isinstance(call, HttpSection):
        return None
    defaults = {field.name: field.default for field in model.fields if field.default is not None}
    try:
        path, body = call.request({**defaults, **inputs})
    except NodeFailed:  # such a call fails before it is sent
        return None
    return ShownRequest(
        method=call.method,
        url=_place(call.endpoint, is_demo=is_demo) + path,
        headers=dict(_headers(call.endpoint)),
        body=body,
    )


def _place(endpoint: ProviderEndpoint, *, is_demo: bool) -> str:
    """Return the address as a shell would write it: whether a variable is set, workers know."""
    variable, base_url = endpoint.base_url_env, endpoint.base_url
    if not variable:
        return base_url
    return f"${variable}" if is_demo or not base_url else f"${{{variable}:-{base_url}}}"


def _headers(endpoint: ProviderEndpoint) -> Iterator[tuple[str, str]]:
    for name, value in endpoint.headers:
        yield name, HIDDEN if SECRET_NAME.search(name) else value
    if endpoint.api_key_env:
        yield endpoint.key_header, f"{endpoint.key_prefix}{HIDDEN}"
