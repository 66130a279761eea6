"""Public workflows of others: their price, and their runs."""

from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.gateway.documents import edge, greeting, node


def charged(**members: Any) -> dict[str, Any]:
    """Return a public workflow with a charged node."""
    nodes = [
        node("say", "customModel", model="echo", prompt="Hello"),
        node("out", "responseOutput"),
    ]
    edges = [edge("say", "text-out", "out", "result-in")]
    return {"name": "Charged", "nodes": nodes, "edges": edges, "publicPlayground": True, **members}


def price(client: Caller | httpx2.Client, slug: str) -> Any:
    """Return the estimate that the public schema shows; None: it shows none."""
    answer = client.get(f"/api/workflows/{slug}/public-schema")
    assert answer.status_code == 200, answer.text
    return answer.json().get("estimatedCreditCost")


def test_accounts_see_the_price_at_their_own_markup_and_visitors_none(
    administration: Administration, caller: Caller, browser: Caller, anonymous: httpx2.Client
) -> None:
    slug = caller.save(charged())
    own = caller.get(f"/api/workflows/{slug}/schema").json()["estimatedCreditCost"]
    enterprise = administration.caller("enterprise", "webhook:receive")

    assert price(caller, slug) == price(browser, slug) == own
    assert 0 < price(enterprise, slug) < own
    assert price(anonymous, slug) is None


def test_an_ended_session_sees_a_public_form_as_a_visitor_and_a_wrong_key_is_refused(
    caller: Caller, anonymous: httpx2.Client
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    path = f"/api/workflows/{slug}/public-schema"

    ended = anonymous.get(path, headers={"cookie": "headrace_session=hr_session_gone"})
    wrong = anonymous.get(path, headers={"x-api-key": "hr_live_wrong"})

    assert (ended.status_code, ended.json()) == (200, anonymous.get(path).json())
    assert wrong.status_code == 401


@pytest.mark.parametrize("is_known", [True, False])
def test_a_personal_price_is_not_stored_by_caches(
    caller: Caller, anonymous: httpx2.Client, is_known: bool
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    client = caller if is_known else anonymous

    answer = client.get(f"/api/workflows/{slug}/public-schema")

    stored = answer.headers.get("cache-control", "")
    assert ("no-store" in stored) is is_known
    assert {"cookie", "x-api-key"} <= set(answer.headers["vary"].split(", "))
