"""Identity of the caller."""

import asyncio
from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine.access.capabilities import Role, Tier, list_under_ceiling
from engine.store import Principal, Store
from gateway.auth.endpoints import any_key, operation, session_only
from gateway.auth.resource import Resource
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.http.responses import json_response
from gateway.http.types import Credits, Moment, Nested, View, doc
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.routes.accounts.views import UserView
from gateway.services import GatewayRequest


class TopUpView(Nested):
    """Credits that were bought or given."""

    credits: int
    expires_at: Moment | None


class CreditsView(Nested):
    """Credits of an account."""

    balance: Credits
    allowance: Annotated[int, doc("Rest of the tier's allowance.")]
    top_ups: list[TopUpView]
    refreshed_at: Moment | None


class RunsPerMinuteView(Nested):
    """The window of runs of workflows."""

    limit: int
    remaining: int
    reset: Annotated[int, doc("End of the window, in seconds since the epoch.")]


class UseView(Nested):
    """A limit, and how much of it is used."""

    limit: int
    used: int


class LimitsView(Nested):
    """Limits of an account and their use; null stands for no limit."""

    runs_per_minute: RunsPerMinuteView | None
    active: Annotated[
        UseView | None, doc("Executions that have not ended, but for those that only wait.")
    ]
    media: Annotated[UseView | None, doc("Bytes of stored media.")]


class WhoAmI(View):
    """The account behind a key or a session."""

    user: UserView


class Me(View):
    """The account that is signed in."""

    user: UserView
    credits: CreditsView
    limits: LimitsView
    ceiling: Annotated[
        list[str], doc("The capabilities that its keys may have; none: it may have no keys.")
    ]


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
        limits=LimitsView(
            runs_per_minute=RunsPerMinuteView(limit=100, remaining=97, reset=1_772_357_460),
            active=UseView(limit=100, used=2),
            media=UseView(limit=21_474_836_480, used=1_048_576),
        ),
        ceiling=list_under_ceiling(frozenset({"workflow", "webhook", "execution"})),
    ),
)


@operation(answers={200: WhoAmI})
@any_key
async def whoami(request: GatewayRequest, principal: Principal) -> Response:
    """The account behind the key or the session."""
    return json_response(WhoAmI(UserView.from_record(principal.account)))


@operation(answers={200: Me})
@session_only
async def me(request: GatewayRequest, principal: Principal) -> Response:
    """The account that the browser is signed in to: its credits, limits and capabilities."""
    store, terms = request.services.store, principal.terms
    wallet, limits = await asyncio.gather(
        store.wallets.get(principal.account.id, terms), _read_limits(store, principal)
    )
    return json_response(
        Me(
            user=UserView.from_record(principal.account),
            credits=CreditsView.from_record(
                wallet, top_ups=[TopUpView.from_record(each) for each in wallet.top_ups]
            ),
            limits=limits,
            ceiling=list_under_ceiling(terms.ceiling),
        )
    )


async def _read_limits(store: Store, principal: Principal) -> LimitsView:
    account_id, terms = principal.account.id, principal.terms
    window, active, stored = await asyncio.gather(
        store.rate_windows.current(account_id, WORKFLOW_RUNS, terms.runs_per_minute or 0),
        store.executions.count_active(account_id),
        store.assets.stored(account_id),
    )
    runs = RunsPerMinuteView.from_record(window, reset=window.ends_at)
    return LimitsView(
        runs_per_minute=runs if terms.runs_per_minute is not None else None,
        active=_use(terms.executions_at_once, active),
        media=_use(terms.media_bytes, stored),
    )


def _use(limit: int | None, used: int) -> UseView | None:
    return None if limit is None else UseView(limit=limit, used=used)


routes = [
    Route("/api/whoami", Resource(GET=whoami)),
    Route("/api/me", Resource(GET=me)),
]
