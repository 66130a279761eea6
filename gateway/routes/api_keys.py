"""API keys, for the browsers of the accounts that own them."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from engine.capabilities import CUSTOM, MAX_CAPABILITIES, PRESETS
from engine.errors import InvalidBody
from engine.store import Principal
from engine.store.api_keys import MAX_NAME
from engine.values import is_text, moment
from gateway.endpoints import Resource, session_only
from gateway.request_bodies import read_object
from gateway.services import GatewayRequest
from gateway.wire import json_response, key_shape

logger = logging.getLogger(__name__)


@session_only
async def list_api_keys(request: GatewayRequest, principal: Principal) -> Response:
    """The account's keys, oldest first, without their secrets."""
    keys = request.state["services"].store.api_keys
    found, uses = await asyncio.gather(
        keys.list(principal.account.id), keys.last_uses(principal.account.id)
    )
    rows = [{**key_shape(key), "lastUsedAt": moment(uses.get(key.id))} for key in found]
    return json_response(rows)


@session_only
async def create_api_key(request: GatewayRequest, principal: Principal) -> Response:
    """A new key; its secret is shown this once."""
    body = await read_object(request)
    name, capabilities = _read_name(body), _read_capabilities(body)
    key, secret = await request.state["services"].store.api_keys.create(
        principal.account, name=name, capabilities=capabilities
    )
    logger.info("API key created", extra=_audited(principal, key.id))
    shape = key_shape(key)
    shown = {"id": shape.pop("id"), "name": shape.pop("name"), "key": secret, **shape}
    return json_response(shown, 201)


@session_only
async def delete_api_key(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a key of the account; its very next request is refused."""
    key_id: str = request.path_params["key_id"]
    await request.state["services"].store.api_keys.revoke(key_id, owner=principal.account.id)
    logger.info("API key deleted", extra=_audited(principal, key_id))
    return json_response({"success": True})


def _audited(principal: Principal, key_id: str) -> dict[str, str]:
    account = principal.account
    return {"account_id": account.id, "role": account.role.value, "key_id": key_id}


def _read_name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not is_text(name) or len(name) > MAX_NAME or not name.strip():
        raise InvalidBody(f"'name' must be a text of 1 to {MAX_NAME} characters", field="name")
    return name.strip()


def _read_capabilities(body: Mapping[str, Any]) -> Sequence[str]:
    preset, listed = body.get("preset"), body.get("capabilities")
    if preset is None or preset == CUSTOM:
        return _read_list(listed)
    if not isinstance(preset, str) or preset not in PRESETS:
        names = ", ".join((*PRESETS, CUSTOM))
        raise InvalidBody(f"'preset' must be one of {names}", field="preset")
    if listed is not None:
        raise InvalidBody("Name either a preset or capabilities", field="capabilities")
    return PRESETS[preset]


def _read_list(value: object) -> Sequence[str]:
    listed = value if isinstance(value, list) else []
    is_short = 0 < len(listed) <= MAX_CAPABILITIES
    if not is_short or not all(isinstance(each, str) for each in listed):
        raise InvalidBody(
            f"'capabilities' must be a list of 1 to {MAX_CAPABILITIES} texts", field="capabilities"
        )
    return listed


routes = [
    Route("/api/api-keys", Resource(GET=list_api_keys, POST=create_api_key)),
    Route("/api/api-keys/{key_id}", Resource(DELETE=delete_api_key)),
]
