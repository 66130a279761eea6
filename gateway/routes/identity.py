"""Identity of the caller."""

from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine.access.capabilities import Role, Tier
from engine.store import Principal
from gateway.auth.endpoints import Resource, any_key, operation, session_only
from gateway.http.responses import json_response
from gateway.http.types import Credits, Moment, Nested, View, doc
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.routes.shared_types import UserView
from gateway.services import GatewayRequest


class TopUpView(Nested):
    """Credits that were bought or given."""

    credits: int
    expires_at: Moment | None


class CreditsView(Nested):
    """Credits of an account."""

    balance: Credits
    allowance: Annotated[int, doc("What is left of the tier's allowance.")]
    top_ups: list[TopUpView]
    refreshed_at: Moment | None


class WhoAmI(View):
    """The account behind a key or a session."""

    user: UserView


class Me(View):
    """The account that is signed in."""

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
    return json_response(
        Me(
            user=UserView.of(principal.account),
            credits=CreditsView.of(wallet, top_ups=[TopUpView.of(each) for each in wallet.top_ups]),
        )
    )


routes = [
    Route("/api/whoami", Resource(GET=whoami)),
    Route("/api/me", Resource(GET=me)),
]
