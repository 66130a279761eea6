"""Who the caller is."""

from typing import Annotated, Self

from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from engine.capabilities import Role, Tier
from engine.store import Account, Principal, Wallet
from engine.values import moment
from gateway.endpoints import Resource, any_key, operation, session_only
from gateway.http.types import Credits, Moment, View
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.services import GatewayRequest
from gateway.wire import json_response


class UserView(View):
    """An account."""

    id: str
    email: str
    role: Role
    tier: Tier
    approved: bool

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        return cls(
            id=account.id,
            email=account.email,
            role=account.role,
            tier=account.tier,
            approved=account.approved,
        )


class TopUpView(View):
    """Credits that were bought or given."""

    credits: int
    expires_at: Moment | None


class CreditsView(View):
    """What an account has to spend."""

    balance: Credits
    allowance: Annotated[int, Meta(description="What is left of the tier's allowance.")]
    top_ups: list[TopUpView]
    refreshed_at: Moment | None

    @classmethod
    def of(cls, wallet: Wallet) -> Self:
        """Show a wallet."""
        return cls(
            balance=wallet.balance,
            allowance=wallet.allowance,
            top_ups=[
                TopUpView(credits=each.credits, expires_at=moment(each.expires_at))
                for each in wallet.top_ups
            ],
            refreshed_at=moment(wallet.refreshed_at),
        )


class WhoAmI(View):
    """The account behind a key or a session."""

    component = "WhoAmI"

    user: UserView


class Me(View):
    """The account that is signed in."""

    component = "Me"

    user: UserView
    credits: CreditsView


ADA = UserView(id=ACCOUNT_ID, email="ada@example.com", role=Role.USER, tier=Tier.PRO, approved=True)
WhoAmI.examples = (WhoAmI(ADA),)
Me.examples = (
    Me(
        user=ADA,
        credits=CreditsView(
            balance=6_200,
            allowance=4_200,
            top_ups=[TopUpView(credits=2_000, expires_at=None)],
            refreshed_at=CREATED,
        ),
    ),
)


@operation(answers={200: WhoAmI})
@any_key
async def whoami(request: GatewayRequest, principal: Principal) -> Response:
    """The account behind the key or the session."""
    return json_response(WhoAmI(UserView.of(principal.account)))


@operation(answers={200: Me})
@session_only
async def me(request: GatewayRequest, principal: Principal) -> Response:
    """The account that the browser is signed in to, and what it has to spend."""
    wallets = request.state["services"].store.wallets
    wallet = await wallets.read(principal.account.id, principal.terms)
    return json_response(Me(user=UserView.of(principal.account), credits=CreditsView.of(wallet)))


routes = [
    Route("/api/whoami", Resource(GET=whoami)),
    Route("/api/me", Resource(GET=me)),
]
