"""Each capability of each call: a key that lacks it alone is refused, one that holds it is not."""

from collections.abc import Iterable

import httpx2
import pytest

from engine.access.capabilities import GENERAL, IMPLICIT, Role
from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.gateway.matrix.conftest import Owner
from tests.support.gateway.matrix.calls import GUARDED, Call
from tests.support.gateway.matrix.objects import ask
from tests.support.gateway.matrix.places import Request, requests

pytestmark = pytest.mark.A15


class Keys:
    """Keys of one account that has an object of each kind, by the capabilities that they hold."""

    def __init__(
        self, make_client: MakeClient, store: Store, account: Account, ids: dict[str, str]
    ) -> None:
        self._make_client = make_client
        self._store = store
        self.account = account
        self._ids = ids
        self._clients: dict[frozenset[str], httpx2.AsyncClient] = {}

    async def ask(self, held: Iterable[str], call: Call) -> httpx2.Response:
        """Return the answer to a call about own objects, by a key that holds just these."""
        ids = self._ids
        request = REQUESTS[call].filled(path=ids, query=ids, body=ids)
        return await ask(await self._holding(frozenset(held)), **request)

    async def _holding(self, held: frozenset[str]) -> httpx2.AsyncClient:
        if held not in self._clients:
            _, secret = await self._store.api_keys.create(
                self.account, name="narrow", capabilities=sorted(held)
            )
            self._clients[held] = await self._make_client(secret)
        return self._clients[held]


REQUESTS: dict[Call, Request] = {}
for each in requests():
    REQUESTS.setdefault(each.call, each)
NEEDY = [call for call in GUARDED if any(not each & IMPLICIT for each in call.capabilities)]
"""Calls that some key may not make."""


@pytest.fixture
async def keys(make_client: MakeClient, store: Store, account: Account, owner: Owner) -> Keys:
    return Keys(make_client, store, account, owner.ids)


async def test_a_key_that_lacks_one_capability_is_refused_by_its_name(keys: Keys) -> None:
    for call in NEEDY:
        for needed in call.capabilities:
            answer = await keys.ask(GENERAL - needed, call)

            assert answer.status_code in refusals(call), (call, needed, answer.text)
            if answer.status_code == 403:
                assert answer.json()["code"] == "CAPABILITY_DENIED", call
                assert answer.json()["required"] in needed, call


def refusals(call: Call) -> set[int]:
    """Return the statuses of a refusal: a trigger that a key may not run is not found by it."""
    return {403, 404} if "{trigger_id}" in call.path else {403}


async def test_a_key_that_holds_what_a_call_needs_and_no_more_is_let_in(keys: Keys) -> None:
    for call in sorted(GUARDED, key=lambda call: call.method == "DELETE"):
        if not call.is_for_sessions:
            for held in enough(call):
                answer = await keys.ask(held, call)
                assert answer.status_code not in (401, 403), (call, held, answer.text)


def enough(call: Call) -> list[set[str]]:
    """Return the smallest sets of capabilities that suffice for a call."""
    held: list[set[str]] = [set()]
    for alternatives in call.capabilities:
        held = [{*each, one} for each in held for one in sorted(alternatives)]
    return [each or {"agent:invoke"} for each in held]


async def test_a_key_for_another_workflow_and_model_is_refused(keys: Keys) -> None:
    narrow = {"workflow:another:run", "model:another:run"}

    for call in NEEDY:
        answer = await keys.ask(narrow, call)
        assert answer.status_code in refusals(call), (call, answer.text)


async def test_a_key_for_everything_is_worth_nothing_when_its_account_is_no_admin(
    keys: Keys, store: Store, account: Account
) -> None:
    await store.accounts.change(account.id, role=Role.ADMIN)
    keys.account = await store.accounts.get(account.id)
    assert (await keys.ask({"*"}, NEEDY[0])).is_success
    await store.accounts.change(account.id, role=Role.USER)

    for call in NEEDY:
        answer = await keys.ask({"*"}, call)
        assert answer.status_code in refusals(call), (call, answer.text)
