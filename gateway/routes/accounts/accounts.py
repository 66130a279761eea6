"""Accounts of the installation, for the browsers of its admins."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.access.capabilities import Role, Tier
from engine.billing.credits import MAX_CREDITS
from engine.store import Account, Principal, Store
from engine.store.accounts import wallets
from engine.store.accounts.sessions import LOGIN_MS
from engine.values.plain import moment
from gateway.admission.credentials import header_values
from gateway.auth.endpoints import admins_only, operation
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import Instant, Moment, RequestBody, View, doc, refused
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.routes.accounts.views import AccountView, BalanceView
from gateway.services import GatewayRequest

MAX_EMAIL = 254
MAX_NOTE = 200
logger = logging.getLogger(__name__)


class AccountsQuery(ShortPageQuery):
    """Query of the list of accounts."""

    email_part: Annotated[
        str,
        doc(
            "Only accounts with this text in their e-mail address, in any case. Such a "
            "page may be short although there is a next one.",
            "example.com",
        ),
    ] = field(default="", name="q")


class AccountRequest(RequestBody):
    """An account to create."""

    email: Annotated[
        str,
        Meta(min_length=3, max_length=MAX_EMAIL, pattern=r"^[^\s@]+@[^\s@]+$"),
        refused("must be an e-mail address"),
    ]
    tier: Tier
    role: Role = Role.USER
    approved: bool = True


class AccountChanges(RequestBody):
    """Changes of an account; members that are left out stay as they are."""

    approved: bool | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    role: Role | UnsetType = UNSET


class CreditRequest(RequestBody):
    """Credits to add to an account."""

    credits: Annotated[int, Meta(ge=1, le=MAX_CREDITS)]
    note: Annotated[
        str,
        Meta(min_length=1, max_length=MAX_NOTE),
        refused(f"must be a text of 1 to {MAX_NOTE} characters"),
    ]
    expires_at: Annotated[
        Instant | None,
        doc("A later time; null: they do not expire."),
        refused("must be null or a time with a zone, such as 2030-01-31T12:00:00Z"),
    ] = None


class AccountsPage(View):
    """A page of accounts."""

    rows: list[AccountView]
    next_cursor: str | None


class LoginLinkView(View):
    """A link that signs one browser in, once."""

    url: str
    account_id: str
    expires_at: Moment


ADA = AccountView(
    id=ACCOUNT_ID,
    email="ada@example.com",
    role=Role.USER,
    tier=Tier.PRO,
    approved=True,
    credits=BalanceView(5_000),
    created_at=CREATED,
)
AccountView.examples = (ADA,)
AccountsPage.examples = (AccountsPage(rows=[ADA], next_cursor=None),)
AccountRequest.examples = (AccountRequest(email="ada@example.com", tier=Tier.PRO),)
AccountChanges.examples = (AccountChanges(approved=True, tier=Tier.BUSINESS),)
CreditRequest.examples = (CreditRequest(credits=2_000, note="invoice 7"),)
LoginLinkView.examples = (
    LoginLinkView(
        url="https://headrace.example.com/login?token=hr_login_…",
        account_id=ACCOUNT_ID,
        expires_at=CREATED,
    ),
)


@operation(
    query=AccountsQuery,
    answers={200: AccountsPage},
    errors=(errors.InvalidQuery,),
)
@admins_only
async def list_accounts(request: GatewayRequest, principal: Principal) -> Response:
    """All accounts, newest first, a page at a time."""
    query = AccountsQuery.parse(request.scope)
    store = request.services.store
    rows, next_cursor = await store.accounts.page(
        limit=query.limit, after=query.cursor, email=query.email_part
    )
    return json_response(AccountsPage(rows=await _shown(store, rows), next_cursor=next_cursor))


@operation(body=AccountRequest, answers={201: AccountView})
@admins_only
async def create_account(request: GatewayRequest, principal: Principal) -> Response:
    """A new account."""
    body = await read_body(request, AccountRequest)
    store = request.services.store
    try:
        made = await store.accounts.create(
            email=body.email,
            tier=body.tier,
            role=body.role,
            approved=body.approved,
            by=principal.account.id,
        )
    except ValueError:
        raise errors.InvalidBody("'email' must be an e-mail address", field="email") from None
    logger.info("account created", extra=_acted(principal, made.id))
    [shown] = await _shown(store, [made])
    return json_response(shown, 201)


@operation(
    body=AccountChanges,
    answers={200: AccountView},
    errors=(errors.AccountNotFound, errors.LastAdmin),
)
@admins_only
async def change_account(request: GatewayRequest, principal: Principal) -> Response:
    """Approve an account, or change its tier or role, from its very next request on."""
    account_id: str = request.path_params["account_id"]
    body = await read_body(request, AccountChanges)
    store = request.services.store
    changed = await store.accounts.change(
        account_id,
        approved=None if body.approved is UNSET else body.approved,
        tier=None if body.tier is UNSET else body.tier,
        role=None if body.role is UNSET else body.role,
        by=principal.account.id,
    )
    logger.info("account changed", extra=_acted(principal, account_id))
    [shown] = await _shown(store, [changed])
    return json_response(shown)


@operation(body=CreditRequest, answers={200: AccountView}, errors=(errors.AccountNotFound,))
@admins_only
async def credit_account(request: GatewayRequest, principal: Principal) -> Response:
    """Add credits to an account."""
    body = await read_body(request, CreditRequest)
    store = request.services.store
    account = await store.accounts.get(request.path_params["account_id"])
    with _credits_refused():
        await store.wallets.top_up(
            account.id,
            store.tiers.terms(account.tier, account.role),
            body.credits,
            expires_at=body.expires_at,
            note=body.note,
            by=principal.account.id,
        )
    logger.info("account credited", extra=_acted(principal, account.id))
    [shown] = await _shown(store, [account])
    return json_response(shown)


@operation(answers={201: LoginLinkView}, errors=(errors.AccountNotFound,))
@admins_only
async def create_login_link(request: GatewayRequest, principal: Principal) -> Response:
    """A link that signs one browser in to the account, once, within ten minutes."""
    services = request.services
    account_id: str = request.path_params["account_id"]
    sessions = services.store.sessions
    made_at = await services.store.leases.now()
    token = await sessions.create_login(account_id, by=principal.account.id)
    base = services.settings.public_url.rstrip("/") or _own_address(request)
    logger.info("sign-in link created", extra=_acted(principal, account_id))
    shown = LoginLinkView(
        url=f"{base}/login?token={token}",
        account_id=account_id,
        expires_at=moment(made_at + LOGIN_MS),
    )
    return json_response(shown, 201)


def _own_address(request: GatewayRequest) -> str:
    """Return the address at which the admin's browser reaches this host."""
    [*origins] = header_values(request.scope, b"origin")
    return origins[0] if origins else f"{request.scope['scheme']}://{request.headers['host']}"


async def _shown(store: Store, accounts: Sequence[Account]) -> list[AccountView]:
    terms = [store.tiers.terms(each.tier, each.role) for each in accounts]
    read = await asyncio.gather(
        *(store.wallets.get(each.id, of) for each, of in zip(accounts, terms, strict=True))
    )
    return [
        AccountView.from_record(account, balance=wallet.balance)
        for account, wallet in zip(accounts, read, strict=True)
    ]


@contextlib.contextmanager
def _credits_refused() -> Iterator[None]:
    """Turn refusals of the store into InvalidBody."""
    fields = {wallets.EXPIRED: "expiresAt", wallets.TOO_MANY: "credits"}
    try:
        yield
    except ValueError as error:
        field = fields.get(str(error), "expiresAt")
        raise errors.InvalidBody(str(error), field=field) from None


def _acted(principal: Principal, account_id: str) -> dict[str, str]:
    return {"account_id": principal.account.id, "subject": account_id}


PATH = "/api/admin/accounts"
routes = [
    Route(PATH, Resource(GET=list_accounts, POST=create_account)),
    Route(f"{PATH}/{{account_id}}", Resource(PATCH=change_account)),
    Route(f"{PATH}/{{account_id}}/credit", Resource(POST=credit_account)),
    Route(f"{PATH}/{{account_id}}/login-link", Resource(POST=create_login_link)),
]
