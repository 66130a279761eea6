"""API keys, for the browsers of the accounts that own them."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.access.capabilities import (
    CUSTOM,
    EVERYTHING,
    GENERAL,
    MAX_CAPABILITIES,
    PRESETS,
    SPECIFIC,
    WILDCARDS,
)
from engine.store import Principal
from engine.store.accounts.api_keys import MAX_NAME
from engine.values.plain import moment
from gateway.auth.endpoints import Resource, operation, session_only
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import Content, Moment, Nested, RequestBody, View, refused
from gateway.openapi.examples import CREATED, ENDED, KEY_ID
from gateway.routes.shared_types import DELETED, ApiKeyView, Deleted
from gateway.services import GatewayRequest

NOT_BLANK = r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""A character that is not stripped; the usual class of blanks differs by language."""
logger = logging.getLogger(__name__)


class CreatedApiKey(View):
    """A new key: as `ApiKeyView`, with the secret after the name."""

    links = {name: {"key_id": "id"} for name in ("put_webhook", "delete_api_key")}

    id: str
    name: str
    key: str
    prefix: str
    last4: str
    capabilities: Sequence[str]
    created_at: Moment


class ListedApiKey(ApiKeyView):
    """A key in a list."""

    last_used_at: Moment | None


class PresetChoice(Nested):
    """A named set of capabilities."""

    preset: Annotated[str, Meta(extra_json_schema={"enum": list(PRESETS)})]
    capabilities: None = None


CAPABILITY = [
    {"type": "string", "enum": sorted(GENERAL | WILDCARDS | {EVERYTHING})},
    {"type": "string", "pattern": f"^(?:{SPECIFIC.pattern})$"},
]


class CapabilitiesChoice(Nested):
    """An explicit list of capabilities."""

    capabilities: Annotated[
        list[Annotated[str, Meta(extra_json_schema={"anyOf": CAPABILITY})]],
        Meta(min_length=1, max_length=MAX_CAPABILITIES),
    ]
    preset: Annotated[Any, Meta(extra_json_schema={"enum": [CUSTOM, None]})] = None


class ApiKeyRequest(RequestBody):
    """A key to create."""

    choices = (PresetChoice, CapabilitiesChoice)

    name: Annotated[
        str,
        Meta(min_length=1, max_length=MAX_NAME, pattern=NOT_BLANK),
        refused(f"must be a text of 1 to {MAX_NAME} characters"),
    ]
    preset: Any = None
    capabilities: Any = None

    def read_capabilities(self) -> Sequence[str]:
        """Return the requested capabilities. Raises InvalidBody."""
        if self.preset is None or self.preset == CUSTOM:
            return self._listed()
        if not isinstance(self.preset, str) or self.preset not in PRESETS:
            names = ", ".join((*PRESETS, CUSTOM))
            raise errors.InvalidBody(f"'preset' must be one of {names}", field="preset")
        if self.capabilities is not None:
            raise errors.InvalidBody("Name either a preset or capabilities", field="capabilities")
        return PRESETS[self.preset]

    def _listed(self) -> Sequence[str]:
        listed = self.capabilities if isinstance(self.capabilities, list) else []
        is_short = 0 < len(listed) <= MAX_CAPABILITIES
        if not is_short or not all(isinstance(each, str) for each in listed):
            raise errors.InvalidBody(
                f"'capabilities' must be a list of 1 to {MAX_CAPABILITIES} texts",
                field="capabilities",
            )
        return listed


API_KEY: dict[str, Any] = {
    "id": KEY_ID,
    "name": "website",
    "prefix": "hr_live_",
    "last4": "Qk3d",
    "capabilities": ["workflow:read", "workflow:run"],
    "created_at": CREATED,
}
CreatedApiKey.examples = (CreatedApiKey(**API_KEY, key="hr_live_…"),)
ListedApiKey.examples = (ListedApiKey(**API_KEY, last_used_at=ENDED),)
ApiKeyRequest.examples = (
    ApiKeyRequest(name="website", preset="Workflow Deploy"),
    ApiKeyRequest(name="one workflow", capabilities=["workflow:greeting:run", "webhook:receive"]),
)
API_KEY_LIST = Content(component="ApiKeyList", kind=list[ListedApiKey])


@operation(answers={200: API_KEY_LIST})
@session_only
async def list_api_keys(request: GatewayRequest, principal: Principal) -> Response:
    """The account's keys, oldest first, without their secrets."""
    keys = request.state["services"].store.api_keys
    found, uses = await asyncio.gather(
        keys.list(principal.account.id), keys.last_uses(principal.account.id)
    )
    return json_response(
        [ListedApiKey.of(key, last_used_at=moment(uses.get(key.id))) for key in found]
    )


@operation(
    body=ApiKeyRequest,
    answers={201: CreatedApiKey},
    errors=(errors.InvalidCapability, errors.ApiKeyAccessDenied, errors.CapabilityAboveCeiling),
)
@session_only
async def create_api_key(request: GatewayRequest, principal: Principal) -> Response:
    """A new key; its secret is shown this once."""
    body = await read_body(request, ApiKeyRequest)
    capabilities = body.read_capabilities()
    key, secret = await request.state["services"].store.api_keys.create(
        principal.account, name=body.name.strip(), capabilities=capabilities
    )
    logger.info("API key created", extra=_audited(principal, key.id))
    return json_response(CreatedApiKey.of(key, key=secret), 201)


@operation(answers={200: Deleted})
@session_only
async def delete_api_key(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a key of the account; its very next request is refused."""
    key_id: str = request.path_params["key_id"]
    await request.state["services"].store.api_keys.revoke(key_id, owner=principal.account.id)
    logger.info("API key deleted", extra=_audited(principal, key_id))
    return json_response(DELETED)


def _audited(principal: Principal, key_id: str) -> dict[str, str]:
    account = principal.account
    return {"account_id": account.id, "role": account.role.value, "key_id": key_id}


routes = [
    Route("/api/api-keys", Resource(GET=list_api_keys, POST=create_api_key)),
    Route("/api/api-keys/{key_id}", Resource(DELETE=delete_api_key)),
]
