"""API keys, for the browsers of the accounts that own them."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType
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
from engine.store import ApiKey, Principal, Store, Webhook
from engine.store.accounts.api_keys import UNCHANGED
from engine.store.accounts.key_drafts import EXPIRED, MAX_NAME
from engine.values.plain import moment
from gateway.auth.endpoints import operation, session_only
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import (
    NOT_BLANK,
    Content,
    Instant,
    Moment,
    Nested,
    RequestBody,
    View,
    doc,
    refused,
)
from gateway.openapi.examples import CREATED, ENDED, KEY_ID
from gateway.services import GatewayRequest

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
    expires_at: Moment | None


class ApiKeyView(Nested):
    """An API key, without its secret."""

    id: str
    name: str
    prefix: str
    last4: str
    capabilities: Sequence[str]
    created_at: Moment
    expires_at: Moment | None


class KeyWebhook(Nested):
    """The webhook of a key, in brief."""

    url: str
    enabled: bool


class GrantedClient(Nested):
    """The client that a key was granted to."""

    id: str
    name: Annotated[str, doc("As the client calls itself.")]


class ListedApiKey(ApiKeyView, View):
    """A key of the account, with its use and its webhook."""

    last_used_at: Moment | None
    webhook: KeyWebhook | None
    client: Annotated[
        GrantedClient | None,
        doc("The client of OAuth that the owner granted the key to; null: no client was."),
    ]

    @classmethod
    def from_record(cls, record: ApiKey, **members: Any) -> Self:
        """Build the row of a key; `webhook` is its webhook or None."""
        webhook: Webhook | None = members.pop("webhook")
        shown = None if webhook is None else KeyWebhook.from_record(webhook)
        client = None if record.client is None else GrantedClient.from_record(record.client)
        return super().from_record(record, webhook=shown, client=client, **members)


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


KeyName = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern=NOT_BLANK)]
NAME_REFUSED = refused(f"must be a text of 1 to {MAX_NAME} characters")
Expiry = Annotated[
    Instant | None,
    doc("A later time; null: the key does not expire."),
    refused("must be null or a time with a zone, such as 2030-01-31T12:00:00Z"),
]


class ApiKeyRequest(RequestBody):
    """A key to create."""

    choices = (PresetChoice, CapabilitiesChoice)

    name: Annotated[KeyName, NAME_REFUSED]
    expires_at: Expiry = None
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


class ApiKeyChanges(RequestBody):
    """Changes of a key; members that are left out stay as they are."""

    name: Annotated[KeyName | UnsetType, NAME_REFUSED] = UNSET
    expires_at: Expiry | UnsetType = UNSET


API_KEY: dict[str, Any] = {
    "id": KEY_ID,
    "name": "website",
    "prefix": "hr_live_",
    "last4": "Qk3d",
    "capabilities": ["workflow:read", "workflow:run"],
    "created_at": CREATED,
    "expires_at": None,
}
CreatedApiKey.examples = (CreatedApiKey(**API_KEY, key="hr_live_…"),)
ListedApiKey.examples = (
    ListedApiKey(
        **API_KEY,
        last_used_at=ENDED,
        webhook=KeyWebhook(url="https://example.com/hooks", enabled=True),
        client=None,
    ),
)
ApiKeyChanges.examples = (ApiKeyChanges(name="website", expires_at=Instant(1_893_456_000_000)),)
ApiKeyRequest.examples = (
    ApiKeyRequest(name="website", preset="Workflow Deploy"),
    ApiKeyRequest(name="one workflow", capabilities=["workflow:greeting:run", "webhook:receive"]),
)
API_KEY_LIST = Content(component="ApiKeyList", kind=list[ListedApiKey])


@operation(answers={200: API_KEY_LIST})
@session_only
async def list_api_keys(request: GatewayRequest, principal: Principal) -> Response:
    """The account's keys, oldest first, without their secrets."""
    store = request.services.store
    keys = await store.api_keys.list(principal.account.id)
    return json_response(await _listed(store, principal.account.id, keys))


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
    with _expiry_refused():
        key, secret = await request.services.store.api_keys.create(
            principal.account,
            name=body.name.strip(),
            capabilities=capabilities,
            expires_at=body.expires_at,
        )
    logger.info("API key created", extra=_audited(principal, key.id))
    return json_response(CreatedApiKey.from_record(key, key=secret), 201)


@operation(body=ApiKeyChanges, answers={200: ListedApiKey})
@session_only
async def change_api_key(request: GatewayRequest, principal: Principal) -> Response:
    """Rename a key of the account, or set the time from which on it is refused."""
    key_id: str = request.path_params["key_id"]
    store = request.services.store
    body = await read_body(request, ApiKeyChanges)
    with _expiry_refused():
        changed = await store.api_keys.change(
            key_id,
            owner=principal.account.id,
            name=None if body.name is UNSET else body.name.strip(),
            expires_at=UNCHANGED if body.expires_at is UNSET else body.expires_at,
        )
    logger.info("API key changed", extra=_audited(principal, key_id))
    [row] = await _listed(store, principal.account.id, [changed])
    return json_response(row)


@operation(answers={200: Deleted})
@session_only
async def delete_api_key(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a key of the account; its very next request is refused."""
    key_id: str = request.path_params["key_id"]
    await request.services.store.api_keys.revoke(key_id, owner=principal.account.id)
    logger.info("API key deleted", extra=_audited(principal, key_id))
    return json_response(DELETED)


async def _listed(store: Store, account_id: str, keys: Sequence[ApiKey]) -> list[ListedApiKey]:
    finding = asyncio.gather(*(store.webhooks.find(account_id, key.id) for key in keys))
    uses, webhooks = await asyncio.gather(store.api_keys.last_uses(account_id), finding)
    return [
        ListedApiKey.from_record(key, last_used_at=moment(uses.get(key.id)), webhook=webhook)
        for key, webhook in zip(keys, webhooks, strict=True)
    ]


@contextlib.contextmanager
def _expiry_refused() -> Iterator[None]:
    """Turn the store's refusal of a time into InvalidBody."""
    try:
        yield
    except ValueError as error:
        if str(error) != EXPIRED:
            raise
        raise errors.InvalidBody("'expiresAt' must be later than now", field="expiresAt") from None


def _audited(principal: Principal, key_id: str) -> dict[str, str]:
    account = principal.account
    return {"account_id": account.id, "role": account.role.value, "key_id": key_id}


routes = [
    Route("/api/api-keys", Resource(GET=list_api_keys, POST=create_api_key)),
    Route("/api/api-keys/{key_id}", Resource(PATCH=change_api_key, DELETE=delete_api_key)),
]
