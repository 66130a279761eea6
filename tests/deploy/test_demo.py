"""The demonstration of a new installation."""

import pytest
from starlette.routing import Route

from deploy.demo import CAPABILITIES, TIER
from engine.access.capabilities import Role, covers, is_under_ceiling
from engine.access.tiers import load
from engine.settings import Settings
from engine.webhooks.signing import CAPABILITY
from gateway.app import routes
from gateway.auth.endpoints import Guarded, Resource

DEMANDED = {
    endpoint.capability
    for route in routes(Settings())
    if isinstance(route, Route) and isinstance(route.endpoint, Resource)
    for endpoint in route.endpoint.endpoints.values()
    if isinstance(endpoint, Guarded) and endpoint.capability is not None
}


@pytest.mark.parametrize("capability", sorted({*DEMANDED, CAPABILITY}))
def test_the_key_of_the_demonstration_may_do_what_any_key_can(capability: str) -> None:
    assert covers(CAPABILITIES, capability)


def test_the_account_of_the_demonstration_may_have_such_a_key() -> None:
    ceiling = load("").terms(TIER, Role.USER).ceiling

    assert all(is_under_ceiling(each, ceiling) for each in CAPABILITIES)
