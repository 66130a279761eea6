"""Secrets of accounts, for the browsers of the accounts that own them; no route reads a value."""

import logging
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.access.account_secrets import (
    MAX_VALUE_BYTES,
    MIN_VALUE_BYTES,
    check_name,
    check_value,
)
from engine.access.secret_hosts import MAX_HOSTS, read_hosts
from engine.services.secrets import list_secrets as list_account_secrets
from engine.store import Principal
from gateway.auth.endpoints import operation, session_only
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import Content, Moment, RequestBody, View, described_as, doc
from gateway.openapi.examples import CREATED, ENDED
from gateway.services import GatewayRequest

logger = logging.getLogger(__name__)


class SecretView(View):
    """A secret of the account, without its value."""

    name: str
    created_at: Moment
    updated_at: Moment


SecretView.examples = (SecretView(name="STRIPE_KEY", created_at=CREATED, updated_at=ENDED),)


class ListedSecret(View):
    """A secret in a list, without its value."""

    name: str
    created_at: Moment
    updated_at: Moment
    hosts: Annotated[Sequence[str] | None, doc("The only hosts it is sent to; null: any.")]
    used_by: Annotated[
        Sequence[str], doc("Slugs of own workflows whose live version or draft names it.")
    ]


class SecretRequest(RequestBody):
    """A secret to save; the engine checks the value."""

    value: Annotated[
        Any,
        described_as(
            Annotated[str, Meta(min_length=1, max_length=MAX_VALUE_BYTES)],
            description=f"{MIN_VALUE_BYTES} to {MAX_VALUE_BYTES} bytes as UTF-8; no answer has it.",
        ),
    ]
    hosts: Annotated[
        Any,
        described_as(
            Annotated[list[str], Meta(min_length=1, max_length=MAX_HOSTS)] | None,
            description="The only hosts it is sent to: names, addresses, or `*.example.com` for all"
            " names below a domain. Null: any host; left out: as before.",
        ),
    ] = UNSET


SECRET: dict[str, Any] = {"name": "STRIPE_KEY", "created_at": CREATED, "updated_at": ENDED}
HOSTS = ["api.stripe.com"]
SecretRequest.examples = (
    SecretRequest(value="sk_live_…"),
    SecretRequest(value="sk_live_…", hosts=HOSTS),
)
ListedSecret.examples = (ListedSecret(**SECRET, hosts=HOSTS, used_by=["invoices"]),)
SECRET_LIST = Content(component="SecretList", kind=list[ListedSecret])


@operation(answers={200: SECRET_LIST})
@session_only
async def list_secrets(request: GatewayRequest, principal: Principal) -> Response:
    """The account's secrets by name, without their values."""
    store = request.services.store
    found = await list_account_secrets(store, principal.account.id)
    rows = [
        ListedSecret.from_record(each, used_by=slugs, hosts=each.hosts or None)
        for each, slugs in found
    ]
    return json_response(rows)


@operation(
    body=SecretRequest,
    answers={200: SecretView},
    errors=(errors.InvalidSecret, errors.QuotaExceeded),
)
@session_only
async def put_secret(request: GatewayRequest, principal: Principal) -> Response:
    """Set a secret; nodes that run from now on use the new value."""
    name = check_name(request.path_params["secret_name"])
    body = await read_body(request, SecretRequest)
    value = check_value(body.value)
    hosts = None if body.hosts is UNSET else read_hosts(body.hosts)
    saved = await request.services.store.secrets.save(
        principal.account.id, name, value, hosts=hosts
    )
    logger.info("secret saved", extra=_audited(principal, name))
    return json_response(SecretView.from_record(saved))


@operation(answers={200: Deleted})
@session_only
async def delete_secret(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a secret; nodes that use it fail from now on."""
    name: str = request.path_params["secret_name"]
    await request.services.store.secrets.delete(principal.account.id, name)
    logger.info("secret deleted", extra=_audited(principal, name))
    return json_response(DELETED)


def _audited(principal: Principal, name: str) -> dict[str, str]:
    return {"account_id": principal.account.id, "secret_name": name}


routes = [
    Route("/api/secrets", Resource(GET=list_secrets)),
    Route("/api/secrets/{secret_name}", Resource(PUT=put_secret, DELETE=delete_secret)),
]
